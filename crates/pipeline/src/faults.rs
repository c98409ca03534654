//! Parts of the program that panicked: named until they run again, and begun again after ever longer waits.
//!
//! A panic is a defect, and what has it in hand is lost. What can be rebuilt from outside (sockets, reads by REST, a
//! follower's portion) is: a defect that a single frame brings about must not end what the program does for everybody else.
//! What owns the engine and the store is not: nobody knows in which state it was left, and the log on the disk is the one
//! truth to begin from, so that the program ends. Rejected: waits that do not grow, since the same frame may come again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The first wait, and the longest.
const WAIT_MIN: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(60);
/// A part that ran for so long begins with the first wait again.
const RUNS_WELL_AFTER: Duration = Duration::from_secs(600);

/// The parts that do not run since they panicked. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<BTreeMap<&'static str, String>>>);

impl Faults {
    /// Every part that does not run, and why, for a person.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The starts of one part.
#[derive(Debug)]
pub struct Restarts {
    part: &'static str,
    faults: Faults,
    wait: Duration,
    begun: Instant,
}

impl Restarts {
    /// A part that has just been started.
    #[must_use]
    pub fn new(part: &'static str, faults: Faults) -> Self {
        Self { part, faults, wait: WAIT_MIN, begun: Instant::now() }
    }

    /// It panicked and is named for it; how long to wait until it is started again.
    pub fn panicked(&mut self) -> Duration {
        if self.begun.elapsed() >= RUNS_WELL_AFTER {
            self.wait = WAIT_MIN;
        }
        let wait = self.wait;
        self.wait = (wait * 2).min(WAIT_MAX);
        let reason = format!("a defect of the program stopped the {}: it is started again", self.part);
        tracing::error!(retry_in_s = wait.as_secs(), "{reason}; the log says above where it panicked");
        self.faults.lock().insert(self.part, reason);
        wait
    }

    /// It is started again.
    pub fn started(&mut self) {
        self.begun = Instant::now();
        self.faults.lock().remove(self.part);
    }
}

#[cfg(test)]
mod tests;
