//! What is too old to keep goes: which conversations, and when.
//!
//! A step looks at a few conversations, those first that were last told of longest ago, and removes what ended and was last told
//! of before a bound. So the horizon is one clean line: of what ended, or was told, at or behind it nothing is gone, and questions about
//! any such instant have the answers they had. A conversation that is active, in memory, or named in what a follower
//! has not taken yet (which has bounds of its own) stays.
//!
//! By size the bound follows the oldest end that is there, until the pages in use are within it; what ended within the last
//! two days never goes, since boards show it.
//!
//! Cells outlive facts: each interval has an age of its own. By size the oldest minutes go, and only when no conversation is
//! left that may. Minutes that a follower may still have to take stay for as long as it is waited for.

use crate::Keeper;
use engine::{MINUTE, SECOND};
use store::{CellInterval, LastTold, Old, Removal, StoreError};

/// Conversations that a step looks at, at most: a step takes a millisecond or two
/// (`cargo bench -p pipeline --bench commit`).
pub(crate) const STEP_CONVERSATIONS_MAX: usize = 32;
/// Minutes of cells that a step takes away for the size of the whole.
const STEP_MINUTES: i64 = 24 * 60;
/// What ended later stays whatever the size: longer than the day of which `/api/v1/state` speaks.
pub const KEPT_ALWAYS_NS: i64 = 2 * 86_400 * SECOND;

/// What is kept. None: without a bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// A conversation with its facts, for so long after its end, in nanoseconds: at least [`KEPT_ALWAYS_NS`].
    pub facts_ns: Option<i64>,
    /// Bytes of the file's pages in use, beyond which the oldest conversations go, and then the oldest minutes.
    pub bytes_max: Option<u64>,
    /// Minutes of cells, in nanoseconds: at least [`KEPT_ALWAYS_NS`], as of the other intervals.
    pub minutes_ns: Option<i64>,
    /// Hours of cells, in nanoseconds: no less than minutes.
    pub hours_ns: Option<i64>,
    /// Days of cells, in nanoseconds: no less than hours.
    pub days_ns: Option<i64>,
}

/// What a step took away of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForgottenCells {
    /// Pages for their age.
    pub by_age: u64,
    /// Pages for the size of the whole.
    pub by_size: u64,
    /// There is more to take away.
    pub more: bool,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Conversations that were removed for their age.
    pub by_age: u64,
    /// Conversations that were removed for the size of the whole.
    pub by_size: u64,
    /// Where the next step goes on; none: this was the last of this run.
    pub next: Option<LastTold>,
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
        after: LastTold,
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
        let found = self.store.last_told_before(bound, after, STEP_CONVERSATIONS_MAX)?;
        let next = found.last().map(|old| old.last_told).filter(|_| found.len() == STEP_CONVERSATIONS_MAX);
        let (removed, removals, horizon) = self.choose(found, bound, by_age);
        if !removals.is_empty() {
            self.store.remove(&removals, horizon)?;
            self.engine.removed_before(horizon);
        }
        Ok(Removed { next, ..removed })
    }

    /// Takes away some of the cells that are kept no longer at `now`, in nanoseconds since the epoch. Does nothing while
    /// something waits for the disk. To be called when no conversation is left that may be removed.
    ///
    /// # Errors
    /// When the disk refuses. Nothing is half taken away.
    pub fn forget_cells(&mut self, retention: Retention, now: i64) -> Result<ForgottenCells, StoreError> {
        let mut done = ForgottenCells::default();
        if self.pending.is_some() || self.store.is_poisoned() {
            return Ok(done);
        }
        let needed = self.store.outbox_since()?.unwrap_or(i64::MAX).saturating_sub(KEPT_ALWAYS_NS);
        let older = |ns: i64| now.saturating_sub(ns.max(KEPT_ALWAYS_NS)).div_euclid(MINUTE);
        let needed = needed.div_euclid(MINUTE);
        let ages = [
            (CellInterval::Minute, retention.minutes_ns.map(|ns| older(ns).min(needed))),
            (CellInterval::Hour, retention.hours_ns.map(older)),
            (CellInterval::Day, retention.days_ns.map(older)),
        ];
        for (interval, before) in ages {
            let Some(before) = before else { continue };
            let step = self.store.forget_cells(interval, before)?;
            (done.by_age, done.more) = (done.by_age + step.pages, done.more | step.more);
        }
        let too_large = match retention.bytes_max {
            Some(bytes) => !done.more && self.store.used_bytes()? > bytes,
            None => false,
        };
        if let Some(oldest) = self.store.oldest_minute_page()?.filter(|_| too_large) {
            let before = older(0).min(needed).min(oldest.saturating_add(STEP_MINUTES));
            let step = self.store.forget_cells(CellInterval::Minute, before)?;
            (done.by_size, done.more) = (step.pages, step.pages > 0);
        }
        Ok(done)
    }

    /// Those of what was found that were last heard of before a bound, and the instant before which all of them was told.
    fn choose(&self, found: Vec<Old>, bound: i64, by_age: i64) -> (Removed, Vec<Removal>, i64) {
        let (mut removed, mut removals, mut horizon) = (Removed::default(), Vec::new(), i64::MIN);
        for Old { stored, .. } in found {
            // What cannot be read is left for `headcount store check` to name.
            let Ok(stored) = stored else { continue };
            let Some(ended) = stored.ended_at.filter(|_| !stored.active) else { continue };
            let last = stored.told_span().map_or(ended.nanos, |(_, last)| last.max(ended.nanos));
            if last >= bound || self.engine.knows(&stored.id) {
                continue;
            }
            let clock = self.engine.show_stored(&stored, last).conversation().vector_clock;
            removals.push(Removal { conversation: stored.id, clock });
            horizon = horizon.max(last.saturating_add(1));
            let count = if last < by_age { &mut removed.by_age } else { &mut removed.by_size };
            *count += 1;
        }
        (removed, removals, horizon)
    }
}
