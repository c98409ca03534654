//! What followers have not got: written with the commit, read beside it, bounded, and never gone unseen.

use crate::fixtures::{START, id, open};
use engine::Id;
use rusqlite::Connection;
use std::path::Path;
use store::{Commit, Outbox, OutboxBounds, Outgoing, Place, Progress, Sent, SentPoint, Store};

/// Commits `changes` changes of one conversation a change, behind those of the commits before.
fn commit(store: &mut Store, n: u64, changes: u64, passed: u64, bounds: OutboxBounds) {
    let conversations: Vec<Id> = (0..changes).map(|c| id(n * 1_000 + c)).collect();
    let after_seq = (n - 1) * changes;
    let outgoing = Outgoing { after_seq, conversations: &conversations, passed, bounds };
    let (committed_at, seq) = (START + n.cast_signed() * 1_000, n * changes);
    let commit = Commit {
        committed_at,
        seq,
        cells: &[(n.cast_signed(), 2)],
        outgoing: Some(outgoing),
        ..Commit::default()
    };
    assert_eq!(store.commit(&commit), Ok(n));
}

fn positions(outbox: &Outbox) -> Vec<u64> {
    outbox.after(0, u64::MAX).expect("read").into_iter().map(|row| row.position).collect()
}

#[test]
fn a_reader_gets_rows_in_order_while_the_store_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    assert_eq!(store.begin_outbox(true), Ok(0));
    let outbox = Outbox::open(folder.path()).expect("opened");
    assert_eq!(outbox.after(0, 10), Ok(vec![]));
    for n in 1..=5 {
        commit(&mut store, n, 3, 0, OutboxBounds::default());
    }
    let rows = outbox.after(1, 7).expect("read");
    assert_eq!(
        rows.iter().map(|row| row.position).collect::<Vec<_>>(),
        [2, 3, 4],
        "until seven changes are there"
    );
    let ids = (0..3).map(|c| id(2_000 + c)).collect();
    assert_eq!((rows[0].after_seq, rows[0].seq, rows[0].conversations.clone()), (3, 6, Some(ids)));
    assert_eq!((rows[0].minutes.clone(), outbox.cells(2, 3)), (vec![2], Ok(vec![(2, 2), (3, 2)])));
    let counted = store.outbox_bytes();
    drop(store);
    let mut again = open(folder.path());
    again.begin_outbox(true).expect("counted");
    assert_eq!(again.outbox_bytes(), counted);
}

#[test]
fn rows_that_all_have_passed_go_and_the_others_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    store.begin_outbox(true).expect("counted");
    let outbox = Outbox::open(folder.path()).expect("opened");
    for n in 1..=4 {
        commit(&mut store, n, 3, 0, OutboxBounds::default());
    }
    commit(&mut store, 5, 3, 2, OutboxBounds::default());
    assert_eq!(positions(&outbox), [3, 4, 5]);
    commit(&mut store, 6, 3, 6, OutboxBounds::default());
    assert_eq!(positions(&outbox), [6], "the newest stays until the next commit");
}

#[test]
fn what_is_too_old_or_too_much_goes_and_the_change_numbers_tell() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    store.begin_outbox(true).expect("counted");
    let outbox = Outbox::open(folder.path()).expect("opened");
    let young = OutboxBounds { age_ns_max: 2_000, ..OutboxBounds::default() };
    (1..=6).for_each(|n| commit(&mut store, n, 3, 0, young));
    assert_eq!(positions(&outbox), [4, 5, 6]);
    let small = OutboxBounds { bytes_max: 1, ..OutboxBounds::default() };
    commit(&mut store, 7, 3, 0, small);
    let rows = outbox.after(2, 100).expect("read");
    assert_eq!(rows.iter().map(|row| (row.position, row.after_seq)).collect::<Vec<_>>(), [(7, 18)]);
}

#[test]
fn nobody_follows_and_nothing_is_written_or_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    store.begin_outbox(true).expect("counted");
    commit(&mut store, 1, 3, 0, OutboxBounds::default());
    drop(store);
    let mut store = open(folder.path());
    assert_eq!(store.begin_outbox(false), Ok(3), "three changes are given up");
    store.commit(&Commit { seq: 9, ..Commit::default() }).expect("committed");
    assert_eq!(Outbox::open(folder.path()).expect("opened").after(0, 100), Ok(vec![]));
}

