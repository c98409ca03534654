//! Each rule of the order, and of what makes two reports one fact, is named with the entry that decided.

use crate::order_of_arrival::{arrivals, causal_history};
use crate::world::*;
use causal::Causality;
use engine::*;
use proptest::prelude::*;

fn why(deliveries: Vec<Delivery>) -> Vec<Explained> {
    let mut engine = engine();
    let name = FeedEvent::Named { name: "notifications-1".into(), resends: false };
    engine.handle_feed(FeedNote { feed: 0, at: NOON, event: name });
    for delivery in deliveries {
        engine.handle(delivery, NOON);
    }
    engine.show(&id("call"), NOON).unwrap().why(None)
}

fn events(facts: Vec<Fact>) -> Vec<Explained> {
    why(facts.into_iter().map(|fact| deliver(Source::Events, vec![fact])).collect())
}

fn snapshot(facts: Vec<Fact>) -> Vec<Explained> {
    why(vec![deliver(Source::Snapshot, facts)])
}

/// Each rule, and the kind of the entry that decided.
fn rules(explained: &[Explained]) -> Vec<(Rule, Option<&'static str>)> {
    explained.iter().map(|e| (e.placed.rule, e.placed.by.as_ref().map(|by| by.kind))).collect()
}

fn joined(id: &str, who: &str, at: i64) -> Fact {
    event(id, What::Joined, who, "connected", "agent", at)
}

#[test]
fn times_place_what_nothing_else_does() {
    let explained = events(vec![joined("1", "p", 10), event("2", What::Left, "p", "disconnected", "", 20)]);
    assert_eq!(rules(&explained), [(Rule::Time, None), (Rule::Time, Some("joined"))]);
    assert!(explained.iter().all(|e| e.identity == Identity::Event && e.authority == Authority::Recorded));
    assert_eq!(explained.iter().map(|e| e.place).collect::<Vec<_>>(), [Some(0), Some(1)]);
    assert_eq!(explained[0].feed.as_deref(), Some("notifications-1"));
}

#[test]
fn a_tie_is_decided_by_the_life_cycle_and_then_by_the_id() {
    let left = event("2", What::Left, "p", "disconnected", "", 10);
    assert_eq!(rules(&events(vec![left, joined("1", "p", 10)]))[1], (Rule::TieRank, Some("joined")));
    let explained = events(vec![joined("1", "p", 10), joined("2", "q", 10)]);
    assert_eq!(explained[1].placed.rule, Rule::TieId);
    assert!(explained[0].entry.fact < explained[1].entry.fact);
}

#[test]
fn a_clock_beats_the_times() {
    let cause = stamped(joined("1", "p", 50), "a", &[("a", 1)]);
    let effect = stamped(event("2", What::Role, "p", "", "supervisor", 20), "b", &[("a", 1), ("b", 1)]);
    let explained = events(vec![cause, effect]);
    assert_eq!(rules(&explained)[1], (Rule::Clock, Some("joined")));
    assert_eq!(explained[1].entry.effective_at.nanos, ms(50).nanos + 1);
}

#[test]
fn the_life_of_a_leg_beats_the_times() {
    let explained =
        snapshot(vec![leg("a", "l", "disconnected", Some(100)), leg("a", "l", "connected", Some(120))]);
    assert_eq!(rules(&explained), [(Rule::Time, None), (Rule::LifeCycle, Some("state"))]);
    assert!(explained.iter().all(|e| e.identity == Identity::Once));
    assert_eq!(explained[1].placed.by.as_ref().unwrap().fact, explained[0].entry.fact);
}

#[test]
fn what_has_no_time_stands_in_front_of_what_follows_it_or_where_it_was_received() {
    let explained = snapshot(vec![leg("a", "l", "alerting", None), leg("a", "l", "connected", Some(120))]);
    assert_eq!(rules(&explained)[0], (Rule::InFront, Some("state")));
    assert_eq!(explained[0].placed.by.as_ref().unwrap().to, Word::new("connected"));
    assert_eq!(explained[0].authority, Authority::Received);
    assert_eq!(rules(&snapshot(vec![leg("a", "l", "alerting", None)])), [(Rule::Received, None)]);
}

