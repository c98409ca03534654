//! The timeline: a conversation's entries in their order, each with what it changed.

use crate::contributions::About;
use crate::entry::Entry;
use crate::fold::{Folded, Participant, Step};
use crate::inherited;
use crate::names::{Names, Sym};
use crate::show::Shown;
use crate::{Belongs, FactId, Time, TimelineEntry, What, Word};
use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Shown<'_> {
    /// The timeline, in order.
    #[must_use]
    pub fn timeline(&self) -> Vec<TimelineEntry> {
        let mut timeline = Vec::with_capacity(self.set().entries.len());
        self.walk(|_| true, |shown, entry| timeline.extend(shown.then_some(entry)));
        timeline
    }

    /// The entries that the timeline shows of the facts asked for; and whom the participants belong to.
    pub(crate) fn timeline_of(
        &self,
        wanted: &mut HashMap<FactId, Option<TimelineEntry>, FixedState>,
    ) -> Arc<[Belongs]> {
        let ids: HashSet<FactId, FixedState> = wanted.keys().copied().collect();
        let folded = self.walk(
            |entry| ids.contains(&entry.id()),
            |shown, entry| drop(wanted.insert(entry.fact, shown.then_some(entry))),
        );
        let names = &self.set().names;
        let belongs = |p: &Participant| Belongs { queue: names.get_id(p.queue), user: names.get_id(p.user) };
        folded.participants.iter().map(belongs).collect()
    }

    /// Goes through all entries, and hands over those asked for, each with whether the timeline shows it; what they fold to.
    pub(crate) fn walk(
        &self,
        wanted: impl Fn(&Entry) -> bool,
        mut take: impl FnMut(bool, TimelineEntry),
    ) -> Folded {
        let set = self.set();
        let mut folded = Folded::prepared(&set.entries);
        let (mut clocks, chains) = (Clocks::from(self.inherited()), Chains::of(&set.entries));
        for entry in &set.entries {
            let step = folded.apply(entry, &set.names);
            clocks.pass(entry, &set.names);
            if wanted(entry) {
                let participant = folded.participants.iter().find(|p| p.id == entry.participant);
                let own = || folded.life_cycle.unwrap_or(Sym::NONE);
                let state = participant.map_or_else(own, |p| p.state(&set.names));
                let concurrent = chains.concurrent(entry).next().is_some();
                let clock = clocks.at(entry);
                take(step.shown, view(entry, step, (participant, state), clock, concurrent, &set.names));
            }
        }
        folded
    }
}

fn view(
    e: &Entry,
    step: Step,
    (p, state): (Option<&Participant>, Sym),
    (vector_clock, clock): (u64, Vec<(Word, u64)>),
    concurrent: bool,
    names: &Names,
) -> TimelineEntry {
    let about = About::of(e, p);
    let source_time = e.at().filter(|at| at.nanos == e.effective());
    TimelineEntry {
        fact: e.id(),
        at: e.at(),
        effective_at: source_time.unwrap_or(Time::from_nanos(e.effective())),
        received_at: Time::from_nanos(e.received).to_millis(),
        participant: names.get_id(e.participant),
        communication: names.get_id(e.communication),
        kind: e.what.as_str(),
        from: from_value(e, step, names),
        to: to_value(e, names),
        state: names.get_word(state),
        role: names.get_word(about.role),
        user: names.get_id(about.user),
        queue: names.get_id(about.queue),
        medium: names.get_word(about.medium),
        reason: names.get_word(e.reason()),
        source: e.source().as_str(),
        late: e.late(),
        concurrent,
        vector_clock,
        clock,
    }
}

/// The stamped entries of a set by region and counter. Along one region's chain clocks only grow, so what is neither before
/// nor after an entry is a run of each chain. Where a malformed chain breaks that, what stands behind the break may go
/// unnamed; the order does not depend on it.
pub(crate) struct Chains<'a> {
    entries: &'a [Entry],
    by_region: BTreeMap<&'a Word, Vec<(u64, usize)>>,
}

impl<'a> Chains<'a> {
    pub fn of(entries: &'a [Entry]) -> Self {
        let mut by_region: BTreeMap<&Word, Vec<(u64, usize)>> = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            if let Some(stamp) = entry.stamp() {
                by_region.entry(&stamp.dot.actor).or_default().push((stamp.dot.counter.get(), at));
            }
        }
        by_region.values_mut().for_each(|chain| chain.sort_unstable());
        Self { entries, by_region }
    }

    /// The places of the entries that are concurrent with one: those that it has not seen and that have not seen it.
    pub fn concurrent<'b>(&'b self, with: &'b Entry) -> impl Iterator<Item = usize> + 'b {
        with.stamp().into_iter().flat_map(move |own| {
            self.by_region.iter().flat_map(move |(region, chain)| {
                let seen = own.clock.get(region);
                let unseen = chain.get(chain.partition_point(|(counter, _)| *counter <= seen)..);
                let blind = |at: &usize| {
                    let stamp = self.entries.get(*at).and_then(Entry::stamp);
                    stamp.is_some_and(|stamp| !stamp.clock.contains(&own.dot))
                };
                unseen.unwrap_or_default().iter().map(|(_, at)| *at).take_while(blind)
            })
        })
    }
}

/// Clocks along the timeline: an entry's own stamp, or how many facts without one stand up to it.
#[derive(Default)]
struct Clocks {
    own: BTreeMap<u32, u64>,
}

impl Clocks {
    /// Behind what an earlier history had counted.
    fn from(inherited: Option<u64>) -> Self {
        Self { own: inherited.map(|clock| (inherited::INCARNATION, clock)).into_iter().collect() }
    }

    /// Counts an entry.
    fn pass(&mut self, entry: &Entry, names: &Names) {
        if entry.stamp().is_none() {
            *self.own.entry(entry.incarnation(names)).or_default() += 1;
        }
    }

    /// The clock of the entry that was counted last.
    fn at(&self, entry: &Entry) -> (u64, Vec<(Word, u64)>) {
        if let Some(stamp) = entry.stamp() {
            let clock = stamp.clock.iter().map(|(region, n)| (region.clone(), n)).collect();
            return (u64::try_from(stamp.clock.sum()).unwrap_or(u64::MAX), clock);
        }
        let clock: Vec<_> =
            self.own.iter().map(|(&incarnation, &n)| (Word::own_actor(incarnation), n)).collect();
        (clock.iter().map(|(_, n)| n).sum(), clock)
    }
}

/// What an entry says its subject became.
pub(crate) fn to_value(e: &Entry, names: &Names) -> Option<Word> {
    match e.what {
        what if what.is_switch() => Word::new(if e.on() { "true" } else { "false" }),
        What::Role => names.get_word(e.role()),
        What::WrapUp => names.get_word(e.reason()),
        _ => names.get_word(e.state()),
    }
}

fn from_value(e: &Entry, step: Step, names: &Names) -> Option<Word> {
    match e.what {
        what if what.is_switch() => Word::new(if e.on() { "false" } else { "true" }),
        _ => names.get_word(step.from),
    }
}
