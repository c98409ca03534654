//! Runs of steps with room for commits between: when the next step is due.

use std::time::Duration;
use tokio::time::Instant;

/// A run of steps, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    every: Duration,
    /// When the next step of this run is due; none: no run is on.
    at: Option<Instant>,
}

impl Steps {
    /// No run yet. `every`: the time from one step to the next, several times what a step takes, and short enough that more can
    /// be done than comes under full load.
    pub fn every(every: Duration) -> Self {
        Self { every, at: None }
    }

    /// Whether a run is on.
    pub fn are_on(&self) -> bool {
        self.at.is_some()
    }

    /// Begins a run: its first step is due at once.
    pub fn begin(&mut self) {
        self.at = Some(Instant::now());
    }

    /// After a step: the run goes on, or ends.
    pub fn go_on(&mut self, on: bool) {
        self.at = on.then(|| Instant::now() + self.every);
    }

    /// Waits until the next step is due; for ever when no run is on.
    pub fn next(&self) -> impl Future<Output = ()> + use<> {
        let at = self.at;
        async move {
            match at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        }
    }
}
