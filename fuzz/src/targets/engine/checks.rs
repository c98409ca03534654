//! What must hold of an engine, whatever happened to it.

use super::facts::id;
use super::world::{NAMES, World};
use causal::{Causality, VectorClock};
use engine::*;
use std::collections::{BTreeMap, BTreeSet};

impl World {
    /// Counts are sizes of sets, and what waits is bounded.
    pub fn check_counts(&self) {
        let listed = |active| {
            let filter = Filter { active, ..Filter::default() };
            self.engine.list(&filter, None, self.now).collect::<Vec<_>>()
        };
        let shown: Vec<_> = NAMES
            .iter()
            .filter_map(|name| self.engine.show(&id(name), self.now))
            .map(|shown| shown.conversation())
            .collect();
        let active = shown.iter().filter(|view| view.active).count();
        assert_eq!(self.engine.active_count(), active as u64, "the count is the set's size");
        assert_eq!(listed(Some(true)).len(), active);
        assert_eq!(listed(None).len(), shown.len());
        assert!(self.engine.resident_count() as usize >= shown.len());
        let waiting = self.engine.held_count() as usize;
        assert!(waiting <= self.limits.hold_count_max * (NAMES.len() + 1), "{waiting} wait");
    }

    /// Everything that can be checked of one state.
    pub fn check_all(&mut self) {
        for name in NAMES {
            let of = id(name);
            if let Some(shown) = self.engine.show(&of, self.now) {
                check_view(&shown.conversation());
                check_timeline(&shown.timeline());
                if !self.hostile {
                    check_clocks(&shown.timeline());
                }
                check_spells(&shown.spells());
                check_instants(&shown);
                self.check_set(&of, &shown);
            }
        }
        for feed in self.engine.feeds(self.now) {
            assert!(feed.completeness <= self.engine.completeness(self.now).max(feed.completeness));
        }
    }

    fn check_set(&self, of: &Id, shown: &Shown<'_>) {
        let why = shown.why(None);
        assert!(why.len() <= 2 * self.limits.conversation_facts_max, "{} facts", why.len());
        let stored = self.engine.lay_down(of).expect("it is in memory");
        let again = self.engine.show_stored(&stored, self.now);
        assert_eq!(bare(again.conversation()), bare(shown.conversation()), "laid down, it is another");
        assert_eq!(again.timeline(), shown.timeline(), "laid down, its timeline is another");
        assert_eq!(again.spells(), shown.spells());
        let all = shown.known_at(i64::MAX).expect("all of it is known at last");
        assert_eq!(all.timeline(), shown.timeline(), "what is known at last is what is known");
    }
}

fn check_view(view: &ConversationView) {
    assert!(!view.active || view.ended_at.is_none(), "active, and ended: {view:?}");
    let sum = view.clock.iter().fold(0u64, |sum, (_, n)| sum.saturating_add(*n));
    assert_eq!(view.vector_clock, sum);
    for p in &view.participants {
        assert!(!p.active || p.left_at.is_none(), "active, and left: {p:?}");
        assert!(p.active || !(p.held || p.muted), "gone, and held: {p:?}");
    }
}

/// The past leads to the present, and knows nothing of what came behind it.
fn check_instants(shown: &Shown<'_>) {
    let today = shown.conversation();
    let last = shown.conversation_at(i64::MAX).expect("all of it has happened at last");
    assert_eq!(bare(last), bare(today.clone()), "what had happened at last is what has happened");
    let turns: Vec<i64> = shown.timeline().iter().map(|entry| entry.effective_at.nanos).collect();
    for at in [turns.first(), turns.get(turns.len() / 2), turns.last()].into_iter().flatten() {
        let then = shown.conversation_at(*at).expect("something has happened");
        check_view(&then);
        assert!(
            then.vector_clock <= today.vector_clock && then.participants.len() <= today.participants.len()
        );
        // What has no time of its own is shown by the next whole millisecond.
        let latest = at.saturating_add(999_999);
        assert!(then.started_at.is_none_or(|started| started.nanos <= latest), "it began later: {then:?}");
    }
}

fn check_timeline(timeline: &[TimelineEntry]) {
    assert!(timeline.is_sorted_by_key(|entry| entry.effective_at), "the timeline is in order");
    let facts: BTreeSet<FactId> = timeline.iter().map(|entry| entry.fact).collect();
    assert_eq!(facts.len(), timeline.len(), "a fact stands there twice");
}

