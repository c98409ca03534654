//! What fails leaves nothing behind, and what is covered goes without hurry.

use super::*;
use crate::{Opened, testing};
use engine::Id;

fn open(folder: &tempfile::TempDir) -> Store {
    let Opened { store, .. } = Store::open(folder.path(), 1).expect("opened");
    store
}

fn batch(facts: u64) -> Vec<Admitted> {
    let admitted = |n: u64| Admitted {
        conversation: Id::from_uuid(u128::from(n).to_le_bytes()),
        fact: testing::event(n, Id::from_uuid([9; 16]), engine::Time::from_nanos(n.cast_signed())),
        arrival: testing::heard(n.cast_signed()),
    };
    (0..facts).map(admitted).collect()
}

fn positions(store: &Store) -> Vec<u64> {
    let batches = std::iter::successors(store.replay_after(0).expect("read"), |batch| {
        store.replay_after(batch.position).expect("read")
    });
    batches.map(|batch| batch.position).collect()
}

#[test]
fn after_a_full_disk_a_later_commit_succeeds() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(&folder);
    store.bound_growth(Some(2)).expect("bounded");
    let large = batch(2000);
    let commit = Commit { admitted: &large, cells: &[(1, 2000)], ..Commit::default() };
    assert_eq!(store.commit(&commit), Err(StoreError::Full));
    assert_eq!(positions(&store), []);
    assert_eq!(store.cells(0, 9), Ok(vec![]));

    store.bound_growth(None).expect("freed");
    assert_eq!(store.commit(&commit), Ok(1));
    assert_eq!(positions(&store), [1]);
    assert_eq!(store.cells(0, 9), Ok(vec![(1, 2000)]));
}

/// A deferred constraint is the one thing that makes the very last step fail on demand.
#[test]
fn after_a_commit_that_fails_at_the_end_nothing_is_accepted_until_it_is_reopened() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(&folder);
    assert_eq!(store.commit(&Commit { admitted: &batch(3), ..Commit::default() }), Ok(1));
    let sabotage = "PRAGMA foreign_keys = ON;
        CREATE TABLE a (x INTEGER PRIMARY KEY);
        CREATE TABLE b (x INTEGER REFERENCES a DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER sabotage AFTER INSERT ON log BEGIN INSERT INTO b VALUES (1); END;";
    store.connection.execute_batch(sabotage).expect("sabotaged");
    let failed = store.commit(&Commit { admitted: &batch(3), ..Commit::default() });
    assert!(matches!(failed, Err(StoreError::Sqlite { .. })), "{failed:?}");
    store.connection.execute_batch("DROP TRIGGER sabotage").expect("mended");
    assert_eq!(store.commit(&Commit::default()), Err(StoreError::Poisoned));
    drop(store);

    let mut store = open(&folder);
    assert_eq!(positions(&store), [1]);
    assert_eq!(store.commit(&Commit::default()), Ok(2));
}

#[test]
fn covered_rows_go_a_few_at_a_time_and_are_not_replayed_meanwhile() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(&folder);
    let rows = |store: &Store| {
        let sql = "SELECT count(*) FROM log";
        store.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("counted")
    };
    for _ in 0..20 {
        store.commit(&Commit { admitted: &batch(1), ..Commit::default() }).expect("committed");
    }
    store.commit(&Commit { forget_log_below: Some(19), ..Commit::default() }).expect("committed");
    assert_eq!((rows(&store), positions(&store)), (13, vec![19, 20, 21]));
    drop(store);

    let mut store = open(&folder);
    assert_eq!(positions(&store), [19, 20, 21]);
    for _ in 0..2 {
        store.commit(&Commit::default()).expect("committed");
    }
    assert_eq!((rows(&store), positions(&store)), (5, vec![19, 20, 21, 22, 23]));
}

#[test]
fn the_newest_row_stays_whatever_is_covered() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(&folder);
    for seq in 1..=3 {
        let commit = Commit { seq, forget_log_below: Some(u64::MAX), ..Commit::default() };
        store.commit(&commit).expect("committed");
    }
    assert_eq!(positions(&store), [3]);
    drop(store);
    let Opened { mut store, seq, .. } = Store::open(folder.path(), 1).expect("opened");
    assert_eq!(seq, 3);
    assert_eq!(store.commit(&Commit::default()), Ok(4));
}
