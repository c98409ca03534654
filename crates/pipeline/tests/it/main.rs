//! The pipeline from outside: facts in, committed answers out, over restarts and overflow.

mod activity;
mod corpus;
mod damage;
mod followers;
mod full_disk;
mod instant;
mod mailbox;
mod restart;
mod retention;
mod unreadable;
mod wishes;
mod world;
