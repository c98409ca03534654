//! What follows when facts come into a set: their places, the state, what came late, which cells moved.
//!
//! One fact that moves no other is the rule, and is settled alone: its place is found by halving, and what it changes is
//! told by itself, or by the state that a busy conversation keeps. Everything else places and folds the whole set anew.

use super::{Conversation, Settled, marks, trace, work};
use crate::entry::Entry;
use crate::fold::{Folded, Step, earlier};
use crate::glance::{Outline, glance_at_leg};
use crate::order;
use crate::past::Past;
use crate::{FactId, MINUTE, Revision};
use smallvec::SmallVec;

/// New facts that are one in so many of all, or fewer, are put into their places one by one.
const FEW_OF: usize = 16;

impl Conversation {
    /// Takes in what is new, and what is better known; `last`: where the last entry stands.
    pub(super) fn settle(
        &mut self,
        fresh: &mut SmallVec<[Entry; 2]>,
        last: Option<i64>,
        better: &[FactId],
        (replayed, busy): (bool, usize),
        settled: &mut Settled,
    ) {
        self.outgrow_page();
        self.remember(fresh);
        grow(&mut self.entries, fresh.len());
        if let (1, true) = (fresh.len(), better.is_empty())
            && let Some(entry) = fresh.pop()
        {
            if let Some(place) = self.insert(entry, last, busy) {
                self.fold_one(place, busy, settled);
                return self.tell_one(place, replayed, settled);
            }
        } else if let (true, Some(from)) = (better.is_empty(), self.insert_few(fresh, busy)) {
            self.fold_few(from, busy, settled);
            return self.tell_fresh(replayed, settled);
        } else {
            self.entries.extend(fresh.drain(..));
            self.place_all();
        }
        self.fold_all(busy, settled);
        self.tell_fresh(replayed, settled);
        for id in better {
            let place = self.entries.iter().position(|e| e.is(*id) && e.shown());
            if let Some(place) = place.and_then(|at| u32::try_from(at).ok()) {
                settled.changes.push((*id, Some(Revision { place, moved: 0 })));
            }
        }
    }

    fn remember(&mut self, fresh: &[Entry]) {
        self.marks = fresh.iter().fold(self.marks, |all, entry| all | marks(entry.id()));
        if let Some(index) = self.aside.as_mut().and_then(|aside| aside.index.as_mut()) {
            index.extend(fresh.iter().map(|entry| trace(entry.id())));
        }
    }

    /// Puts one entry into its place; none when others may have moved.
    fn insert(&mut self, mut entry: Entry, last: Option<i64>, busy: usize) -> Option<usize> {
        let Some(stamp) = entry.stamp() else {
            let newest_sum = self.aside.as_ref().and_then(|aside| aside.newest_sum);
            return order::insert(&mut self.entries, entry, last, newest_sum);
        };
        let aside = self.aside.get_or_insert_default();
        if aside.past.is_none() && self.entries.len() >= busy {
            work::passed(self.entries.len());
            aside.past = Past::of(&self.entries).map(Box::new);
        }
        let newest_sum = aside.newest_sum;
        aside.newest_sum = newest_sum.max(Some(stamp.clock.sum()));
        if let Some(past) = aside.past.as_mut().filter(|_| order::is_event(&entry))
            && let Some(effective) = past.effective(stamp, entry.at_ns())
        {
            past.note(stamp, effective);
            entry.place_at(effective);
            return Some(order::put(&mut self.entries, entry, last));
        }
        aside.past = None;
        work::passed(self.entries.len());
        order::insert(&mut self.entries, entry, last, newest_sum)
    }

    /// Puts a few entries into a busy conversation, and says from which place on nothing but they stand, if they all stand last;
    /// the length when they do not. None when others may have moved, or when there are so many that the whole order costs no
    /// more: those that have no place yet are left.
    fn insert_few(&mut self, fresh: &mut SmallVec<[Entry; 2]>, busy: usize) -> Option<usize> {
        let before = self.entries.len();
        if before < busy || fresh.len().saturating_mul(FEW_OF) > before {
            return None;
        }
        fresh.sort_by_key(|entry| entry.stamp().map(|stamp| stamp.clock.sum()));
        fresh.reverse();
        let mut last = true;
        while let Some(entry) = fresh.pop() {
            let stands = self.entries.last().map(Entry::effective);
            last &= self.insert(entry, stands, busy)? >= before;
        }
        Some(if last { before } else { self.entries.len() })
    }

    /// Folds entries that are new: on from the kept state where they all stand behind it.
    fn fold_few(&mut self, from: usize, busy: usize, settled: &mut Settled) {
        let kept = self.aside.as_mut().and_then(|aside| aside.kept.take());
        let fresh = self.entries.get(from..).unwrap_or_default();
        match kept.filter(|kept| !fresh.is_empty() && fresh.iter().all(|entry| kept.expects(entry))) {
            Some(kept) => self.fold_on(kept, from, busy, settled),
            None => self.fold_all(busy, settled),
        }
    }

    /// Puts all entries into their order.
    pub(super) fn place_all(&mut self) {
        work::passed(self.entries.len());
        order::place(&mut self.entries);
        if let Some(aside) = &mut self.aside {
            aside.past = None;
        }
        let newest = self.entries.iter().filter_map(Entry::stamp).map(|stamp| stamp.clock.sum()).max();
        if newest.is_some() {
            self.aside.get_or_insert_default().newest_sum = newest;
        }
    }

