//! `cargo xtask crash`: rounds of `kill -9` under load, on a release build.
//!
//! The rounds themselves are a test of the program (`crates/headcount/tests/it/crash.rs`), which runs a few of them with all
//! others; this runs as many as wanted, and shows each.

use crate::steps::cargo;
use anyhow::{Context, bail};

/// More would be a day's work.
const ROUNDS_MAX: u64 = 10_000;
const ROUNDS_DEFAULT: u64 = 300;

/// Runs the rounds: `[--rounds N] [--seed S]`.
///
/// # Errors
/// When a fact was lost or invented; the test says which.
pub fn run(args: &[&str]) -> anyhow::Result<()> {
    let (mut rounds, mut seed) = (ROUNDS_DEFAULT, None);
    for pair in args.chunks(2) {
        match pair {
            ["--rounds", number] => rounds = number.parse().context("--rounds takes a number")?,
            ["--seed", number] => seed = Some(number.parse::<u64>().context("--seed takes a number")?),
            _ => bail!("usage: cargo xtask crash [--rounds N] [--seed S]"),
        }
    }
    if !(1..=ROUNDS_MAX).contains(&rounds) {
        bail!("--rounds takes a number from 1 to {ROUNDS_MAX}");
    }
    let mut settings = vec![("HEADCOUNT_CRASH_ROUNDS", rounds.to_string())];
    settings.extend(seed.map(|seed| ("HEADCOUNT_CRASH_SEED", seed.to_string())));
    let test = ["crash::what_was_visible_before_a_kill_is_there_after_it", "--exact", "--nocapture"];
    let args = ["test", "--release", "--locked", "--quiet", "-p", "headcount", "--test", "it", "--"];
    cargo("kill -9 under load", &[&args[..], &test].concat(), &settings)
}
