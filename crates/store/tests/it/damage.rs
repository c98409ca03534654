//! Bytes that changed on disk: said, passed over, and the rest is there.

use crate::fixtures::{START, batch, conversation, id, open, recover, replay};
use engine::{UserRow, UserWhat, Word};
use rusqlite::Connection;
use std::path::Path;
use store::{Commit, StoreError};

/// Inverts one byte in the middle of a row's body.
pub fn flip(folder: &Path, table: &str, which: &str) {
    let connection = Connection::open(folder.join("headcount.db")).expect("opened");
    let sql = format!("SELECT body FROM {table} WHERE {which}");
    let mut body: Vec<u8> = connection.query_row(&sql, [], |row| row.get(0)).expect("a row");
    let middle = body.len() / 2;
    body[middle] ^= 0xff;
    let sql = format!("UPDATE {table} SET body = ?1 WHERE {which}");
    assert_eq!(connection.execute(&sql, [body]), Ok(1));
}

#[test]
fn a_damaged_row_of_the_log_is_reported_and_the_others_load() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    for position in 1..=5 {
        let admitted = batch(position, 50);
        let committed_at = START + position.cast_signed();
        store.commit(&Commit { committed_at, admitted: &admitted, ..Commit::default() }).expect("committed");
    }
    drop(store);
    flip(folder.path(), "log", "position = 2");
    flip(folder.path(), "log", "position = 5");

    let mut store = open(folder.path());
    let (recovered, kept) = recover(&mut store);
    assert_eq!((recovered.log_rows, recovered.facts, recovered.damaged), (3, 150, 2));
    assert_eq!(recovered.last_committed_at, Some(START + 4));
    let said: Vec<_> = kept.damaged.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["log 2: the checksum differs", "log 5: the checksum differs"]);
    let logged = replay(&store);
    assert_eq!(logged.iter().map(|b| b.position).collect::<Vec<_>>(), [1, 3, 4]);
    assert!(logged.iter().all(|b| b.admitted == batch(b.position, 50)));
    assert_eq!(store.commit(&Commit::default()), Ok(6));
}

#[test]
fn a_damaged_conversation_is_named_and_the_others_are_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let laid_down: Vec<_> = (1..=6).map(|n| conversation(n, n > 3)).collect();
    store.commit(&Commit { laid_down: &laid_down, ..Commit::default() }).expect("committed");
    drop(store);
    flip(folder.path(), "conversation", "number = 2");
    flip(folder.path(), "conversation", "number = 4");

    let mut store = open(folder.path());
    let (recovered, kept) = recover(&mut store);
    assert_eq!((recovered.conversations, recovered.damaged), (2, 1));
    assert_eq!(kept.damaged[0].row, id(4).to_string());
    let Err(StoreError::Damaged(damaged)) = store.load(&id(2)) else { unreachable!("it is damaged") };
    assert_eq!((damaged.table, damaged.row.clone()), ("conversation", id(2).to_string()));
    let listed = store.stored_after(None, 9).expect("read");
    assert_eq!(listed, [Ok(laid_down[0].clone()), Err(damaged), Ok(laid_down[2].clone())]);

    let again = &laid_down[1..2];
    store.commit(&Commit { laid_down: again, ..Commit::default() }).expect("committed");
    assert_eq!(store.load(&id(2)), Ok(Some(again[0].clone())), "laying it down anew mends it");
}

#[test]
fn damaged_columns_are_reported_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let user = |n| UserRow {
        user: id(n),
        what: UserWhat::Presence,
        value: Word::new("busy").expect("a word"),
        at: None,
        received: START,
    };
    let (users, cells) = ([user(1), user(2)], [(1, 1), (2, 2)]);
    store.commit(&Commit { users: &users, cells: &cells, ..Commit::default() }).expect("committed");
    drop(store);
    let connection = Connection::open(folder.path().join("headcount.db")).expect("opened");
    let change = format!(
        "UPDATE user_state SET value = x'ff' WHERE user = '{}'; UPDATE cell SET events = 'many' WHERE minute = 1;
         UPDATE log SET committed_at_ns = 5;",
        id(1)
    );
    connection.execute_batch(&change).expect("changed");
    drop(connection);

    let mut store = open(folder.path());
    let (recovered, kept) = recover(&mut store);
    let said: Vec<_> = kept.damaged.iter().map(|d| d.table).collect();
    assert_eq!((recovered.damaged, said), (3, vec!["user_state", "cell", "log"]));
    assert_eq!((kept.users, kept.cells), (vec![user(2)], vec![(2, 2)]));
}
