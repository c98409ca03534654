//! The ledger by the interval: what was known of each moment, and what is missing by name.

use crate::world::*;
use engine::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const DAY: i64 = 86_400 * SECOND;

pub fn note(feed: u16, at: i64, event: FeedEvent) -> FeedNote {
    FeedNote { feed, at, event }
}

pub fn named(name: &str, resends: bool) -> FeedEvent {
    FeedEvent::Named { name: name.to_owned(), resends }
}

fn lost(last_heard: i64) -> FeedEvent {
    FeedEvent::Lost { reason: "cut".to_owned(), last_heard }
}

/// A queue is not heard since then, or everything is heard again.
pub fn limited(since: Option<i64>) -> FeedEvent {
    FeedEvent::Limited { limit: since.map(|since| Limit { reason: "queue q".to_owned(), since }) }
}

fn refused(reason: &str) -> FeedEvent {
    FeedEvent::Refused { reason: reason.to_owned(), conversation: None }
}

/// The intervals of the first feed, in seconds after noon.
fn told(engine: &Engine, from: i64, to: i64) -> Vec<(i64, i64, Completeness, Option<String>)> {
    let range = engine.range(NOON + from * SECOND, NOON + to * SECOND, NOON + DAY);
    let list = range.feeds.into_iter().next().unwrap().intervals;
    let seconds = |at: i64| (at - NOON).div_euclid(SECOND);
    list.into_iter().map(|i| (seconds(i.from), seconds(i.to), i.completeness, i.reason)).collect()
}

fn said(reason: &str) -> Option<String> {
    Some(reason.to_owned())
}

#[test]
fn a_range_is_told_from_before_anybody_listened_to_now() {
    use Completeness::*;
    let mut engine = engine();
    let at = |s: i64| NOON + s * SECOND;
    engine.handle_feed(note(0, at(0), named("f", false)));
    assert_eq!(told(&engine, -9, 9), [(-9, 9, Unknown, said("nobody listened yet"))]);
    engine.handle_feed(note(0, at(10), FeedEvent::Listening));
    engine.handle_feed(note(0, at(30), lost(at(20))));
    engine.handle_feed(note(0, at(40), FeedEvent::Listening));
    engine.handle_feed(note(0, at(45), FeedEvent::Repaired));
    engine.handle_feed(note(0, at(60), lost(at(50))));
    let expected = [
        (-9, 10, Unknown, said("nobody listened yet")),
        (10, 20, Complete, None),
        (20, 40, Repaired, said("cut")),
        (40, 50, Complete, None),
        (50, 90, Unknown, said("cut")),
    ];
    assert_eq!(told(&engine, -9, 90), expected);
    assert_eq!(told(&engine, 42, 43), [(42, 43, Complete, None)]);
    assert_eq!(told(&engine, 10, 45)[2], (40, 45, Complete, None));
    let range = engine.range(at(0), at(900), at(100));
    assert_eq!((range.to, range.completeness), (at(100), Unknown), "nothing is claimed of the future");
    assert_eq!((range.feeds[0].connected, range.feeds[0].truncated), (false, false));
}

#[test]
fn the_day_is_spoken_of_from_when_somebody_listened() {
    let mut engine = engine();
    assert_eq!((engine.complete_from(NOON), engine.completeness(NOON)), (None, Completeness::Unknown));
    engine.handle_feed(note(0, NOON, named("f", false)));
    engine.handle_feed(note(0, NOON, FeedEvent::Listening));
    assert_eq!(engine.completeness(NOON + 9), Completeness::Complete);
    assert_eq!(engine.complete_from(NOON + 9), Some(NOON));
    assert_eq!(engine.complete_from(NOON + 2 * DAY), Some(NOON + DAY));
    assert_eq!(engine.range(NOON - 1, NOON + 9, NOON + 9).completeness, Completeness::Unknown);
}

#[test]
fn what_began_before_anybody_listened_is_known_when_it_was_read() {
    let completeness = |repaired: bool| {
        let mut engine = engine();
        engine.handle_feed(note(0, NOON, named("f", false)));
        engine.handle_feed(note(0, NOON + 10 * SECOND, FeedEvent::Listening));
        let joined = event("1", What::Joined, "p", "connected", "agent", 0);
        engine.handle(deliver(Source::Rest, vec![joined]), NOON + 11 * SECOND);
        if repaired {
            engine.handle_feed(note(0, NOON + 12 * SECOND, FeedEvent::Repaired));
        }
        engine.show(&id("call"), NOON + 20 * SECOND).unwrap().completeness()
    };
    assert_eq!((completeness(false), completeness(true)), (Completeness::Unknown, Completeness::Repaired));
}

