//! `cargo xtask soak`: `demo` under load for minutes, watched from outside.
//!
//! Bounded in time; ends by itself. Prints a line every ten seconds and a verdict: nothing dropped, memory flat.

use crate::steps::{root, say};
use anyhow::{Context, bail};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How much more memory the last tenth may use than the second fifth, in percent.
const GROWTH_PERCENT_MAX: u64 = 25;

/// Runs the soak: `[seconds [rate]]`, 600 and 2,000 by default.
///
/// # Errors
/// When something was dropped, memory grew, or the demo ended early.
pub fn run(args: &[&str]) -> anyhow::Result<()> {
    let number = |at: usize, default: u64| args.get(at).map_or(Ok(default), |text| text.parse::<u64>());
    let (seconds, rate) = (number(0, 600)?.clamp(10, 3_600), number(1, 2_000)?);
    let status = Command::new("cargo")
        .args(["build", "--release", "--bin", "headcount"])
        .current_dir(root())
        .status()?;
    if !status.success() {
        bail!("the release build failed");
    }
    let (mut demo, address) = start(seconds + 15, rate)?;
    let outcome = watch(&mut demo, &address, seconds, rate);
    let _already_gone = demo.kill();
    let _ended = demo.wait();
    outcome
}

fn start(seconds: u64, rate: u64) -> anyhow::Result<(Child, String)> {
    let mut demo = Command::new(root().join("target/release/headcount"))
        .args([
            "demo",
            "--listen",
            "127.0.0.1:0",
            "--rate",
            &rate.to_string(),
            "--duration",
            &format!("{seconds}s"),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("the demo could not be started")?;
    let out = demo.stdout.take().context("the demo has no output")?;
    for line in BufReader::new(out).lines().map_while(Result::ok) {
        if let Some((_, address)) = line.split_once("http://") {
            return Ok((demo, address.trim_end_matches('/').to_owned()));
        }
    }
    bail!("the demo ended before it said where it serves");
}

fn watch(demo: &mut Child, address: &str, seconds: u64, rate: u64) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut memory = Vec::new();
    while begun.elapsed() < Duration::from_secs(seconds) {
        std::thread::sleep(Duration::from_secs(10));
        if demo.try_wait()?.is_some() {
            bail!("the demo ended by itself after {} s", begun.elapsed().as_secs());
        }
        let metrics = get(address, "/metrics")?;
        let kib = resident_kib(demo.id());
        memory.push(kib);
        say(&format!(
            "{:4} s  {:6} MiB  facts {:>9}  duplicates {:>8}  dropped {}  active {}",
            begun.elapsed().as_secs(),
            kib / 1024,
            sum(&metrics, "headcount_facts_total"),
            sum(&metrics, "headcount_duplicates_total"),
            sum(&metrics, "headcount_dropped_facts_total"),
            sum(&metrics, "headcount_active_conversations"),
        ));
        if sum(&metrics, "headcount_dropped_facts_total") > 0 {
            bail!("facts were dropped");
        }
    }
    let facts = sum(&get(address, "/metrics")?, "headcount_facts_total");
    let mean = |part: &[u64]| part.iter().sum::<u64>() / (part.len() as u64).max(1);
    let fifth = (memory.len() / 5).max(1);
    let (early, late) = (mean(&memory[fifth..fifth * 2]), mean(&memory[memory.len() - fifth..]));
    say(&format!(
        "{facts} facts in {seconds} s at a rate of {rate}; memory {} MiB early, {} MiB late",
        early / 1024,
        late / 1024
    ));
    if late * 100 > early * (100 + GROWTH_PERCENT_MAX) {
        bail!("memory grew from {early} KiB to {late} KiB");
    }
    Ok(())
}

fn get(address: &str, path: &str) -> anyhow::Result<String> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(answer)
}

/// The sum of a metric over its labels.
fn sum(metrics: &str, name: &str) -> u64 {
    let values =
        metrics.lines().filter(|line| line.starts_with(name)).filter_map(|line| line.rsplit(' ').next());
    values.filter_map(|value| value.parse::<f64>().ok()).sum::<f64>() as u64
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
