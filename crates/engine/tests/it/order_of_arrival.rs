//! The laws that hold for every order of arrival, with duplicates.

use crate::world::*;
use causal::{Causality, VectorClock};
use engine::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Facts of the `events` dialect without clocks: a few people who come, change and go.
pub fn plain_events() -> impl Strategy<Value = Vec<Fact>> {
    plain_events_of(1..25)
}

fn plain_events_of(len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Fact>> {
    let one = (0..4u8, 0..4usize, 0..3usize, 0..200i64, any::<bool>());
    prop::collection::vec(one, len).prop_map(|drawn| {
        let states = ["connected", "alerting", "disconnected", ""];
        let roles = ["agent", "supervisor", ""];
        let fact = |(n, (kind, state, role, at, own)): (usize, (u8, usize, usize, i64, bool))| {
            let what = [What::Joined, What::Role, What::Left, What::State][usize::from(kind)];
            let who = if own && kind == 3 { "" } else { ["p", "q"][n % 2] };
            let what = if who.is_empty() { What::LifeCycle } else { what };
            event(&n.to_string(), what, who, states[state], roles[role], at / 10 * 10_000)
        };
        drawn.into_iter().enumerate().map(fact).collect()
    })
}

/// Facts of snapshots: legs with and without times, holds by their beginning.
pub fn snapshot_facts() -> impl Strategy<Value = Vec<Fact>> {
    let one = (0..2usize, 0..2usize, 0..7u8, 0..100i64);
    prop::collection::vec(one, 1..25).prop_map(|drawn| {
        let fact = |(p, c, kind, at): (usize, usize, u8, i64)| {
            let (p, c) = (["p", "q"][p], ["l", "m"][c]);
            match kind {
                0 => there(p, None, "agent"),
                1 => there(p, Some(c), ""),
                2 => leg(p, c, "alerting", None),
                3 => leg(p, c, "connected", Some(at * 1_000)),
                4 => leg(p, c, "terminated", Some(at * 1_000)),
                5 => Fact { communication: None, ..leg(p, c, "connected", Some(at * 1_000)) }.identified(),
                _ => {
                    let mut fact = Fact::new(What::Left);
                    (fact.participant, fact.at) = (Id::new(p).ok(), Some(ms(at * 1_000)));
                    fact.authority = Authority::Recorded;
                    fact.identified()
                }
            }
        };
        drawn.into_iter().map(fact).collect()
    })
}

/// A causal history: each event picks a region and has seen some of what is there.
pub fn causal_history() -> impl Strategy<Value = Vec<Fact>> {
    prop::collection::vec((0..3usize, 0..3usize, any::<bool>(), 0..50i64), 1..16).prop_map(|drawn| {
        let regions = ["a", "b", "c"].map(|r| Word::new(r).unwrap());
        let mut seen: BTreeMap<Word, VectorClock<Word>> = BTreeMap::new();
        let mut facts = Vec::new();
        for (n, (region, other, learns, at)) in drawn.into_iter().enumerate() {
            let (region, other) = (regions[region].clone(), regions[other].clone());
            let mut clock = seen.get(&region).cloned().unwrap_or_default();
            if learns {
                clock.merge(&seen.get(&other).cloned().unwrap_or_default());
            }
            clock.increment(region.clone());
            let what = [What::Joined, What::Role, What::Left][n % 3];
            let state = ["connected", "connected", "disconnected"][n % 3];
            let fact = event(&n.to_string(), what, ["p", "q"][n % 2], state, "agent", at);
            let entries: Vec<(String, u64)> = clock.iter().map(|(r, n)| (r.to_string(), n)).collect();
            let entries: Vec<(&str, u64)> = entries.iter().map(|(r, n)| (r.as_str(), *n)).collect();
            facts.push(stamped(fact, region.as_str(), &entries));
            seen.insert(region, clock);
        }
        facts
    })
}

/// Events whose clocks need not make sense: seen before they were told, twice told, or behind what they have seen.
fn hostile_history() -> impl Strategy<Value = Vec<Fact>> {
    let one = (0..2usize, 1..60u64, 0..60u64, 0..50i64, 0..2usize, any::<bool>());
    prop::collection::vec(one, 70..110).prop_map(|drawn| {
        let fact =
            |(n, (region, own, other, at, who, sane)): (usize, (usize, u64, u64, i64, usize, bool))| {
                let regions = [["a", "b"], ["b", "a"]][region];
                // Half of them as a region would count them.
                let (own, other) =
                    if sane { (100 + n as u64, 100 + (n as u64).saturating_sub(3)) } else { (own, other) };
                let fact = event(&n.to_string(), What::Role, ["p", "q"][who], "connected", "agent", at);
                stamped(fact, regions[0], &[(regions[0], own), (regions[1], other)])
            };
        drawn.into_iter().enumerate().map(fact).collect()
    })
}

/// Facts of every kind in one conversation: snapshots, events, and events with clocks.
fn mixed_facts() -> impl Strategy<Value = Vec<Fact>> {
    let kinds = (snapshot_facts(), plain_events(), causal_history(), any::<[bool; 3]>());
    let some = |take: bool, facts: Vec<Fact>| if take { facts } else { Vec::new() };
    kinds.prop_map(move |(snapshots, mut events, stamped, [a, b, c])| {
        events.iter_mut().for_each(|e| e.id = FactId(e.id.0 ^ 1 << 100));
        [some(a || !(b || c), snapshots), some(b, events), some(c, stamped)].concat()
    })
}

fn source_of(fact: &Fact) -> Source {
    let by_event = fact.communication.is_none() && fact.clone().identified().id != fact.id;
    if by_event { Source::Events } else { Source::Snapshot }
}

pub fn arrivals(facts: Vec<Fact>) -> impl Strategy<Value = (Vec<Fact>, Vec<Fact>)> {
    let doubled: Vec<Fact> = facts.iter().chain(facts.iter().step_by(2)).cloned().collect();
    (Just(facts), Just(doubled).prop_shuffle())
}

/// An engine to which a conversation of a few facts is a busy one.
fn soon_busy() -> Engine {
    Engine::new(Limits { busy_facts: 4, ..Limits::default() }, 1, 0)
}

fn fed(mut engine: Engine, source: Source, facts: &[Fact]) -> (Engine, Vec<Publish>, BTreeMap<i64, i64>) {
    let (mut published, mut cells) = (Vec::new(), BTreeMap::new());
    for fact in facts {
        engine.handle(deliver(source, vec![fact.clone()]), NOON);
        let batch = engine.take_batch();
        published.extend(batch.changes);
        for (minute, difference) in batch.cells {
            *cells.entry(minute).or_insert(0) += difference;
        }
    }
    cells.retain(|_, count| *count != 0);
    (engine, published, cells)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn events_end_in_one_state((facts, arrived) in plain_events().prop_flat_map(arrivals)) {
        let (straight, _, cells) = fed(engine(), Source::Events, &facts);
        let (shuffled, _, moved) = fed(soon_busy(), Source::Events, &arrived);
        prop_assert_eq!(essence(&straight), essence(&shuffled));
        prop_assert_eq!(cells, moved);
    }

    #[test]
    fn many_events_end_in_one_state((facts, arrived) in plain_events_of(70..200).prop_flat_map(arrivals)) {
        let (straight, _, cells) = fed(engine(), Source::Events, &facts);
        let (shuffled, _, moved) = fed(soon_busy(), Source::Events, &arrived);
        prop_assert_eq!(essence(&straight), essence(&shuffled));
        prop_assert_eq!(cells, moved);
    }

    #[test]
    fn many_events_stand_where_the_whole_order_puts_them_whatever_their_clocks(
        facts in hostile_history(), busy in any::<bool>(),
    ) {
        let mut one_by_one = if busy { soon_busy() } else { engine() };
        for fact in facts {
            one_by_one.handle(deliver(Source::Events, vec![fact]), NOON);
            one_by_one.release_all(NOON);
        }
        let laid_down = one_by_one.lay_down(&id("call")).unwrap();
        let mut anew = engine();
        anew.restore(&laid_down, NOON);
        prop_assert_eq!(anew.lay_down(&id("call")).unwrap(), laid_down);
        let (a, b) = (essence(&one_by_one), essence(&anew));
        prop_assert_eq!((a.0, a.1, a.2, a.4), (b.0, b.1, b.2, b.4));
    }

    #[test]
    fn what_is_put_in_its_place_stands_where_the_whole_order_puts_it(
        (facts, arrived) in mixed_facts().prop_flat_map(arrivals), busy in any::<bool>(),
    ) {
        let mut one_by_one = if busy { soon_busy() } else { engine() };
        for (fact, source) in arrived.iter().map(|fact| (fact, source_of(fact))) {
            one_by_one.handle(deliver(source, vec![fact.clone()]), NOON);
        }
        one_by_one.release_all(NOON);
        let mut anew = engine();
        anew.restore(&one_by_one.lay_down(&id("call")).unwrap(), NOON);
        prop_assert!(!facts.is_empty());
        let ((a, b), call) = ((essence(&one_by_one), essence(&anew)), id("call"));
        prop_assert_eq!((&a.0, &a.1, &a.2, a.4), (&b.0, &b.1, &b.2, b.4));
        let states = |engine: &Engine| engine.lay_down(&call).unwrap().facts;
        prop_assert_eq!(states(&one_by_one), states(&anew));
    }

    #[test]
    fn snapshots_end_in_one_state((facts, arrived) in snapshot_facts().prop_flat_map(arrivals)) {
        let (straight, _, cells) = fed(engine(), Source::Snapshot, &facts);
        let (shuffled, _, moved) = fed(soon_busy(), Source::Snapshot, &arrived);
        prop_assert_eq!(essence(&straight), essence(&shuffled));
        prop_assert_eq!(cells, moved);
    }

    #[test]
    fn one_frame_or_many_is_the_same((facts, arrived) in snapshot_facts().prop_flat_map(arrivals)) {
        let mut whole = engine();
        whole.handle(deliver(Source::Snapshot, facts), NOON);
        let (many, _, _) = fed(soon_busy(), Source::Snapshot, &arrived);
        prop_assert_eq!(essence(&whole), essence(&many));
    }

    #[test]
    fn facts_with_clocks_are_published_in_causal_order((facts, arrived) in causal_history().prop_flat_map(arrivals)) {
        let (straight, _, _) = fed(engine(), Source::Events, &facts);
        let (shuffled, published, _) = fed(soon_busy(), Source::Events, &arrived);
        prop_assert_eq!(essence(&straight), essence(&shuffled));
        prop_assert_eq!(published.len(), facts.len());
        let clock = |id| facts.iter().find(|f| f.id == id).and_then(|f| f.stamp.clone()).unwrap().clock.clone();
        let clocks: Vec<_> = published.iter().map(|p| clock(p.fact)).collect();
        for (n, later) in clocks.iter().enumerate() {
            for earlier in &clocks[..n] {
                prop_assert_ne!(earlier.compare(later), Causality::After);
            }
        }
        let timeline = shuffled.show(&id("call"), NOON).unwrap().timeline();
        let along: Vec<VectorClock<Word>> = timeline.into_iter().map(|e| e.clock.into_iter().collect()).collect();
        for (n, later) in along.iter().enumerate() {
            prop_assert!(along[..n].iter().all(|earlier| earlier.compare(later) != Causality::After));
        }
    }

    #[test]
    fn what_is_laid_down_comes_back((facts, arrived) in snapshot_facts().prop_flat_map(arrivals), cut in 0..50usize) {
        let (whole, _, _) = fed(engine(), Source::Snapshot, &facts);
        let (before, after) = arrived.split_at(cut.min(arrived.len()));
        let (first, _, _) = fed(soon_busy(), Source::Snapshot, before);
        let mut second = engine();
        if let Some(stored) = first.lay_down(&id("call")) {
            second.restore(&stored, NOON);
        }
        after.iter().for_each(|f| second.handle(deliver(Source::Snapshot, vec![f.clone()]), NOON));
        let (a, b) = (essence(&whole), essence(&second));
        prop_assert_eq!((a.0, a.1, a.2, a.4), (b.0, b.1, b.2, b.4));
    }
}

/// Whoever is heard of again after the end left when first heard of after it, or at the end: a word about the role, which
/// says nothing of its own about that, still moves the instant.
#[test]
fn a_late_word_before_others_about_who_is_gone_is_not_passed_over() {
    let mut facts: Vec<Fact> = (0..70)
        .map(|n| event(&n.to_string(), What::State, "q", "connected", "agent", n * 10))
        .chain([event("over", What::LifeCycle, "", "disconnected", "", 1_000)])
        .chain([event("again", What::Role, "p", "", "agent", 3_000)])
        .collect();
    for at in [500, 2_000] {
        let late = event("late", What::Role, "p", "", "supervisor", at);
        facts.push(late.clone());
        let (behind, _, _) = fed(engine(), Source::Events, &facts);
        facts.pop();
        facts.insert(0, late);
        let (first, _, _) = fed(engine(), Source::Events, &facts);
        facts.remove(0);
        assert_eq!(essence(&behind), essence(&first), "late at {at}");
    }
}
