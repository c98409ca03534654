//! One conversation: its set of facts, in order, and what follows from it.

use crate::entry::{Entry, NO_TIME, Pieces};
use crate::fold::Folded;
use crate::ghosts::Watch;
use crate::limits::{Limits, PIECES_MAX};
use crate::names::Names;
use crate::order;
use crate::scope::OwnCounters;
use crate::{Arrival, Fact, FactId, Id, MINUTE, Revision, Source, StoredConversation, Time, What, Word};
use causal::{Dot, DotRange, DotSet, VectorClock};
use foldhash::fast::FixedState;
use hashbrown::HashSet;
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::num::NonZeroU64;

/// A conversation in memory.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub id: Id,
    pub names: Names,
    /// In the order of `order.rs`.
    pub entries: Vec<Entry>,
    /// Facts that wait for what precedes them, with their dots: known, not yet published.
    pub held: Vec<(FactId, Dot<Word>)>,
    pub active: bool,
    /// On which side of the active set it was put last; none: not yet.
    pub listed: Option<bool>,
    /// Facts dropped before they could be admitted, and not read again since.
    pub dropped: u64,
    /// The newest counters that its stamped facts bore.
    pub counters: OwnCounters,
    /// The feed and topic whose frames order its toggles by arrival.
    pub lane: Option<(u16, u64)>,
    /// When it was last heard of, in nanoseconds since the epoch.
    pub last_received: i64,
    /// A fact could not be taken: a bound was reached.
    pub overfull: bool,
    /// When it is looked at for whether it is a ghost.
    pub watch: Watch,
    /// Of a busy conversation: the state after all entries, and the ids of all.
    kept: Option<Box<Folded>>,
    index: Option<HashSet<FactId, FixedState>>,
}