#[test]
fn refused_frames_are_partial_moments_that_extend() {
    use Completeness::*;
    let mut engine = engine();
    let at = |s: i64| NOON + s * SECOND;
    engine.handle_feed(note(0, at(0), named("f", false)));
    engine.handle_feed(note(0, at(0), refused("too_large")));
    engine.handle_feed(note(0, at(0), FeedEvent::Listening));
    for s in [10, 20, 30] {
        engine.handle_feed(note(0, at(s), refused("too_large")));
        engine.handle_feed(note(0, at(s), refused("not_json")));
    }
    engine.handle_feed(note(0, at(500), refused("not_json")));
    let large = "frames were refused: too_large";
    let list = told(&engine, 0, 600);
    assert_eq!(list[0], (0, 10, Complete, None));
    assert!(list.iter().any(|i| i.2 == Partial && i.3.as_deref() == Some(large)));
    let complete: Vec<_> = list.iter().filter(|i| i.2 == Complete).map(|i| (i.0, i.1)).collect();
    assert_eq!(complete, [(0, 10), (30, 500), (500, 600)]);
    engine.handle_feed(note(0, at(600), FeedEvent::Repaired));
    assert_eq!(engine.completeness(at(601)), Partial, "a read does not tell what a frame said");
}

#[test]
fn a_flood_of_refusals_is_a_few_holes() {
    let mut engine = engine();
    engine.handle_feed(note(0, NOON, named("f", false)));
    engine.handle_feed(note(0, NOON, FeedEvent::Listening));
    for n in 0..10_000 {
        engine.handle_feed(note(0, NOON + n, refused(["too_large", "not_json", "bad_id"][n as usize % 3])));
    }
    let names: std::collections::BTreeSet<i64> =
        engine.take_batch().ledger.iter().map(|row| row.from).collect();
    assert_eq!(names.len(), 4, "the status and one hole for each reason");
}

#[test]
fn missing_dots_are_named_until_they_come() {
    let mut engine = engine();
    let dot = |name: &str, n: u64| {
        stamped(event(name, What::Role, "p", "connected", "agent", 0), "use1", &[("use1", n)])
    };
    let view = |engine: &Engine| engine.show(&id("call"), NOON).unwrap().conversation();
    for (name, n) in [("1", 1), ("4", 4), ("9", 9)] {
        engine.handle(deliver(Source::Events, vec![dot(name, n)]), NOON);
    }
    assert_eq!(view(&engine).missing, Missing::default(), "they may be on their way");
    engine.handle_timeout(NOON + 6 * SECOND);
    let missing = view(&engine).missing;
    let named: Vec<_> = missing.dots.iter().map(|d| (d.region.as_str(), d.from, d.to)).collect();
    assert_eq!((named, missing.dots_count), (vec![("use1", 2, 3), ("use1", 5, 8)], 6));
    let range = engine.range(NOON, NOON + 9, NOON + 9);
    assert_eq!((range.lacking, &range.lacks), (1, &vec![(id("call"), missing)]));
    for n in [2, 3, 5, 6, 7, 8] {
        engine.handle(deliver(Source::Events, vec![dot(&n.to_string(), n)]), NOON);
    }
    assert_eq!(view(&engine).missing, Missing::default());
    assert_eq!(engine.range(NOON, NOON + 9, NOON + 9).lacking, 0);
}

#[test]
fn what_is_named_is_bounded_and_what_is_counted_is_not() {
    let mut engine = engine();
    let dot = |n: u64| stamped(event(&n.to_string(), What::Role, "p", "connected", "", 0), "a", &[("a", n)]);
    for n in 1..=40 {
        engine.handle(deliver(Source::Events, vec![dot(n * 2)]), NOON);
    }
    engine.handle(deliver(Source::Events, vec![dot(u64::MAX)]), NOON);
    engine.handle_timeout(NOON + 6 * SECOND);
    let missing = engine.show(&id("call"), NOON).unwrap().conversation().missing;
    assert_eq!((missing.dots.len(), missing.dots_count), (16, u64::MAX - 41));
}

