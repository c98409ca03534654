//! Small stories, each with the answer a person would give.

use crate::world::*;
use engine::*;

fn events(facts: Vec<Fact>) -> Engine {
    let mut engine = engine();
    for fact in facts {
        engine.handle(deliver(Source::Events, vec![fact]), NOON);
    }
    engine
}

fn view(engine: &Engine) -> ConversationView {
    engine.show(&id("call"), NOON).unwrap().conversation()
}

fn lines(engine: &Engine) -> Vec<String> {
    let timeline = engine.show(&id("call"), NOON).unwrap().timeline();
    let word = |w: &Option<Word>| w.as_ref().map_or("-".to_owned(), ToString::to_string);
    timeline.iter().map(|e| format!("{} {}>{}", e.kind, word(&e.from), word(&e.to))).collect()
}

#[test]
fn leave_before_join_is_put_right() {
    let engine = events(vec![
        event("2", What::Left, "p", "disconnected", "agent", 20),
        event("1", What::Joined, "p", "connected", "agent", 10),
    ]);
    assert_eq!(lines(&engine), ["joined ->connected", "left connected>disconnected"]);
    assert_eq!(engine.active_count(), 0);
    let entries = engine.show(&id("call"), NOON).unwrap().timeline();
    assert!(entries[0].late && !entries[1].late);
}

#[test]
fn a_participant_comes_back() {
    let engine = events(vec![
        event("1", What::Joined, "p", "connected", "agent", 10),
        event("2", What::Left, "p", "disconnected", "agent", 20),
        event("3", What::Joined, "p", "connected", "agent", 30),
    ]);
    let p = &view(&engine).participants[0];
    assert!(p.active && p.left_at.is_none());
    assert_eq!(p.joined_at, Some(ms(10)));
    let spells = engine.show(&id("call"), NOON).unwrap().spells();
    assert_eq!(
        spells.iter().map(|s| (s.from, s.to)).collect::<Vec<_>>(),
        [(ms(10), Some(ms(20))), (ms(30), None)]
    );
}

#[test]
fn the_life_cycle_decides_where_one_was_seen() {
    let engine = events(vec![
        event("1", What::LifeCycle, "", "in-progress", "", 0),
        event("2", What::Joined, "p", "connected", "agent", 10),
        event("3", What::Left, "p", "disconnected", "agent", 20),
    ]);
    assert_eq!(engine.active_count(), 1, "nobody is there, yet the conversation has not ended");
    let mut engine = engine;
    engine.handle(deliver(Source::Events, vec![event("4", What::LifeCycle, "", "ended", "", 30)]), NOON);
    assert_eq!(engine.active_count(), 0);
    assert_eq!(view(&engine).ended_at, Some(ms(30)));
}

#[test]
fn duplicates_change_nothing_and_are_counted() {
    let fact = event("1", What::Joined, "p", "connected", "agent", 10);
    let mut engine = events(vec![fact.clone(), fact.clone(), fact]);
    assert_eq!(engine.activity().counts.iter().sum::<u64>(), 1);
    assert_eq!(view(&engine).vector_clock, 1);
    let tally = engine.take_batch().tally;
    assert_eq!((tally.facts, tally.duplicates), (1, 2));
}

#[test]
fn a_role_change_sets_state_and_role_at_once() {
    let engine = events(vec![
        event("1", What::Joined, "p", "connected", "agent", 10),
        event("2", What::Role, "p", "connected", "supervisor", 20),
    ]);
    assert_eq!(view(&engine).participants[0].role, Word::new("supervisor"));
    assert_eq!(lines(&engine)[1], "role agent>supervisor");
}

#[test]
fn an_unanswered_leg_has_an_end_and_no_connect() {
    let mut engine = engine();
    let facts = vec![
        there("a1", None, "agent"),
        there("a1", Some("l1"), ""),
        leg("a1", "l1", "alerting", None),
        leg("a1", "l1", "terminated", Some(500)),
    ];
    engine.handle(deliver(Source::Snapshot, facts), NOON);
    let c = &view(&engine).participants[0].communications[0];
    assert_eq!((c.connected_at, c.ended_at), (None, Some(ms(500))));
    assert_eq!(lines(&engine), ["joined ->-", "state ->alerting", "state alerting>terminated"]);
    assert_eq!(
        engine.activity().counts.iter().sum::<u64>(),
        1,
        "the end counts, the ringing has no time of its own"
    );
}