    /// Folds one entry that is new at a place.
    fn fold_one(&mut self, place: usize, busy: usize, settled: &mut Settled) {
        let last = self.entries.last().filter(|_| place + 1 == self.entries.len());
        let kept = self.aside.as_mut().and_then(|aside| aside.kept.take());
        let told = match kept {
            None => last.is_some() && self.entries.len() < busy && self.glance(settled),
            // A leg that appears changes what its participant's own entries count for.
            Some(kept) if last.is_some_and(|entry| kept.expects(entry)) => {
                return self.fold_on(kept, place, busy, settled);
            }
            Some(_) if last.is_some() => false,
            Some(mut kept) => {
                let overtaken = self.slip_in(&mut kept, place, settled);
                self.aside.get_or_insert_default().kept = Some(kept).filter(|_| overtaken);
                overtaken
            }
        };
        if !told {
            self.fold_all(busy, settled);
        }
    }

    /// Folds all entries anew.
    pub(super) fn fold_all(&mut self, busy: usize, settled: &mut Settled) {
        work::passed(self.entries.len());
        self.outline = Outline::default();
        let folded = Box::new(Folded::prepared(&self.entries));
        self.fold_on(folded, 0, busy, settled);
    }

    /// Folds the entries from a place on, and notes which cells gained or lost a count. A busy conversation keeps the state.
    fn fold_on(&mut self, mut folded: Box<Folded>, from: usize, busy: usize, settled: &mut Settled) {
        for entry in self.entries.iter_mut().skip(from) {
            let step = folded.apply(entry, &self.names);
            mark(entry, step, settled);
            self.outline.add(entry);
        }
        debug_assert_eq!(
            folded.essence(&self.names),
            self.folded().essence(&self.names),
            "going on from the kept state is never wrong"
        );
        self.active = folded.is_active(&self.names);
        if self.entries.len() >= busy {
            let aside = self.aside.get_or_insert_default();
            aside.kept = Some(folded);
            aside.index.get_or_insert_with(|| self.entries.iter().map(|e| trace(e.id())).collect());
        }
    }

    /// The same of one entry that stands last, where it alone tells; false: it does not.
    fn glance(&mut self, settled: &mut Settled) -> bool {
        let Some(last) = self.entries.last_mut() else { return false };
        self.outline.add(last);
        let told = match self.outline.glance(last, self.active) {
            None => glance_at_leg(&self.entries, self.outline, self.active, &self.names),
            told => told,
        };
        let (Some((step, active)), Some(last)) = (told, self.entries.last_mut()) else { return false };
        mark(last, step, settled);
        self.active = active;
        debug_assert_eq!(active, self.folded().is_active(&self.names), "a glance is never wrong");
        true
    }

    /// The same of one entry that came late, where all that it says was said again since; false: it was not.
    fn slip_in(&mut self, kept: &mut Folded, place: usize, settled: &mut Settled) -> bool {
        let Some((upto, behind)) = self.entries.split_at_mut_checked(place + 1) else { return false };
        let Some(late) = upto.last_mut() else { return false };
        self.outline.add(late);
        let participant = kept.participants.iter_mut().find(|p| p.id == late.participant);
        let (Some(step), Some(participant)) = (self.outline.step(late), participant) else { return false };
        if !self.outline.is_overtaken(late, behind) {
            return false;
        }
        mark(late, step, settled);
        participant.joined = earlier(participant.joined, Some(late.instant()));
        debug_assert_eq!(
            kept.essence(&self.names),
            self.folded().essence(&self.names),
            "nothing else changed"
        );
        true
    }

    /// Publishes the one entry that is new, and notes whether its place had been published before it came.
    fn tell_one(&mut self, place: usize, replayed: bool, settled: &mut Settled) {
        let behind = self.entries.len() - 1 - place;
        if let Some(entry) = self.entries.get_mut(place) {
            tell(entry, place, u32::try_from(behind).unwrap_or(u32::MAX), replayed, settled);
        }
    }

    /// The same of all that are new.
    fn tell_fresh(&mut self, replayed: bool, settled: &mut Settled) {
        let mut behind = 0;
        for (place, entry) in self.entries.iter_mut().enumerate().rev() {
            if entry.fresh() {
                tell(entry, place, behind, replayed, settled);
            } else {
                behind += 1;
            }
        }
        settled.changes.reverse();
    }
}

fn tell(entry: &mut Entry, place: usize, behind: u32, replayed: bool, settled: &mut Settled) {
    entry.refresh(false);
    if behind > 0 && !replayed {
        entry.be_late();
        settled.late.push(entry.id());
    }
    if entry.shown() {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        settled.changes.push((entry.id(), (behind > 0).then_some(Revision { place, moved: behind })));
    }
}

/// Notes what the fold says of an entry, and whether its cell gains or loses a count.
fn mark(entry: &mut Entry, step: Step, settled: &mut Settled) {
    if step.counted != entry.counted() {
        settled.cells.push((entry.at_ns().div_euclid(MINUTE), if step.counted { 1 } else { -1 }));
    }
    entry.count(step.counted);
    entry.show(step.shown);
}

/// Makes room for as many entries as a participant mostly has, and little more: most conversations have tens of them.
fn grow(entries: &mut Vec<Entry>, fresh: usize) {
    if entries.len() + fresh > entries.capacity() {
        entries.reserve_exact((entries.len() / 4).max(5).max(fresh));
    }
}
