//! Stories that once went wrong.

use crate::world::*;
use engine::*;

fn note(feed: u16, at: i64, event: FeedEvent) -> FeedNote {
    FeedNote { feed, at, event }
}

fn listening(e: &mut Engine) {
    e.handle_feed(note(0, NOON, FeedEvent::Named { name: "events".into(), resends: true }));
    e.handle_feed(note(0, NOON, FeedEvent::Listening));
}

fn from(c: &str, n: u64) -> Delivery {
    let f = stamped(
        event(&format!("{c}-{n}"), What::Role, "p", "connected", "agent", n as i64),
        "a",
        &[("a", n)],
    );
    Delivery { conversation: id(c), ..deliver(Source::Events, vec![f]) }
}

#[test]
fn a_drop_while_nobody_listens_leaves_no_hole_open() {
    let mut e = engine();
    e.handle_feed(note(0, NOON, FeedEvent::Named { name: "n1".into(), resends: false }));
    e.handle_feed(note(0, NOON, FeedEvent::Listening));
    e.handle_feed(note(0, NOON + 10, FeedEvent::Lost { reason: "cut".into(), last_heard: NOON + 5 }));
    e.handle_dropped(0, &id("call"), dropped(1, NOON + 12));
    e.handle_feed(note(0, NOON + 20, FeedEvent::Listening));
    e.handle_feed(note(0, NOON + 30, FeedEvent::Repaired));
    assert_eq!(e.completeness(NOON + 40), Completeness::Repaired);
}

#[test]
fn a_third_hold_without_a_time_is_not_lost() {
    let mut e = engine();
    let t = |on| Toggle { what: What::Held, participant: id("a"), communication: id("l"), on, since: None };
    for (n, on) in [true, false, true].into_iter().enumerate() {
        let mut d =
            deliver(Source::Snapshot, vec![there("a", Some("l"), ""), leg("a", "l", "connected", Some(0))]);
        d.toggles = vec![t(on)];
        d.received += n as i64 * SECOND;
        e.handle(d, NOON);
    }
    assert!(e.show(&id("call"), NOON).unwrap().conversation().participants[0].held);
}

#[test]
fn a_replay_finds_the_same_facts_late() {
    let mut live = engine();
    let facts = vec![
        leg("c", "x", "connected", Some(0)),
        leg("c", "x", "terminated", Some(9000)),
        leg("a", "y", "connected", Some(100)),
    ];
    live.handle(deliver(Source::Snapshot, facts), NOON);
    let batch = live.take_batch();
    let mut again = engine();
    for a in batch.admitted {
        again.replay(a, NOON);
    }
    let late =
        |e: &Engine| e.show(&id("call"), NOON).unwrap().timeline().iter().map(|t| t.late).collect::<Vec<_>>();
    assert_eq!(late(&live), late(&again));
}

#[test]
fn a_round_of_repair_does_not_make_good_what_was_dropped() {
    let mut e = engine();
    e.handle_feed(note(0, NOON, FeedEvent::Named { name: "n1".into(), resends: false }));
    e.handle_feed(note(0, NOON, FeedEvent::Listening));
    e.handle_dropped(0, &id("call"), dropped(3, NOON + 100));
    e.handle_feed(note(0, NOON + 101, FeedEvent::Repaired));
    assert_eq!(e.completeness(NOON + 200), Completeness::Partial, "nobody has read the dropped conversation");
}

#[test]
fn a_conversation_that_began_in_a_hole_is_not_complete() {
    let mut e = engine();
    e.handle_feed(note(0, NOON, FeedEvent::Named { name: "events".into(), resends: true }));
    e.handle_feed(note(0, NOON, FeedEvent::Listening));
    e.handle_feed(note(
        0,
        NOON + 20 * SECOND,
        FeedEvent::Lost { reason: "cut".into(), last_heard: NOON + 10 * SECOND },
    ));
    e.handle_feed(note(0, NOON + 59 * SECOND, FeedEvent::Listening));
    e.handle(
        deliver(Source::Events, vec![event("5", What::Joined, "p", "connected", "agent", 30_000)]),
        NOON,
    );
    let view = e.show(&id("call"), NOON + 61 * SECOND).unwrap().conversation();
    assert_eq!(view.started_at, Some(ms(30_000)), "it began inside the hole");
    assert!(view.completeness > Completeness::Complete);
}

