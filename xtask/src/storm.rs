//! `cargo xtask storm`: everything outside misbehaves at random, for as long as wanted, on a release build.
//!
//! The storm itself is a test of the program (`crates/headcount/tests/it/storm.rs`), of which a short one runs with all
//! others. Here the clock of the service is set, too, for which Debian's `libfaketime` is installed if it is missing. A clock
//! that was set back leaves all before in doubt; `--steady-clock` leaves that out, so that more is claimed and checked.

use crate::needs;
use crate::steps::cargo;
use anyhow::{Context, bail};

/// More would be a week's work.
const SECONDS_MAX: u64 = 7 * 86_400;
const SECONDS_DEFAULT: u64 = 7_200;

/// Plays the storm: `[--seconds N] [--seed S] [--steady-clock]`.
///
/// # Errors
/// When a claim was false, or the final answers are not the truth; the test says which.
pub fn run(args: &[&str]) -> anyhow::Result<()> {
    let (mut seconds, mut seed) = (SECONDS_DEFAULT, None);
    let (flags, args): (Vec<&str>, Vec<&str>) = args.iter().partition(|arg| **arg == "--steady-clock");
    for pair in args.chunks(2) {
        match pair {
            ["--seconds", number] => seconds = number.parse().context("--seconds takes a number")?,
            ["--seed", number] => seed = Some(number.parse::<u64>().context("--seed takes a number")?),
            _ => bail!("usage: cargo xtask storm [--seconds N] [--seed S] [--steady-clock]"),
        }
    }
    if !(60..=SECONDS_MAX).contains(&seconds) {
        bail!("--seconds takes a number from 60 to {SECONDS_MAX}");
    }
    let mut settings = vec![("HEADCOUNT_STORM_SECONDS", seconds.to_string())];
    if flags.is_empty() {
        settings.push(("HEADCOUNT_FAKETIME", needs::fake_clock()?.display().to_string()));
    }
    settings.extend(seed.map(|seed| ("HEADCOUNT_STORM_SEED", seed.to_string())));
    let test = ["storm::no_claim_is_false_whatever_the_world_does", "--exact", "--nocapture"];
    let args = ["test", "--release", "--locked", "--quiet", "-p", "headcount", "--test", "it", "--"];
    cargo("a storm", &[&args[..], &test].concat(), &settings)
}
