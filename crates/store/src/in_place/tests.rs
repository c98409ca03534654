//! Folders that are deleted, moved away and replaced while they are open.

use super::*;
use std::fs;

fn open(folder: &Path) -> Store {
    Store::open(folder, 7).expect("a folder").store
}

fn why(store: &Store) -> String {
    let Err(error @ StoreError::Changed { .. }) = store.look_in_place() else {
        unreachable!("it is as it was")
    };
    assert!(!error.may_pass());
    error.to_string()
}

#[test]
fn a_folder_that_is_left_alone_is_in_its_place_whatever_is_committed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    for at in 1..50 {
        let cells: Vec<(i64, i64)> = (0..200).map(|minute| (minute, 1)).collect();
        let commit = crate::Commit { cells: &cells, committed_at: at, ..crate::Commit::default() };
        store.commit(&commit).expect("committed");
        assert_eq!(store.look_in_place(), Ok(()));
    }
}

#[test]
fn a_folder_that_is_deleted_moved_away_or_replaced_is_noticed() {
    let above = tempfile::tempdir().expect("a folder");
    let (folder, other) = (above.path().join("data"), above.path().join("other"));
    let store = open(&folder);
    fs::rename(&folder, &other).expect("moved away");
    assert!(why(&store).contains("deleted or moved away"));
    let second = open(&folder);
    assert!(why(&store).contains("is not the one that was opened"));
    assert_eq!(second.look_in_place(), Ok(()));
    fs::remove_dir_all(&folder).expect("deleted");
    assert!(why(&second).contains("deleted or moved away"));
    fs::rename(&other, &folder).expect("moved back");
    assert_eq!(store.look_in_place(), Ok(()), "it is the same");
}

#[test]
fn a_write_ahead_log_that_is_deleted_alone_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    fs::remove_file(folder.path().join("headcount.db-wal")).expect("it is there while the file is open");
    assert!(why(&store).contains("write-ahead log"));
}