#[test]
fn a_provider_clock_behind_cannot_end_a_leg_before_it_connects() {
    let mut engine = engine();
    let facts = vec![leg("a", "l", "disconnected", Some(100)), leg("a", "l", "connected", Some(120))];
    engine.handle(deliver(Source::Snapshot, facts), NOON);
    let timeline = engine.show(&id("call"), NOON).unwrap().timeline();
    assert_eq!(timeline[0].to, Word::new("connected"));
    assert_eq!(timeline[1].effective_at.nanos, ms(120).nanos + 1);
    assert_eq!(timeline[1].at, Some(ms(100)));
}

#[test]
fn two_surfaces_tell_one_end() {
    let mut engine = engine();
    engine.handle(deliver(Source::Snapshot, vec![leg("a", "l", "terminated", Some(125))]), NOON);
    let mut detail = leg("a", "l", "disconnected", Some(100));
    detail.authority = Authority::Reported;
    engine.handle(deliver(Source::Detail, vec![detail]), NOON);
    assert_eq!(engine.activity().counts.iter().sum::<u64>(), 1);
    assert_eq!(view(&engine).participants[0].communications[0].ended_at, Some(ms(125)));
}

#[test]
fn hold_unhold_hold_with_late_copies_on_a_second_topic() {
    let mut engine = engine();
    let frame = |topic, since: Option<i64>, received: i64| Delivery {
        topic,
        toggles: vec![held("a", "l", since)],
        received: NOON + received * 1_000_000,
        ..deliver(Source::Snapshot, vec![there("a", Some("l"), ""), leg("a", "l", "connected", Some(0))])
    };
    engine.handle(frame(1, None, 10), NOON);
    engine.handle(frame(1, Some(20_000), 20_050), NOON);
    engine.handle(frame(1, None, 40_000), NOON);
    engine.handle(frame(2, Some(20_000), 40_100), NOON);
    assert!(!view(&engine).participants[0].held, "the copy of the first hold is known");
    engine.handle(frame(1, Some(60_000), 60_050), NOON);
    engine.handle(frame(2, None, 60_100), NOON);
    assert!(view(&engine).participants[0].held, "the late copy of the unhold is another lane's");
    assert_eq!(
        lines(&engine)[1..],
        ["held false>true", "held true>false", "held false>true"].map(str::to_owned)
    );
}

#[test]
fn a_hold_over_at_once_asks_for_a_repair_and_rest_gives_its_times() {
    let mut engine = engine();
    let base = || vec![there("a", Some("l"), ""), leg("a", "l", "connected", Some(0))];
    let mut on = deliver(Source::Snapshot, base());
    on.toggles = vec![held("a", "l", Some(59_000))];
    engine.handle(on, NOON);
    let mut off = deliver(Source::Snapshot, base());
    off.toggles = vec![held("a", "l", None)];
    engine.handle(off, NOON);
    assert_eq!(engine.take_batch().wishes, [(id("call"), "toggle_order")]);
    assert!(view(&engine).participants[0].held, "the two frames may have changed places");
    let mut over = Fact::new(What::Held);
    (over.participant, over.communication) = (Id::new("a").ok(), Id::new("l").ok());
    (over.since, over.at, over.authority) = (Some(ms(59_000)), Some(ms(59_500)), Authority::Recorded);
    engine.handle(deliver(Source::Rest, vec![over.identified()]), NOON);
    let timeline = engine.show(&id("call"), NOON).unwrap().timeline();
    assert_eq!(timeline.last().unwrap().at, Some(ms(59_500)));
    assert!(!view(&engine).participants[0].held);
}

#[test]
fn a_hold_is_over_at_once_where_the_frame_proves_that_it_is_newer() {
    let mut engine = engine();
    let mut on = deliver(Source::Snapshot, vec![leg("a", "l", "connected", Some(0))]);
    on.toggles = vec![held("a", "l", Some(59_000))];
    engine.handle(on, NOON);
    let mut off = deliver(Source::Snapshot, vec![leg("b", "m", "connected", Some(59_400))]);
    off.toggles = vec![held("a", "l", None)];
    engine.handle(off, NOON);
    assert!(!view(&engine).participants[0].held);
    assert_eq!(engine.take_batch().wishes, []);
}

