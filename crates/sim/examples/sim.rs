//! Plays seeds: `--seed N` one with its trace, `--seeds FROM..TO` many on every core. `cargo xtask sim` runs it.

use std::io::Write;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const USAGE: &str = "usage: sim --seed N [--quiet] | --seeds FROM..TO";
/// Failing seeds that are named.
const NAMED_MAX: usize = 100;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--seed", seed] => seed.parse().map_or_else(|_| wrong(), one),
        ["--seeds", range] => parse(range).map_or_else(wrong, many),
        _ => wrong(),
    }
}

fn wrong() -> ExitCode {
    say(USAGE);
    ExitCode::from(2)
}

fn parse(range: &str) -> Option<Range<u64>> {
    let (from, to) = range.split_once("..")?;
    Some(from.parse().ok()?..to.parse().ok()?)
}

fn one(seed: u64) -> ExitCode {
    match sim::play(seed, true) {
        Ok(outcome) => {
            say(&outcome.trace);
            outcome.broken.map_or(ExitCode::SUCCESS, |broken| {
                say(&format!("seed {seed}: {broken}"));
                ExitCode::FAILURE
            })
        }
        Err(error) => failed(&error),
    }
}

fn many(seeds: Range<u64>) -> ExitCode {
    let begun = Instant::now();
    let (next, broken) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let play_some = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return Ok(());
            }
            if let Some(what) = sim::play(seed, false)?.broken
                && let Ok(mut broken) = broken.lock()
            {
                broken.push((seed, what));
            }
        }
    };
    let outcomes: Vec<std::io::Result<()>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(play_some)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    if let Some(error) = outcomes.into_iter().find_map(Result::err) {
        return failed(&error);
    }
    let mut broken = broken.into_inner().unwrap_or_default();
    broken.sort_by_key(|(seed, _)| *seed);
    for (seed, what) in broken.iter().take(NAMED_MAX) {
        let what: String = what.to_string().lines().take(6).collect::<Vec<_>>().join("\n    ");
        say(&format!("seed {seed}: {what}\n    replay it: cargo xtask sim --seed {seed}"));
    }
    let (played, took) = (seeds.end.saturating_sub(seeds.start), begun.elapsed().as_secs_f64());
    say(&format!(
        "{played} seeds ({}..{}) in {took:.0} s: {} broke a rule",
        seeds.start,
        seeds.end,
        broken.len()
    ));
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn failed(error: &std::io::Error) -> ExitCode {
    say(&format!("no folder for the disks: {error}"));
    ExitCode::FAILURE
}

fn say(text: &str) {
    let _nobody_reads = writeln!(std::io::stderr(), "{text}");
}
