//! One conversation: its set of facts, in order, and what follows from it.

use crate::contributions::Paged;
use crate::entry::{Entry, NO_TIME, Pieces};
use crate::fold::Folded;
use crate::ghosts::Watch;
use crate::glance::Outline;
use crate::limits::{Limits, PIECES_MAX};
use crate::names::Names;
use crate::past::Past;
use crate::scope::OwnCounters;
use crate::{
    Admitted, Arrival, Fact, FactId, Id, MINUTE, Revision, Source, Stamp, StoredConversation, Time, What,
    Word,
};
use causal::{Dot, DotRange, DotSet, VectorClock};
use foldhash::fast::FixedState;
use hashbrown::HashSet;
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::num::NonZeroU64;

mod settle;
#[cfg(test)]
mod tests;
pub(crate) mod work;

/// A conversation in memory. There may be a million: what few have is set aside.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub id: Id,
    pub names: Names,
    /// In the order of `order.rs`.
    pub entries: Vec<Entry>,
    aside: Option<Box<Aside>>,
    /// When it was last heard of, in nanoseconds since the epoch.
    pub last_received: i64,
    /// Which of 64 marks the ids of its facts have.
    marks: u64,
    lane_topic: u64,
    lane_feed: Option<u16>,
    outline: Outline,
    pub active: bool,
    /// On which side of the active set it was put last; none: not yet.
    pub listed: Option<bool>,
    /// A fact could not be taken: a bound was reached.
    pub overfull: bool,
    /// When it is looked at for whether it is a ghost.
    pub watch: Watch,
    pub paged: Paged,
}

/// What only conversations with clocks, busy ones, and those that lost facts have.
#[derive(Debug, Default)]
struct Aside {
    /// Facts that wait for what precedes them, with their dots: known, not yet published.
    held: Vec<(FactId, Dot<Word>)>,
    /// The newest counters that its stamped facts bore.
    counters: OwnCounters,
    /// Facts dropped before they could be admitted, and not read again since.
    dropped: u64,
    /// All that its facts prove to have happened.
    told: VectorClock<Word>,
    /// The greatest sum of a clock among its facts; none: none has a clock.
    newest_sum: Option<u128>,
    /// Of a busy conversation: what its clocks have seen; none: to be worked out when it is needed.
    past: Option<Box<Past>>,
    /// Of a busy conversation: the state after all entries, and traces of the ids of all.
    kept: Option<Box<Folded>>,
    index: Option<HashSet<u32, FixedState>>,
}

/// How a fact met the set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Met {
    /// It is new.
    New,
    /// It was known, and adds nothing.
    Known,
    /// It was known, and is better evidence for the same.
    Better,
    /// A bound of the conversation is reached.
    Full,
}

/// A fact to publish, and what it corrected.
pub(crate) type Told = (FactId, Option<Revision>);

/// What settling a conversation brought about.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Facts to publish, and what those that came late corrected.
    pub changes: SmallVec<[Told; 2]>,
    /// Moves of cells: minute and difference.
    pub cells: SmallVec<[(i64, i64); 2]>,
    /// Those of the new facts that came late.
    pub late: SmallVec<[FactId; 2]>,
}

impl Conversation {
    pub fn new(id: Id) -> Self {
        Self {
            id,
            names: Names::default(),
            entries: Vec::new(),
            aside: None,
            last_received: i64::MIN,
            marks: 0,
            lane_topic: 0,
            lane_feed: None,
            outline: Outline::default(),
            active: false,
            listed: None,
            overfull: false,
            watch: Watch::default(),
            paged: Paged::default(),
        }
    }

    /// The feed and topic whose frames order its toggles by arrival.
    pub fn lane(&self) -> Option<(u16, u64)> {
        self.lane_feed.map(|feed| (feed, self.lane_topic))
    }

    pub fn follow_lane(&mut self, (feed, topic): (u16, u64)) {
        (self.lane_feed, self.lane_topic) = (Some(feed), topic);
    }

    /// Facts that wait for what precedes them, with their dots: known, not yet published.
    pub fn held(&self) -> &[(FactId, Dot<Word>)] {
        self.aside.as_ref().map_or(&[], |aside| aside.held.as_slice())
    }

    pub fn hold(&mut self, fact: FactId, dot: Dot<Word>) {
        self.aside.get_or_insert_default().held.push((fact, dot));
    }

    pub fn release(&mut self, fact: FactId) {
        if let Some(aside) = &mut self.aside {
            aside.held.retain(|(held, _)| *held != fact);
        }
    }

    /// The newest counters that its stamped facts bore.
    pub fn counters(&mut self) -> &mut OwnCounters {
        &mut self.aside.get_or_insert_default().counters
    }

