//! The simulation, from the command line and as a step of the tests.

use crate::steps;
use std::hash::{BuildHasher, Hasher, RandomState};

/// Seeds that every run of the tests plays, and how many it draws besides.
const SEEDS: u64 = 2_000;
const FRESH: u64 = 200;

/// Plays what the arguments ask for: `--seed N`, `--seeds FROM..TO`.
///
/// # Errors
/// When the arguments make no sense, or a seed breaks a rule: its output says which, and how to replay it.
pub fn run(args: &[&str]) -> anyhow::Result<()> {
    let cargo = ["run", "--release", "--locked", "--quiet", "-p", "sim", "--example", "sim", "--"];
    steps::cargo("the simulation", &[&cargo[..], args].concat(), &[])
}

/// The step of the tests: the same seeds each time, and some that nobody has seen.
///
/// # Errors
/// When a seed breaks a rule.
pub fn test() -> anyhow::Result<()> {
    run(&["--seeds", &format!("0..{SEEDS}")])?;
    let drawn = RandomState::new().build_hasher().finish() >> 16;
    run(&["--seeds", &format!("{drawn}..{}", drawn + FRESH)])
}