/// A timeline never contradicts a clock. Regions that count wrong can say that each of two events came first.
fn check_clocks(timeline: &[TimelineEntry]) {
    let stamped =
        timeline.iter().filter(|entry| entry.clock.iter().all(|(actor, _)| actor.as_str().len() == 1));
    let clocks: Vec<VectorClock<Word>> = stamped.map(|e| e.clock.iter().cloned().collect()).collect();
    for (n, later) in clocks.iter().enumerate() {
        let after = clocks[..n].iter().find(|earlier| earlier.compare(later) == Causality::After);
        assert_eq!(after, None, "it stands before {later:?}");
    }
}

/// A lane is in one state at a time. What began and ended at one instant by the source's clock takes no time.
fn check_spells(spells: &[SpellView]) {
    let mut ends: BTreeMap<(&Id, Option<&Id>), Option<Time>> = BTreeMap::new();
    assert!(
        spells.iter().all(|spell| spell.to.is_none_or(|to| to >= spell.from)),
        "one ends before it begins"
    );
    for spell in spells.iter().filter(|spell| spell.to != Some(spell.from)) {
        if let Some(before) = ends.insert((&spell.participant, spell.communication.as_ref()), spell.to) {
            assert!(before.is_some_and(|end| end <= spell.from), "two spells at a time: {spells:?}");
        }
    }
}

/// Without what is known to be missing, which is not of the set.
fn bare(view: ConversationView) -> ConversationView {
    let missing = engine::Missing::default();
    ConversationView { completeness: Completeness::Complete, missing, suspect: None, ..view }
}

/// A stop and a start change nothing of a conversation that is in memory. Where regions count wrong, what is known of how
/// they count comes back in another order, and with it how long a fact waited: whether it was late is then not compared.
pub(super) fn same_after_restart(before: &Engine, after: &Engine, of: &Id, world: &World) {
    let (Some(was), Some(is)) = (before.show(of, world.now), after.show(of, world.now)) else { return };
    let timeline = |shown: &Shown<'_>| {
        let mut timeline = shown.timeline();
        timeline.iter_mut().for_each(|entry| entry.late &= !world.hostile);
        timeline
    };
    assert_eq!(bare(was.conversation()), bare(is.conversation()), "a restart changed a conversation");
    assert_eq!(timeline(&was), timeline(&is), "a restart changed a timeline");
    assert_eq!(was.spells(), is.spells(), "a restart changed spells");
}

/// Cells that moved by differences are what a count of the sets gives.
pub(super) fn cells_equal_a_recount(world: &World) {
    let mut fresh = Engine::new(Limits::default(), 1, 0);
    for name in NAMES {
        let stored = world.whole(&id(name));
        for (fact, arrival) in stored.into_iter().flat_map(|stored| stored.facts) {
            fresh.handle(delivery(name, arrival.source, arrival.received, fact), world.now);
        }
    }
    fresh.release_all(world.now);
    let mut counted: BTreeMap<i64, i64> = BTreeMap::new();
    for (minute, difference) in fresh.take_batch().cells {
        *counted.entry(minute).or_default() += difference;
    }
    counted.retain(|_, count| *count != 0);
    assert_eq!(world.cells, counted, "cells that moved are not what a recount gives");
}

fn delivery(conversation: &str, source: Source, received: i64, fact: Fact) -> Delivery {
    Delivery {
        conversation: id(conversation),
        feed: 0,
        source,
        topic: 0,
        received,
        facts: std::iter::once(fact).collect(),
        toggles: Vec::new(),
    }
}

/// The same facts in another order, each alone, end in the same state.
pub(super) fn same_in_another_order(world: &World) {
    let mut told: Vec<(&Delivery, &Fact)> = world
        .told
        .iter()
        .flat_map(|delivery| delivery.facts.iter().map(move |fact| (delivery, fact)))
        .collect();
    told.sort_by_key(|(_, fact)| fact.id);
    let mut fresh = Engine::new(Limits::default(), 1, 0);
    for (of, fact) in told.iter().rev() {
        let one = Delivery { facts: std::iter::once((*fact).clone()).collect(), ..(*of).clone() };
        fresh.handle(one, world.now);
    }
    fresh.release_all(world.now);
    for name in NAMES {
        let whole = world.whole(&id(name));
        let was = whole.as_ref().map(|stored| essence(&world.engine.show_stored(stored, world.now)));
        let is = fresh.show(&id(name), world.now).map(|shown| essence(&shown));
        assert_eq!(was, is, "{name} depends on the order of arrival");
    }
}

/// What must not depend on the order of arrival: all but through which surface and under which of our incarnations a fact
/// came first, and whether its place had been told.
fn essence(shown: &Shown<'_>) -> (ConversationView, Vec<TimelineEntry>, Vec<SpellView>) {
    let mut view = bare(shown.conversation());
    view.clock.clear();
    let mut timeline = shown.timeline();
    for entry in &mut timeline {
        (entry.late, entry.source) = (false, "");
        entry.clock.clear();
    }
    (view, timeline, shown.spells())
}