    /// Facts dropped before they could be admitted, and not read again since.
    pub fn dropped(&self) -> u64 {
        self.aside.as_ref().map_or(0, |aside| aside.dropped)
    }

    pub fn set_dropped(&mut self, facts: u64) {
        if facts > 0 || self.aside.is_some() {
            self.aside.get_or_insert_default().dropped = facts;
        }
    }

    /// Takes a batch of facts into the set, then settles order, state, lateness and cells. `met` hears how each fact
    /// met the set, in their order. What is replayed was as late as its arrival says.
    pub fn take(
        &mut self,
        facts: &[Admitted],
        limits: &Limits,
        replayed: bool,
        mut met: impl FnMut(Met),
    ) -> Settled {
        // Read here, and not where it is needed, so that memory is asked for it early.
        let last = self.entries.last().map(Entry::effective);
        let mut fresh: SmallVec<[Entry; 2]> = SmallVec::new();
        let mut better: SmallVec<[FactId; 2]> = SmallVec::new();
        let mut settled = Settled::default();
        for Admitted { fact, arrival, .. } in facts {
            let arrival = *arrival;
            let outcome = match self.position(fact.id) {
                Some(at) => self.join(at, fact, arrival, &mut settled),
                None => match fresh.iter_mut().find(|e| e.is(fact.id)) {
                    Some(entry) => join_entry(entry, fact, arrival, &mut self.names),
                    None => self.add(fact, arrival, limits, &mut fresh),
                },
            };
            if let (Met::New | Met::Better, Some(stamp)) = (outcome, &fact.stamp) {
                self.tell(stamp);
            }
            if outcome == Met::Better && !fresh.iter().any(|e| e.is(fact.id)) {
                better.push(fact.id);
            }
            met(outcome);
        }
        if !fresh.is_empty() || !better.is_empty() {
            self.settle(&mut fresh, last, &better, (replayed, limits.busy_facts), &mut settled);
        }
        settled
    }

    /// Whether a fact is in the set.
    pub fn knows(&self, id: FactId) -> bool {
        self.position(id).is_some()
    }

    /// Where a fact stands. Nearly all facts are new: most are told so by their marks, those of a busy conversation by its
    /// index.
    fn position(&self, id: FactId) -> Option<usize> {
        if self.marks & marks(id) != marks(id) {
            return None;
        }
        let index = self.aside.as_ref().and_then(|aside| aside.index.as_ref());
        if index.is_some_and(|index| !index.contains(&trace(id))) {
            return None;
        }
        self.entries.iter().position(|e| e.is(id))
    }

    fn add(
        &mut self,
        fact: &Fact,
        arrival: Arrival,
        limits: &Limits,
        fresh: &mut SmallVec<[Entry; 2]>,
    ) -> Met {
        let len = self.entries.len() + fresh.len();
        let max = limits.conversation_facts_max;
        let room = len < max || (len < max.saturating_mul(2) && decides(fact));
        let Some(mut entry) = room.then(|| Entry::pack(fact, arrival, &mut self.names)).flatten() else {
            self.overfull = true;
            return Met::Full;
        };
        entry.refresh(true);
        entry.count(is_counted_at_once(fact));
        fresh.push(entry);
        Met::New
    }

    fn join(&mut self, at: usize, fact: &Fact, arrival: Arrival, settled: &mut Settled) -> Met {
        let Some(entry) = self.entries.get_mut(at) else { return Met::Known };
        let counted = entry.counted().then_some(entry.at_ns());
        let met = join_entry(entry, fact, arrival, &mut self.names);
        self.overfull |= met == Met::Full;
        if met == Met::Better {
            // The settled minute moves with the evidence: out of the old one here, into the new one by the fold.
            if let Some(old) = counted {
                settled.cells.push((old.div_euclid(MINUTE), -1));
                entry.count(false);
            }
        }
        met
    }

    /// The state after all entries.
    pub fn folded(&self) -> Folded {
        let mut folded = Folded::prepared(&self.entries);
        for entry in &self.entries {
            folded.apply(entry, &self.names);
        }
        folded
    }

    /// The entries that stand no later than `at` in the order, and the state after them. Who or what is told of later only is
    /// not in it; that evidence about a participant stands back behind its communications' is known by now.
    pub fn folded_at(&self, at: i64) -> (&[Entry], Folded) {
        self.counted_until(at, |_, _, _| {})
    }

    /// The same, and hands over each of these entries that counts, with its minute and the state behind it.
    pub fn counted_until(&self, at: i64, mut take: impl FnMut(i64, &Entry, &Folded)) -> (&[Entry], Folded) {
        let past = self.entries.partition_point(|entry| entry.effective() <= at);
        let past = self.entries.get(..past).unwrap_or_default();
        let mut folded = Folded::prepared(&self.entries);
        for entry in past {
            if folded.apply(entry, &self.names).counted {
                take(entry.at_ns().div_euclid(MINUTE), entry, &folded);
            }
        }
        if past.len() < self.entries.len() {
            folded.keep_those_in(past);
        }
        (past, folded)
    }