#[test]
fn who_comes_back_on_a_new_leg_is_there() {
    let mut e = engine();
    let mut left = Fact::new(What::Left);
    (left.participant, left.at, left.authority) = (Id::new("a").ok(), Some(ms(20)), Authority::Recorded);
    e.handle(
        deliver(
            Source::Snapshot,
            vec![
                leg("a", "l", "connected", Some(10)),
                leg("a", "l", "terminated", Some(20)),
                left.identified(),
                leg("a", "m", "connected", Some(30)),
            ],
        ),
        NOON,
    );
    assert_eq!(e.active_count(), 1);
}

#[test]
fn a_missing_dot_that_comes_makes_the_conversation_whole() {
    let mut e = engine();
    let f = |n: &str, c: u64, at| {
        stamped(event(n, What::Left, "p", "disconnected", "agent", at), "a", &[("a", c)])
    };
    e.handle(deliver(Source::Events, vec![f("2", 2, 20)]), NOON);
    e.handle_timeout(NOON + 6 * SECOND);
    let s1 = e.lay_down(&id("call")).unwrap();
    let mut b = engine();
    b.restore(&s1, NOON);
    b.handle(deliver(Source::Events, vec![f("3", 3, 30)]), NOON);
    b.handle_timeout(NOON + 6 * SECOND);
    b.handle(deliver(Source::Events, vec![f("1", 1, 10)]), NOON);
    let s2 = b.lay_down(&id("call")).unwrap();
    assert_eq!(s2.dropped, 0, "the missing dot has come");
}

#[test]
fn nobody_waits_again_for_what_was_given_up_before_a_restart() {
    let f = |n: &str, c: u64, at| {
        stamped(event(n, What::Left, "p", "disconnected", "agent", at), "a", &[("a", c)])
    };
    let mut e = engine();
    e.handle(deliver(Source::Events, vec![f("2", 2, 20)]), NOON);
    e.handle_timeout(NOON + 6 * SECOND);
    e.take_batch();
    let stored = e.lay_down(&id("call")).unwrap();
    e.handle(deliver(Source::Events, vec![f("3", 3, 30)]), NOON);
    let b = e.take_batch();
    let mut back = engine();
    back.restore(&stored, NOON);
    for a in b.admitted {
        back.replay(a, NOON);
    }
    back.replayed(false, NOON);
    back.handle_timeout(NOON + 3600 * SECOND);
    let again: i64 = back.take_batch().cells.iter().map(|c| c.1).sum();
    assert_eq!(again, 0, "counted once already, and committed");
}

#[test]
fn a_clock_that_steps_back_keeps_nothing_in_memory() {
    let mut e = engine();
    let end = |e: &mut Engine, c: &str, now: i64| {
        let mut d = deliver(
            Source::Events,
            vec![event(&format!("{c}1"), What::Left, "p", "disconnected", "agent", 0)],
        );
        d.conversation = id(c);
        d.received = now;
        e.handle(d, now);
    };
    end(&mut e, "before", NOON + 3_600 * SECOND);
    for k in 0..100 {
        end(&mut e, &format!("c{k}"), NOON + k * SECOND);
    }
    e.handle_timeout(NOON + 1_800 * SECOND);
    assert!(
        e.resident_count() <= 1,
        "{} ended conversations in memory half an hour later",
        e.resident_count()
    );
}

#[test]
fn known_holes_are_not_forgotten_when_the_scope_is_proved() {
    let mut e = engine();
    listening(&mut e);
    e.handle(from("c1", 2), NOON);
    e.handle_timeout(NOON + 6 * SECOND);
    assert_eq!(e.show(&id("c1"), NOON).unwrap().completeness(), Completeness::Partial);
    e.handle(from("c2", 1), NOON + 7 * SECOND);
    e.handle(from("c3", 1), NOON + 7 * SECOND);
    assert_eq!(e.show(&id("c1"), NOON).unwrap().completeness(), Completeness::Partial, "c1's a:1 never came");
}

#[test]
fn a_wide_reordering_still_waits() {
    let mut e = engine();
    for n in 1..=6 {
        e.handle(from(&format!("w{n}"), n), NOON);
    }
    e.take_batch();
    e.handle(from("x", 1500), NOON);
    for n in (7..1490).chain(1491..1500) {
        e.handle(from(&format!("w{n}"), n), NOON);
    }
    e.handle(from("x", 1490), NOON);
    let told: Vec<u64> = e
        .take_batch()
        .changes
        .iter()
        .filter(|c| c.conversation == id("x"))
        .map(|c| if c.fact == FactId::of_event("x-1490") { 1490 } else { 1500 })
        .collect();
    assert_eq!(told, [1490, 1500]);
}