#[test]
fn a_damaged_row_says_so_and_the_next_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    (1..=2).for_each(|n| commit(&mut store, n, 3, 0, OutboxBounds::default()));
    let file = folder.path().join("headcount.db");
    Connection::open(file)
        .expect("opened")
        .execute("UPDATE outbox SET seq = seq + 1 WHERE position = 1", [])
        .expect("changed");
    let rows = Outbox::open(folder.path()).expect("opened").after(0, 100).expect("read");
    assert_eq!(rows.iter().map(|row| row.conversations.is_some()).collect::<Vec<_>>(), [false, true]);
}

fn sent(folder: &Path, target: &str) -> Sent {
    let sent = Sent::open(folder, "test").expect("opened");
    sent.aim(target).expect("aimed");
    sent
}

#[test]
fn what_is_noted_is_in_doubt_until_it_is_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let point = SentPoint { fact: 1, series: 2, time: 3, content: 4 };
    let progress = Progress { position: 7, seq: 70 };
    let file = sent(folder.path(), "a");
    assert_eq!(file.progress(), Ok(None));
    let key = file.of(&id(1)).expect("read").conversation;
    file.begin().expect("begun");
    file.put(key, &point).expect("put");
    drop(file);

    let file = sent(folder.path(), "a");
    assert_eq!((file.progress(), file.of(&id(1)).expect("read").points), (Ok(None), vec![]));
    file.begin().expect("begun");
    file.put(key, &point).expect("put");
    let place = |time| Place { series: 2, time, text: "there".to_owned() };
    [3, 9].into_iter().for_each(|time| file.doubt(&place(time)).expect("noted"));
    file.noted().expect("noted");
    drop(file);

    let file = sent(folder.path(), "a");
    file.begin().expect("begun");
    assert_eq!(file.left_in_doubt(), Ok(vec![place(9)]), "where a point stands, it is written again");
    assert_eq!(file.of(&id(1)).expect("read").points, [SentPoint { content: 0, ..point }]);
    file.put(key, &point).expect("put");
    file.noted().expect("noted");
    file.acknowledge(progress).expect("acknowledged");
    drop(file);

    let file = sent(folder.path(), "a");
    assert_eq!(file.left_in_doubt(), Ok(vec![]));
    assert_eq!((file.progress(), file.of(&id(1)).expect("read").points), (Ok(Some(progress)), vec![point]));
    assert_eq!((file.is_taken(key, 2, 3), file.is_taken(key + 1, 2, 3)), (Ok(false), Ok(true)));
    assert_eq!((file.is_taken(key + 1, 9, 3), file.is_taken(key + 1, 2, 9)), (Ok(false), Ok(false)));
    drop(file);

    let file = sent(folder.path(), "b");
    assert_eq!((file.progress(), file.of(&id(1)).expect("read").points), (Ok(Some(progress)), vec![]));
}

#[test]
fn conversations_without_a_newer_point_are_forgotten_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = sent(folder.path(), "a");
    let point = |fact, time| SentPoint { fact, series: 2, time, content: 4 };
    for (number, times) in [(1, [5, 6]), (2, [5, 50])] {
        let key = file.of(&id(number)).expect("read").conversation;
        (0..2).for_each(|n| file.put(key, &point(n as i64, times[n])).expect("put"));
    }
    file.forget_some(20).expect("forgotten");
    assert!((8_192..1 << 20).contains(&file.size_bytes().expect("read")));
    let left = [1, 2].map(|number| file.of(&id(number)).expect("read").points.len());
    assert_eq!(left, [0, 2]);
}

#[test]
fn refused_lines_are_kept_and_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = sent(folder.path(), "a");
    file.begin().expect("begun");
    (0..1_200).for_each(|n| file.set_aside(&format!("line {n}"), "why", START).expect("kept"));
    let refused = file.refused().expect("read");
    assert_eq!((refused.len(), refused[0].0.as_str(), refused[0].1.as_str()), (1_000, "line 200", "why"));
}