    /// How many entries each minute counts, from the set alone.
    pub fn recount(&self) -> BTreeMap<i64, u64> {
        let mut cells = BTreeMap::new();
        self.counted_until(i64::MAX, |minute, _, _| *cells.entry(minute).or_default() += 1);
        cells
    }

    /// What was published at `from` was published at `to`.
    pub fn postpone(&mut self, from: i64, to: i64) {
        self.entries.iter_mut().for_each(|entry| entry.postpone(from, to));
    }

    /// Lays the whole set down.
    pub fn lay_down(&self, resident: bool) -> StoredConversation {
        let folded = self.folded();
        StoredConversation {
            id: self.id.clone(),
            resident,
            active: self.active,
            started_at: folded.started(&self.entries),
            ended_at: folded.ended(&self.names),
            dropped: self.dropped().max(u64::from(self.overfull)),
            facts: self.evidence().collect(),
        }
    }

    /// The evidence for all its facts, in their order; the pieces of one fact as they came.
    pub fn evidence(&self) -> impl Iterator<Item = (Fact, Arrival)> {
        let pieces = self.entries.iter().flat_map(Entry::evidence);
        pieces.map(|piece| (piece.unpack(&self.names), piece.arrival(&self.names)))
    }

    /// The conversation as it was shown at an instant of our clock, in nanoseconds since the epoch: that of the evidence
    /// published by then; none when nothing was.
    pub fn as_known_at(&self, at: i64) -> Option<Self> {
        let mut then = self.lay_down(true);
        then.facts.retain(|(_, arrival)| arrival.published <= at);
        (!then.facts.is_empty()).then(|| Self::take_up(&then))
    }

    /// The conversation of a set that was laid down.
    pub fn take_up(stored: &StoredConversation) -> Self {
        let mut this = Self::new(stored.id.clone());
        this.set_dropped(stored.dropped);
        this.entries.reserve_exact(stored.facts.len());
        for (fact, arrival) in &stored.facts {
            this.last_received = this.last_received.max(arrival.received);
            fact.stamp.iter().for_each(|stamp| this.tell(stamp));
            if let Some(entry) = this.entries.last_mut().filter(|e| e.is(fact.id)) {
                join_entry(entry, fact, *arrival, &mut this.names);
            } else if let Some(entry) = Entry::pack(fact, *arrival, &mut this.names) {
                this.marks |= marks(fact.id);
                this.entries.push(entry);
            }
        }
        this.place_all();
        // Whoever only looks at it needs no kept state.
        this.fold_all(usize::MAX, &mut Settled::default());
        this
    }

    /// From its first instant, by the sources' clocks or ours, to when it was heard of last.
    pub fn heard(&self) -> Option<(i64, i64)> {
        let first = self
            .entries
            .iter()
            .map(|e| if e.at_ns() == NO_TIME { e.received } else { e.received.min(e.at_ns()) })
            .min()?;
        Some((first, self.entries.iter().map(|e| e.received).max()?))
    }

    /// Whether one of its facts, waiting ones included, has this dot.
    pub fn bears(&self, dot: &Dot<Word>) -> bool {
        let bears = |stamp: &Stamp| stamp.dot == *dot;
        self.held().iter().any(|(_, held)| held == dot)
            || match self.aside.as_ref().and_then(|aside| aside.past.as_ref()) {
                Some(past) => past.bears(dot),
                None => self.entries.iter().filter_map(Entry::stamp).any(bears),
            }
    }

    /// Notes all that a fact proves to have happened.
    pub fn tell(&mut self, stamp: &Stamp) {
        self.aside.get_or_insert_default().told.merge(&stamp.clock);
    }

    /// Whether a fact follows what its facts prove to have happened, and nothing else.
    pub fn leads_to(&self, stamp: &Stamp) -> bool {
        let told = self.aside.as_ref().map(|aside| &aside.told);
        told.unwrap_or(&VectorClock::new()).leads_to(&stamp.dot, &stamp.clock)
    }

    /// All that its facts prove to have happened, as ranges from 1.
    pub fn told(&self) -> Vec<DotRange<Word>> {
        let range = |(region, n): (&Word, u64)| {
            NonZeroU64::new(n).map(|to| DotRange { actor: region.clone(), from: NonZeroU64::MIN, to })
        };
        self.aside.iter().flat_map(|aside| aside.told.iter()).filter_map(range).collect()
    }

