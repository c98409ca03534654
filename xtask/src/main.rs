//! Automation: everything a person or a build server runs besides cargo itself.

mod crash;
mod export;
mod fuzz;
mod needs;
mod outage;
mod sim;
mod soak;
mod steps;
mod storm;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test     install what the tests need (only if missing), then run every check and every test
cargo xtask tidy     the house rules that no compiler checks: layers, sizes, module docs, forbidden calls
cargo xtask sim --seed N          one world of failures with its trace, step by step
cargo xtask sim --seeds FROM..TO  as many as you like, on every core; names each seed that breaks a rule
cargo xtask soak     ten minutes of `demo` at 2,000 events a second; fails on a drop or growing memory
                     (cargo xtask soak SECONDS RATE for another length and rate)
cargo xtask crash --rounds N [--seed S]   `kill -9` at random moments at 20,000 facts a second, and every fact that
                     was visible must be there after it; 300 rounds take some twenty minutes
cargo xtask storm [--seconds N] [--seed S] [--steady-clock]   two hours in which requests fail, answers get lost, sockets die unseen, dates
                     lie, the service is paused, killed and its clock is set; no claim may be false
cargo xtask outage   InfluxDB is away for ten minutes at 5,000 changes a second, then busy, then killed, in both schemas;
                     every change must be there (cargo xtask outage SECONDS for another length)
cargo xtask export   10 million spells exported as Parquet; DuckDB's sums must be the truth; says what it cost
                     (cargo xtask export CONVERSATIONS for another size, 5 spells each)
cargo xtask fuzz     TARGET [SECONDS]: a fuzz target guided by coverage; see fuzz/README.md";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["test"] => steps::test(),
        ["tidy"] => steps::tidy(),
        ["sim", rest @ ..] => sim::run(rest),
        ["export", rest @ ..] => export::run(rest),
        ["soak", rest @ ..] => soak::run(rest),
        ["crash", rest @ ..] => crash::run(rest),
        ["storm", rest @ ..] => storm::run(rest),
        ["outage", rest @ ..] => outage::run(rest),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        _ => {
            steps::say(USAGE);
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            steps::say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
