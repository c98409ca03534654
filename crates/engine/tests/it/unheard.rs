//! What a feed does not hear although it should, and frames that were refused: holes that a read closes.

use crate::ledger::{limited, named, note};
use crate::world::*;
use engine::*;
use std::collections::BTreeMap;

#[test]
fn what_was_not_heard_for_a_while_is_repaired_by_a_round_that_looks_back_to_it() {
    let mut engine = engine();
    let worst = |engine: &Engine, from: i64, to: i64| {
        engine.range(NOON + from * SECOND, NOON + to * SECOND, NOON + 900 * SECOND).completeness
    };
    engine.handle_feed(note(0, NOON, named("f", false)));
    engine.handle_feed(note(0, NOON, FeedEvent::Listening));
    // At 300 a queue is found that may have been there since 100.
    engine.handle_feed(note(0, NOON + 300 * SECOND, limited(Some(NOON + 100 * SECOND))));
    engine.handle_feed(note(0, NOON + 301 * SECOND, FeedEvent::Repaired));
    assert_eq!(worst(&engine, 100, 302), Completeness::Partial, "it is not heard yet");
    engine.handle_feed(note(0, NOON + 310 * SECOND, limited(None)));
    assert_eq!(worst(&engine, 100, 302), Completeness::Partial, "and what was missed is not read");
    engine.handle_feed(note(0, NOON + 320 * SECOND, FeedEvent::Repaired));
    let parts = [worst(&engine, 1, 99), worst(&engine, 100, 310), worst(&engine, 311, 900)];
    assert_eq!(parts, [Completeness::Complete, Completeness::Repaired, Completeness::Complete]);
}

#[test]
fn an_earlier_beginning_of_what_is_not_heard_counts_and_a_restart_knows_it() {
    let mut engine = engine();
    engine.handle_feed(note(0, NOON, named("f", false)));
    engine.handle_feed(note(0, NOON, FeedEvent::Listening));
    engine.handle_feed(note(0, NOON + 500 * SECOND, limited(Some(NOON + 400 * SECOND))));
    engine.handle_feed(note(0, NOON + 600 * SECOND, limited(Some(NOON + 200 * SECOND))));
    let rows: BTreeMap<i64, LedgerRow> =
        engine.take_batch().ledger.into_iter().map(|row| (row.from, row)).collect();
    let mut after = crate::world::engine();
    rows.into_values().for_each(|row| after.restore_ledger(row));
    let now = NOON + 7_000 * SECOND;
    after.resumed(0, now, now);
    assert_eq!(after.look_back_to(now), NOON + 200 * SECOND);
    for engine in [&engine, &after] {
        let range = engine.range(NOON + 200 * SECOND, NOON + 6_000 * SECOND, now);
        assert_eq!(range.completeness, Completeness::Partial);
        assert_eq!(engine.range(NOON, NOON + 199 * SECOND, now).completeness, Completeness::Complete);
    }
}

#[test]
fn a_refused_frame_of_a_known_conversation_is_that_ones_alone_until_it_is_read() {
    let mut engine = engine();
    engine.handle_feed(note(0, NOON - 90 * SECOND, named("f", false)));
    engine.handle_feed(note(0, NOON - 90 * SECOND, FeedEvent::Listening));
    let fact = |name: &str| event(name, What::Joined, "p", "connected", "agent", 0);
    engine.handle(deliver(Source::Snapshot, vec![fact("1")]), NOON);
    engine.take_batch();
    let refused =
        |of: &str| FeedEvent::Refused { reason: "future_time".to_owned(), conversation: Some(id(of)) };
    let now = NOON + 70 * SECOND;
    engine.handle_feed(note(0, now, refused("call")));
    assert_eq!(engine.take_batch().wishes, [(id("call"), "refused")]);
    let worst = |engine: &Engine| engine.range(NOON, now + SECOND, now + 2 * SECOND).completeness;
    let own = |engine: &Engine| engine.show(&id("call"), now).unwrap().completeness();
    assert_eq!((worst(&engine), own(&engine)), (Completeness::Complete, Completeness::Partial));
    engine.handle(deliver(Source::Rest, vec![fact("2")]), now);
    assert_eq!(own(&engine), Completeness::Complete, "it was read");
    engine.take_batch();
    engine.handle_feed(note(0, now, refused("stranger")));
    assert_eq!(engine.take_batch().wishes, [(id("stranger"), "refused")], "it is read all the same");
    assert_eq!(worst(&engine), Completeness::Partial, "and until then nobody knows what it is");
}