#[test]
fn conversations_that_had_facts_dropped_are_counted_until_they_are_read() {
    let mut engine = engine();
    engine.handle_feed(note(0, NOON, named("f", false)));
    engine.handle_feed(note(0, NOON, FeedEvent::Listening));
    for n in 0..50 {
        let mut joined = deliver(Source::Snapshot, vec![there("p", None, "agent")]);
        joined.conversation = id(&format!("c{n:02}"));
        engine.handle(joined, NOON);
        engine.handle_dropped(0, &id(&format!("c{n:02}")), dropped(3, NOON));
    }
    let range = engine.range(NOON, NOON + 9, NOON + 9);
    assert_eq!((range.lacking, range.lacks.len(), range.lacks[0].1.dropped), (50, 20, 3));
    let mut read = deliver(Source::Rest, vec![there("p", None, "agent")]);
    read.conversation = id("c00");
    engine.handle(read, NOON);
    let range = engine.range(NOON, NOON + 9, NOON + 9);
    assert_eq!((range.lacking, range.lacks[0].0.to_string().as_str()), (49, "c01"));
}

#[test]
fn what_was_dropped_for_minutes_is_partial_for_minutes() {
    let mut engine = engine();
    engine.handle_feed(note(0, NOON, named("f", false)));
    engine.handle_feed(note(0, NOON, FeedEvent::Listening));
    let dropped = Dropped { facts: 9, since: NOON + 60 * SECOND, until: NOON + 600 * SECOND };
    engine.handle_dropped(0, &id("call"), dropped);
    let now = NOON + 700 * SECOND;
    let worst = |from: i64, to: i64| engine.range(NOON + from * SECOND, NOON + to * SECOND, now).completeness;
    assert_eq!(worst(0, 59), Completeness::Complete);
    assert_eq!([worst(61, 70), worst(300, 301), worst(590, 599)], [Completeness::Partial; 3]);
    assert_eq!(worst(601, 699), Completeness::Complete);
}

#[test]
fn what_was_dropped_just_before_a_feed_was_lost_is_missing_for_good() {
    let mut engine = engine();
    engine.handle_feed(note(0, NOON, named("f", false)));
    engine.handle_feed(note(0, NOON, FeedEvent::Listening));
    engine.handle_feed(note(0, NOON + 20 * SECOND, lost(NOON + 10 * SECOND)));
    engine.handle_dropped(0, &id("call"), dropped(1, NOON + 5 * SECOND));
    engine.handle_feed(note(0, NOON + 30 * SECOND, FeedEvent::Listening));
    engine.handle_feed(note(0, NOON + 31 * SECOND, FeedEvent::Repaired));
    let worst = |from: i64, to: i64| {
        engine.range(NOON + from * SECOND, NOON + to * SECOND, NOON + 40 * SECOND).completeness
    };
    assert_eq!(
        [worst(1, 4), worst(6, 9), worst(11, 29)],
        [Completeness::Complete, Completeness::Partial, Completeness::Repaired]
    );
}

#[test]
fn a_crash_forgets_no_fact_that_was_dropped() {
    let mut before = engine();
    before.handle(deliver(Source::Snapshot, vec![there("p", None, "agent")]), NOON);
    before.take_batch();
    before.handle_dropped(0, &id("call"), dropped(3, NOON));
    let stored = before.take_batch().laid_down;
    let mut after = engine();
    after.restore(&stored[0], NOON);
    assert_eq!(after.show(&id("call"), NOON).unwrap().conversation().missing.dropped, 3);
}

#[test]
fn a_feed_that_is_down_is_unknown_also_when_our_clock_is_set_back() {
    let hour = 3_600 * SECOND;
    let mut engine = engine();
    engine.handle_feed(note(0, NOON, named("f", true)));
    engine.handle_feed(note(0, NOON, FeedEvent::Listening));
    engine.handle_feed(note(0, NOON + hour, lost(NOON + hour)));
    engine.clock_set_back(NOON + hour, NOON + SECOND);
    assert_eq!(engine.completeness(NOON + 2 * SECOND), Completeness::Unknown);
    engine.handle_feed(note(0, NOON + 300 * SECOND, FeedEvent::Listening));
    let worst = |from: i64| {
        engine.range(NOON + from * SECOND, NOON + (from + 1) * SECOND, NOON + 900 * SECOND).completeness
    };
    assert_eq!([worst(2), worst(298)], [Completeness::Unknown; 2]);
    assert_eq!(
        worst(400),
        Completeness::Unknown,
        "what stands in a time since it first came may lack what was missed when it came again"
    );
}

