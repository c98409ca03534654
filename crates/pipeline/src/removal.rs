//! When retention has its turn: a run a minute, in steps with room for commits between.

use crate::retention::{Removed, Retention};
use crate::shard::Shard;
use crate::telemetry::Reason;
use std::time::Duration;
use store::Ended;
use tokio::time::Instant;

/// From the end of a run to the next, and from one that failed.
const RUN_EVERY: Duration = Duration::from_secs(60);
/// Between two steps of a run: several times what a step takes.
const STEP_EVERY: Duration = Duration::from_millis(50);
/// A run that goes on says so after so many conversations.
const SAID_EVERY: u64 = 50_000;

/// Where retention stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Removing {
    what: Retention,
    after: Ended,
    at: Instant,
    removed: u64,
    said: u64,
}

impl Removing {
    /// The first run begins a little after the start.
    pub fn new(what: Retention) -> Self {
        Self { what, after: Ended::default(), at: Instant::now() + STEP_EVERY, removed: 0, said: 0 }
    }

    /// When the next step is due.
    pub fn due(&self) -> Instant {
        self.at
    }

    /// Whether anything is ever removed.
    pub fn is_wanted(&self) -> bool {
        self.what != Retention::default()
    }
}

impl Shard {
    /// A step. That the disk refuses one stops nothing else: the next run tries again.
    pub(crate) fn remove_some(&mut self) {
        let Removing { what, after, .. } = self.removing;
        match self.keeper.remove_old(what, after, self.clock.now()) {
            Ok(removed) => self.note_removed(removed),
            Err(error) => {
                tracing::warn!(%error, "old conversations could not be removed; it is tried again in a minute");
                self.note_removed(Removed::default());
            }
        }
    }

    fn note_removed(&mut self, step: Removed) {
        for (reason, count) in [("age", step.by_age), ("size", step.by_size)] {
            self.telemetry.removed_conversations.get_or_create(&Reason { reason }).inc_by(count);
        }
        let horizon = self.keeper.engine().horizon();
        self.telemetry.removed_before.set(horizon.unwrap_or_default() / engine::SECOND);
        let removing = &mut self.removing;
        removing.removed += step.by_age + step.by_size;
        let over = step.next.is_none();
        if removing.removed > removing.said && (over || removing.removed >= removing.said + SAID_EVERY) {
            let before = horizon.and_then(|at| jiff::Timestamp::from_nanosecond(at.into()).ok());
            tracing::info!(
                conversations = removing.removed,
                before = before.map(tracing::field::display),
                "old conversations were removed by retention{}",
                if over { "" } else { ", and it goes on" }
            );
            removing.said = removing.removed;
        }
        if over {
            (removing.removed, removing.said) = (0, 0);
        }
        removing.after = step.next.unwrap_or_default();
        removing.at = Instant::now() + if over { RUN_EVERY } else { STEP_EVERY };
    }
}