#[test]
fn a_fact_that_waits_is_not_shown_until_its_cause_came() {
    let first = stamped(event("1", What::Joined, "p", "connected", "agent", 10), "a", &[("a", 1)]);
    let second = stamped(event("2", What::Left, "p", "disconnected", "agent", 5), "b", &[("a", 1), ("b", 1)]);
    let mut engine = events(vec![second]);
    assert!(engine.show(&id("call"), NOON).is_none(), "nothing of it is shown yet");
    engine.handle(deliver(Source::Events, vec![first]), NOON);
    assert_eq!(lines(&engine), ["joined ->connected", "left connected>disconnected"]);
    let published: Vec<_> = engine.take_batch().changes.iter().map(|c| c.fact).collect();
    assert_eq!(published, [FactId::of_event("1"), FactId::of_event("2")]);
}

#[test]
fn a_missing_cause_is_waited_for_then_named() {
    let second = stamped(event("2", What::Left, "p", "disconnected", "agent", 20), "a", &[("a", 2)]);
    let mut engine = events(vec![second]);
    let due = engine.wake_at().unwrap();
    engine.handle_timeout(due);
    assert_eq!(lines(&engine).len(), 1);
    assert_eq!(engine.take_batch().wishes, [(id("call"), "missing_dots")]);
    assert!(view(&engine).completeness >= Completeness::Partial);
}

