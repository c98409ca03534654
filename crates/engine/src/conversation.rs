//! One conversation: its set of facts, in order, and what follows from it.

use crate::entry::Entry;
use crate::fold::Folded;
use crate::limits::Limits;
use crate::names::Names;
use crate::order;
use crate::scope::OwnCounters;
use crate::{Arrival, Fact, FactId, Id, MINUTE, Revision, Source, StoredConversation, Time, What};
use smallvec::SmallVec;

/// A conversation in memory.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub id: Id,
    pub names: Names,
    /// In the order of `order.rs`.
    pub entries: Vec<Entry>,
    /// Facts that wait for what precedes them: known, not yet published.
    pub held: Vec<FactId>,
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
    /// How many of the new facts came late.
    pub late: u64,
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
        }
    }

    /// Takes a batch of facts into the set, then settles order, state, lateness and cells. `met` hears how each fact
    /// met the set, in their order.
    pub fn take<'a>(
        &mut self,
        facts: impl Iterator<Item = (&'a Fact, Arrival)>,
        limits: &Limits,
        mut met: impl FnMut(Met),
    ) -> Settled {
        let mut fresh: SmallVec<[Entry; 2]> = SmallVec::new();
        let mut settled = Settled::default();
        for (fact, arrival) in facts {
            let outcome = match self.entries.iter().position(|e| e.is(fact.id)) {
                Some(at) => self.join(at, fact, arrival, &mut settled),
                None => match fresh.iter_mut().find(|e| e.is(fact.id)) {
                    Some(entry) => join_entry(entry, fact, &mut self.names),
                    None => self.add(fact, arrival, limits, &mut fresh),
                },
            };
            met(outcome);
        }
        if !fresh.is_empty() || !settled.changes.is_empty() {
            self.settle(fresh, &mut settled);
        }
        settled
    }

    fn add(
        &mut self,
        fact: &Fact,
        arrival: Arrival,
        limits: &Limits,
        fresh: &mut SmallVec<[Entry; 2]>,
    ) -> Met {
        let room = self.entries.len() + fresh.len() < limits.conversation_facts_max;
        let Some(entry) = room.then(|| Entry::pack(fact, arrival, &mut self.names)).flatten() else {
            self.overfull = true;
            return Met::Full;
        };
        fresh.push(entry);
        Met::New
    }

    fn join(&mut self, at: usize, fact: &Fact, arrival: Arrival, settled: &mut Settled) -> Met {
        let Some(entry) = self.entries.get_mut(at) else {
            return Met::Known;
        };
        let counted = entry.counted.then_some(entry.at);
        let met = join_entry(entry, fact, &mut self.names);
        if met == Met::Better {
            // The settled minute moves with the evidence: out of the old one here, into the new one by the fold.
            if let Some(old) = counted {
                settled.cells.push((old.div_euclid(MINUTE), -1));
                entry.counted = false;
            }
            entry.received = entry.received.min(arrival.received);
            settled.changes.push((fact.id, None));
        }
        met
    }

    fn settle(&mut self, fresh: SmallVec<[Entry; 2]>, settled: &mut Settled) {
        let joined: SmallVec<[FactId; 2]> = settled.changes.drain(..).map(|(id, _)| id).collect();
        let published = self.entries.len();
        let new: SmallVec<[FactId; 2]> = fresh.iter().map(Entry::id).collect();
        if joined.is_empty() && fresh.iter().all(order::is_free) {
            for entry in fresh {
                order::insert_free(&mut self.entries, entry, &self.names);
            }
        } else {
            self.entries.extend(fresh);
            order::place(&mut self.entries, &self.names);
        }
        self.mark_late(&new, published, settled);
        self.refold(settled);
        let late = |id: FactId| settled_revision(&self.entries, id, &new, published);
        for id in new.iter().chain(&joined).copied() {
            if self.entries.iter().any(|e| e.is(id) && e.shown) {
                let corrects = if joined.contains(&id) { place_of(&self.entries, id) } else { None };
                let revision = corrects.map(|place| Revision { place, moved: 0 }).or_else(|| late(id));
                settled.changes.push((id, revision));
            }
        }
    }

    fn mark_late(&mut self, new: &[FactId], published: usize, settled: &mut Settled) {
        if published == 0 {
            return;
        }
        let mut behind = published;
        for entry in &mut self.entries {
            if !new.contains(&entry.id()) {
                behind -= 1;
            } else if behind > 0 {
                entry.late = true;
                settled.late += 1;
            }
        }
    }

    /// Folds anew, and notes which cells gained or lost a count.
    fn refold(&mut self, settled: &mut Settled) {
        let before: SmallVec<[bool; 32]> = self.entries.iter().map(|e| e.counted).collect();
        let folded = Folded::of(&mut self.entries, &self.names);
        for (entry, was) in self.entries.iter().zip(before) {
            if entry.counted != was {
                settled.cells.push((entry.at.div_euclid(MINUTE), if was { -1 } else { 1 }));
            }
        }
        self.active = folded.is_active(&self.names);
    }

    /// The state after all entries.
    pub fn folded(&self) -> Folded {
        let mut folded = Folded::prepared(&self.entries);
        for entry in &self.entries {
            folded.apply(entry, &self.names);
        }
        folded
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
            dropped: self.dropped,
            facts: self.entries.iter().map(|e| (e.unpack(&self.names), e.arrival())).collect(),
        }
    }

    /// The conversation of a set that was laid down.
    pub fn take_up(stored: &StoredConversation) -> Self {
        let mut this = Self::new(stored.id.clone());
        this.dropped = stored.dropped;
        this.entries.reserve_exact(stored.facts.len());
        for (fact, arrival) in &stored.facts {
            this.last_received = this.last_received.max(arrival.received);
            if let Some(entry) = Entry::pack(fact, *arrival, &mut this.names) {
                this.entries.push(entry);
            }
        }
        order::place(&mut this.entries, &this.names);
        let folded = Folded::of(&mut this.entries, &this.names);
        this.active = folded.is_active(&this.names);
        this
    }

    /// The first and last instant at which it was heard of.
    pub fn heard(&self) -> Option<(i64, i64)> {
        let first = self.entries.iter().map(|e| e.received).min()?;
        Some((first, self.entries.iter().map(|e| e.received).max()?))
    }

    /// The newest instant that a source named.
    pub fn newest(&self) -> Option<Time> {
        self.entries.iter().filter_map(Entry::at).max()
    }
}

