//! `cargo xtask fuzz TARGET SECONDS`: one target under libFuzzer, guided by coverage.
//!
//! The driver is built with the stable compiler: the flags are those that libFuzzer needs of LLVM, without a sanitizer,
//! since nothing here is unsafe. What reaches new code is kept in `target/fuzz/corpus`, an input that broke something in
//! `target/fuzz/broken`; neither is committed by itself.

use crate::steps::{root, say};
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Counters in each edge and the operands of comparisons, for libFuzzer to read.
const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// Runs the fuzzer: `TARGET [SECONDS]`, 600 by default; or `TARGET merge`, which adds to the committed corpus the few
/// inputs that reach what it does not.
///
/// # Errors
/// When an input broke something, or the fuzzer could not be built.
pub fn run(args: &[&str]) -> anyhow::Result<()> {
    let [target, how @ ..] = args else { bail!("name a target: a folder of fuzz/corpus") };
    let committed = root().join("fuzz/corpus").join(target);
    if !committed.is_dir() {
        bail!("there is no target {target}; targets are the folders of fuzz/corpus");
    }
    let own = root().join("target/fuzz");
    let (found, broken) = (own.join("corpus").join(target), own.join("broken"));
    for folder in [&found, &broken] {
        std::fs::create_dir_all(folder)?;
    }
    let mut fuzzer = Command::new(build(&own)?);
    fuzzer.env("HEADCOUNT_FUZZ_TARGET", target).arg(format!("-artifact_prefix={}/", broken.display()));
    let dictionary = root().join("fuzz/dictionaries").join(format!("{target}.txt"));
    if dictionary.is_file() {
        fuzzer.arg(format!("-dict={}", dictionary.display()));
    }
    match how {
        ["merge"] => fuzzer.arg("-merge=1").args([&committed, &found]),
        [] => fuzzer.args(["-max_total_time=600", "-print_final_stats=1"]).args([&found, &committed]),
        [seconds, ..] => {
            let seconds: u64 = seconds.parse().context("SECONDS is a number, or `merge`")?;
            fuzzer
                .arg(format!("-max_total_time={seconds}"))
                .arg("-print_final_stats=1")
                .args([&found, &committed])
        }
    };
    if !fuzzer.status().context("the fuzzer could not be started")?.success() {
        bail!(
            "an input broke something; it is in {}: cargo run -p fuzz --example replay -- {target} FILE",
            broken.display()
        );
    }
    Ok(())
}

/// Builds the driver; its path. A named platform keeps the flags from build scripts and macros.
fn build(own: &Path) -> anyhow::Result<PathBuf> {
    say("building the driver");
    let told = Command::new("rustc").arg("-vV").output().context("rustc could not be started")?;
    let told = String::from_utf8(told.stdout)?;
    let platform =
        told.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let status = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(["build", "--release", "--quiet", "--locked", "--target", platform, "--target-dir"])
        .arg(own)
        .current_dir(root().join("fuzz/driver"))
        .env("RUSTFLAGS", INSTRUMENTED)
        .status()?;
    if !status.success() {
        bail!("the driver could not be built, see above; besides what cargo says, it needs a C++ compiler");
    }
    Ok(own.join(platform).join("release/driver"))
}
