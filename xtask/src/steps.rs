//! The steps of `cargo xtask test`, in the order in which they fail fastest.

use crate::{needs, sim, tidy};
use anyhow::{Context, bail};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// Runs every check and every test.
///
/// # Errors
/// The first step that failed.
pub fn test() -> anyhow::Result<()> {
    let root = root();
    let begun = Instant::now();
    tidy()?;
    cargo("format", &["fmt", "--all", "--check"], &[])?;
    cargo(
        "lints",
        &["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"],
        &[],
    )?;
    cargo(
        "the lock file of the fuzz driver",
        &["fetch", "--locked", "--quiet", "--manifest-path", "fuzz/driver/Cargo.toml"],
        &[],
    )?;
    step("what the tests need");
    let tools = needs::install(&root.join("target/xtask"))?;
    let settings = [
        ("HEADCOUNT_E2E", "1".to_owned()),
        ("HEADCOUNT_PYTHON", tools.python.display().to_string()),
        ("HEADCOUNT_NODE", tools.node.display().to_string()),
        ("HEADCOUNT_CHROMIUM", tools.chromium.display().to_string()),
    ];
    let args = ["test", "--workspace", "--release", "--locked", "--no-fail-fast"];
    cargo("every test, real servers and a real browser among them", &args, &settings)?;
    sim::test()?;
    step(&format!("all done in {} s", begun.elapsed().as_secs()));
    Ok(())
}

/// Runs the house rules.
///
/// # Errors
/// Every broken rule, at once.
pub fn tidy() -> anyhow::Result<()> {
    step("house rules");
    let broken = tidy::broken_rules(&root());
    if !broken.is_empty() {
        bail!("the house rules are broken:\n{}", broken.join("\n"));
    }
    Ok(())
}

/// The workspace's folder.
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}

/// Says something to whoever runs the automation.
pub fn say(text: &str) {
    let _nobody_reads = writeln!(std::io::stderr(), "{text}");
}

fn step(name: &str) {
    say(&format!("── {name}"));
}

/// Runs cargo as a step of its own.
///
/// # Errors
/// When it could not be started or did not succeed.
pub fn cargo(name: &str, args: &[&str], settings: &[(&str, String)]) -> anyhow::Result<()> {
    step(name);
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(args).current_dir(root());
    command.envs(settings.iter().map(|(name, value)| (*name, value)));
    let status = command.status().context("cargo could not be started")?;
    if !status.success() {
        bail!("the step `{name}` failed: cargo {}", args.join(" "));
    }
    Ok(())
}
