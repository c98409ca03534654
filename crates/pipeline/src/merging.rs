//! When cells have their turn: parts are merged into pages in steps with room for commits between.
//!
//! A page is written anew for each step, so a run waits until it is worth it: for some bytes of parts, or for some minutes.

use crate::Keeper;
use crate::shard::Shard;
use crate::steps::Steps;
use engine::SECOND;
use std::time::Duration;
use store::{Merging as Step, StoreError};

/// How often it is looked whether a run is worth it, in nanoseconds.
const LOOK_EVERY_NS: i64 = 10 * SECOND;
/// After so long a run begins whatever there is, in nanoseconds.
const RUN_EVERY_NS: i64 = 600 * SECOND;
/// Bytes of parts for which a run begins sooner: an answer reads all of them.
const PARTS_BYTES: u64 = 256 << 10;
/// Parts for which it does.
const PARTS: u64 = 1_000;

/// From one step to the next.
const STEP_EVERY: Duration = Duration::from_millis(20);

/// Where merging stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Merging {
    /// When it is looked again, and when a run begins whatever there is, in nanoseconds since the epoch.
    look_ns: i64,
    due_ns: i64,
    pub steps: Steps,
    after: i64,
}

impl Merging {
    /// The first run begins soon after the start.
    pub fn new(now: i64) -> Self {
        Self { look_ns: now, due_ns: now, steps: Steps::every(STEP_EVERY), after: 0 }
    }

    /// Begins a run when it is time for one.
    pub fn begin_when_due(&mut self, keeper: &Keeper, now: i64) {
        let set_back = self.look_ns > now.saturating_add(LOOK_EVERY_NS);
        if self.steps.are_on() || (now < self.look_ns && !set_back) {
            return;
        }
        self.look_ns = now.saturating_add(LOOK_EVERY_NS);
        let (parts, bytes) = keeper.store().cell_parts().unwrap_or_default();
        let late = now >= self.due_ns || self.due_ns > now.saturating_add(RUN_EVERY_NS);
        if parts > 0 && (late || parts >= PARTS || bytes >= PARTS_BYTES) {
            self.steps.begin();
        }
    }

    fn note(&mut self, step: Step, now: i64) {
        self.after = step.next.unwrap_or_default();
        self.steps.go_on(step.next.is_some());
        if step.next.is_none() {
            self.due_ns = now.saturating_add(RUN_EVERY_NS);
        }
    }
}

impl Keeper {
    /// Merges some parts of cells into pages, those behind a number (at first 0). Does nothing while something waits for the
    /// disk.
    ///
    /// # Errors
    /// When the disk refuses. Nothing is half merged.
    pub fn merge_cells(&mut self, after: i64) -> Result<Step, StoreError> {
        if self.pending.is_some() || self.store.is_poisoned() {
            return Ok(Step::default());
        }
        self.store.merge_cells(after)
    }
}

impl Shard {
    /// A step. That the disk refuses one stops nothing else: the next run tries again.
    pub(crate) fn merge_some(&mut self) {
        let step = self.keeper.merge_cells(self.merging.after).unwrap_or_else(|error| {
            tracing::warn!(%error, "cells could not be merged into pages; it is tried again");
            Step::default()
        });
        self.merging.note(step, self.clock.now());
    }
}