#[test]
fn concurrent_facts_say_so() {
    let engine = events(vec![
        stamped(event("1", What::Joined, "p", "connected", "agent", 10), "a", &[("a", 1)]),
        stamped(event("2", What::Role, "p", "connected", "supervisor", 10), "b", &[("b", 1), ("a", 1)]),
        stamped(event("3", What::Role, "p", "connected", "coach", 10), "c", &[("c", 1), ("a", 1)]),
    ]);
    let timeline = engine.show(&id("call"), NOON).unwrap().timeline();
    assert_eq!(timeline.iter().map(|e| e.concurrent).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(view(&engine).vector_clock, 3);
}

#[test]
fn an_ended_conversation_leaves_memory_and_a_late_fact_finds_it_again() {
    let mut engine = events(vec![
        event("1", What::Joined, "p", "connected", "agent", 10),
        event("2", What::Left, "p", "disconnected", "agent", 20),
    ]);
    engine.handle_timeout(NOON + 3_600 * SECOND);
    assert!(!engine.knows(&id("call")));
    let stored = engine.take_batch().laid_down.pop().unwrap();
    assert_eq!(engine.show_stored(&stored, NOON).timeline().len(), 2);
    engine.restore(&stored, NOON + 3_600 * SECOND);
    engine.handle(deliver(Source::Events, vec![event("0", What::LifeCycle, "", "in-progress", "", 0)]), NOON);
    assert_eq!(lines(&engine)[0], "lifeCycle ->in-progress");
}

#[test]
fn a_silent_feed_makes_a_hole_and_a_proven_resend_closes_it() {
    let mut engine = engine();
    let note = |at, event| FeedNote { feed: 0, at, event };
    engine.handle_feed(note(NOON, FeedEvent::Named { name: "events".into(), resends: true }));
    engine.handle_feed(note(NOON, FeedEvent::Listening));
    assert_eq!(engine.completeness(NOON + 1), Completeness::Complete);
    let facts: Vec<Fact> = (0..20)
        .map(|n| event(&n.to_string(), What::Joined, &format!("p{n}"), "connected", "agent", n))
        .collect();
    facts.iter().for_each(|f| engine.handle(deliver(Source::Events, vec![f.clone()]), NOON));
    engine.handle_feed(note(NOON + 9, FeedEvent::Lost { reason: "cut".into(), last_heard: NOON + 5 }));
    engine.handle_feed(note(NOON + 20, FeedEvent::Listening));
    assert_eq!(engine.completeness(NOON + 21), Completeness::Unknown);
    for fact in &facts[4..19] {
        engine.handle(deliver(Source::Events, vec![fact.clone()]), NOON);
    }
    assert_eq!(engine.completeness(NOON + 21), Completeness::Unknown, "the newest has not come again");
    engine.handle(deliver(Source::Events, vec![facts[19].clone()]), NOON);
    assert_eq!(engine.completeness(NOON + 21), Completeness::Repaired);
}

#[test]
fn a_repairable_feed_wishes_for_what_was_active_and_says_when_repair_failed() {
    let mut engine = events(vec![event("1", What::Joined, "p", "connected", "agent", 10)]);
    let note = |at, event| FeedNote { feed: 1, at, event };
    engine.handle_feed(note(NOON, FeedEvent::Named { name: "notifications-1".into(), resends: false }));
    engine.handle_feed(note(NOON, FeedEvent::Listening));
    assert!(engine.take_batch().wishes.is_empty());
    engine.handle_feed(note(NOON + 9, FeedEvent::Lost { reason: "cut".into(), last_heard: NOON + 5 }));
    engine.handle_feed(note(NOON + 20, FeedEvent::Listening));
    assert_eq!(engine.take_batch().wishes, [(id("call"), "gap")]);
    engine.handle_feed(note(NOON + 30, FeedEvent::RepairFailed { reason: "no permission".into() }));
    assert_eq!(engine.completeness(NOON + 31), Completeness::Partial);
    engine.handle_feed(note(NOON + 40, FeedEvent::Repaired));
    assert_eq!(engine.completeness(NOON + 41), Completeness::Repaired);
}

#[test]
fn a_feed_that_cannot_hear_some_topics_is_partial_and_says_which() {
    let mut engine = engine();
    let note_at = |at, event| FeedNote { feed: 0, at, event };
    let note = |event| note_at(NOON, event);
    engine.handle_feed(note(FeedEvent::Named { name: "notifications-1".into(), resends: false }));
    engine.handle_feed(note(FeedEvent::Failing { reason: "the secret is wrong".into() }));
    let view = engine.feeds(NOON + 1).pop().unwrap();
    assert_eq!(
        (view.completeness, view.reason.as_deref()),
        (Completeness::Unknown, Some("the secret is wrong"))
    );
    engine.handle_feed(note(FeedEvent::Limited {
        limit: Some(Limit { reason: "queue q: no permission".into(), since: NOON }),
    }));
    engine.handle_feed(note(FeedEvent::Listening));
    let view = engine.feeds(NOON + 1).pop().unwrap();
    assert_eq!(
        (view.completeness, view.reason.as_deref()),
        (Completeness::Partial, Some("queue q: no permission"))
    );
    engine.handle_feed(note_at(NOON + 10, FeedEvent::Limited { limit: None }));
    assert_eq!(engine.completeness(NOON + 30), Completeness::Partial, "they were not heard for a while");
    let told = engine.range(NOON, NOON + 30, NOON + 30).feeds.pop().unwrap().intervals;
    let told: Vec<_> = told.iter().map(|i| (i.from - NOON, i.to - NOON, i.completeness)).collect();
    assert_eq!(told, [(0, 10, Completeness::Partial), (10, 30, Completeness::Complete)]);
}

#[test]
fn the_ledger_comes_back_and_a_restart_is_a_hole_of_its_own() {
    let mut first = engine();
    let note = |at, event| FeedNote { feed: 0, at, event };
    first.handle_feed(note(NOON, FeedEvent::Named { name: "notifications-1".into(), resends: false }));
    first.handle_feed(note(NOON, FeedEvent::Listening));
    let mut second = engine();
    first.take_batch().ledger.into_iter().for_each(|row| second.restore_ledger(row));
    second.resumed(0, NOON + 10 * SECOND, NOON + 10 * SECOND);
    second.handle_feed(note(
        NOON + 60 * SECOND,
        FeedEvent::Named { name: "notifications-1".into(), resends: false },
    ));
    second.handle_feed(note(NOON + 60 * SECOND, FeedEvent::Listening));
    let view = second.feeds(NOON + 61 * SECOND).pop().unwrap();
    assert_eq!((view.completeness, view.connected), (Completeness::Unknown, true));
    assert!(view.reason.unwrap().contains("not running"));
    second.handle_feed(note(NOON + 70 * SECOND, FeedEvent::Repaired));
    assert_eq!(second.completeness(NOON + 71 * SECOND), Completeness::Repaired);
}

/// Events of two conversations, each with what its region had counted when it was emitted.
fn interleaved(counted: [(&str, u64, &str, u64); 8]) -> Vec<Delivery> {
    let one = |(n, (conversation, a, region, b)): (usize, (&str, u64, &str, u64))| {
        let clock: Vec<(&str, u64)> = [("a", a), ("b", b)].into_iter().filter(|(_, n)| *n > 0).collect();
        let fact = event(&n.to_string(), What::Joined, &format!("p{n}"), "connected", "agent", n as i64);
        Delivery {
            conversation: id(conversation),
            ..deliver(Source::Events, vec![stamped(fact, region, &clock)])
        }
    };
    counted.into_iter().enumerate().map(one).collect()
}

#[test]
fn counters_over_all_conversations_make_nobody_wait_for_another_conversation() {
    let mut engine = engine();
    let counted = [
        ("x", 1, "a", 0),
        ("y", 2, "a", 0),
        ("x", 3, "a", 0),
        ("z", 3, "b", 1),
        ("y", 4, "a", 1),
        ("z", 4, "b", 2),
        ("x", 5, "a", 2),
        ("y", 5, "b", 3),
    ];
    for delivery in interleaved(counted) {
        engine.handle(delivery, NOON);
    }
    assert_eq!(engine.held_count(), 0);
    let shown = |name| engine.show(&id(name), NOON).unwrap().timeline().len();
    assert_eq!([shown("x"), shown("y"), shown("z")], [3, 3, 2]);
    let late = event("late", What::Left, "p0", "disconnected", "agent", 50);
    let late = stamped(late, "a", &[("a", 7), ("b", 3)]);
    engine.handle(Delivery { conversation: id("x"), ..deliver(Source::Events, vec![late]) }, NOON);
    assert_eq!(engine.held_count(), 1, "the region's sixth event has not come");
}

#[test]
fn counters_of_each_conversation_wait_for_its_own_gaps_only() {
    let mut engine = engine();
    let counted = [
        ("x", 1, "a", 0),
        ("x", 2, "a", 0),
        ("y", 1, "b", 1),
        ("z", 1, "a", 0),
        ("z", 2, "a", 0),
        ("x", 3, "a", 0),
        ("z", 2, "b", 1),
        ("x", 4, "a", 0),
    ];
    for delivery in interleaved(counted) {
        engine.handle(delivery, NOON);
    }
    assert_eq!(engine.held_count(), 1, "the first event of y has not come");
    let first = stamped(event("first", What::Joined, "q", "connected", "agent", 0), "a", &[("a", 1)]);
    engine.handle(Delivery { conversation: id("y"), ..deliver(Source::Events, vec![first]) }, NOON);
    assert_eq!(engine.held_count(), 0);
    let y: Vec<_> = engine.take_batch().changes.into_iter().filter(|c| c.conversation == id("y")).collect();
    assert_eq!(
        y.iter().map(|c| c.fact).collect::<Vec<_>>(),
        [FactId::of_event("first"), FactId::of_event("2")]
    );
}

#[test]
fn a_gateway_that_has_counted_for_long_is_not_waited_for() {
    let mut engine = engine();
    for n in 0..6u64 {
        let fact = event(&n.to_string(), What::Joined, &format!("p{n}"), "connected", "agent", n as i64);
        let fact = stamped(fact, "a", &[("a", 1 << 40 | n), ("b", 1 << 63)]);
        let to = id(["x", "y"][n as usize % 2]);
        engine.handle(Delivery { conversation: to, ..deliver(Source::Events, vec![fact]) }, NOON);
    }
    assert_eq!(engine.held_count(), 0);
}

#[test]
fn an_end_that_was_worked_out_gives_way_to_the_recorded_one_in_any_order() {
    let began =
        || vec![there("p", None, "agent"), there("p", Some("k"), ""), leg("p", "k", "connected", Some(0))];
    let worked_out = || Fact { authority: Authority::Derived, ..leg("p", "k", "disconnected", Some(900)) };
    let recorded = || leg("p", "k", "disconnected", Some(500));
    let played = |reads: &[Fact]| {
        let mut engine = engine();
        engine.handle(deliver(Source::Snapshot, began()), NOON);
        for read in reads {
            engine.handle(deliver(Source::Rest, vec![read.clone()]), NOON);
        }
        engine
    };
    let alone = played(&[worked_out()]);
    let p = &view(&alone).participants[0];
    assert_eq!((p.active, p.communications[0].ended_at), (false, Some(ms(900))));
    let why = alone.show(&id("call"), NOON).unwrap().why(None);
    assert!(why.iter().any(|fact| fact.authority == Authority::Derived), "and it is said how it is known");
    let (first, second) = (played(&[worked_out(), recorded()]), played(&[recorded(), worked_out()]));
    assert_eq!(essence(&first), essence(&second));
    assert_eq!(view(&first).participants[0].communications[0].ended_at, Some(ms(500)));
}