#[test]
fn a_restart_does_not_make_gaps_of_what_was_told() {
    let mut e = engine();
    listening(&mut e);
    for n in 1..=40 {
        e.handle(from(&format!("w{}", n % 10), n), NOON);
    }
    assert_eq!(e.held_count(), 0);
    let resident: Vec<_> = (0..5).map(|n| e.lay_down(&id(&format!("w{n}"))).unwrap()).collect();
    let mut b = engine();
    listening(&mut b);
    resident.iter().for_each(|s| b.restore(s, NOON));
    for n in 41..=60 {
        b.handle(from(&format!("w{}", n % 5), n), NOON);
    }
    b.handle_timeout(NOON + 6 * SECOND);
    assert_eq!(b.completeness(NOON + 7 * SECOND), Completeness::Complete, "nothing is missing");
}

#[test]
fn of_two_events_with_one_id_one_stands_whole_whichever_came_first() {
    let one = event("k", What::Joined, "a", "connected", "agent", 1_000);
    let two = event("k", What::Left, "b", "alerting", "customer", 2_000);
    for pair in [[one.clone(), two.clone()], [two, one]] {
        let mut engine = engine();
        pair.into_iter().for_each(|fact| engine.handle(deliver(Source::Events, vec![fact]), NOON));
        let shown = engine.show(&id("call"), NOON).unwrap().conversation();
        assert_eq!(shown.participants.len(), 1);
        assert_eq!((shown.participants[0].id.clone(), shown.participants[0].active), (id("a"), true));
        assert_eq!(engine.activity().counts.iter().sum::<u64>(), 1);
    }
}

#[test]
fn a_full_conversation_can_still_end_and_says_that_it_lacks_facts() {
    let mut engine = Engine::new(Limits { conversation_facts_max: 100, ..Limits::default() }, 1, 0);
    engine.handle_feed(note(0, NOON, FeedEvent::Named { name: "events".into(), resends: true }));
    engine.handle_feed(note(0, NOON, FeedEvent::Listening));
    for n in 0..150 {
        let fact = event(&n.to_string(), What::State, "p", "connected", "agent", n);
        engine.handle(deliver(Source::Events, vec![fact]), NOON);
    }
    assert_eq!(engine.take_batch().tally.overfull, 50);
    assert_eq!(engine.completeness(NOON + 120 * SECOND), Completeness::Partial);
    engine.handle(deliver(Source::Events, vec![event("end", What::LifeCycle, "", "ended", "", 9_000)]), NOON);
    assert_eq!(engine.active_count(), 0);
    assert!(!engine.show(&id("call"), NOON).unwrap().conversation().participants[0].active);
}

#[test]
fn a_busy_conversation_is_the_same_whether_folded_at_once_or_along_the_way() {
    let facts: Vec<Fact> = (0..300i64)
        .map(|n| {
            let (what, state) =
                [(What::Joined, "connected"), (What::Role, "connected"), (What::Left, "disconnected")]
                    [n as usize % 3];
            event(
                &n.to_string(),
                what,
                ["p", "q", "r"][n as usize / 3 % 3],
                state,
                ["agent", "coach"][n as usize % 2],
                n * 1_000,
            )
        })
        .collect();
    let mut along = engine();
    facts.iter().for_each(|f| along.handle(deliver(Source::Events, vec![f.clone()]), NOON));
    let mut at_once = engine();
    at_once.handle(deliver(Source::Events, facts.iter().rev().cloned().collect()), NOON);
    assert_eq!(essence(&along), essence(&at_once));
}

/// A frame or a read of a leg that has been on hold since an instant, or is not.
fn on_hold(source: Source, since: Option<i64>, at: i64) -> Delivery {
    Delivery {
        toggles: vec![held("a", "l", since)],
        received: NOON + at * 1_000_000,
        ..deliver(source, vec![there("a", Some("l"), ""), leg("a", "l", "connected", Some(0))])
    }
}

fn is_held(engine: &Engine) -> bool {
    engine.show(&id("call"), NOON).unwrap().conversation().participants[0].held
}

