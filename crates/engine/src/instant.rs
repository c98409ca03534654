//! What all conversations counted for at an instant: how many were active, and in which minutes fewer events stood than now.
//!
//! Cells of past minutes are not kept for each instant. They are those of now, less what each conversation has added since;
//! and a conversation can have added something only when its evidence reaches beyond the instant. So whoever asks about an
//! instant goes through the conversations whose evidence reaches over it, and takes all others as they are. The sum is a
//! function of the set, as every answer is: no counter is rolled back.

use crate::activity::activity_of;
use crate::contributions::Paged;
use crate::conversation::{Conversation, is_counted_at_once};
use crate::entry::{Entry, NO_TIME};
use crate::inherited::is_told_first;
use crate::record::{told_at, widest};
use crate::{Activity, Engine, Id, MINUTE, StoredConversation};
use std::collections::{BTreeMap, HashSet};

/// As of when something is asked for, in nanoseconds since the epoch; none: now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// What was true at this instant.
    pub at: Option<i64>,
    /// By what had been shown until this instant.
    pub known_at: Option<i64>,
}

impl When {
    /// The earlier of the two, in nanoseconds since the epoch; none: behind everything. Who was active then and is not now is
    /// told of on both sides of it.
    #[must_use]
    pub fn earlier(self) -> i64 {
        self.at.into_iter().chain(self.known_at).min().unwrap_or(i64::MAX)
    }

    /// The instants into which the evidence of a conversation must reach for it to have been active then and not now, or to
    /// have changed the minutes up to then since: to the end of the minute of the earlier of the two.
    #[must_use]
    pub fn reach(self) -> (i64, i64) {
        (self.earlier(), self.minute().saturating_add(1).saturating_mul(MINUTE))
    }

    /// The last minute, counted from the epoch, of which what stands in it now is a beginning. In a later one stands what had
    /// been shown ahead of its time, and nothing else.
    #[must_use]
    pub fn minute(self) -> i64 {
        self.earlier().div_euclid(MINUTE)
    }
}

/// What some conversations counted for at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many of them were active.
    pub active: u64,
    /// By minute, counted from the epoch: how many events more, or fewer, stood in it than now, as far as these
    /// conversations are concerned; and how many at all in minutes behind that of the instant.
    pub cells: BTreeMap<i64, i64>,
}

impl Counted {
    /// Counts a conversation that was laid down. `removed_until` as for [`contributions`](crate::contributions).
    pub fn add_stored(&mut self, stored: &StoredConversation, removed_until: Option<i64>, when: When) {
        self.add_set(&Conversation::take_up(stored), removed_until, when);
    }

    fn add_set(&mut self, set: &Conversation, removed_until: Option<i64>, when: When) {
        let (at, last) = (when.at.unwrap_or(i64::MAX), when.minute());
        let by_then = |entry: &Entry| entry.effective() <= at && entry.at_ns().div_euclid(MINUTE) <= last;
        if set.entries.iter().all(by_then) && set.is_known_by(when.known_at) {
            self.active += u64::from(set.active);
            return;
        }
        let mut count = |set: &Conversation, at: i64, upto: i64, sign: i64| {
            let (past, folded) = set.counted_until(at, |minute, _, _| {
                if minute <= upto && is_told_first(removed_until, minute) {
                    self.move_cell(minute, sign);
                }
            });
            !past.is_empty() && folded.is_active(&set.names)
        };
        let active = set.as_known_by(when.known_at, |then| count(then, at, i64::MAX, 1));
        count(set, i64::MAX, last, -1);
        self.active += u64::from(active == Some(true));
    }

    /// The 24 hours that ended with the newest event's minute, out of what stands in minutes now: of none behind that of the
    /// instant, and as many of the last ones as there are, or more than a day's and those that moved.
    #[must_use]
    pub fn activity(&self, now: impl IntoIterator<Item = (i64, u64)>) -> Activity {
        let mut counts: BTreeMap<i64, u64> = now.into_iter().collect();
        for (minute, difference) in &self.cells {
            let count = counts.entry(*minute).or_default();
            *count = count.saturating_add_signed(*difference);
        }
        counts.retain(|_, count| *count > 0);
        activity_of(&counts)
    }

    fn move_cell(&mut self, minute: i64, difference: i64) {
        let moved = self.cells.entry(minute).or_default();
        *moved += difference;
        if *moved == 0 {
            self.cells.remove(&minute);
        }
    }
}

impl Conversation {
    /// Whether all of it had been published at an instant; none: now.
    fn is_known_by(&self, at: Option<i64>) -> bool {
        let known = |at| self.entries.iter().flat_map(Entry::evidence).all(|piece| piece.published() <= at);
        at.is_none_or(known)
    }

    /// Tells of it as it was shown at an instant; none when nothing of it was.
    fn as_known_by<T>(&self, at: Option<i64>, tell: impl FnOnce(&Self) -> T) -> Option<T> {
        match at {
            Some(at) if !self.is_known_by(Some(at)) => self.as_known_at(at).map(|then| tell(&then)),
            _ => Some(tell(self)),
        }
    }

    /// Whether all of its evidence is of before `from`, of behind `to`, or neither.
    fn reach(&self, (from, to): (i64, i64)) -> Reach {
        let told = |e: &Entry| {
            let at = Some(e.at_ns()).filter(|at| *at != NO_TIME);
            widest(told_at(at, e.received, e.published()), (e.effective(), e.effective()))
        };
        match self.entries.iter().flat_map(Entry::evidence).map(told).reduce(widest) {
            Some((_, last)) if last < from => Reach::Before,
            Some((first, _)) if first > to => Reach::Behind,
            _ => Reach::Within,
        }
    }
}

/// Where a conversation's evidence stands to a time.
enum Reach {
    Before,
    Within,
    Behind,
}

impl Engine {
    /// What the conversations in memory counted for at an instant, facts that wait among the events. What is stored of these is
    /// not to be counted: that is what is laid down as in memory, and what is laid down of those whose ids are given.
    #[must_use]
    pub fn counted(&self, when: When) -> (Counted, HashSet<Id>) {
        let (mut counted, mut taken_up) = (Counted::default(), HashSet::default());
        for set in self.conversations.each() {
            if set.paged != Paged::Not {
                taken_up.insert(set.id.clone());
            }
            match set.reach(when.reach()) {
                Reach::Before => counted.active += u64::from(set.active),
                Reach::Behind => {}
                Reach::Within => counted.add_set(set, self.inherited.removed_until(&set.id), when),
            }
        }
        self.held.each_waiting(|waiting| {
            // It stands in its minute already, and had not been shown.
            let later = |at: i64| when.known_at.is_some() || when.at.is_some_and(|then| at > then);
            let at = waiting.fact.at.filter(|at| is_counted_at_once(&waiting.fact) && later(at.nanos));
            if let Some(minute) = at.map(|at| at.minute()).filter(|minute| *minute <= when.minute())
                && is_told_first(self.inherited.removed_until(&waiting.conversation), minute)
            {
                counted.move_cell(minute, -1);
            }
        });
        (counted, taken_up)
    }
}
