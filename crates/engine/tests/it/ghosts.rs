//! Conversations whose end may have been missed: marked, asked for, shown, and never removed.

use crate::world::*;
use engine::*;

const HOUR: i64 = 3_600 * SECOND;

fn at(name: &str, participant: &str, what: What, seconds: i64) -> Fact {
    event(
        name,
        what,
        participant,
        if what == What::Left { "disconnected" } else { "connected" },
        "agent",
        seconds * 1_000,
    )
}

/// Hands facts in, received at the last one's time.
fn hear(engine: &mut Engine, source: Source, conversation: &str, facts: Vec<Fact>, now: i64) {
    let mut delivery = deliver(source, facts);
    (delivery.conversation, delivery.received) = (id(conversation), now);
    engine.handle(delivery, now);
}

fn note(engine: &mut Engine, at: i64, event: FeedEvent) {
    engine.handle_feed(FeedNote { feed: 0, at, event });
}

fn listening(resends: bool) -> Engine {
    let mut engine = engine();
    note(&mut engine, NOON, FeedEvent::Named { name: "f".into(), resends });
    note(&mut engine, NOON, FeedEvent::Listening);
    engine
}

/// Lets time pass as a driver would: whenever the engine wants to be woken.
fn pass(engine: &mut Engine, from: i64, to: i64) -> Vec<(i64, String, &'static str)> {
    let (mut now, mut wishes) = (from, Vec::new());
    loop {
        engine.handle_timeout(now);
        wishes.extend(engine.take_batch().wishes.into_iter().map(|(id, why)| (now, id.to_string(), why)));
        match engine.wake_at() {
            Some(next) if next <= to => now = next.max(now),
            _ => return wishes,
        }
    }
}

fn suspicion(engine: &Engine, conversation: &str) -> Option<String> {
    let view = engine.show(&id(conversation), NOON).unwrap().conversation();
    assert!(view.suspect.is_none() || view.active, "only what is shown as active is a suspect");
    view.suspect.map(|suspicion| suspicion.reason)
}

#[test]
fn what_lasts_longer_than_its_kind_is_marked_and_asked_for_ever_more_rarely() {
    let mut engine = listening(true);
    hear(&mut engine, Source::Events, "call", vec![at("1", "p", What::Joined, 0)], NOON);
    assert_eq!(pass(&mut engine, NOON, NOON + 24 * HOUR - 1), []);
    assert_eq!((suspicion(&engine, "call"), engine.suspect_count()), (None, 0));
    let wishes = pass(&mut engine, NOON + 24 * HOUR, NOON + 27 * HOUR + 1);
    assert_eq!(
        suspicion(&engine, "call").unwrap(),
        "active for longer than a conversation plausibly lasts: 24 h"
    );
    let minutes: Vec<i64> = wishes.iter().map(|(at, _, _)| (at - NOON - 24 * HOUR) / MINUTE).collect();
    assert_eq!(minutes, [0, 1, 3, 7, 15, 31, 63, 123], "the wait doubles up to an hour");
    assert!(wishes.iter().all(|(_, id, why)| (id.as_str(), *why) == ("call", "suspect")));
    assert_eq!((engine.suspect_count(), engine.active_count()), (1, 1), "it stays counted");
}

#[test]
fn how_long_is_plausible_depends_on_the_medium() {
    let hours = |medium: &str| {
        let mut engine = listening(false);
        let mut joined = there("p", Some("l"), "");
        joined.medium = Word::new(medium);
        hear(&mut engine, Source::Snapshot, "call", vec![joined, leg("p", "l", "connected", Some(0))], NOON);
        let wishes = pass(&mut engine, NOON, NOON + 40 * 24 * HOUR);
        (wishes[0].0 - NOON) / HOUR
    };
    let all = ["voice", "chat", "message", "email", "callback", "something new"].map(hours);
    assert_eq!(all, [12, 24, 7 * 24, 14 * 24, 30 * 24, 24]);
}

#[test]
fn new_facts_and_reads_clear_the_mark_until_it_is_due_again() {
    for source in [Source::Events, Source::Rest] {
        let mut engine = listening(true);
        let joined = at("1", "p", What::Joined, 0);
        hear(&mut engine, Source::Events, "call", vec![joined.clone()], NOON);
        pass(&mut engine, NOON, NOON + 25 * HOUR);
        assert!(suspicion(&engine, "call").is_some());
        hear(&mut engine, Source::Events, "call", vec![joined.clone()], NOON + 25 * HOUR);
        assert!(suspicion(&engine, "call").is_some(), "a copy of what is known proves nothing");
        let news = if source == Source::Rest { joined } else { at("2", "q", What::Joined, 25 * 3_600) };
        hear(&mut engine, source, "call", vec![news], NOON + 25 * HOUR);
        assert_eq!((suspicion(&engine, "call"), engine.suspect_count()), (None, 0));
        assert_eq!(pass(&mut engine, NOON + 25 * HOUR, NOON + 49 * HOUR - 1), []);
        assert_eq!(pass(&mut engine, NOON + 49 * HOUR, NOON + 49 * HOUR).len(), 1);
        assert!(suspicion(&engine, "call").is_some());
    }
}

#[test]
fn an_end_clears_the_mark_for_good() {
    let mut engine = listening(true);
    hear(&mut engine, Source::Events, "call", vec![at("1", "p", What::Joined, 0)], NOON);
    pass(&mut engine, NOON, NOON + 25 * HOUR);
    hear(&mut engine, Source::Events, "call", vec![at("2", "p", What::Left, 60)], NOON + 25 * HOUR);
    assert_eq!((engine.suspect_count(), engine.active_count(), suspicion(&engine, "call")), (0, 0, None));
    assert_eq!(pass(&mut engine, NOON + 25 * HOUR, NOON + 99 * HOUR), []);
    assert_eq!(engine.wake_at(), None, "nothing is left to look at");
}