/// From so many facts on, a conversation keeps its state and an index: passes over fewer cost less than keeping them.
const BUSY: usize = 64;

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
            held: Vec::new(),
            active: false,
            listed: None,
            dropped: 0,
            counters: OwnCounters::default(),
            lane: None,
            last_received: i64::MIN,
            overfull: false,
            watch: Watch::default(),
            kept: None,
            index: None,
        }
    }

    /// Takes a batch of facts into the set, then settles order, state, lateness and cells. `met` hears how each fact
    /// met the set, in their order. What is replayed was as late as its arrival says.
    pub fn take<'a>(
        &mut self,
        facts: impl Iterator<Item = (&'a Fact, Arrival)>,
        limits: &Limits,
        replayed: bool,
        mut met: impl FnMut(Met),
    ) -> Settled {
        let mut fresh: SmallVec<[Entry; 2]> = SmallVec::new();
        let mut better: SmallVec<[FactId; 2]> = SmallVec::new();
        let mut settled = Settled::default();
        for (fact, arrival) in facts {
            let outcome = match self.position(fact.id) {
                Some(at) => self.join(at, fact, arrival, &mut settled),
                None => match fresh.iter_mut().find(|e| e.is(fact.id)) {
                    Some(entry) => join_entry(entry, fact, arrival, &mut self.names),
                    None => self.add(fact, arrival, limits, &mut fresh),
                },
            };
            if outcome == Met::Better && !fresh.iter().any(|e| e.is(fact.id)) {
                better.push(fact.id);
            }
            met(outcome);
        }
        if !fresh.is_empty() || !better.is_empty() {
            self.settle(fresh, &better, replayed, &mut settled);
        }
        settled
    }

    /// Where a fact stands. A busy conversation has an index, since nearly all of its facts are new.
    fn position(&self, id: FactId) -> Option<usize> {
        if self.index.as_ref().is_some_and(|index| !index.contains(&id)) {
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
        (entry.fresh, entry.counted) = (true, is_counted_at_once(fact));
        fresh.push(entry);
        Met::New
    }

    fn join(&mut self, at: usize, fact: &Fact, arrival: Arrival, settled: &mut Settled) -> Met {
        let Some(entry) = self.entries.get_mut(at) else { return Met::Known };
        let counted = entry.counted.then_some(entry.at);
        let met = join_entry(entry, fact, arrival, &mut self.names);
        if met == Met::Better {
            // The settled minute moves with the evidence: out of the old one here, into the new one by the fold.
            if let Some(old) = counted {
                settled.cells.push((old.div_euclid(MINUTE), -1));
                entry.counted = false;
            }
        }
        met
    }

    fn settle(
        &mut self,
        fresh: SmallVec<[Entry; 2]>,
        better: &[FactId],
        replayed: bool,
        settled: &mut Settled,
    ) {
        let published = self.entries.len();
        if let Some(index) = &mut self.index {
            index.extend(fresh.iter().map(Entry::id));
        }
        let mut in_order = better.is_empty() && fresh.iter().all(order::is_free);
        if in_order {
            for entry in fresh {
                let place = order::insert_free(&mut self.entries, entry, &self.names);
                in_order &= place + 1 == self.entries.len();
            }
        } else {
            self.entries.extend(fresh);
            order::place(&mut self.entries, &self.names);
        }
        let from = if in_order { published } else { 0 };
        self.fold_from(from, settled);
        self.tell_fresh(from, replayed, settled);
        for id in better {
            let place = self.entries.iter().position(|e| e.is(*id) && e.shown);
            if let Some(place) = place.and_then(|at| u32::try_from(at).ok()) {
                settled.changes.push((*id, Some(Revision { place, moved: 0 })));
            }
        }
    }

    /// Publishes what is new, and notes what came after its place had been published.
    fn tell_fresh(&mut self, from: usize, replayed: bool, settled: &mut Settled) {
        let mut behind = 0;
        for (place, entry) in self.entries.iter_mut().enumerate().skip(from).rev() {
            if !std::mem::take(&mut entry.fresh) {
                behind += 1;
                continue;
            }
            if behind > 0 && !replayed {
                entry.late = true;
                settled.late.push(entry.id());
            }
            if entry.shown {
                let place = u32::try_from(place).unwrap_or(u32::MAX);
                settled.changes.push((entry.id(), (behind > 0).then_some(Revision { place, moved: behind })));
            }
        }
        settled.changes.reverse();
    }

    /// Folds the entries from a place on, and notes which cells gained or lost a count. A busy conversation goes on from
    /// the state that it kept; any other, and one in which a fact went further up, is folded anew.
    fn fold_from(&mut self, from: usize, settled: &mut Settled) {
        let kept = self.kept.take().filter(|_| from > 0);
        let start = if kept.is_some() { from } else { 0 };
        let mut folded = kept.unwrap_or_else(|| Box::new(Folded::prepared(&self.entries)));
        for entry in self.entries.iter_mut().skip(start) {
            let step = folded.apply(entry, &self.names);
            if step.counted != entry.counted {
                settled.cells.push((entry.at.div_euclid(MINUTE), if step.counted { 1 } else { -1 }));
            }
            (entry.counted, entry.shown) = (step.counted, step.shown);
        }
        self.active = folded.is_active(&self.names);
        if self.entries.len() >= BUSY {
            self.kept = Some(folded);
            self.index.get_or_insert_with(|| self.entries.iter().map(Entry::id).collect());
        }
    }

    /// The state after all entries.
    pub fn folded(&self) -> Folded {
        let mut folded = Folded::prepared(&self.entries);
        for entry in &self.entries {
            folded.apply(entry, &self.names);
        }
        folded
    }

    /// How many entries each minute counts, from the set alone.
    pub fn recount(&self) -> BTreeMap<i64, u64> {
        let (mut folded, mut cells) = (Folded::prepared(&self.entries), BTreeMap::new());
        for entry in &self.entries {
            if folded.apply(entry, &self.names).counted {
                *cells.entry(entry.at.div_euclid(MINUTE)).or_default() += 1;
            }
        }
        cells
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
            dropped: self.dropped.max(u64::from(self.overfull)),
            facts: self.evidence().collect(),
        }
    }

    /// The evidence for all its facts, in their order; the pieces of one fact as they came.
    fn evidence(&self) -> impl Iterator<Item = (Fact, Arrival)> {
        let pieces = self.entries.iter().flat_map(Entry::evidence);
        pieces.map(|piece| (piece.unpack(&self.names), piece.arrival()))
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
        this.dropped = stored.dropped;
        this.entries.reserve_exact(stored.facts.len());
        for (fact, arrival) in &stored.facts {
            this.last_received = this.last_received.max(arrival.received);
            if let Some(entry) = this.entries.last_mut().filter(|e| e.is(fact.id)) {
                join_entry(entry, fact, *arrival, &mut this.names);
            } else if let Some(entry) = Entry::pack(fact, *arrival, &mut this.names) {
                this.entries.push(entry);
            }
        }
        order::place(&mut this.entries, &this.names);
        this.fold_from(0, &mut Settled::default());
        this
    }

    /// From its first instant, by the sources' clocks or ours, to when it was heard of last.
    pub fn heard(&self) -> Option<(i64, i64)> {
        let first = self
            .entries
            .iter()
            .map(|e| if e.at == NO_TIME { e.received } else { e.received.min(e.at) })
            .min()?;
        Some((first, self.entries.iter().map(|e| e.received).max()?))
    }

    /// Whether one of its facts, waiting ones included, has this dot.
    pub fn bears(&self, dot: &Dot<Word>) -> bool {
        self.held.iter().any(|(_, held)| held == dot)
            || self.entries.iter().any(|e| e.stamp.as_ref().is_some_and(|s| s.dot == *dot))
    }

    /// All that its facts prove to have happened, as ranges from 1.
    pub fn told(&self) -> Vec<DotRange<Word>> {
        let mut clock = VectorClock::new();
        for stamp in self.entries.iter().filter_map(|e| e.stamp.as_ref()) {
            clock.merge(&stamp.clock);
        }
        let range = |(region, n): (&Word, u64)| {
            NonZeroU64::new(n).map(|to| DotRange { actor: region.clone(), from: NonZeroU64::MIN, to })
        };
        clock.iter().filter_map(range).collect()
    }

    /// Whether its facts prove that another one happened, which never came.
    pub fn lacks_dots(&self) -> bool {
        let (dots, clock) = self.dots();
        !dots.covers(&clock, None)
    }

    /// What its facts prove to have happened, and which never came.
    pub fn missing_dots(&self) -> Vec<DotRange<Word>> {
        let (dots, clock) = self.dots();
        dots.missing(&clock, None)
    }

    fn dots(&self) -> (DotSet<Word>, VectorClock<Word>) {
        let stamps = self.entries.iter().filter_map(|e| e.stamp.as_ref());
        let (mut dots, mut clock) = (DotSet::new(), VectorClock::new());
        for stamp in stamps {
            dots.insert(stamp.dot.clone());
            clock.merge(&stamp.clock);
        }
        (dots, clock)
    }

    /// Whether an event tells when it began.
    pub fn tells_beginning(&self) -> bool {
        let lives = |e: &Entry| e.state.is_some() && !self.names.is_end(e.state);
        let begins = |e: &Entry| e.source == Source::Events && e.what == What::LifeCycle && lives(e);
        self.entries.iter().any(begins)
    }

    /// Whether it is known by events alone, and none of them tells when it began.
    pub fn began_unseen(&self) -> bool {
        self.entries.iter().all(|e| e.source == Source::Events) && !self.tells_beginning()
    }

    /// The newest instant that a source named.
    pub fn newest(&self) -> Option<Time> {
        self.entries.iter().filter_map(Entry::at).max()
    }
}

