//! How the benchmarks say what they found.

use std::fmt::Arguments;
use std::io::Write;
use std::time::Duration;

/// The middle, all but one in a hundred, and all.
#[allow(dead_code, reason = "each benchmark uses some")]
pub fn spread(mut all: Vec<Duration>) -> String {
    all.sort_unstable();
    let at = |percent: usize| all[(all.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    format!("p50 {:6.2} ms  p99 {:6.2} ms  most {:6.2} ms", at(50), at(99), at(100))
}

/// Prints a line; nobody to read it is no failure.
pub fn say(text: Arguments<'_>) {
    let _nobody_reads = writeln!(std::io::stdout(), "{text}");
}
