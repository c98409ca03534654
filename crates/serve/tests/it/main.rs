//! The routes as a client meets them, against a made-up engine: without a socket where none is needed, and with one
//! for what only a socket shows.

mod activity;
mod at;
mod completeness;
mod conversations;
mod errors;
mod export;
mod health;
#[path = "../../../export/tests/it/history.rs"]
#[allow(dead_code)]
mod history;
mod known_at;
mod page;
mod retention;
mod socket;
mod state;
mod stream;
mod world;
