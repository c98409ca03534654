//! Whatever the disk kept of a commit whose outcome was unknown, making it again leaves it there once.

use super::*;
use crate::{Commit, Opened, Outbox, OutboxBounds, Outgoing, testing};
use engine::{Admitted, Id, Time};
use std::sync::LazyLock;
use tempfile::TempDir;

const FACTS: u64 = 3;
static CHANGED: LazyLock<Vec<Id>> = LazyLock::new(|| vec![Id::from_uuid([7; 16])]);

fn open(folder: &TempDir) -> Store {
    let Opened { store, .. } = Store::open(folder.path(), 1).expect("opened");
    store
}

fn batch() -> Vec<Admitted> {
    let admitted = |n: u64| Admitted {
        conversation: Id::from_uuid([7; 16]),
        fact: testing::event(n, Id::from_uuid([9; 16]), Time::from_nanos(n.cast_signed())),
        arrival: testing::heard(n.cast_signed()),
    };
    (0..FACTS).map(admitted).collect()
}

fn commit(admitted: &[Admitted], committed_at: i64) -> Commit<'_> {
    let (after_seq, bounds) = (0, OutboxBounds::default());
    let outgoing = Some(Outgoing { after_seq, conversations: &CHANGED, passed: 0, bounds });
    Commit { committed_at, seq: FACTS, admitted, cells: &[(5, 3)], outgoing, ..Commit::default() }
}

/// As after a commit that reported a failure although all of it is in the log.
fn unacknowledge(store: &mut Store) {
    store.last_position -= 1;
    store.poisoned = true;
}

fn assert_once(store: &Store, committed_at: i64) {
    let logged = store.replay_after(0).expect("read").expect("a batch");
    assert_eq!((logged.position, logged.committed_at, &logged.admitted), (1, committed_at, &batch()));
    assert_eq!(store.replay_after(1), Ok(None));
    assert_eq!(store.cells(0, 9), Ok(vec![(5, 3)]));
    let waiting =
        Outbox::open(store.file.parent().expect("a folder")).expect("opened").after(0, 100).expect("read");
    let named: Vec<_> = waiting.iter().map(|row| (row.position, row.conversations.as_ref())).collect();
    assert_eq!(named, [(1, Some(&*CHANGED))]);
}

#[test]
fn a_batch_that_the_log_lacks_is_committed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(&folder);
    store.poisoned = true;
    assert_eq!(store.commit(&commit(&batch(), 20)), Err(StoreError::Poisoned));
    store.reopen().expect("opened anew");
    assert_eq!(store.commit(&commit(&batch(), 20)), Ok(1));
    assert_once(&store, 20);
}

#[test]
fn a_batch_that_the_log_has_is_replaced_as_often_as_it_takes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(&folder);
    for at in [10, 20, 30] {
        assert_eq!(store.commit(&commit(&batch(), at)), Ok(1));
        unacknowledge(&mut store);
        store.reopen().expect("opened anew");
    }
    assert_eq!(store.commit(&commit(&batch(), 40)), Ok(1));
    assert_once(&store, 40);
    assert_eq!(store.commit(&Commit { cells: &[(5, 1)], ..Commit::default() }), Ok(2), "as ever");
    assert_eq!(store.cells(0, 9), Ok(vec![(5, 4)]));
}

#[test]
fn nothing_else_may_take_the_place_of_a_batch_that_the_log_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(&folder);
    store.commit(&commit(&batch(), 10)).expect("committed");
    unacknowledge(&mut store);
    store.reopen().expect("opened anew");
    assert_eq!(store.commit(&commit(&batch()[1..], 20)), Err(StoreError::Poisoned));
    assert_eq!(store.commit(&commit(&batch(), 20)), Ok(1));
}

#[test]
fn another_file_and_one_that_went_back_are_not_written_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(&folder);
    store.commit(&commit(&batch(), 10)).expect("committed");
    for (change, undo) in [
        (
            "UPDATE meta SET value = value + 1 WHERE key = 'epoch'",
            "UPDATE meta SET value = value - 1 WHERE key = 'epoch'",
        ),
        ("UPDATE log SET position = 0", "UPDATE log SET position = 1"),
    ] {
        store.connection.execute_batch(change).expect("changed");
        store.poisoned = true;
        let refused = store.reopen();
        let Err(error @ StoreError::Changed { .. }) = refused else { unreachable!("{refused:?}") };
        assert!(!error.may_pass() && error.to_string().contains("start headcount again"), "{error}");
        assert_eq!(store.commit(&commit(&[], 20)), Err(StoreError::Poisoned));
        store.connection.execute_batch(undo).expect("changed back");
    }
    store.reopen().expect("it is the same again");
    assert_once(&store, 10);
}

#[test]
fn what_was_opened_to_look_is_not_opened_to_write() {
    let folder = tempfile::tempdir().expect("a folder");
    open(&folder).close().expect("closed");
    let mut looked = Store::look(folder.path()).expect("opened").store;
    assert_eq!(looked.reopen(), Err(StoreError::Poisoned));
}
