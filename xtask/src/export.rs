//! `cargo xtask export`: a history of millions of spells, exported, and its sums held against the truth by DuckDB.
//!
//! Bounded by its number of conversations; everything goes into `target/xtask/export` and leaves with it. Says what it
//! cost: the time, the peak of memory, the bytes.

use crate::needs;
use crate::steps::{cargo, root, say};
use anyhow::{Context, bail};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Five spells each: ten million.
const CONVERSATIONS: u64 = 2_000_000;
/// What DuckDB has to say: the sums of the export, in the form of the truth.
const SUMS: &str = r#"import duckdb, json
truth = json.load(open("truth.json"))
rows = duckdb.sql("""SELECT "queueId", role, state, count(*), sum(epoch_ns("to") - epoch_ns("from"))::HUGEINT
    FROM 'spells/*.parquet' GROUP BY ALL""").fetchall()
found = {(queue, role, state): (spells, int(taken)) for queue, role, state, spells, taken in rows}
true = {(t["queueId"], t["role"], t["state"]): (t["spells"], t["takenMs"] * 10**6) for t in truth["sums"]}
assert found == true, "the sums differ"
print(f"{sum(n for n, _ in found.values())} spells in {len(found)} groups, {sum(t for _, t in found.values()) // 10**6} ms: equal")"#;

/// Makes it, exports it, checks it: `[conversations]`.
///
/// # Errors
/// When a step fails, or DuckDB's sums are not the truth.
pub fn run(args: &[&str]) -> anyhow::Result<()> {
    let conversations = args.first().map_or(Ok(CONVERSATIONS), |text| text.parse::<u64>())?;
    let tools = needs::install(&root().join("target/xtask"))?;
    let build = ["build", "--release", "--locked", "--quiet"];
    cargo("the program", &[&build[..], &["-p", "headcount"]].concat(), &[])?;
    cargo("the history's maker", &[&build[..], &["-p", "export", "--example", "history"]].concat(), &[])?;
    let place = root().join("target/xtask/export");
    let _of_an_earlier_run = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place)?;
    let built = |name: &str| root().join("target/release").join(name);
    let mut make = Command::new(built("examples/history"));
    make.args(["data", &conversations.to_string()]).stdout(std::fs::File::create(place.join("truth.json"))?);
    measured("the history", &mut make, &place)?;
    say(&format!("   {} MiB", size_bytes(&place.join("data"))? >> 20));
    let mut export = Command::new(built("headcount"));
    export.args(["export", "spells", "--data", "data", "--out", "spells"]);
    measured("its export as Parquet", &mut export, &place)?;
    say(&format!("   {} MiB", size_bytes(&place.join("spells"))? >> 20));
    measured("DuckDB's sums", Command::new(tools.python).args(["-c", SUMS]), &place)
}

/// Runs a command, and says how long it took and how much memory it had at most.
fn measured(name: &str, command: &mut Command, place: &Path) -> anyhow::Result<()> {
    say(&format!("── {name}"));
    let begun = Instant::now();
    let mut child =
        command.current_dir(place).stdin(Stdio::null()).spawn().context("it could not be started")?;
    let (mut peak_kib, mut cpu_s) = (0, 0.0);
    let status = loop {
        peak_kib = peak_kib.max(peak_of(child.id()));
        cpu_s = cpu_of(child.id()).unwrap_or(cpu_s);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    say(&format!(
        "   {:.1} s ({cpu_s:.1} s of CPU time), at most {} MiB resident",
        begun.elapsed().as_secs_f64(),
        peak_kib >> 10
    ));
    if !status.success() {
        bail!("{name} failed");
    }
    Ok(())
}

/// Seconds of CPU time that a running process has used; the kernel counts hundredths.
fn cpu_of(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    // Of one that has just ended there is nothing left to count.
    Some((ticks(11)? + ticks(12)?) / 100.0).filter(|cpu_s| *cpu_s > 0.0)
}

fn peak_of(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

fn size_bytes(folder: &Path) -> anyhow::Result<u64> {
    let sizes = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len()));
    sizes.sum::<anyhow::Result<u64>>()
}
