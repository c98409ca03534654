//! `cargo xtask outage`: InfluxDB is away for ten minutes at 5,000 changes a second, then busy, then killed, in both schemas.
//!
//! What happens is a test of the follower (`crates/influx/tests/it/outage.rs`), which plays a few seconds of it with all others;
//! this plays as many as wanted, on a release build, and shows what was found.

use crate::needs;
use crate::steps::{cargo, root};
use anyhow::{Context, bail};

/// More would be a night's work.
const SECONDS_MAX: u64 = 7_200;
const SECONDS_DEFAULT: u64 = 600;

/// Plays it: `[SECONDS]`.
///
/// # Errors
/// When a change is missing in the end, or there twice; the test says so.
pub fn run(args: &[&str]) -> anyhow::Result<()> {
    let seconds = match args {
        [] => SECONDS_DEFAULT,
        [number] => number.parse().context("usage: cargo xtask outage [SECONDS]")?,
        _ => bail!("usage: cargo xtask outage [SECONDS]"),
    };
    if !(1..=SECONDS_MAX).contains(&seconds) {
        bail!("SECONDS is a number from 1 to {SECONDS_MAX}");
    }
    needs::install(&root().join("target/xtask"))?;
    let settings = [("HEADCOUNT_E2E", "1".to_owned()), ("HEADCOUNT_OUTAGE_SECONDS", seconds.to_string())];
    let test =
        ["outage::influxdb_1_has_every_change_after_an_outage_503s_and_a_kill", "--exact", "--nocapture"];
    let args = ["test", "--release", "--locked", "--quiet", "-p", "influx", "--test", "it", "--"];
    cargo("InfluxDB is away", &[&args[..], &test].concat(), &settings)
}
