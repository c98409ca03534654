//! Hostile bytes for everything that takes bytes.
//!
//! Each target is a plain function from bytes to nothing: it does with them what the program would do with what comes from
//! outside, and panics when something does not hold that must. So one target serves three drivers: a test that runs the
//! committed corpus and some thousand mutations of it, a coverage-guided fuzzer (`fuzz/driver`), and a person with one
//! input that went wrong. Rejected: targets inside the fuzzer's own macro, which only the fuzzer can run.

pub mod corpus;
mod cursor;
mod targets;
mod testing;

// The reorder buffer's model, which `targets/reorder.rs` takes in, looks for these here.
use causal::{Dot, DotRange, DotSet, VectorClock};

/// Something that takes bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its folder under `fuzz/corpus`.
    pub name: &'static str,
    /// Takes bytes; panics when they break something.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 7] = [
    Target { name: "frames", run: targets::frames::run },
    Target { name: "clocks", run: targets::clocks::run },
    Target { name: "engine", run: targets::engine::run },
    Target { name: "records", run: targets::records::run },
    Target { name: "reorder", run: targets::reorder::run },
    Target { name: "config", run: targets::config::run },
    Target { name: "requests", run: targets::requests::run },
];

/// The target of a name.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
