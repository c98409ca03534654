//! Cells: how many state-carrying events fall into each minute of their own time.
//!
//! Memory holds the 24 hours that end with the newest event; older minutes live in the store only, and a late fact
//! moves them there by its difference. Cells move by differences, never by recount.

use crate::Activity;
use std::collections::BTreeMap;

/// Minutes in the window.
const WINDOW: i64 = 24 * 60;

/// Counts of the newest 24 hours, and the differences since the last commit.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    counts: BTreeMap<i64, u64>,
    moved: BTreeMap<i64, i64>,
}

impl Cells {
    /// Moves a minute's count.
    pub fn add(&mut self, minute: i64, difference: i64) {
        *self.moved.entry(minute).or_default() += difference;
        let count = self.counts.entry(minute).or_default();
        *count = count.saturating_add_signed(difference);
        if *count == 0 {
            self.counts.remove(&minute);
        }
        self.forget_old();
    }

    /// A minute's count as it was stored; what has moved since comes on top.
    pub fn restore(&mut self, minute: i64, count: u64) {
        let count = count.saturating_add_signed(self.moved.get(&minute).copied().unwrap_or_default());
        if count > 0 {
            self.counts.insert(minute, count);
        }
        self.forget_old();
    }

    /// Drops counts and differences: what a replay moved is in the store already.
    pub fn clear(&mut self) {
        self.counts.clear();
        self.moved.clear();
    }

    /// The differences since the last call.
    pub fn take_moved(&mut self) -> Vec<(i64, i64)> {
        let moved = std::mem::take(&mut self.moved);
        moved.into_iter().filter(|(_, difference)| *difference != 0).collect()
    }

    /// The window as readers see it.
    pub fn activity(&self) -> Activity {
        activity_of(&self.counts)
    }

    fn forget_old(&mut self) {
        let Some((&newest, _)) = self.counts.last_key_value() else {
            return;
        };
        while let Some(first) = self.counts.first_entry() {
            if *first.key() > newest - WINDOW {
                break;
            }
            first.remove();
        }
    }
}

/// The 24 hours that end with the last of these minutes.
pub(crate) fn activity_of(minutes: &BTreeMap<i64, u64>) -> Activity {
    let mut counts = vec![0; usize::try_from(WINDOW).unwrap_or_default()];
    let newest_minute = minutes.last_key_value().map(|(&minute, _)| minute);
    if let Some(newest) = newest_minute {
        let first = newest - WINDOW + 1;
        for (&minute, &count) in minutes.range(first..) {
            if let Some(slot) = usize::try_from(minute - first).ok().and_then(|at| counts.get_mut(at)) {
                *slot = count;
            }
        }
    }
    Activity { newest_minute, counts }
}
