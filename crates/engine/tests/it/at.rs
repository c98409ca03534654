//! What was true at an instant, by all that is known now.

use crate::order_of_arrival::{arrivals, causal_history, plain_events, snapshot_facts};
use crate::world::*;
use engine::*;
use proptest::prelude::*;

fn told(facts: &[Fact], source: Source) -> Engine {
    let mut engine = engine();
    for fact in facts {
        engine.handle(deliver(source, vec![fact.clone()]), NOON + 60 * SECOND);
    }
    engine.release_all(NOON + 120 * SECOND);
    engine
}

fn at(engine: &Engine, instant: i64) -> Option<ConversationView> {
    engine.show(&id("call"), NOON + 120 * SECOND).unwrap().conversation_at(instant)
}

fn today(engine: &Engine) -> ConversationView {
    engine.show(&id("call"), NOON + 120 * SECOND).unwrap().conversation()
}

/// Every instant at which something happened, the ones before and between, and the end.
fn instants(engine: &Engine) -> Vec<i64> {
    let timeline = engine.show(&id("call"), NOON).unwrap().timeline();
    let turns = timeline.iter().map(|entry| entry.effective_at.nanos);
    turns.flat_map(|turn| [turn - 1, turn, turn + 1]).chain([NOON + 120 * SECOND]).collect()
}

/// The same answer in every order of arrival, nothing before the beginning, and today's in the end.
fn is_of_the_set(facts: &[Fact], shuffled: &[Fact], source: Source) -> Result<(), TestCaseError> {
    let (one, other) = (told(facts, source), told(shuffled, source));
    for instant in instants(&one) {
        prop_assert_eq!(at(&one, instant), at(&other, instant));
    }
    prop_assert_eq!(at(&one, i64::MIN), None);
    prop_assert_eq!(at(&one, i64::MAX), Some(today(&one)));
    let mut instants = instants(&one);
    instants.sort_unstable();
    let clocks: Vec<u64> =
        instants.iter().filter_map(|i| at(&one, *i)).map(|view| view.vector_clock).collect();
    prop_assert!(clocks.is_sorted(), "{:?}", clocks);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_is_a_function_of_the_set((facts, shuffled) in plain_events().prop_flat_map(arrivals)) {
        is_of_the_set(&facts, &shuffled, Source::Events)?;
    }

    #[test]
    fn of_snapshots_too((facts, shuffled) in snapshot_facts().prop_flat_map(arrivals)) {
        is_of_the_set(&facts, &shuffled, Source::Snapshot)?;
    }

    #[test]
    fn and_of_facts_with_clocks((facts, shuffled) in causal_history().prop_flat_map(arrivals)) {
        is_of_the_set(&facts, &shuffled, Source::Events)?;
    }

    /// Spells are found by integrating the same fold: whoever has one that covers an instant is in its state then.
    #[test]
    fn spells_say_the_same(facts in plain_events()) {
        let engine = told(&facts, Source::Events);
        let spells = engine.show(&id("call"), NOON).unwrap().spells();
        for instant in instants(&engine) {
            let Some(view) = at(&engine, instant) else { continue };
            let covers = |spell: &&SpellView| {
                spell.from.nanos <= instant && spell.to.is_none_or(|to| to.nanos > instant)
            };
            let by_spells: Vec<_> = spells
                .iter()
                .filter(covers)
                .map(|s| (s.participant.clone(), s.state.clone(), s.role.clone()))
                .collect();
            let mut live: Vec<_> = view
                .participants
                .iter()
                .filter(|p| p.active)
                .map(|p| (p.id.clone(), p.state.clone(), p.role.clone()))
                .collect();
            live.sort();
            prop_assert_eq!(&by_spells, &live, "{} ms after noon", (instant - NOON) / 1_000_000);
        }
    }
}

#[test]
fn whoever_comes_later_is_not_there_yet_and_whoever_leaves_is_still_there() {
    let mut medium = there("agent", Some("second"), "");
    medium.at = Some(ms(5_000));
    let facts = [
        leg("customer", "c", "connected", Some(1_000)),
        leg("agent", "first", "alerting", Some(2_000)),
        leg("agent", "first", "connected", Some(3_000)),
        leg("agent", "first", "disconnected", Some(4_000)),
        medium,
        leg("agent", "second", "connected", Some(6_000)),
        leg("agent", "second", "disconnected", Some(7_000)),
        leg("customer", "c", "disconnected", Some(8_000)),
    ];
    let engine = told(&facts, Source::Snapshot);
    let agent = |after: i64| {
        let view = at(&engine, NOON + after * 1_000_000).unwrap();
        let agent = view.participants.iter().find(|p| p.id == id("agent"));
        agent.map(|p| {
            (p.active, p.state.as_ref().map(|s| s.to_string()).unwrap_or_default(), p.communications.len())
        })
    };
    let is = |active, state: &str, legs| Some((active, state.to_owned(), legs));
    assert_eq!(agent(1_500), None);
    assert_eq!(agent(2_500), is(true, "alerting", 1));
    assert_eq!(agent(3_000), is(true, "connected", 1));
    assert_eq!(agent(3_999), is(true, "connected", 1));
    assert_eq!(agent(4_500), is(false, "disconnected", 1), "between two legs");
    assert_eq!(agent(6_500), is(true, "connected", 2));
    assert_eq!(agent(7_500), is(false, "disconnected", 2));
    let call = |after: i64| at(&engine, NOON + after * 1_000_000).map(|view| (view.active, view.ended_at));
    assert_eq!(call(999), None);
    assert_eq!(call(7_999), Some((true, None)));
    assert_eq!(call(8_000), Some((false, Some(ms(8_000)))));
}

#[test]
fn what_came_late_counts_from_when_it_happened() {
    let connected = leg("p", "c", "connected", Some(1_000));
    let late = leg("p", "c", "alerting", Some(500));
    let engine = told(&[connected, late], Source::Snapshot);
    let state = |after: i64| at(&engine, NOON + after * 1_000_000).unwrap().participants[0].state.clone();
    assert_eq!(state(600), Word::new("alerting"));
    assert_eq!(state(1_000), Word::new("connected"));
}

#[test]
fn completeness_is_that_of_the_life_up_to_then() {
    let mut engine = engine();
    let note = |at: i64, event| FeedNote { feed: 0, at: NOON + at * SECOND, event };
    engine.handle_feed(note(-60, FeedEvent::Named { name: "events".to_owned(), resends: true }));
    engine.handle_feed(note(-60, FeedEvent::Listening));
    let mut delivery =
        deliver(Source::Events, vec![event("a", What::Joined, "p", "connected", "agent", 1_000)]);
    delivery.received = NOON + SECOND;
    engine.handle(delivery, NOON + SECOND);
    let lost = FeedEvent::Lost { reason: "cut".to_owned(), last_heard: NOON + 30 * SECOND };
    engine.handle_feed(note(40, lost));
    engine.handle_feed(note(50, FeedEvent::Listening));
    let shown = engine.show(&id("call"), NOON + 100 * SECOND).unwrap();
    let at = |after: i64| shown.conversation_at(NOON + after * SECOND).unwrap().completeness;
    assert_eq!(shown.completeness(), Completeness::Unknown);
    assert_eq!((at(5), at(19)), (Completeness::Complete, Completeness::Complete));
    assert_eq!(
        (at(20), at(45), at(90)),
        (Completeness::Unknown, Completeness::Unknown, Completeness::Unknown)
    );
}