#[test]
fn a_restart_with_a_clock_that_was_set_back_claims_nothing_of_the_time_between() {
    let hour = 3_600 * SECOND;
    let mut before = engine();
    before.handle_feed(note(0, NOON + hour, named("f", true)));
    before.handle_feed(note(0, NOON + hour, FeedEvent::Listening));
    let rows = before.take_batch().ledger;
    let mut after = engine();
    rows.into_iter().for_each(|row| after.restore_ledger(row));
    after.resumed(0, NOON + hour + SECOND, NOON + 600 * SECOND);
    after.handle_feed(note(0, NOON + 700 * SECOND, FeedEvent::Listening));
    assert_eq!(after.completeness(NOON + 701 * SECOND), Completeness::Unknown);
    let range = after.range(NOON + 620 * SECOND, NOON + 690 * SECOND, NOON + 701 * SECOND);
    assert_eq!(range.completeness, Completeness::Unknown);
    after.handle_feed(note(0, NOON + 702 * SECOND, FeedEvent::Repaired));
    assert_eq!(
        after.completeness(NOON + 703 * SECOND),
        Completeness::Partial,
        "how long it was down, nobody knows"
    );
}

#[test]
fn what_was_dropped_stays_missing_when_old_holes_are_merged() {
    let mut engine = engine();
    engine.handle_feed(note(0, NOON, named("f", false)));
    engine.handle_feed(note(0, NOON, FeedEvent::Listening));
    engine.handle_dropped(0, &id("call"), dropped(1, NOON + SECOND));
    for n in 1..5_000 {
        engine.handle_feed(note(0, NOON + 10 * n * SECOND, lost(NOON + 10 * n * SECOND)));
        engine.handle_feed(note(0, NOON + (10 * n + 1) * SECOND, FeedEvent::Listening));
    }
    engine.handle_feed(note(0, NOON + 60_000 * SECOND, FeedEvent::Repaired));
    let range = engine.range(NOON, NOON + 2 * SECOND, NOON + 60_000 * SECOND);
    assert_eq!(range.completeness, Completeness::Partial);
}

#[test]
fn a_round_after_a_restart_repairs_no_hole_that_it_does_not_look_back_to() {
    let mut before = engine();
    before.handle_feed(note(0, NOON, named("f", false)));
    before.handle_feed(note(0, NOON, FeedEvent::Listening));
    for (down, up) in [(100, 50_000), (80_000, 90_000)] {
        before.handle_feed(note(0, NOON + down * SECOND, lost(NOON + down * SECOND)));
        before.handle_feed(note(0, NOON + up * SECOND, FeedEvent::Listening));
    }
    // The newest row of each hole, as it is stored.
    let rows: BTreeMap<i64, LedgerRow> =
        before.take_batch().ledger.into_iter().map(|row| (row.from, row)).collect();
    let mut after = engine();
    rows.into_values().for_each(|row| after.restore_ledger(row));
    let now = NOON + 90_200 * SECOND;
    after.resumed(0, now, now);
    assert_eq!(after.look_back_to(now), NOON + 80_000 * SECOND);
    after.handle_feed(note(0, now, FeedEvent::Listening));
    after.handle_feed(note(0, now + SECOND, FeedEvent::Repaired));
    let worst =
        |at: i64| after.range(NOON + at * SECOND, NOON + (at + 1) * SECOND, now + 2 * SECOND).completeness;
    assert_eq!([worst(150), worst(85_000)], [Completeness::Unknown, Completeness::Repaired]);
}

/// What may become of a feed, and how many seconds later.
fn happenings() -> impl Strategy<Value = Vec<(u8, i64)>> {
    prop::collection::vec((0..7u8, 0..90i64), 1..60)
}

/// Plays it: the engine, and the instants at which something was truly missed and never made good, with all rows stored.
fn play(happened: &[(u8, i64)]) -> (Engine, Vec<i64>, Vec<LedgerRow>, i64) {
    let mut engine = engine();
    engine.handle_feed(note(0, NOON, named("f", false)));
    let (mut now, mut heard, mut listens) = (NOON, NOON, false);
    let (mut missed, mut rows) = (vec![NOON - 1], Vec::new());
    for (what, after) in happened {
        now += after * SECOND;
        if listens {
            heard = heard.max(now - SECOND);
        } else if *after > 0 {
            missed.push(now - 1);
        }
        match what {
            0 | 1 => {
                listens = true;
                engine.handle_feed(note(0, now, FeedEvent::Listening));
            }
            2 => {
                if std::mem::take(&mut listens) && heard < now {
                    missed.push(now - 1);
                }
                engine.handle_feed(note(0, now, lost(heard.min(now))));
            }
            3 => engine.handle_feed(note(0, now, refused("too_large"))),
            4 => engine.handle_dropped(0, &id("call"), dropped(1, now)),
            5 => engine.handle_feed(note(0, now, limited(Some(now)))),
            _ => engine.handle_feed(note(0, now, limited(None))),
        }
        if matches!(what, 3 | 4) && listens {
            missed.push(now);
        }
        rows.extend(engine.take_batch().ledger);
    }
    (engine, missed, rows, now + SECOND)
}

