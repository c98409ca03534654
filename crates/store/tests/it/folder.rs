//! Whose folder it is.

use crate::fixtures::open;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use store::{Commit, OpenError, Store};

#[test]
fn a_second_one_is_refused_while_the_first_lives() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = open(folder.path());
    let error = Store::open(folder.path(), 1).expect_err("refused");
    let OpenError::InUse { folder: named, pid } = &error else { unreachable!("{error}") };
    assert_eq!((named.as_path(), *pid), (folder.path(), Some(std::process::id())));
    let message = error.to_string();
    assert!(message.contains("another headcount runs") && message.contains("--data"), "{message}");
    drop(first);
    assert!(Store::open(folder.path(), 1).is_ok());
}

#[test]
fn every_life_has_a_greater_incarnation_and_the_same_epoch() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("made/when/missing");
    let mut last = 0;
    for life in 0..4 {
        let opened = Store::open(&folder, 40 + life).expect("opened");
        assert!(opened.incarnation.get() > last);
        assert_eq!((opened.epoch, opened.seq), (40, 0));
        last = opened.incarnation.get();
    }
}

#[test]
fn the_epoch_and_the_change_number_take_all_64_bits() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = Store::open(folder.path(), u64::MAX).expect("opened").store;
    store.commit(&Commit { seq: u64::MAX - 1, ..Commit::default() }).expect("committed");
    drop(store);
    let opened = Store::open(folder.path(), 1).expect("opened");
    assert_eq!((opened.epoch, opened.seq), (u64::MAX, u64::MAX - 1));
}

#[test]
fn a_newer_format_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    open(folder.path()).close().expect("closed");
    let file = folder.path().join("headcount.db");
    let change = Connection::open(&file).expect("opened");
    change.execute("UPDATE meta SET value = 6 WHERE key = 'format'", []).expect("changed");
    drop(change);
    let before = fs::read(&file).expect("read");
    let error = Store::open(folder.path(), 1).expect_err("refused");
    assert!(matches!(error, OpenError::Newer { found: 6, known: 5 }), "{error}");
    assert_eq!(fs::read(&file).expect("read"), before);
}

#[test]
fn what_is_not_ours_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("headcount.db");
    fs::write(&file, "name,started\n".repeat(200)).expect("written");
    let before = fs::read(&file).expect("read");
    let error = Store::open(folder.path(), 1).expect_err("refused");
    assert!(matches!(error, OpenError::NotOurs { .. }), "{error}");
    assert_eq!(fs::read(&file).expect("read"), before);

    fs::remove_file(&file).expect("removed");
    Connection::open(&file).expect("opened").execute_batch("CREATE TABLE t (x)").expect("made");
    let error = Store::open(folder.path(), 1).expect_err("refused");
    assert!(matches!(error, OpenError::NotOurs { .. }), "{error}");
}

#[test]
fn a_file_in_place_of_the_folder_is_named() {
    let parent = tempfile::tempdir().expect("a folder");
    let file = parent.path().join("data");
    fs::write(&file, "").expect("written");
    for path in [file.clone(), file.join("below")] {
        let error = Store::open(&path, 1).expect_err("refused");
        assert!(matches!(error, OpenError::NotAFolder { .. }), "{error}");
    }
}

#[test]
fn looking_changes_nothing_and_finds_what_was_committed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    store.commit(&Commit { seq: 7, cells: &[(3, 2)], ..Commit::default() }).expect("committed");
    let error = Store::look(folder.path()).expect_err("refused");
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    store.close().expect("closed");
    let files = || ["headcount.db", "lock"].map(|name| fs::read(folder.path().join(name)).expect("read"));
    let before = files();
    let mut looked = Store::look(folder.path()).expect("opened");
    assert_eq!((looked.incarnation.get(), looked.seq), (1, 7));
    assert_eq!(looked.store.cells(0, 9), Ok(vec![(3, 2)]));
    assert!(looked.store.commit(&Commit { seq: 8, ..Commit::default() }).is_err());
    assert!(matches!(Store::open(folder.path(), 1), Err(OpenError::InUse { .. })), "whoever looks holds it");
    drop(looked);
    assert_eq!(files(), before);
}

#[test]
fn a_snapshot_stands_still_beside_a_writer_and_takes_the_folder_from_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    store.commit(&Commit { seq: 7, cells: &[(3, 2)], ..Commit::default() }).expect("committed");
    let snapshot = Store::snapshot(folder.path()).expect("taken");
    assert!(snapshot.running);
    store.commit(&Commit { seq: 8, cells: &[(3, 5), (4, 1)], ..Commit::default() }).expect("committed");
    let mut then = snapshot.opened;
    assert_eq!((then.seq, then.store.cells(0, 9)), (7, Ok(vec![(3, 2)])));
    assert!(then.store.commit(&Commit { seq: 9, ..Commit::default() }).is_err());
    store.close().expect("closed");
    assert_eq!(then.store.first_cell(0, 9), Ok(Some(3)));

    let asking = fs::File::open(folder.path().join("lock")).expect("opened");
    asking.try_lock_shared().expect("shared");
    let stopped = Store::snapshot(folder.path()).expect("taken");
    assert!(!stopped.running, "whoever asks at the same time is not its owner");
    assert_eq!((stopped.opened.seq, stopped.opened.store.cells(0, 9)), (8, Ok(vec![(3, 7), (4, 1)])));
    drop(asking);
    assert!(Store::open(folder.path(), 1).is_ok());
}

#[test]
fn looking_finds_what_a_killed_program_left_in_its_write_ahead_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    store.commit(&Commit { seq: 7, cells: &[(3, 2)], ..Commit::default() }).expect("committed");
    let copy = tempfile::tempdir().expect("a folder");
    for name in ["headcount.db", "headcount.db-wal", "lock"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).expect("copied");
    }
    let looked = Store::look(copy.path()).expect("opened");
    assert_eq!((looked.seq, looked.store.cells(0, 9)), (7, Ok(vec![(3, 2)])));
}

#[test]
fn there_may_be_nothing_to_look_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing");
    for path in [folder.path(), &missing] {
        let error = Store::look(path).expect_err("refused");
        assert!(matches!(error, OpenError::Nothing { .. }), "{error}");
    }
    assert!(!missing.exists());
    fs::write(folder.path().join("headcount.db"), "name,started\n".repeat(200)).expect("written");
    assert!(Store::look(folder.path()).is_err());
}

/// All that lies in a folder, by name.
fn content(folder: &Path) -> BTreeMap<OsString, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("listed").map(|entry| entry.expect("an entry"));
    entries.map(|entry| (entry.file_name(), fs::read(entry.path()).expect("read"))).collect()
}

#[test]
fn looking_at_a_folder_that_was_closed_cleanly_makes_nothing_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    store.commit(&Commit { seq: 7, cells: &[(3, 2)], ..Commit::default() }).expect("committed");
    store.close().expect("closed");
    let before = content(folder.path());
    assert!(!before.contains_key(OsStr::new("headcount.db-wal")), "{:?}", before.keys());
    let looked = Store::look(folder.path()).expect("opened");
    assert_eq!((looked.seq, looked.store.cells(0, 9)), (7, Ok(vec![(3, 2)])));
    assert_eq!(content(folder.path()), before, "while it is open");
    drop(looked);
    assert_eq!(content(folder.path()), before);
}
