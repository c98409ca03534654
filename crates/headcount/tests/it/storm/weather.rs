//! What befalls the service itself: pauses, kills, stops, and a clock that is set.

use super::Duration;
use crate::program::{Cloud, Service};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

/// How long nothing befalls it, at most.
const QUIET_MS_MAX: u64 = 6_000;
/// Pauses up to this; longer than any watchdog waits.
const PAUSE_MS_MAX: u64 = 75_000;
/// A wrong time is put right before this.
const WRONG_TIME_MS_MAX: u64 = 20_000;
/// By how much a clock is set, as the library for it reads it.
const JUMPS: [&str; 6] = ["+3s", "-3s", "+2h", "-2h", "+600d", "-400d"];

/// What is said of a clock that was wrong for a while.
const CLOCKS: &str = "clocks set and set right";

/// The service, and what befalls it.
pub struct Weather<'a> {
    cloud: &'a Cloud,
    service: Option<Service>,
    rng: fastrand::Rng,
    /// The library that sets the clock of a process, and the file that says by how much.
    clock: Option<(String, PathBuf)>,
    befell: BTreeMap<&'static str, u32>,
}

impl<'a> Weather<'a> {
    /// Starts the service.
    pub fn new(cloud: &'a Cloud, seed: u64) -> Self {
        let clock = std::env::var("HEADCOUNT_FAKETIME").ok().filter(|library| !library.is_empty());
        let clock = clock.map(|library| (library, cloud.folder.path().join("clock")));
        let rng = fastrand::Rng::with_seed(seed);
        let mut weather = Self { cloud, service: None, rng, clock, befell: BTreeMap::new() };
        weather.set_clock("+0");
        weather.start();
        weather
    }

    /// The service that runs.
    pub fn service(&self) -> &Service {
        self.service.as_ref().expect("a service")
    }

    /// Waits a while, then lets something befall the service; over before `left` is.
    pub fn blow(&mut self, left: Duration) {
        wait(Duration::from_millis(self.rng.u64(200..QUIET_MS_MAX)).min(left));
        match self.rng.u32(0..20) {
            0 | 1 => self.pause(left),
            2 => {
                *self.befell.entry("kills").or_default() += 1;
                self.service.take().expect("a service").program.kill();
                self.start();
            }
            3 => {
                *self.befell.entry("stops").or_default() += 1;
                let (code, said) =
                    self.service.take().expect("a service").program.terminate(Duration::from_secs(15));
                assert_eq!(code, Some(0), "it did not end in order; it said:\n{said}");
                self.start();
            }
            4 => self.wrong_time(left),
            _ => {}
        }
    }

    /// Nothing befalls it any more.
    pub fn calm(mut self) -> Service {
        self.service.take().expect("a service")
    }

    /// What befell it, how often.
    pub fn told(&self) -> String {
        let befell: Vec<String> = self.befell.iter().map(|(what, times)| format!("{times} {what}")).collect();
        if befell.is_empty() { "nothing befell the process".to_owned() } else { befell.join(", ") }
    }

    /// Whether its clock was ever wrong.
    pub fn clock_was_set(&self) -> bool {
        self.befell.contains_key(CLOCKS)
    }

    /// How much memory it uses.
    pub fn resident_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.service().program.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    fn pause(&mut self, left: Duration) {
        *self.befell.entry("pauses").or_default() += 1;
        self.signal("STOP");
        wait(Duration::from_millis(self.rng.u64(100..PAUSE_MS_MAX)).min(left));
        self.signal("CONT");
    }

    fn wrong_time(&mut self, left: Duration) {
        if self.clock.is_none() {
            return;
        }
        *self.befell.entry(CLOCKS).or_default() += 1;
        let jump = JUMPS[self.rng.usize(..JUMPS.len())];
        self.set_clock(jump);
        wait(Duration::from_millis(self.rng.u64(500..WRONG_TIME_MS_MAX)).min(left));
        self.set_clock("+0");
    }

    fn set_clock(&self, by: &str) {
        if let Some((_, file)) = &self.clock {
            let beside = file.with_extension("part");
            std::fs::write(&beside, by).expect("the clock's file");
            std::fs::rename(&beside, file).expect("the clock's file");
        }
    }

    fn signal(&self, name: &str) {
        let id = self.service().program.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name} could not be sent");
    }

    fn start(&mut self) {
        let file = self.clock.as_ref().map(|(_, file)| file.display().to_string()).unwrap_or_default();
        let faked = self.clock.as_ref().map(|(library, _)| {
            [
                ("LD_PRELOAD", library.as_str()),
                ("FAKETIME_TIMESTAMP_FILE", file.as_str()),
                ("FAKETIME_NO_CACHE", "1"),
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ]
        });
        let environment: Vec<(&str, &str)> = faked.into_iter().flatten().collect();
        self.service = Some(self.cloud.serve("notifications", &environment));
    }
}

fn wait(time: Duration) {
    let until = std::time::Instant::now() + time;
    while let Some(left) = until.checked_duration_since(std::time::Instant::now()) {
        std::thread::park_timeout(left);
    }
}
