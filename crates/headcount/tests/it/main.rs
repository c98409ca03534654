//! The program from outside: its command line, and its answers held against the simulator's truth.
//!
//! Tests that need what `cargo xtask test` installs (a browser, the vendor's SDK) say so and are left out without it.

mod command_line;
mod compare;
mod crash;
mod crowded;
mod disk;
mod export;
mod grafana;
#[path = "../../../export/tests/it/history.rs"]
#[allow(dead_code)]
mod history;
mod influx;
mod influx3;
mod logs;
mod outside;
mod program;
mod readonly;
mod recipes;
mod restart;
mod rig;
mod stopping;
mod store;
mod storm;
mod truth;
mod why;
