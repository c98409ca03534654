//! The index finds what meets an interval, and nothing that is far from it.

use super::{PUSHED_S, Span};
use crate::testing::{event, heard};
use crate::{Commit, Each, Store};
use engine::{Id, SECOND, StoredConversation, Time};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

const START: i64 = 1_770_000_000 * SECOND;

fn id(number: usize) -> Id {
    Id::new(&format!("call-{number}")).expect("an id")
}

/// One that was told of from an instant on, for so long, the second piece of it published last.
fn conversation(number: usize, from: i64, length: i64) -> StoredConversation {
    let at = |nanos| Some(Time::from_nanos(nanos));
    let mut last = heard(from);
    last.published = from + length;
    let facts = vec![
        (event(1, id(1), Time::from_nanos(from)), heard(from)),
        (event(2, id(1), Time::from_nanos(from)), last),
    ];
    let (started_at, ended_at) = (at(from), at(from));
    StoredConversation {
        id: id(number),
        resident: false,
        active: false,
        started_at,
        ended_at,
        dropped: 0,
        facts,
    }
}

fn found(store: &Store, from: i64, to: i64) -> BTreeSet<Id> {
    let mut found = BTreeSet::new();
    let damaged =
        store.commit_reader().expect("read").meeting(from, to, &mut |met, _| found.extend([met.id]));
    assert_eq!(damaged, Ok(0));
    found
}

/// Those that are met on the way by id, `at_once` ids of them held at once.
fn told(store: &Store, range: (i64, i64), after: Option<&Id>, at_once: usize) -> Vec<Id> {
    let mut told = Vec::new();
    let tell = |each| {
        let Each::Conversation(one) = each else { unreachable!("it is sound") };
        told.push(one.id);
        ControlFlow::Continue(())
    };
    store.each_of_portions(range, after, at_once, tell).expect("read");
    told
}

/// Starts and lengths in nanoseconds: from moments to weeks.
fn spans() -> impl Strategy<Value = Vec<(i64, i64)>> {
    let length = (0..52_u32, any::<u64>()).prop_map(|(bits, n)| (n & ((1 << bits) - 1)).cast_signed());
    vec((0..1_000_000 * SECOND, length), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_meets_an_interval_is_found(spans in spans(), from in 0..1_000_000 * SECOND, length in 0..4_000 * SECOND) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(folder.path(), 1).expect("opened").store;
        let all: Vec<_> =
            spans.iter().enumerate().map(|(n, (from, length))| conversation(n, START + from, *length)).collect();
        store.commit(&Commit { laid_down: &all, ..Commit::default() }).expect("committed");
        let (from, to) = (START + from, START + from + length);
        let found = found(&store, from, to);
        let in_order: Vec<_> = found.iter().cloned().collect();
        let (none, middle) = (None, in_order.get(in_order.len() / 2));
        for (after, at_once) in [(none, 3), (none, 100), (middle, 2), (middle, 100)] {
            let rest: Vec<_> = in_order.iter().filter(|id| after.is_none_or(|after| *id > after)).cloned().collect();
            prop_assert_eq!(told(&store, (from, to), after, at_once), rest);
        }
        prop_assert_eq!(store.count_meeting((from, to)), Ok(found.len() as u64));
        for one in &all {
            let (first, last) = one.told_span().expect("a span");
            let slack = 2 * (last - first) + (4 + 2 * PUSHED_S) * SECOND;
            if first <= to && last >= from {
                prop_assert!(found.contains(&one.id), "{first} to {last} meets {from} to {to}");
            } else if last < from - slack || first > to + slack {
                prop_assert!(!found.contains(&one.id), "{first} to {last} is far from {from} to {to}");
            }
        }
    }
}

#[test]
fn the_class_holds_the_length_whatever_the_instants() {
    for (from, length) in [(0, 0), (START, 1), (-START, SECOND), (i64::MIN / 4, i64::MAX / 2)] {
        let span = Span::of(&conversation(1, from, length)).expect("a span");
        assert!(span.until_s > (from + length).div_euclid(SECOND));
        assert!(span.until_s - (1 << span.class) <= from.div_euclid(SECOND), "{span:?}");
        assert!(span.class < super::CLASSES);
    }
}