    /// Whether its facts prove that another one happened, which never came.
    pub fn lacks_dots(&self) -> bool {
        if let Some(past) = self.aside.as_ref().and_then(|aside| aside.past.as_ref()) {
            debug_assert_eq!(past.lacks(), !self.missing_dots().is_empty(), "a past knows what it lacks");
            return past.lacks();
        }
        work::passed(self.entries.len());
        let (dots, clock) = self.dots();
        !dots.covers(&clock, None)
    }

    /// What its facts prove to have happened, and which never came.
    pub fn missing_dots(&self) -> Vec<DotRange<Word>> {
        let (dots, clock) = self.dots();
        dots.missing(&clock, None)
    }

    fn dots(&self) -> (DotSet<Word>, VectorClock<Word>) {
        let stamps = self.entries.iter().filter_map(Entry::stamp);
        let (mut dots, mut clock) = (DotSet::new(), VectorClock::new());
        for stamp in stamps {
            dots.insert(stamp.dot.clone());
            clock.merge(&stamp.clock);
        }
        (dots, clock)
    }

    /// Whether an event tells when it began.
    pub fn tells_beginning(&self) -> bool {
        let lives = |e: &Entry| e.state().is_some() && !self.names.is_end(e.state());
        let begins = |e: &Entry| e.source() == Source::Events && e.what == What::LifeCycle && lives(e);
        self.entries.iter().any(begins)
    }

    /// Whether it is known by events alone, and none of them tells when it began.
    pub fn began_unseen(&self) -> bool {
        self.entries.iter().all(|e| e.source() == Source::Events) && !self.tells_beginning()
    }

    /// The newest instant that a source named.
    pub fn newest(&self) -> Option<Time> {
        self.entries.iter().filter_map(Entry::at).max()
    }
}

/// Two of 64 marks by which ids are told apart at a glance: an id whose marks are not there is new.
fn marks(id: FactId) -> u64 {
    1 << (id.0 & 63) | 1 << (id.0 >> 6 & 63)
}

/// What an index holds of an id: enough to say of nearly every new one that it is new.
fn trace(id: FactId) -> u32 {
    (id.0 >> 32) as u32
}

/// Joins another copy of a fact into its entry, which keeps what it said before as a piece of evidence. Copies in one
/// frame, and what comes when there is room for no more, make one piece with the newest.
fn join_entry(entry: &mut Entry, copy: &Fact, arrival: Arrival, names: &mut Names) -> Met {
    if !entry.may_learn(copy, names) {
        return Met::Known;
    }
    let mut fact = entry.unpack(names);
    let learnt = if entry.source() == Source::Events { fact.settle(copy) } else { fact.join(copy) };
    if !learnt {
        return Met::Known;
    }
    let first = Arrival { received: entry.received.min(arrival.received), ..entry.arrival(names) };
    let piece = Entry::pack(copy, arrival, names);
    let (Some(mut better), Some(piece)) = (Entry::pack(&fact, first, names), piece) else {
        return Met::Full;
    };
    better.flagged_as(entry);
    let pieces = pieces_with(entry, piece, &better);
    better.join(pieces);
    *entry = better;
    Met::Better
}

/// The pieces of an entry and a further one that makes it `joined`; none when they are one.
fn pieces_with(entry: &mut Entry, piece: Entry, joined: &Entry) -> Option<Box<Pieces>> {
    let mut pieces = entry.take_pieces().map_or_else(|| vec![entry.clone()], |pieces| pieces.0);
    let newest = pieces.last().map_or(piece.published(), Entry::published);
    let no_room = pieces.len() >= PIECES_MAX;
    if newest == piece.published() || no_room {
        pieces.pop();
        pieces.push(joined.published_at(piece.published()));
    } else {
        pieces.push(piece);
    }
    (pieces.len() > 1).then(|| Box::new(Pieces(pieces)))
}

/// Whether a fact says who is on the conversation at all: those find room when chatter does not.
fn decides(fact: &Fact) -> bool {
    let ends = fact.state.as_ref().is_some_and(crate::is_end);
    matches!(fact.what, What::Left | What::LifeCycle | What::Role) || ends
}

/// Whether a fact was counted in its minute when it was admitted, before anything released it: the count of an event does
/// not wait for its causes.
pub(crate) fn is_counted_at_once(fact: &Fact) -> bool {
    fact.stamp.is_some() && fact.state.is_some() && fact.at.is_some()
}

/// Whether a surface shows the whole conversation at once.
pub(crate) fn is_whole(source: Source) -> bool {
    matches!(source, Source::Snapshot | Source::Rest)
}

/// Whether a fact says that a parking is over, and not since when.
pub(crate) fn is_undated_resume(fact: &Fact) -> bool {
    fact.what == What::State && fact.since.is_some() && fact.at.is_none()
}

/// Whether a fact is a toggle.
pub(crate) fn is_toggle(what: What) -> bool {
    matches!(what, What::Held | What::Muted)
}
