//! How long a year of cells takes to answer, by hour and by day, for several filters; what they cost on disk, and how long a
//! step of merging holds up commits.
//!
//! A contact centre with 300 queues and 1,000 users: on working days, eleven hours long, ten events a second, which is some
//! 100 million a year. What conversations add comes in parts and is merged into pages by the real code; the facts behind
//! are left out. Cold: the file's pages are dropped from the system's cache before each question; warm: they are there.
//! `cargo bench -p store --bench cells -- WORKING_DAYS` plays another length.

use engine::{Facets, Id, Word};
use std::collections::HashMap;
use std::fmt::Arguments;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use store::fuzzing::add_cells;
use store::{CellInterval, CellQuestion, CellSums, Store};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const QUEUES: u64 = 300;
const USERS: u64 = 1_000;
const MEDIA: [&str; 3] = ["voice", "message", "email"];
const CALLS_PER_HOUR: u64 = 4_500;
/// 2026-01-01T00:00:00Z, in minutes since 1970.
const FIRST: i64 = 29_453_760;
const DAY: i64 = 1_440;
const WORKING_DAYS: i64 = 260;
const OPENS: i64 = 7;
const CLOSES: i64 = 18;
const ASKED: usize = 40;

fn main() {
    let asked = std::env::args().skip(1).find_map(|text| text.parse().ok());
    let days = asked.unwrap_or(WORKING_DAYS);
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(folder.path(), 1).expect("opened").store;
    let begun = Instant::now();
    let (events, steps) = fill(&mut store, days);
    say(format_args!("{events} events of {days} working days, made and merged in {:.0?}", begun.elapsed()));
    let (count, steps) = (steps.len(), spread(steps));
    say(format_args!("{count} steps of merging, of it CPU {steps}"));
    sizes(&store, events);
    store.close().expect("closed");
    let store = Store::open(folder.path(), 1).expect("opened").store;
    for (interval, name) in [(CellInterval::Hour, "hour"), (CellInterval::Day, "day")] {
        for (filter, of) in filters() {
            let question = year(interval, filter);
            let (cold, _) = times(|| drop_from_cache(folder.path()), &store, &question);
            let (warm, worked) = times(|| (), &store, &question);
            let (cold, warm, worked) = (spread(cold), spread(warm), spread(worked));
            say(format_args!("a year by {name:4} {of:22} cold {cold}  warm {warm}  of it CPU {worked}"));
        }
    }
    let question = CellQuestion { from: FIRST, to: FIRST + 7 * DAY, ..year(CellInterval::Minute, queue(7)) };
    let (warm, worked) = times(|| (), &store, &question);
    let (warm, worked) = (spread(warm), spread(worked));
    say(format_args!("a week by minute of a queue  warm {warm}  of it CPU {worked}"));
}

fn year(interval: CellInterval, filter: Facets) -> CellQuestion {
    let minutes = interval.minutes();
    CellQuestion { filter, interval, from: FIRST / minutes, to: (FIRST + 365 * DAY) / minutes }
}

