//! A power cut in the middle of a commit: the end of the write-ahead log is cut off, or garbage.

use crate::fixtures::{START, batch, open, recover, replay};
use std::fs;
use std::path::Path;
use store::Commit;

const FACTS: u64 = 200;
const BEFORE: u64 = 4;

fn commit(store: &mut store::Store, position: u64) {
    let admitted = batch(position, FACTS);
    let commit = Commit {
        committed_at: START,
        seq: position * FACTS,
        admitted: &admitted,
        cells: &[(7, FACTS.cast_signed())],
        ..Commit::default()
    };
    assert_eq!(store.commit(&commit), Ok(position));
}

/// Opens what a cut left, and gives how many batches are there: each whole, and none that was acknowledged is missing.
fn batches_left(data: &[u8], log: &[u8]) -> u64 {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("written");
    write("headcount.db", data);
    write("headcount.db-wal", log);
    let mut store = open(folder.path());
    let (recovered, kept) = recover(&mut store);
    let logged = replay(&store);
    assert_eq!(recovered.damaged, 0);
    assert!(logged.iter().all(|row| row.admitted == batch(row.position, FACTS)));
    assert_eq!(kept.cells, [(7, logged.len() as u64 * FACTS)], "cells move with their batch");
    commit(&mut store, logged.len() as u64 + 1);
    logged.len() as u64
}

#[test]
fn a_batch_whose_end_is_torn_is_not_there_and_the_others_are_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let read = |name: &str| fs::read(Path::new(folder.path()).join(name)).expect("read");
    let mut store = open(folder.path());
    (1..=BEFORE).for_each(|position| commit(&mut store, position));
    let synced = read("headcount.db-wal").len();
    commit(&mut store, BEFORE + 1);
    let (data, log) = (read("headcount.db"), read("headcount.db-wal"));
    assert!(log.len() > synced + 100, "the last commit is at the end of the file");
    assert_eq!(batches_left(&data, &log), BEFORE + 1, "whole");
    let step = (log.len() - synced) / 37;
    for cut in (synced..log.len()).step_by(step) {
        assert_eq!(batches_left(&data, &log[..cut]), BEFORE, "cut at {cut}");
        let mut torn = log.clone();
        torn[cut] ^= 0x04;
        assert_eq!(batches_left(&data, &torn), BEFORE, "a bit flipped at {cut}");
        torn[cut..].fill(0);
        assert_eq!(batches_left(&data, &torn), BEFORE, "nothing behind {cut}");
    }
}