#[test]
fn a_hold_told_to_be_over_by_a_frame_out_of_place_lasts_until_it_ends() {
    let mut engine = engine();
    engine.handle(on_hold(Source::Snapshot, Some(1_000), 1_100), NOON);
    engine.handle(on_hold(Source::Snapshot, Some(3_000), 3_100), NOON);
    engine.handle(on_hold(Source::Snapshot, None, 3_200), NOON);
    assert!(is_held(&engine), "what may be the end of the first hold says nothing of the second");
    engine.handle(on_hold(Source::Snapshot, None, 14_000), NOON);
    assert!(!is_held(&engine), "the end of the first hold came very late");
    engine.handle(on_hold(Source::Rest, Some(3_000), 16_200), NOON);
    assert!(is_held(&engine), "the platform says that the second one lasts");
    engine.handle(on_hold(Source::Snapshot, None, 19_000), NOON);
    assert!(!is_held(&engine), "now it is over");
}

#[test]
fn a_read_that_was_overtaken_does_not_put_a_leg_on_hold_for_good() {
    let mut engine = engine();
    engine.handle(on_hold(Source::Snapshot, Some(1_000), 1_100), NOON);
    engine.handle(on_hold(Source::Snapshot, None, 15_000), NOON);
    engine.handle(on_hold(Source::Rest, Some(1_000), 15_200), NOON);
    assert!(is_held(&engine), "the platform said so when it was asked");
    let mut over = Fact::new(What::Held);
    (over.participant, over.communication) = (Id::new("a").ok(), Id::new("l").ok());
    (over.since, over.at, over.authority) = (Some(ms(1_000)), Some(ms(14_900)), Authority::Recorded);
    let mut read = on_hold(Source::Rest, None, 16_000);
    read.facts.push(over.identified());
    engine.handle(read, NOON);
    assert!(!is_held(&engine), "the hold has an end");
}

#[test]
fn the_end_of_a_hold_asks_for_a_read_also_where_our_clock_is_behind() {
    let mut engine = engine();
    engine.handle(on_hold(Source::Snapshot, Some(20_000), 10_100), NOON);
    engine.handle(on_hold(Source::Snapshot, None, 15_000), NOON);
    assert_eq!(engine.take_batch().wishes, [(id("call"), "toggle_order")]);
}

#[test]
fn a_parking_that_is_over_without_a_time_asks_for_a_read() {
    let over = Fact { since: Some(ms(2_000)), ..leg("a", "l", "connected", None) };
    let frame = |source| {
        let facts = vec![there("a", Some("l"), ""), leg("a", "l", "parked", Some(2_000)), over.clone()];
        deliver(source, facts)
    };
    let mut engine = engine();
    engine.handle(frame(Source::Rest), NOON);
    assert_eq!(engine.take_batch().wishes, [], "the platform was asked, and there is no time to be had");
    engine.handle(Delivery { conversation: id("other"), ..frame(Source::Snapshot) }, NOON);
    engine.handle(Delivery { conversation: id("other"), ..frame(Source::Snapshot) }, NOON);
    assert_eq!(engine.take_batch().wishes, [(id("other"), "resume_time")]);
}

#[test]
fn nobody_is_on_a_conversation_that_has_ended() {
    let mut e = engine();
    let mut over = Fact::new(What::LifeCycle);
    (over.state, over.at, over.authority) = (Word::new("ended"), Some(ms(1_000)), Authority::Recorded);
    e.handle(deliver(Source::Events, vec![over.identified()]), NOON);
    let behind = event("2", What::Joined, "p", "alerting", "agent", 1_080);
    e.handle(deliver(Source::Events, vec![behind]), NOON);
    let shown = e.show(&id("call"), NOON).unwrap();
    assert!(!shown.conversation().participants[0].active, "its join stands 80 ms behind the end of all");
    assert!(shown.spells().iter().all(|spell| spell.to.is_some()), "no spell lasts for ever");
}

#[test]
fn a_repair_is_asked_for_what_a_restart_released() {
    let mut e = engine();
    e.handle(from("call", 1), NOON);
    e.handle(from("call", 3), NOON);
    let admitted = e.take_batch().admitted;
    let mut back = engine();
    admitted.into_iter().for_each(|fact| back.replay(fact, NOON));
    back.replayed(false, NOON);
    back.release_unreleased(NOON);
    assert_eq!(back.take_batch().wishes, [(id("call"), "missing_dots")]);
}