#[test]
fn a_participant_without_a_time_stands_in_front_of_its_first_leg() {
    let explained = snapshot(vec![there("a", None, "agent"), leg("a", "l", "connected", Some(120))]);
    assert_eq!(rules(&explained)[0], (Rule::InFront, Some("state")));
}

#[test]
fn a_hold_is_known_by_its_beginning_and_what_changes_nothing_is_hidden_with_the_reason() {
    let frame = |n: i64, since: Option<i64>| {
        let mut frame = deliver(Source::Snapshot, vec![leg("a", "l", "connected", Some(0))]);
        frame.toggles.push(held("a", "l", since));
        frame.received = NOON + n * SECOND;
        frame
    };
    let explained = why(vec![frame(2, Some(1_000)), frame(30, None), frame(40, Some(500))]);
    let held: Vec<_> = explained.iter().filter(|e| e.entry.kind == "held").collect();
    assert!(held.iter().all(|e| e.identity == Identity::Hold));
    assert_eq!(held.iter().filter(|e| e.place.is_none()).count(), 1);
    assert!(held.iter().any(|e| e.hidden == Some(Hidden::NoChange) && e.place.is_none()));
    let attributes = why(vec![deliver(Source::Snapshot, vec![there("a", Some("l"), "")])]);
    assert_eq!(attributes[0].hidden, Some(Hidden::Attributes));
}

#[test]
fn mutes_are_known_by_their_number() {
    let mut frame = deliver(Source::Snapshot, vec![leg("a", "l", "connected", Some(0))]);
    frame.toggles.push(Toggle { what: What::Muted, on: true, ..held("a", "l", None) });
    let explained = why(vec![frame]);
    assert_eq!(explained.iter().find(|e| e.entry.kind == "muted").unwrap().identity, Identity::NthChange);
}

#[test]
fn what_is_concurrent_is_named() {
    let one = stamped(joined("1", "p", 10), "a", &[("a", 1)]);
    let other = stamped(event("2", What::Role, "p", "", "supervisor", 20), "b", &[("b", 1)]);
    let both = stamped(event("3", What::Left, "p", "", "", 30), "a", &[("a", 2), ("b", 1)]);
    let explained = events(vec![one, other, both]);
    let concurrent = |n: usize| explained[n].concurrent.iter().map(|c| (c.kind, c.fact)).collect::<Vec<_>>();
    assert_eq!(concurrent(0), [("role", FactId::of_event("2"))]);
    assert_eq!(concurrent(1), [("joined", FactId::of_event("1"))]);
    assert_eq!((concurrent(2), explained[2].concurrent_count), (vec![], 0));
}

#[test]
fn one_participant_alone_can_be_asked_for() {
    let mut engine = engine();
    for fact in [joined("1", "p", 10), joined("2", "q", 20)] {
        engine.handle(deliver(Source::Events, vec![fact]), NOON);
    }
    let shown = engine.show(&id("call"), NOON).unwrap();
    let of_q = shown.why(Some(&id("q")));
    assert_eq!(
        of_q.iter().map(|e| (e.place, e.entry.participant.clone())).collect::<Vec<_>>(),
        [(Some(1), Some(id("q")))]
    );
    assert_eq!(
        of_q[0].placed.by.as_ref().unwrap().participant,
        Some(id("p")),
        "whoever decided is named all the same"
    );
    assert_eq!(shown.why(Some(&id("call"))), []);
}

proptest! {
    #[test]
    fn what_is_concurrent_is_what_a_naive_comparison_finds((facts, arrived) in causal_history().prop_flat_map(arrivals)) {
        for explained in events(arrived) {
            let stamp = |id: FactId| facts.iter().find(|f| f.id == id).and_then(|f| f.stamp.clone()).unwrap();
            let own = stamp(explained.entry.fact);
            let beside = |f: &&Fact| own.clock.compare(&stamp(f.id).clock) == Causality::Concurrent;
            let mut naive: Vec<FactId> = facts.iter().filter(beside).map(|f| f.id).collect();
            let mut named: Vec<FactId> = explained.concurrent.iter().map(|c| c.fact).collect();
            naive.sort();
            named.sort();
            prop_assert_eq!(explained.entry.concurrent, !naive.is_empty());
            prop_assert_eq!(explained.concurrent_count as usize, naive.len());
            prop_assert_eq!(named, naive);
        }
    }
}
