//! Everything outside goes wrong at moments that nobody chose, and no claim may be false.
//!
//! Real processes, sockets and disk: a simulated cloud fails requests, loses answers, leaves topics out, lies about the time
//! and cuts sockets, seen and unseen; meanwhile the service is stopped and let go on (as a machine that is moved or a lid
//! that is closed does), killed, asked to end, and, where a library for it is given, has its clock set by seconds, hours
//! and years. All the while it is asked for past instants, and each answer that claims to be whole is held against the
//! truth at the end, as is every instant of the run once faults have stopped and holes are closed.
//!
//! A short one runs with the tests; `cargo xtask storm --seconds N` plays as long as wanted, on a release build.

mod claims;
mod weather;

use crate::compare::differences;
use crate::program::{Cloud, Service, eventually};
use claims::{Claims, Past};
use std::time::{Duration, Instant};
use weather::Weather;

/// With the other tests: long enough for a silent socket to be noticed.
const SECONDS_DEFAULT: u64 = 60;
/// How much more memory the last fifth may use than the second, in percent; told of long runs only.
const GROWTH_PERCENT_MAX: u64 = 25;
const MEMORY_SECONDS_MIN: u64 = 900;
const SETTLED: Duration = Duration::from_secs(300);

#[test]
fn no_claim_is_false_whatever_the_world_does() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = setting("HEADCOUNT_STORM_SECONDS").unwrap_or(SECONDS_DEFAULT).max(SECONDS_DEFAULT);
    let seed = setting("HEADCOUNT_STORM_SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
    say(&format!("seed {seed} for {seconds} s; what happens also depends on the machine"));
    let cloud = cloud(seconds, seed);
    let mut weather = Weather::new(&cloud, seed);
    let mut claims = Claims::begin(weather.service());
    let begun = Instant::now();
    let mut memory_kib = Vec::new();
    while begun.elapsed() < Duration::from_secs(seconds) {
        weather.blow(Duration::from_secs(seconds).saturating_sub(begun.elapsed()));
        claims.note(weather.service());
        memory_kib.extend(weather.resident_kib());
    }
    let (told, clock_was_set) = (weather.told(), weather.clock_was_set());
    let service = weather.calm();
    cloud.played_out(Duration::from_secs(120));
    eventually(SETTLED, || differences(&service, &cloud.truth(), "notifications"));
    let truth = Past::of(&cloud.truth());
    let (checked, whole) = claims.check(&truth);
    let at_last = claims::check_all(&service, claims.from_ms, &truth);
    say(&format!(
        "{told}; {checked} answers about past instants while it went on, {whole} of them said to be whole: none is false; \
         afterwards {} of {} instants are whole, and right",
        at_last.whole, at_last.asked
    ));
    // A clock that was set back leaves all time before it in doubt.
    assert!(
        clock_was_set || at_last.whole * 2 > at_last.asked,
        "hardly anything is known to be whole: {at_last:?}"
    );
    memory_is_flat(seconds, &memory_kib);
}

fn cloud(seconds: u64, seed: u64) -> Cloud {
    let lasts = format!("{seconds}s");
    let seed = seed.to_string();
    Cloud::start(&[
        "--dialect",
        "notifications",
        "--seed",
        &seed,
        "--rate",
        "15",
        "--pace",
        "12",
        "--duration",
        &lasts,
        "--users",
        "150",
        "--queues",
        "20",
        "--duplicates",
        "0.1",
        "--reorder-ms",
        "1000",
        "--clock-skew-ms",
        "25",
        "--drop-socket-every",
        "25s",
        "--silent-cuts",
        "0.3",
        "--fail-requests",
        "0.1",
        "--lose-answers",
        "0.03",
        "--leave-out-topics",
        "0.05",
        "--lying-dates",
        "0.05",
        "--faults-for",
        &lasts,
    ])
}

fn memory_is_flat(seconds: u64, memory_kib: &[u64]) {
    let fifth = memory_kib.len() / 5;
    if seconds < MEMORY_SECONDS_MIN || fifth == 0 {
        return;
    }
    let mean = |part: &[u64]| part.iter().sum::<u64>() / part.len() as u64;
    let (early, late) = (mean(&memory_kib[fifth..fifth * 2]), mean(&memory_kib[memory_kib.len() - fifth..]));
    say(&format!("memory: {} MiB early, {} MiB late", early >> 10, late >> 10));
    assert!(late * 100 <= early * (100 + GROWTH_PERCENT_MAX), "memory grew from {early} KiB to {late} KiB");
}

fn say(text: &str) {
    let _nobody_reads = std::io::Write::write_all(&mut std::io::stderr(), format!("{text}\n").as_bytes());
}