#[test]
fn what_was_not_heard_of_since_a_hole_is_marked_until_the_hole_is_closed() {
    let mut engine = listening(false);
    let late = NOON + 1_000 * SECOND;
    hear(&mut engine, Source::Events, "quiet", vec![at("1", "p", What::Joined, 0)], NOON + 5 * SECOND);
    note(
        &mut engine,
        NOON + 20 * SECOND,
        FeedEvent::Lost { reason: "cut".into(), last_heard: NOON + 10 * SECOND },
    );
    note(&mut engine, NOON + 60 * SECOND, FeedEvent::Listening);
    hear(&mut engine, Source::Events, "loud", vec![at("2", "p", What::Joined, 70)], NOON + 70 * SECOND);
    engine.take_batch();
    assert_eq!(pass(&mut engine, NOON + 70 * SECOND, NOON + 300 * SECOND), [], "repairs take a while");
    let wishes = pass(&mut engine, NOON + 300 * SECOND, late);
    assert_eq!((wishes[0].1.as_str(), wishes[0].2), ("quiet", "suspect"));
    assert_eq!(suspicion(&engine, "quiet").unwrap(), "not heard of since feed f had a hole: cut");
    assert_eq!((suspicion(&engine, "loud"), engine.suspect_count()), (None, 1));
    note(&mut engine, late, FeedEvent::Repaired);
    pass(&mut engine, late, late);
    assert_eq!((suspicion(&engine, "quiet"), engine.suspect_count()), (None, 0));
}

#[test]
fn an_outage_marks_all_that_were_active_so_many_at_a_time() {
    let mut engine = listening(true);
    for n in 0..2_500 {
        let name = format!("c{n:04}");
        hear(&mut engine, Source::Events, &name, vec![at(&name, "p", What::Joined, 0)], NOON);
    }
    note(&mut engine, NOON + SECOND, FeedEvent::Lost { reason: "cut".into(), last_heard: NOON + SECOND });
    let mut now = NOON + HOUR;
    let mut marked = Vec::new();
    while engine.suspect_count() < 2_500 && marked.len() < 9 {
        engine.handle_timeout(now);
        marked.push(engine.suspect_count());
        assert!(engine.wake_at().unwrap() <= now || engine.suspect_count() == 2_500);
        now += 1;
    }
    assert_eq!(marked, [1_000, 2_000, 2_500]);
    let page = Filter { suspect: Some(true), ..Filter::default() };
    let first: Vec<_> = engine.list(&page, None, now).take(1_500).collect();
    assert_eq!(engine.list(&page, first.last().map(|view| &view.id), now).count(), 1_000);
    let sure = Filter { suspect: Some(false), ..Filter::default() };
    assert_eq!(engine.list(&sure, None, now).next(), None);
}

#[test]
fn a_proven_resend_clears_the_marks_of_an_outage() {
    let mut engine = listening(true);
    let facts: Vec<Fact> = (0..4).map(|n| at(&n.to_string(), &format!("p{n}"), What::Joined, 0)).collect();
    for fact in &facts {
        hear(&mut engine, Source::Events, "call", vec![fact.clone()], NOON);
    }
    note(&mut engine, NOON + SECOND, FeedEvent::Lost { reason: "cut".into(), last_heard: NOON + SECOND });
    pass(&mut engine, NOON + SECOND, NOON + HOUR);
    assert_eq!(engine.suspect_count(), 1);
    note(&mut engine, NOON + HOUR, FeedEvent::Listening);
    for fact in facts {
        hear(&mut engine, Source::Events, "call", vec![fact], NOON + HOUR);
    }
    pass(&mut engine, NOON + HOUR, NOON + HOUR);
    assert_eq!(engine.suspect_count(), 0);
}

#[test]
fn what_the_platform_does_not_know_any_more_stays_and_says_so() {
    let mut engine = listening(false);
    hear(&mut engine, Source::Events, "call", vec![at("1", "p", What::Joined, 0)], NOON);
    note(&mut engine, NOON + 9 * SECOND, FeedEvent::Gone { conversation: id("call") });
    note(&mut engine, NOON + 9 * SECOND, FeedEvent::Gone { conversation: id("never heard of") });
    assert_eq!(suspicion(&engine, "call").unwrap(), "the platform does not know it any more");
    let wishes = pass(&mut engine, NOON + 9 * SECOND, NOON + HOUR);
    assert!((1..9).contains(&wishes.len()), "asked for ever more rarely: {wishes:?}");
    assert_eq!((engine.suspect_count(), engine.active_count()), (1, 1));
    hear(&mut engine, Source::Events, "call", vec![at("2", "q", What::Joined, 3_600)], NOON + HOUR);
    assert_eq!(suspicion(&engine, "call"), None);
}

#[test]
fn a_ghost_is_one_again_after_a_restart() {
    let mut first = listening(true);
    hear(&mut first, Source::Events, "call", vec![at("1", "p", What::Joined, 0)], NOON);
    let mut second = listening(true);
    second.restore(&first.lay_down(&id("call")).unwrap(), NOON + 48 * HOUR);
    second.handle_timeout(NOON + 48 * HOUR);
    let view = second.show(&id("call"), NOON).unwrap().conversation();
    assert_eq!(view.suspect.unwrap().since, Time::from_nanos(NOON + 24 * HOUR));
}
