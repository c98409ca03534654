//! The store from outside: what is acknowledged is there, whatever happens next.

mod cells;
mod crash;
mod damage;
mod fixtures;
mod folder;
mod golden;
mod memory;
mod outbox;
mod retention;
mod round_trip;
mod salvage;
mod torn;