#[test]
fn what_came_back_into_memory_or_was_removed_is_not_found_and_what_is_laid_down_again_is_found_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(folder.path(), 1).expect("opened").store;
    let one = conversation(1, START, SECOND);
    let lay_down = |store: &mut Store, one: &StoredConversation| {
        store
            .commit(&Commit { laid_down: std::slice::from_ref(one), ..Commit::default() })
            .expect("committed");
    };
    lay_down(&mut store, &one);
    lay_down(&mut store, &conversation(1, START, 900 * SECOND));
    assert_eq!(found(&store, START + 800 * SECOND, START + 800 * SECOND).len(), 1);
    lay_down(&mut store, &StoredConversation { resident: true, ..one.clone() });
    assert!(found(&store, START, START).is_empty());
    lay_down(&mut store, &one);
    assert!(found(&store, START + 800 * SECOND, START + 900 * SECOND).is_empty());
    assert_eq!(found(&store, START, START).len(), 1);
    store.remove(&[crate::Removal { conversation: id(1), clock: 2 }], START + 1).expect("removed");
    assert!(found(&store, START, START).is_empty());
}

/// A byte of an id that flipped, in the row or in the index of ids: either way it is not found by it any more.
#[test]
fn what_is_not_found_by_its_id_is_damage_and_not_passed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(folder.path(), 1).expect("opened").store;
    let all = [conversation(71_717, START, SECOND), conversation(2, START, SECOND)];
    store.commit(&Commit { laid_down: &all, ..Commit::default() }).expect("committed");
    store.close().expect("closed");
    let file = folder.path().join("headcount.db");
    let (sound, name) = (std::fs::read(&file).expect("read"), b"call-71717");
    let places: Vec<_> = (0..sound.len()).filter(|at| sound[*at..].starts_with(name)).collect();
    assert_eq!(places.len(), 2);
    for at in places {
        let mut flipped = sound.clone();
        flipped[at + name.len() - 1] ^= 8;
        std::fs::write(&file, flipped).expect("written");
        let store = Store::open(folder.path(), 1).expect("opened").store;
        let ids = store.ids_meeting((START, START), None, 9).expect("read");
        let (found, damaged): (Vec<_>, Vec<_>) = ids.into_iter().partition(Result::is_ok);
        assert_eq!((found, damaged.len()), (vec![Ok(id(2))], 1));
    }
}

#[test]
fn a_span_that_is_not_that_of_the_facts_is_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(folder.path(), 1).expect("opened").store;
    store
        .commit(&Commit { laid_down: &[conversation(1, START, SECOND)], ..Commit::default() })
        .expect("committed");
    let damaged = |store: &Store| store.check(&mut drop, &mut |_| {}).expect("checked").damaged;
    assert_eq!(damaged(&store), 0);
    store.connection.execute("UPDATE conversation SET until_s = until_s + 1", []).expect("changed");
    assert_eq!(damaged(&store), 1);
}

/// A file of an older format that holds one sound and one damaged conversation: after the upgrade both are found, the damaged
/// one wherever one looks, so that its damage is told.
#[test]
fn an_upgrade_notes_the_spans_of_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(folder.path(), 1).expect("opened").store;
    let all = [conversation(1, START, SECOND), conversation(2, START, SECOND)];
    store.commit(&Commit { laid_down: &all, ..Commit::default() }).expect("committed");
    let unsay = "UPDATE conversation SET span = NULL, until_s = NULL; UPDATE conversation SET dropped = 9 WHERE number = 2;";
    store.connection.execute_batch(unsay).expect("unsaid");
    assert!(found(&store, START, START).is_empty());
    let transaction = store.connection.transaction().expect("begun");
    super::fill(&transaction).expect("filled");
    transaction.commit().expect("committed");
    let mut sound = 0;
    for (instant, found) in [(0, 0), (START, 1)] {
        let reader = store.commit_reader().expect("read");
        assert_eq!(reader.meeting(instant, instant, &mut |_, _| sound += 1), Ok(1));
        assert_eq!(sound, found);
        let mut met = (0, 0);
        let tell = |each| {
            match each {
                Each::Conversation(_) => met.0 += 1,
                Each::Damaged(_) => met.1 += 1,
            }
            ControlFlow::Continue(())
        };
        store.each_of_portions((instant, instant), None, 1, tell).expect("read");
        assert_eq!(met, (found, 1), "what is damaged is told of once");
    }
}