/// Joins another copy of a fact into its entry, which keeps what it said before as a piece of evidence. Copies in one
/// frame, and what comes when there is room for no more, make one piece with the newest.
fn join_entry(entry: &mut Entry, copy: &Fact, arrival: Arrival, names: &mut Names) -> Met {
    if !entry.may_learn(copy, names) {
        return Met::Known;
    }
    let mut fact = entry.unpack(names);
    let learnt = if entry.source == Source::Events { fact.settle(copy) } else { fact.join(copy) };
    if !learnt {
        return Met::Known;
    }
    let first = Arrival { received: entry.received.min(arrival.received), ..entry.arrival() };
    let piece = Entry::pack(copy, arrival, names);
    let (Some(mut better), Some(piece)) = (Entry::pack(&fact, first, names), piece) else {
        return Met::Full;
    };
    better.flagged_as(entry);
    better.pieces = pieces_with(entry, piece, &better);
    *entry = better;
    Met::Better
}

/// The pieces of an entry and a further one that makes it `joined`; none when they are one.
fn pieces_with(entry: &mut Entry, piece: Entry, joined: &Entry) -> Option<Box<Pieces>> {
    let mut pieces = entry.pieces.take().map_or_else(|| vec![entry.clone()], |pieces| pieces.0);
    let newest = pieces.last().map_or(piece.published, |newest| newest.published);
    let no_room = pieces.len() >= PIECES_MAX;
    if newest == piece.published || no_room {
        pieces.pop();
        pieces.push(joined.published_at(piece.published));
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

/// Whether a fact is a toggle.
pub(crate) fn is_toggle(what: What) -> bool {
    matches!(what, What::Held | What::Muted)
}
