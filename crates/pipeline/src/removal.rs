//! When retention has its turn: a run a minute, in steps with room for commits between, by a clock that has earned it.

use crate::retention::{ForgottenCells, Removed, Retention};
use crate::shard::Shard;
use crate::steady::Doubt;
use crate::steps::Steps;
use crate::telemetry::Reason;
use engine::SECOND;
use std::time::Duration;
use store::LastTold;

/// From the end of a run to the next, and from one that failed, in nanoseconds.
const RUN_EVERY_NS: i64 = 60 * SECOND;
/// From one step to the next.
const STEP_EVERY: Duration = Duration::from_millis(10);
/// A run that goes on says so after so many conversations.
const SAID_EVERY: u64 = 50_000;

/// Where retention stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Removing {
    what: Retention,
    /// When the next run begins, in nanoseconds since the epoch.
    due_ns: i64,
    pub steps: Steps,
    after: LastTold,
    /// Conversations are done with, and cells have their turn.
    at_cells: bool,
    removed: u64,
    said: u64,
    /// It was said that the file stays larger than it may be.
    said_too_large: bool,
    /// Why nothing may be removed, as it was said last.
    doubt: Option<Doubt>,
}

impl Removing {
    /// The first run begins soon after the start.
    pub fn new(what: Retention, now: i64) -> Self {
        Self {
            what,
            due_ns: now,
            steps: Steps::every(STEP_EVERY),
            after: LastTold::default(),
            at_cells: false,
            removed: 0,
            said: 0,
            said_too_large: false,
            doubt: None,
        }
    }

    /// Begins a run when it is time for one.
    pub fn begin_when_due(&mut self, now: i64) {
        let set_back = self.due_ns > now.saturating_add(RUN_EVERY_NS);
        if self.what != Retention::default() && !self.steps.are_on() && (set_back || now >= self.due_ns) {
            self.steps.begin();
        }
    }

    /// Ends a run at `now` by a clock that nothing may be removed by; says so where that is news.
    fn put_off(&mut self, doubt: Doubt, now: i64) {
        if self.doubt.replace(doubt) != Some(doubt) {
            tracing::info!("retention waits: {}", doubt.sentence());
        }
        self.steps.go_on(false);
        (self.at_cells, self.after, self.due_ns) =
            (false, LastTold::default(), now.saturating_add(RUN_EVERY_NS));
    }

    /// Says, once, that all went that may go and the file is still larger than it may be.
    fn note_size(&mut self, used_bytes: u64) {
        let too_large = self.what.bytes_max.filter(|max| used_bytes > *max);
        if let Some(max) = too_large.filter(|_| !self.said_too_large) {
            tracing::warn!(
                used_bytes,
                "the data file uses more than the {max} bytes of `max_size`, and nothing is left that may go now: what is in \
                 memory, what ended within two days, what followers have not taken, hours and days of cells, and the log stay; \
                 give it more room"
            );
        }
        self.said_too_large = too_large.is_some();
    }

    /// Notes what a step did, and that another is due; `stands`: the horizon, for people.
    fn note(&mut self, step: Removed, stands: Option<i64>) {
        self.removed += step.by_age + step.by_size;
        let over = step.next.is_none();
        if self.removed > self.said && (over || self.removed >= self.said + SAID_EVERY) {
            let before = stands.and_then(|at| jiff::Timestamp::from_nanosecond(at.into()).ok());
            tracing::info!(
                conversations = self.removed,
                before = before.map(tracing::field::display),
                "old conversations were removed by retention{}",
                if over { "" } else { ", and it goes on" }
            );
            self.said = self.removed;
        }
        if over {
            (self.removed, self.said, self.at_cells) = (0, 0, true);
        }
        self.after = step.next.unwrap_or_default();
        self.steps.go_on(true);
    }

    /// Notes what a step took away of cells at `now`; when it was the last, when the next run is due.
    fn note_cells(&mut self, step: ForgottenCells, now: i64) {
        if step.by_age > 0 {
            tracing::info!(pages = step.by_age, "cells that are kept no longer were removed by retention");
        }
        if step.by_size > 0 {
            tracing::warn!(
                pages = step.by_size,
                "the oldest minutes of cells were removed: the data file uses more than `max_size` allows, and no conversation \
                 is left that may go; their hours and days stay"
            );
        }
        self.steps.go_on(step.more);
        if !step.more {
            (self.at_cells, self.due_ns) = (false, now.saturating_add(RUN_EVERY_NS));
        }
    }
}

impl Shard {
    /// A step. That the disk refuses one stops nothing else: the next run tries again.
    pub(crate) fn remove_some(&mut self) {
        let trusted = self.clock.trusted_now();
        self.telemetry.retention_waits.set(i64::from(trusted.is_err()));
        let now = match trusted {
            Ok(now) => now,
            Err(doubt) => return self.removing.put_off(doubt, self.clock.now()),
        };
        self.removing.doubt = None;
        if self.removing.at_cells {
            return self.forget_some_cells(now);
        }
        let Removing { what, after, .. } = self.removing;
        let step = self.keeper.remove_old(what, after, now).unwrap_or_else(|error| {
            tracing::warn!(%error, "old conversations could not be removed; it is tried again in a minute");
            Removed::default()
        });
        for (reason, count) in [("age", step.by_age), ("size", step.by_size)] {
            self.telemetry.removed_conversations.get_or_create(&Reason { reason }).inc_by(count);
        }
        let horizon = self.keeper.engine().horizon();
        self.telemetry.removed_before.set(horizon.unwrap_or_default() / SECOND);
        self.removing.note(step, horizon);
    }

    fn forget_some_cells(&mut self, now: i64) {
        let what = self.removing.what;
        let step = self.keeper.forget_cells(what, now).unwrap_or_else(|error| {
            tracing::warn!(%error, "old cells could not be removed; it is tried again in a minute");
            ForgottenCells::default()
        });
        for (reason, count) in [("age", step.by_age), ("size", step.by_size)] {
            self.telemetry.removed_cell_pages.get_or_create(&Reason { reason }).inc_by(count);
        }
        self.removing.note_cells(step, now);
        if !step.more
            && what.bytes_max.is_some()
            && let Ok(used) = self.keeper.store().used_bytes()
        {
            self.removing.note_size(used);
        }
    }
}
