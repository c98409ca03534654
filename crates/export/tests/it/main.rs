//! Exports of made-up histories, held against their truth.

#![allow(clippy::unwrap_used)]

mod disk;
mod history;
mod rows;
mod snapshot;