/// Joins another copy of a fact into its entry.
fn join_entry(entry: &mut Entry, copy: &Fact, names: &mut Names) -> Met {
    if !entry.may_learn(copy, names) {
        return Met::Known;
    }
    let mut fact = entry.unpack(names);
    if !fact.join(copy) {
        return Met::Known;
    }
    let (effective, counted, shown) = (entry.effective, entry.counted, entry.shown);
    match Entry::pack(&fact, entry.arrival(), names) {
        Some(better) => {
            *entry = better;
            (entry.effective, entry.counted, entry.shown) = (effective, counted, shown);
        }
        None => return Met::Full,
    }
    Met::Better
}

fn place_of(entries: &[Entry], id: FactId) -> Option<u32> {
    entries.iter().position(|e| e.is(id)).and_then(|at| u32::try_from(at).ok())
}

/// Where a late fact went, and how many of the published entries stand behind it.
fn settled_revision(entries: &[Entry], id: FactId, new: &[FactId], published: usize) -> Option<Revision> {
    if published == 0 {
        return None;
    }
    let place = entries.iter().position(|e| e.is(id))?;
    let moved = entries.iter().skip(place).filter(|e| !new.contains(&e.id())).count();
    let (place, moved) = (u32::try_from(place).ok()?, u32::try_from(moved).ok()?);
    (moved > 0).then_some(Revision { place, moved })
}

/// Whether a surface shows the whole conversation at once.
pub(crate) fn is_whole(source: Source) -> bool {
    matches!(source, Source::Snapshot | Source::Rest)
}

/// Whether a fact is a toggle.
pub(crate) fn is_toggle(what: What) -> bool {
    matches!(what, What::Held | What::Muted)
}
