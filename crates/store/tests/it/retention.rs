//! What is removed: the oldest first, whole, with a trace, and nothing that is needed.

use crate::fixtures::{START, conversation, id, open};
use engine::{StoredConversation, Time};
use std::path::Path;
use store::{Commit, Gone, LastTold, Removal, Store, StoreError};

/// Ended, and last told of, `minutes` minutes behind the start.
fn ended(number: u64, minutes: i64) -> StoredConversation {
    let at = START + minutes * engine::MINUTE;
    let mut ended =
        StoredConversation { ended_at: Some(Time::from_nanos(at)), ..conversation(number, false) };
    ended.facts.iter_mut().for_each(|(_, arrival)| (arrival.received, arrival.published) = (at, at));
    ended
}

fn filled(folder: &Path, conversations: &[StoredConversation]) -> Store {
    let mut store = open(folder);
    let commit = Commit { committed_at: START, seq: 1, laid_down: conversations, ..Commit::default() };
    store.commit(&commit).expect("committed");
    store
}

fn ends(store: &Store, before: i64, after: LastTold, limit: usize) -> Vec<i64> {
    let found = store.last_told_before(before, after, limit).expect("read");
    let ends = found.iter().map(|old| old.stored.as_ref().expect("sound").ended_at.expect("an end").nanos);
    ends.map(|end| (end - START) / engine::MINUTE).collect()
}

#[test]
fn those_come_first_that_were_last_told_of_longest_ago() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = [ended(1, 30), ended(2, 10), ended(4, 20), ended(7, 10), conversation(8, true)];
    let store = filled(folder.path(), &all);
    assert_eq!(ends(&store, i64::MAX, LastTold::default(), 10), [10, 10, 20, 30]);
    assert_eq!(ends(&store, START + 19 * engine::MINUTE, LastTold::default(), 10), [10, 10]);
    assert_eq!(ends(&store, START + 9 * engine::MINUTE, LastTold::default(), 10), [0; 0]);
    let first = store.last_told_before(i64::MAX, LastTold::default(), 1).expect("read").remove(0);
    assert_eq!(first.stored.expect("sound").id, id(2));
    assert_eq!(ends(&store, i64::MAX, first.last_told, 2), [10, 20], "behind it, also of the same instant");
}

#[test]
fn what_is_removed_is_gone_for_good_and_leaves_a_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = filled(folder.path(), &[ended(1, 1), ended(2, 2)]);
    assert_eq!((store.removed(&id(1)), store.removed_before()), (Ok(None), Ok(None)));
    store.remove(&[Removal { conversation: id(1), clock: 9 }], START + 5).expect("removed");
    drop(store);
    let mut store = open(folder.path());
    assert_eq!(store.load(&id(1)), Ok(None));
    assert_eq!(store.removed(&id(1)), Ok(Some(Gone { clock: 9, until: START + 5, position: 1 })));
    assert_eq!((store.load(&id(2)), store.removed(&id(2))), (Ok(Some(ended(2, 2))), Ok(None)));
    store.remove(&[], START).expect("nothing");
    assert_eq!(store.removed_before(), Ok(Some(START + 5)), "it never goes back");
}

#[test]
fn a_removal_that_fails_removes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = filled(folder.path(), &[ended(1, 1), ended(2, 2)]);
    let other = rusqlite::Connection::open(folder.path().join("headcount.db")).expect("opened");
    let stop = "CREATE TRIGGER stop BEFORE INSERT ON removed WHEN new.vector_clock = 13
                BEGIN SELECT raise(ABORT, 'a disk that fails'); END";
    other.execute_batch(stop).expect("made");
    let both = [1, 2].map(|n| Removal { conversation: id(n), clock: 11 + n });
    assert!(matches!(store.remove(&both, START + 5), Err(StoreError::Sqlite { .. })));
    assert_eq!((store.removed(&id(1)), store.removed_before()), (Ok(None), Ok(None)));
    assert_eq!(store.load(&id(1)), Ok(Some(ended(1, 1))));
}

#[test]
fn pages_of_what_was_removed_are_used_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let many: Vec<_> = (0..2_000).map(|n| ended(n, 1)).collect();
    let mut store = filled(folder.path(), &many);
    let full = store.used_bytes().expect("read");
    let removals: Vec<_> =
        many.iter().map(|one| Removal { conversation: one.id.clone(), clock: 1 }).collect();
    store.remove(&removals, START).expect("removed");
    let emptied = store.used_bytes().expect("read");
    assert!(emptied < full / 2, "{emptied} of {full} bytes are in use");
    let before = store.stats().expect("read").file_bytes;
    let again: Vec<_> = (10_000..11_000).map(|n| ended(n, 1)).collect();
    let commit = Commit { committed_at: START + 1, seq: 2, laid_down: &again, ..Commit::default() };
    store.commit(&commit).expect("committed");
    store.close().expect("closed");
    assert!(open(folder.path()).stats().expect("read").file_bytes <= before, "the file has not grown");
}

#[test]
fn what_waits_for_a_follower_is_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    store.begin_outbox(true).expect("counted");
    assert_eq!(store.outbox_since(), Ok(None));
    let commit = |n: i64, passed| Commit {
        committed_at: START + n,
        seq: n.cast_unsigned(),
        cells: &[(1, 1)],
        outgoing: Some(store::Outgoing {
            after_seq: n.cast_unsigned() - 1,
            conversations: &[],
            passed,
            bounds: store::OutboxBounds::default(),
        }),
        ..Commit::default()
    };
    store.commit(&commit(1, 0)).expect("committed");
    store.commit(&commit(2, 0)).expect("committed");
    assert_eq!(store.outbox_since(), Ok(Some(START + 1)));
    store.commit(&commit(3, 1)).expect("committed");
    assert_eq!(store.outbox_since(), Ok(Some(START + 2)));
}

#[test]
fn a_salvaged_folder_knows_what_was_removed() {
    let (folder, into) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut store = filled(folder.path(), &[ended(1, 1), ended(2, 2)]);
    store.remove(&[Removal { conversation: id(1), clock: 9 }], START + 5).expect("removed");
    store.close().expect("closed");
    let damaged = Store::look(folder.path()).expect("opened").store;
    let new = into.path().join("new");
    damaged.salvage(&new, START, &mut |_| (), &mut |_| ()).expect("salvaged");
    let store = open(&new);
    assert_eq!(store.removed(&id(1)).expect("read").map(|gone| gone.clock), Some(9));
    assert_eq!(store.removed_before(), Ok(Some(START + 5)));
    assert_eq!(ends(&store, i64::MAX, LastTold::default(), 9), [2]);
}
