//! Conversations of which only a copy elsewhere tells: shown apart, asked for, and gone once facts speak or time is up.

use crate::world::*;
use engine::*;

const HOUR: i64 = 3_600 * SECOND;

fn memory(told_at: i64, who: &[(&str, &str, &str)]) -> Memory {
    let told = |(name, state, medium): &(&str, &str, &str)| MemoryOfParticipant {
        id: id(name),
        state: Word::new(state),
        role: Word::new("agent"),
        user: None,
        queue: Some(id("q")),
        medium: Word::new(medium),
    };
    Memory { told_at, participants: who.iter().map(told).collect() }
}

fn remembering(conversation: &str) -> Engine {
    let mut engine = engine();
    engine.inherit(id(conversation), 17);
    engine.remember(id(conversation), memory(NOON - MINUTE, &[("p", "held", "voice")]), NOON);
    engine
}

fn hear(engine: &mut Engine, conversation: &str, fact: Fact) {
    let mut delivery = deliver(Source::Events, vec![fact]);
    (delivery.conversation, delivery.received) = (id(conversation), NOON);
    engine.handle(delivery, NOON);
}

fn listed(engine: &Engine, filter: &Filter) -> Vec<String> {
    engine.list(filter, None, NOON).map(|view| view.id.to_string()).collect()
}

/// Lets time pass as a driver would, and tells after how many minutes something was asked for.
fn asked(engine: &mut Engine, until: i64) -> Vec<i64> {
    let (mut now, mut minutes) = (NOON, Vec::new());
    loop {
        engine.handle_timeout(now);
        for (_, reason) in engine.take_batch().wishes {
            assert_eq!(reason, "remembered");
            minutes.push((now - NOON) / MINUTE);
        }
        match engine.wake_at() {
            Some(next) if next <= until => now = next.max(now),
            _ => return minutes,
        }
    }
}

#[test]
fn one_is_shown_apart_from_facts_and_moves_none_of_their_numbers() {
    let mut engine = remembering("b");
    for other in ["a", "c"] {
        hear(&mut engine, other, event(other, What::State, "p", "connected", "agent", 0));
    }
    let before = (engine.activity(), engine.seq());
    let view = engine.recall(&id("b")).unwrap();
    assert_eq!((view.active, view.completeness, view.vector_clock), (true, Completeness::Partial, 17));
    assert_eq!(view.remembered_at, Some(Time::from_nanos(NOON - MINUTE).to_millis()));
    assert_eq!(view.participants[0].state, Word::new("held"));
    assert_eq!((engine.active_count(), engine.remembered_count()), (2, 1));
    assert!(engine.show(&id("b"), NOON).is_none(), "no fact of it is known");
    let live = Filter { active: Some(true), ..Filter::default() };
    assert_eq!(listed(&engine, &live), ["a", "b", "c"]);
    assert_eq!(listed(&engine, &Filter { queue: Some(id("q")), ..live }), ["b"]);
    assert_eq!(listed(&engine, &Filter { active: Some(false), ..Filter::default() }), [""; 0]);
    assert_eq!(listed(&engine, &Filter { suspect: Some(true), ..Filter::default() }), [""; 0]);
    let batch = engine.take_batch();
    assert!(batch.admitted.iter().all(|admitted| admitted.conversation != id("b")));
    assert_eq!((engine.activity(), engine.seq()), before);
}

#[test]
fn from_the_first_fact_on_facts_alone_speak_and_the_clock_goes_on() {
    let mut engine = remembering("b");
    hear(&mut engine, "b", event("1", What::State, "q", "connected", "agent", 0));
    let view = engine.show(&id("b"), NOON).unwrap().conversation();
    assert_eq!((view.vector_clock, view.remembered_at, view.participants.len()), (18, None, 1));
    assert_eq!((engine.active_count(), engine.remembered_count()), (1, 0));
    assert_eq!(listed(&engine, &Filter::default()), ["b"]);
    // Nor is it remembered again while they are known.
    engine.remember(id("b"), memory(NOON, &[("p", "held", "voice")]), NOON);
    assert_eq!((engine.remembered_count(), engine.recall(&id("b"))), (0, None));
}

#[test]
fn it_is_asked_for_ever_more_rarely_until_it_has_plausibly_ended() {
    let mut engine = remembering("b");
    // A voice call: twelve hours since it was last told of.
    let minutes = asked(&mut engine, NOON + 12 * HOUR - MINUTE - 1);
    assert_eq!(minutes[..8], [0, 1, 3, 7, 15, 31, 63, 123]);
    assert_eq!(engine.remembered_count(), 1);
    assert_eq!(asked(&mut engine, NOON + 12 * HOUR), [0i64; 0], "nothing more is asked");
    assert_eq!((engine.remembered_count(), engine.wake_at()), (0, None));
}

#[test]
fn what_the_platform_does_not_know_is_not_remembered() {
    let mut engine = remembering("b");
    engine.handle_feed(FeedNote { feed: 0, at: NOON, event: FeedEvent::Gone { conversation: id("b") } });
    assert_eq!((engine.remembered_count(), engine.recall(&id("b")), engine.wake_at()), (0, None, None));
}

#[test]
fn what_has_plausibly_ended_by_now_is_not_remembered_and_a_time_ahead_of_ours_buys_none() {
    let mut engine = engine();
    engine.remember(id("old"), memory(NOON - 12 * HOUR, &[("p", "held", "voice")]), NOON);
    engine.remember(id("mail"), memory(NOON - 12 * HOUR, &[("p", "held", "email")]), NOON);
    engine.remember(id("ahead"), memory(NOON + 90 * HOUR, &[("p", "held", "voice")]), NOON);
    assert_eq!(listed(&engine, &Filter::default()), ["ahead", "mail"]);
    asked(&mut engine, NOON + 12 * HOUR);
    assert_eq!(listed(&engine, &Filter::default()), ["mail"]);
}