/// A life that lost records of the one before.
fn damaged(rows: &[LedgerRow], ledger_too: bool, at: i64) -> Engine {
    let stored: std::collections::BTreeMap<i64, &LedgerRow> =
        rows.iter().map(|row| (row.from, row)).collect();
    let mut after = engine();
    stored.into_values().for_each(|row| after.restore_ledger(row.clone()));
    if ledger_too {
        after.lose_ledger_rows();
    }
    after.replayed(true, at);
    after.resumed(0, at, at);
    after
}

#[test]
fn records_that_cannot_be_read_leave_nothing_before_them_complete() {
    for (listened, ledger_too, should) in [
        (true, false, Completeness::Partial),
        (false, false, Completeness::Partial),
        (true, true, Completeness::Unknown),
    ] {
        let mut engine = engine();
        engine.handle_feed(note(0, NOON, named("f", false)));
        engine.handle_feed(note(0, NOON, FeedEvent::Listening));
        if !listened {
            engine.handle_feed(note(0, NOON + 500 * SECOND, lost(NOON + 500 * SECOND)));
        }
        let worst = |engine: &Engine, from: i64, to: i64| {
            engine.range(NOON + from * SECOND, NOON + to * SECOND, NOON + 9_000 * SECOND).completeness
        };
        assert_eq!(worst(&engine, 1, 400), Completeness::Complete);
        let mut rows = engine.take_batch().ledger;
        for start in [1_000, 3_000] {
            let mut after = damaged(&rows, ledger_too, NOON + start * SECOND);
            assert_eq!(worst(&after, 1, 400), should);
            let again = NOON + (start + 500) * SECOND;
            after.handle_feed(note(0, again, named("f", false)));
            after.handle_feed(note(0, again, FeedEvent::Listening));
            assert_eq!(
                worst(&after, start + 600, start + 700),
                Completeness::Complete,
                "what comes is heard"
            );
            rows.extend(after.take_batch().ledger);
            let wide = rows.iter().filter(|row| row.reason == RECORDS_LOST).map(|row| row.from);
            let wide: std::collections::BTreeSet<i64> = wide.collect();
            assert_eq!(wide.len(), 1, "one hole, however often it starts");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_complete_interval_has_no_hole(happened in happenings(), from in -90..3_000i64, length in 1..3_000i64) {
        let (engine, missed, _, now) = play(&happened);
        for (from, to) in [(NOON - 90 * SECOND, now), (NOON + from * SECOND, NOON + (from + length) * SECOND)] {
            let range = engine.range(from, to, now);
            for feed in &range.feeds {
                prop_assert_eq!(check_intervals(&feed.intervals, range.from, range.to, &missed), Ok(()));
                let worst = feed.intervals.iter().map(|i| i.completeness).max();
                prop_assert_eq!(worst.unwrap_or_default(), feed.completeness);
            }
        }
    }

    #[test]
    fn a_restart_forgets_no_hole(happened in happenings()) {
        let (before, missed, rows, now) = play(&happened);
        let mut stored: std::collections::BTreeMap<i64, LedgerRow> = Default::default();
        rows.into_iter().for_each(|row| drop(stored.insert(row.from, row)));
        let mut after = engine();
        stored.into_values().for_each(|row| after.restore_ledger(row));
        after.resumed(0, now, now);
        after.handle_feed(note(0, now, named("f", false)));
        let list = |engine: &Engine| engine.range(NOON - DAY, now, now).feeds.pop().unwrap().intervals;
        prop_assert_eq!(check_intervals(&list(&after), NOON - DAY, now, &missed), Ok(()));
        // A restart knows no more: of a feed that listened, it knows less of the last minute.
        for interval in list(&before) {
            let (from, to) = (interval.from, interval.to);
            prop_assert!(after.range(from, to, now).completeness >= interval.completeness, "{interval:?}");
        }
    }
}
