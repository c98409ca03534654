//! A damaged file: every damage is named, the rest is saved, and what is saved says that something is missing.

use crate::damage::flip;
use crate::fixtures::{START, batch, conversation, id, open, recover, replay};
use engine::{Completeness, LedgerRow, RECORDS_LOST, STATUS_ROW, UserRow, UserWhat, Word};
use rusqlite::Connection;
use std::fs;
use std::path::Path;
use store::{Checked, Commit, Damaged, SalvageError, Salvaged, Store};

const BATCHES: u64 = 40;
const FACTS: u64 = 60;
const CONVERSATIONS: u64 = 60;
const PAGE: usize = 8192;

/// A folder with records of every kind: 40 batches, 60 conversations, 3 users, 3 cells, 2 rows of the ledger.
fn filled(folder: &Path) {
    let mut store = Store::open(folder, 77).expect("opened").store;
    let ledger = |from, to, state, listening| LedgerRow {
        feed: 0,
        name: "f".to_owned(),
        from,
        to,
        state,
        listening,
        reason: "r".to_owned(),
    };
    let ledger = [
        ledger(STATUS_ROW, Some(START), Completeness::Unknown, true),
        ledger(START + 5, Some(START + 9), Completeness::Repaired, true),
    ];
    let users = [1, 2, 3].map(|n| UserRow {
        user: id(n),
        what: UserWhat::Presence,
        value: Word::new("busy").expect("a word"),
        at: None,
        received: START,
    });
    let laid_down: Vec<_> = (0..CONVERSATIONS).map(|n| conversation(n * 5 + 4, n % 2 == 0)).collect();
    for position in 1..=BATCHES {
        let admitted = batch(position, FACTS);
        let commit = Commit { committed_at: START, seq: position, admitted: &admitted, ..Commit::default() };
        let rest = Commit { cells: &[(1, 1), (2, 2), (3, 3)], users: &users, ledger: &ledger, ..commit };
        let rest = Commit { laid_down: &laid_down, ..rest };
        store.commit(if position == 1 { &rest } else { &commit }).expect("committed");
    }
    store.close().expect("closed");
}

fn check(folder: &Path) -> (Checked, Vec<Damaged>) {
    let (mut found, mut last) = (Vec::new(), 0);
    let store = Store::look(folder).expect("opened").store;
    let checked = store.check(&mut |damaged| found.push(damaged), &mut |n| last = n).expect("checked");
    assert!(last > 0 || checked.sound == 0, "progress is told");
    (checked, found)
}

fn salvage(folder: &Path, into: &Path) -> (Salvaged, Vec<Damaged>) {
    let mut left_out = Vec::new();
    let store = Store::look(folder).expect("opened").store;
    let saved = store.salvage(into, START + 1_000, &mut |damaged| left_out.push(damaged), &mut |_| {});
    (saved.expect("saved"), left_out)
}

fn change(folder: &Path, sql: &str) {
    Connection::open(folder.join("headcount.db")).expect("opened").execute_batch(sql).expect("changed");
}

/// The last is what conversations add to cells by what events are about.
const ALL: u64 = BATCHES + CONVERSATIONS + 3 + 3 + 2 + 1;

#[test]
fn a_sound_file_is_saved_to_the_byte() {
    let (folder, parent) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    filled(folder.path());
    assert_eq!(check(folder.path()), (Checked { sound: ALL, damaged: 0 }, vec![]));
    let before = fs::read(folder.path().join("headcount.db")).expect("read");
    let into = parent.path().join("new");
    assert_eq!(salvage(folder.path(), &into), (Salvaged { rows: ALL, lost: 0 }, vec![]));
    assert_eq!(fs::read(folder.path().join("headcount.db")).expect("read"), before, "the old is left alone");

    let (mut old, mut new) = (open(folder.path()), Store::open(&into, 1).expect("opened"));
    assert_eq!((new.epoch, new.seq, new.incarnation.get()), (77, BATCHES, 2));
    assert_eq!(recover(&mut new.store), recover(&mut old));
    assert_eq!(replay(&new.store), replay(&old));
}

#[test]
fn a_bit_that_flipped_in_a_record_of_each_kind_costs_that_record() {
    let (folder, parent) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    filled(folder.path());
    flip(folder.path(), "log", "position = 7");
    flip(folder.path(), "conversation", "number = 9");
    change(
        folder.path(),
        "UPDATE cell SET events = 'many' WHERE minute = 2;
         UPDATE ledger SET state = 'complexe' WHERE from_ns > 0;
         UPDATE user_state SET what = 'presenca'",
    );
    let (checked, found) = check(folder.path());
    let kinds: Vec<_> = found.iter().map(|damaged| damaged.table).collect();
    let should = ["user_state", "user_state", "user_state", "ledger", "cell", "conversation", "log"];
    assert_eq!((kinds.as_slice(), checked.sound), (&should[..], ALL - 7));
    assert_eq!(found[6].row, "7");

    let into = parent.path().join("new");
    let (saved, left_out) = salvage(folder.path(), &into);
    assert_eq!((saved, &left_out), (Salvaged { rows: ALL - 7, lost: 7 }, &found));
    assert_eq!(check(&into), (Checked { sound: ALL - 7 + 1, damaged: 0 }, vec![]));
    let mut new = open(&into);
    let (recovered, kept) = recover(&mut new);
    assert_eq!((recovered.damaged, recovered.log_rows), (0, BATCHES - 1));
    let doubt = kept.ledger.iter().find(|row| row.reason == RECORDS_LOST).expect("it is said");
    assert_eq!((doubt.from, doubt.to, doubt.state), (START, Some(START + 1_000), Completeness::Unknown));
    let whole = |row: &store::LoggedBatch| row.admitted == batch(row.position, FACTS);
    assert!(replay(&new).iter().all(whole));
}