#[test]
fn a_refused_frame_that_nothing_can_read_again_is_missing_from_all_counts_too() {
    let mut engine = engine();
    engine.handle_feed(note(0, NOON - 90 * SECOND, named("f", true)));
    engine.handle_feed(note(0, NOON - 90 * SECOND, FeedEvent::Listening));
    let fact = event("1", What::Joined, "p", "connected", "agent", 0);
    engine.handle(deliver(Source::Snapshot, vec![fact]), NOON);
    let now = NOON + 70 * SECOND;
    let refused = FeedEvent::Refused { reason: "future_time".to_owned(), conversation: Some(id("call")) };
    engine.handle_feed(note(0, now, refused));
    assert_eq!(engine.show(&id("call"), now).unwrap().completeness(), Completeness::Partial);
    assert_eq!(engine.completeness(now + SECOND), Completeness::Partial, "how many are active is not known");
}

#[test]
fn a_conversation_that_cannot_be_read_is_partial_alone_where_it_is_known() {
    let mut engine = engine();
    let event_of = |at: i64, event| note(0, NOON + at * SECOND, event);
    engine.handle_feed(event_of(-90, named("f", false)));
    engine.handle_feed(event_of(-90, FeedEvent::Listening));
    let facts = |of: &str, name: &str| {
        let mut told =
            deliver(Source::Snapshot, vec![event(name, What::Joined, "p", "connected", "agent", 0)]);
        told.conversation = id(of);
        told
    };
    engine.handle(facts("large", "1"), NOON);
    engine.handle(facts("other", "2"), NOON);
    let lost = FeedEvent::Lost { reason: "silent".to_owned(), last_heard: NOON + 10 * SECOND };
    engine.handle_feed(event_of(20, lost));
    engine.handle_feed(event_of(30, FeedEvent::Listening));
    let now = NOON + 40 * SECOND;
    let but = |unread: &[&str]| FeedEvent::RepairedBut {
        unread: unread.iter().map(|of| id(of)).collect(),
        reason: "a conversation cannot be read: the answer is too large".to_owned(),
    };
    let hole = |engine: &Engine| engine.range(NOON + 10 * SECOND, NOON + 30 * SECOND, now);
    let own = |engine: &Engine, of: &str| engine.show(&id(of), now).unwrap().completeness();
    engine.take_batch();
    engine.handle_feed(note(0, now, but(&["large", "stranger"])));
    assert_eq!(
        hole(&engine).completeness,
        Completeness::Partial,
        "nothing would show that the stranger is missing"
    );
    engine.take_batch();
    engine.handle_feed(note(0, now, but(&["large"])));
    let batch = engine.take_batch();
    assert!(batch.wishes.is_empty(), "whoever could not read it tries again");
    assert_eq!(hole(&engine).completeness, Completeness::Repaired);
    assert_eq!((hole(&engine).lacking, hole(&engine).lacks.len()), (1, 1), "which the answer names");
    assert_eq!(
        (own(&engine, "large"), own(&engine, "other")),
        (Completeness::Partial, Completeness::Repaired)
    );
    let mut read = facts("large", "1");
    read.source = Source::Rest;
    engine.handle(read, now);
    assert_eq!(own(&engine, "large"), Completeness::Repaired, "it was read");
}
