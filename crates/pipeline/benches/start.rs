//! How long a start takes with a million live participants, and how much memory it takes over fifty million stored facts.
//!
//! Two data folders are made, each by a process that ends without closing it, as a kill would: one whose conversations all
//! live, one of conversations that ended, with a few that live. Each is then started three times, in a process of its
//! own, up to the moment in which `headcount serve` has its first summary to show. The pages of the files are in the
//! system's cache. `START_PARTICIPANTS` and `START_FACTS` make it smaller; `START_FOLDER` says where (some 4 GB).

use common::say;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

mod common;
#[path = "start/make.rs"]
mod make;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PARTICIPANTS: u64 = 1_000_000;
const FACTS: u64 = 50_000_000;
const STARTS: usize = 3;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match *args.as_slice() {
        ["live", folder, participants] => make::live(Path::new(folder), number(participants)),
        ["history", folder, facts] => make::history(Path::new(folder), number(facts)),
        ["start", folder] => start(Path::new(folder)),
        _ => run(),
    }
}

fn run() {
    let above = std::env::var_os("START_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    let parent = tempfile::tempdir_in(above).expect("a folder");
    for (kind, what, size) in [
        ("live", "live participants", wanted("START_PARTICIPANTS", PARTICIPANTS)),
        ("history", "facts of conversations that ended", wanted("START_FACTS", FACTS)),
    ] {
        let folder = parent.path().join(kind);
        let folder = folder.to_str().expect("a path");
        myself(&[kind, folder, &size.to_string()]);
        let bytes = ["headcount.db", "headcount.db-wal"].map(|name| length(&Path::new(folder).join(name)));
        say(format_args!("{size} {what}: {} + {} MiB", bytes[0] >> 20, bytes[1] >> 20));
        (0..STARTS).for_each(|_| myself(&["start", folder]));
    }
}

fn start(folder: &Path) {
    let begun = Instant::now();
    let telemetry = pipeline::Telemetry::new(&mut prometheus_client::registry::Registry::default());
    let settings = pipeline::Settings::default();
    let started = pipeline::Pipeline::start(folder, settings, telemetry, pipeline::Clock::system(), 1);
    let running = started.expect("started");
    let shown = running.reader().summary().active;
    let wall_s = begun.elapsed().as_secs_f64();
    let (all_s, own_s) = (cpu_s("/proc/self/stat"), cpu_s("/proc/thread-self/stat"));
    say(format_args!(
        "  ready after {wall_s:.2} s, {all_s:.2} s of CPU time, {own_s:.2} s of it where the others are waited for; {} MiB resident, at most {}; {shown} active, {} facts of the log",
        status_kib("VmRSS:") >> 10,
        status_kib("VmHWM:") >> 10,
        running.recovered().facts,
    ));
    std::process::exit(0)
}

fn myself(args: &[&str]) {
    let program = std::env::current_exe().expect("a program");
    assert!(Command::new(program).args(args).status().expect("run").success());
}

fn wanted(name: &str, usually: u64) -> u64 {
    std::env::var(name).map_or(usually, |text| number(&text))
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn length(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |found| found.len())
}

/// Seconds of CPU time; the kernel counts hundredths.
fn cpu_s(of: &str) -> f64 {
    let stat = std::fs::read_to_string(of).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}

fn status_kib(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
