//! What a recovery holds at once: a few rows, however many there are. What other cores decode meanwhile is bounded by the
//! portions that are on their way.

use crate::fixtures::{START, batch, conversation, open};
use engine::{LedgerRow, StoredConversation, UserRow};
use std::path::Path;
use store::{Commit, Damaged, Recover};

const FACTS: u64 = 500;
/// Of rows of some 15 KiB each: those of the portions that wait for two workers, and one that is decoded.
const HELD_BYTES_MAX: u64 = 512 << 10;

/// Takes everything and keeps nothing.
#[derive(Default)]
struct Counted {
    records: u64,
}

impl Recover for Counted {
    type Prepared = StoredConversation;

    fn prepare(stored: StoredConversation) -> StoredConversation {
        stored
    }

    fn user(&mut self, _: UserRow) {}
    fn ledger(&mut self, _: LedgerRow) {}
    fn cell(&mut self, _: i64, _: u64) {}
    fn conversation(&mut self, _: StoredConversation) {
        self.records += 1;
    }
    fn inherited(&mut self, _: store::Inherited) {}
    fn damaged(&mut self, what: Damaged) {
        unreachable!("{what}");
    }
}

/// The most bytes that were held at once while a folder with so many batches and conversations came back.
fn held_at_most(folder: &Path, records: u64) -> u64 {
    let mut store = open(folder);
    for n in 1..=records {
        let mut one = conversation(n * 3 + 1, true);
        one.facts = batch(n, FACTS).into_iter().map(|admitted| (admitted.fact, admitted.arrival)).collect();
        let admitted = batch(n, FACTS);
        let laid_down = [one];
        let commit =
            Commit { committed_at: START, admitted: &admitted, laid_down: &laid_down, ..Commit::default() };
        store.commit(&commit).expect("committed");
    }
    drop(store);
    let mut store = open(folder);
    let mut counted = Counted::default();
    let measured = allocation_counter::measure(|| {
        store.recover(&mut counted).expect("recovered");
        let mut position = 0;
        while let Some(row) = store.replay_after(position).expect("read") {
            (position, counted.records) = (row.position, counted.records + 1);
        }
    });
    assert_eq!(counted.records, 2 * records);
    measured.bytes_max
}

#[test]
fn a_recovery_holds_a_few_rows_at_a_time() {
    let (short, long) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (few, many) = (held_at_most(short.path(), 40), held_at_most(long.path(), 1_200));
    assert!(many <= few + few / 4, "{many} bytes with thirty times as much, {few} bytes without");
    assert!(many <= HELD_BYTES_MAX, "{many} bytes");
}