fn filters() -> [(Facets, &'static str); 7] {
    let (voice, agent) = (Word::new(MEDIA[0]), Word::new("agent"));
    [
        (Facets::default(), "of all events"),
        (queue(7), "of a queue"),
        (Facets { user: Some(user(7)), ..Facets::default() }, "of a user"),
        (Facets { medium: voice.clone(), ..Facets::default() }, "of a medium"),
        (Facets { role: agent.clone(), ..Facets::default() }, "of a role"),
        (Facets { medium: voice.clone(), ..queue(5) }, "of a queue and medium"),
        (Facets { medium: voice, role: agent, ..Facets::default() }, "of a role and medium"),
    ]
}

fn queue(number: u64) -> Facets {
    Facets { queue: Some(id(1 << 40 | number)), ..Facets::default() }
}

fn user(number: u64) -> Id {
    id(2 << 40 | number)
}

/// An id whose place among others is as random as a real one's.
fn id(number: u64) -> Id {
    let mixed = mix(number);
    Id::from_uuid((u128::from(mixed) << 64 | u128::from(mix(mixed))).to_be_bytes())
}

fn mix(number: u64) -> u64 {
    let mixed = (number ^ number >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// Calls of all working days, from Monday to Friday.
fn fill(store: &mut Store, days: i64) -> (u64, Vec<Duration>) {
    let (mut events, mut calls, mut steps) = (0, 0, Vec::new());
    for day in 0..days {
        let midnight = FIRST + (day / 5 * 7 + day % 5) * DAY;
        for hour in OPENS..CLOSES {
            let mut counts: HashMap<(Facets, i64), i64> = HashMap::new();
            for _ in 0..CALLS_PER_HOUR {
                calls += 1;
                for (of, minute) in call(calls, midnight + hour * 60) {
                    events += 1;
                    *counts.entry((of, minute)).or_default() += 1;
                }
            }
            let counts = counts.into_iter().map(|((of, minute), n)| (of, minute, n)).collect();
            add_cells(store, counts).expect("added");
            let mut after = Some(0);
            while let Some(at) = after {
                let before = cpu_time();
                after = store.merge_cells(at).expect("merged").next;
                steps.push(cpu_time() - before);
            }
        }
    }
    (events, steps)
}

/// What one call adds: customer, menu, queue and agent come and go.
fn call(number: u64, hour: i64) -> [(Facets, i64); 8] {
    let drawn = mix(number);
    let agent = drawn % USERS;
    // Whoever serves a queue serves three, one more than the others.
    let of = (agent * 3 + [0, 0, 1, 2][(drawn >> 20) as usize % 4]) % QUEUES;
    let medium = Word::new(MEDIA[[0, 0, 0, 1, 2][of as usize % 5]]);
    let begins = hour + (drawn >> 32) as i64 % 60;
    let (answered, ends) = (begins + (drawn >> 40) as i64 % 3, begins + 2 + (drawn >> 44) as i64 % 9);
    let role = |name| Facets { role: Word::new(name), medium: medium.clone(), ..Facets::default() };
    let queued = |name| Facets { queue: queue(of).queue, ..role(name) };
    let served = Facets { user: Some(user(agent)), ..queued("agent") };
    [
        (role("customer"), begins),
        (role("ivr"), begins),
        (role("ivr"), begins + 1),
        (queued("acd"), begins + 1),
        (queued("acd"), answered),
        (served.clone(), answered),
        (served, ends),
        (role("customer"), ends),
    ]
}

fn sizes(store: &Store, events: u64) {
    for kind in store.stats().expect("read").kinds.iter().filter(|kind| kind.name.starts_with("cell_")) {
        let each = kind.bytes as f64 / events as f64;
        let mib = kind.bytes >> 20;
        say(format_args!("{:13} {:6} rows {mib:6} MiB {each:6.3} bytes an event", kind.name, kind.rows));
    }
}

/// How long each answer took, and how much of that was work.
fn times(before_each: impl Fn(), store: &Store, question: &CellQuestion) -> (Vec<Duration>, Vec<Duration>) {
    let one = |_| {
        before_each();
        let (before, worked) = (Instant::now(), cpu_time());
        let sums = asked(store, question);
        let took = (before.elapsed(), cpu_time() - worked);
        assert!(sums.damaged.is_empty() && sums.counts.iter().sum::<i64>() > 0);
        took
    };
    (0..ASKED).map(one).unzip()
}

/// What this thread has worked so far.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn asked(store: &Store, question: &CellQuestion) -> CellSums {
    let mut sums = question.nothing();
    store.commit_reader_for(question).and_then(|mut reader| reader.sum(question, &mut sums)).expect("read");
    sums
}

fn drop_from_cache(folder: &Path) {
    let file = File::open(folder.join("headcount.db")).expect("opened");
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).expect("dropped");
}

fn spread(mut all: Vec<Duration>) -> String {
    all.sort_unstable();
    let at = |percent: usize| all[(all.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    format!("p50 {:6.1} ms  p99 {:6.1} ms", at(50), at(99))
}

fn say(text: Arguments<'_>) {
    let _nobody_reads = writeln!(std::io::stdout(), "{text}");
}
