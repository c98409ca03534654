//! What is too old to keep goes: which conversations, and when.
//!
//! A step looks at a few conversations that ended, oldest first, and removes those that ended and were last heard of before a
//! bound. So the horizon is one clean line: of what ended, or was told, at or behind it nothing is gone, and questions about
//! any such instant have the answers they had. A conversation that is active, in memory, or named in what a follower
//! has not taken yet (which has bounds of its own) stays. Cells are not touched: they outlive facts.
//!
//! By size the bound follows the oldest end that is there, until the pages in use are within it; what ended within the last
//! two days never goes, since boards show it.

use crate::Keeper;
use engine::SECOND;
use store::{Ended, Old, Removal, StoreError};

/// Conversations that a step looks at, at most: a step takes about as long as a commit
/// (`cargo bench -p pipeline --bench commit`).
pub(crate) const STEP_CONVERSATIONS_MAX: usize = 64;
/// What ended later stays whatever the size: longer than the day of which `/api/v1/state` speaks.
pub const KEPT_ALWAYS_NS: i64 = 2 * 86_400 * SECOND;
/// By size, what was heard of so long after its end goes with the rest of its time.
const STRAGGLING_NS: i64 = 3_600 * SECOND;

/// What is kept. None: without a bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// A conversation with its facts, for so long after its end, in nanoseconds: at least [`KEPT_ALWAYS_NS`].
    pub facts_ns: Option<i64>,
    /// Bytes of the file's pages in use, beyond which the oldest conversations go.
    pub bytes_max: Option<u64>,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Conversations that were removed for their age.
    pub by_age: u64,
    /// Conversations that were removed for the size of the whole.
    pub by_size: u64,
    /// Where the next step goes on; none: this was the last of this run.
    pub next: Option<Ended>,
}

impl Keeper {
    /// Removes a few conversations of those behind `after` (the default: the oldest), at `now` in nanoseconds since the epoch.
    /// Does nothing while something waits for the disk.
    ///
    /// # Errors
    /// When the disk refuses. Nothing is half removed.
    pub fn remove_old(
        &mut self,
        retention: Retention,
        after: Ended,
        now: i64,
    ) -> Result<Removed, StoreError> {
        if self.pending.is_some() || self.store.is_poisoned() {
            return Ok(Removed::default());
        }
        let oldest_kept = |ns: i64| now.saturating_sub(ns.max(KEPT_ALWAYS_NS));
        let by_age = retention.facts_ns.map_or(i64::MIN, oldest_kept);
        let by_size = match retention.bytes_max {
            Some(bytes) if self.store.used_bytes()? > bytes => oldest_kept(0),
            _ => i64::MIN,
        };
        let needed = self.store.outbox_since()?.unwrap_or(i64::MAX);
        let bound = by_age.max(by_size).min(needed);
        if bound == i64::MIN {
            return Ok(Removed::default());
        }
        let found = self.store.ended_before(bound, after, STEP_CONVERSATIONS_MAX)?;
        let last = found.last().map(|old| old.ended);
        let next = last.filter(|_| found.len() == STEP_CONVERSATIONS_MAX);
        let near = last.map_or(i64::MIN, |last| last.at.saturating_add(STRAGGLING_NS));
        let (removed, removals, horizon) = self.choose(found, bound.min(near.max(by_age)), by_age);
        if !removals.is_empty() {
            self.store.remove(&removals, horizon)?;
            self.engine.removed_before(horizon);
        }
        Ok(Removed { next, ..removed })
    }

    /// Those of what was found that were last heard of before a bound, and the instant before which all of them was told.
    fn choose(&self, found: Vec<Old>, bound: i64, by_age: i64) -> (Removed, Vec<Removal>, i64) {
        let (mut removed, mut removals, mut horizon) = (Removed::default(), Vec::new(), i64::MIN);
        for Old { ended, stored } in found {
            // What cannot be read is left for `headcount store check` to name.
            let Ok(stored) = stored else { continue };
            let last = stored.told_span().map_or(ended.at, |(_, last)| last.max(ended.at));
            if last >= bound || self.engine.knows(&stored.id) {
                continue;
            }
            let clock = self.engine.show_stored(&stored, last).conversation().vector_clock;
            removals.push(Removal { conversation: stored.id, clock });
            horizon = horizon.max(last.saturating_add(1));
            let count = if ended.at < by_age { &mut removed.by_age } else { &mut removed.by_size };
            *count += 1;
        }
        (removed, removals, horizon)
    }
}