/// Overwrites the page in the middle of a table's leaves.
fn ruin_a_page(folder: &Path, table: &str) {
    let file = folder.join("headcount.db");
    let connection = Connection::open(&file).expect("opened");
    let sql = "SELECT pageno FROM dbstat WHERE name = ?1 AND pagetype = 'leaf' ORDER BY path";
    let mut statement = connection.prepare(sql).expect("prepared");
    let pages: Vec<usize> = statement
        .query_map([table], |row| row.get::<_, i64>(0))
        .expect("read")
        .map(|page| usize::try_from(page.expect("a page")).expect("a page"))
        .collect();
    drop(statement);
    connection.close().expect("closed");
    let mut bytes = fs::read(&file).expect("read");
    let at = (pages[pages.len() / 2] - 1) * PAGE;
    bytes[at..at + PAGE].fill(0xaa);
    fs::write(&file, bytes).expect("written");
}

#[test]
fn a_page_that_is_gone_costs_the_rows_on_it() {
    for table in ["log", "conversation"] {
        let (folder, parent) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        filled(folder.path());
        ruin_a_page(folder.path(), table);
        let (checked, found) = check(folder.path());
        assert!(
            found.iter().any(|damaged| damaged.table == table && damaged.why.contains("page")),
            "{found:?}"
        );
        assert!((ALL - 40..ALL).contains(&checked.sound), "{table}: {checked:?} {found:?}");
        let into = parent.path().join("new");
        let (saved, _) = salvage(folder.path(), &into);
        assert_eq!((saved.rows, saved.lost), (checked.sound, 1));
        let (recovered, kept) = recover(&mut open(&into));
        assert_eq!(recovered.damaged, 0);
        assert!(
            kept.ledger.iter().any(|row| row.state == Completeness::Partial && row.reason == RECORDS_LOST)
        );
    }
}

/// No page that is damaged can be written to, and every commit writes: a start would end at its first one. So it says what
/// helps instead.
#[test]
fn a_start_on_damaged_pages_says_the_way_out_which_leads_out() {
    for table in ["user_state", "ledger", "cell", "conversation", "log"] {
        let (folder, parent) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        filled(folder.path());
        ruin_a_page(folder.path(), table);
        let mut opened = Store::open(folder.path(), 1).expect("opened").store;
        let refused = opened.recover(&mut crate::fixtures::Kept::default()).expect_err(table);
        assert!(refused.to_string().contains("headcount store repair"), "{refused}");
        drop(opened);
        let into = parent.path().join("new");
        let (saved, left_out) = salvage(folder.path(), &into);
        assert!(saved.lost == 1 && left_out[0].table == table, "{left_out:?}");
        let mut new = open(&into);
        let (recovered, kept) = recover(&mut new);
        assert_eq!((recovered.damaged, kept.ledger.is_empty()), (0, table == "ledger"), "{table}");
        assert!(new.commit(&Commit { cells: &[(9, 1)], ..Commit::default() }).is_ok());
    }
}

#[test]
fn what_is_saved_needs_a_new_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path());
    let other = tempfile::tempdir().expect("a folder");
    filled(other.path());
    let store = Store::look(folder.path()).expect("opened").store;
    for into in [other.path(), folder.path()] {
        let refused = store.salvage(into, START, &mut |_| {}, &mut |_| {});
        assert!(matches!(refused, Err(SalvageError::NotNew { .. })), "{refused:?}");
    }
}

#[test]
fn sizes_add_up_by_kind_and_by_day() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path());
    let stats = Store::look(folder.path()).expect("opened").store.stats().expect("counted");
    let rows = |name: &str| stats.kinds.iter().find(|kind| kind.name == name).map(|kind| kind.rows);
    assert_eq!((rows("log"), rows("conversation")), (Some(BATCHES), Some(CONVERSATIONS)));
    let pages: u64 = stats.kinds.iter().map(|kind| kind.bytes).sum();
    assert_eq!(pages + stats.free_bytes, stats.file_bytes);
    let day = stats.days.iter().find(|day| day.batches > 0).expect("a day");
    assert_eq!(day.number, Some(START / 86_400_000_000_000));
    assert_eq!((day.logged_facts, day.conversations), (BATCHES * FACTS, CONVERSATIONS));
    assert_eq!(stats.days.iter().map(|day| day.events).sum::<u64>(), 6);
}