#[test]
fn what_has_no_time_moves_nothing_that_has_one() {
    let mut e = engine();
    let facts = vec![
        there("a", None, "agent"),
        there("a", Some("l"), ""),
        leg("a", "l", "alerting", None),
        leg("a", "l", "connected", Some(10)),
    ];
    e.handle(deliver(Source::Snapshot, facts), NOON);
    let timeline = e.show(&id("call"), NOON).unwrap().timeline();
    assert_eq!(timeline.last().map(|entry| (entry.kind, entry.effective_at)), Some(("state", ms(10))));
}

#[test]
fn who_leaves_by_a_clock_that_lags_leaves_after_the_last_leg_ended() {
    let mut e = engine();
    let mut left = Fact::new(What::Left);
    (left.participant, left.at, left.authority) = (Id::new("a").ok(), Some(ms(985)), Authority::Recorded);
    let facts = vec![
        left.identified(),
        leg("a", "l", "connected", Some(1_000)),
        leg("a", "l", "terminated", Some(985)),
    ];
    e.handle(deliver(Source::Snapshot, facts), NOON);
    let kinds: Vec<_> =
        e.show(&id("call"), NOON).unwrap().timeline().iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, ["state", "state", "left"]);
}

#[test]
fn a_hold_that_comes_after_the_end_is_history() {
    let mut e = engine();
    e.handle(
        deliver(
            Source::Snapshot,
            vec![leg("a", "l", "connected", Some(0)), leg("a", "l", "terminated", Some(9_000))],
        ),
        NOON,
    );
    let mut late = deliver(Source::Snapshot, vec![leg("a", "l", "connected", Some(0))]);
    late.toggles = vec![held("a", "l", Some(5_000))];
    e.handle(late.clone(), NOON);
    e.handle(late, NOON);
    let shown = e.show(&id("call"), NOON).unwrap();
    let spells: Vec<_> = shown.spells().iter().map(|s| (s.held, s.from, s.to)).collect();
    assert_eq!(spells, [(false, ms(0), Some(ms(5_000))), (true, ms(5_000), Some(ms(9_000)))]);
    let wishes = e.take_batch().wishes;
    assert_eq!(wishes, [(id("call"), "toggle_order")], "when it was over came by unread");
}

#[test]
fn mutes_follow_one_another_when_our_clock_is_set_back() {
    let mut engine = engine();
    let frame = |on: bool, at: i64| {
        let mut toggle = held("a", "l", None);
        (toggle.what, toggle.on) = (What::Muted, on);
        Delivery {
            toggles: vec![toggle],
            received: NOON + at * 1_000_000,
            ..deliver(Source::Rest, vec![there("a", Some("l"), ""), leg("a", "l", "connected", Some(0))])
        }
    };
    engine.handle(frame(true, 10_000), NOON);
    engine.handle(frame(false, 11_000), NOON);
    for (n, on) in [true, false, true, false, true, false].into_iter().enumerate() {
        engine.handle(frame(on, 2_000 + 1_000 * n as i64), NOON);
        let muted = engine.show(&id("call"), NOON).unwrap().conversation().participants[0].muted;
        assert_eq!(muted, on, "the change number {n} after the step");
    }
}

#[test]
fn a_copy_that_its_conversation_has_no_names_for_takes_nothing_out_of_its_minute() {
    let mut engine = engine();
    let mut cells = 0;
    for n in 0..1_100 {
        let mut copy = event("1", What::State, "p", &format!("state-{n}"), "", 0);
        copy.at = Some(Time::from_nanos(NOON + 1_000_000 - n));
        engine.handle(deliver(Source::Events, vec![stamped(copy, "a", &[("a", 1)])]), NOON);
        let batch = engine.take_batch();
        cells += batch.cells.iter().map(|(_, difference)| difference).sum::<i64>();
        engine.reuse(batch);
    }
    assert_eq!(cells, 1);
}

#[test]
fn a_clock_stands_behind_what_it_has_seen_however_far_it_counts() {
    let far = 1 << 63;
    let at = |name: &str, at: i64| event(name, What::Role, "p", "", "agent", at);
    for name in ["y1", "y2", "y3", "y4"] {
        let mut engine = engine();
        let x = stamped(at("x", 100), "a", &[("a", far), ("b", far)]);
        let y = stamped(at(name, 50), "a", &[("a", far + 1), ("b", far)]);
        let (first, second) = (x.id, y.id);
        engine.handle(deliver(Source::Events, vec![x, y]), NOON);
        engine.release_all(NOON);
        let stand: Vec<FactId> =
            engine.lay_down(&id("call")).unwrap().facts.iter().map(|(f, _)| f.id).collect();
        assert_eq!(stand, [first, second], "{name}");
    }
}
