//! Bytes that changed on disk: said, passed over, and the rest is there.

use crate::fixtures::{START, batch, conversation, id, open, recover, replay};
use engine::{Completeness, LedgerRow, Time, UserRow, UserWhat, Word};
use rusqlite::Connection;
use std::path::Path;
use store::{Commit, Inherited, OutboxBounds, Outgoing, Removal, Store, StoreError};

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
    let listed = store.ids_after(None, 9).expect("read");
    assert_eq!(listed, [1, 2, 3].map(|n| Ok(id(n))), "it is not passed over");

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

/// A kind of record: the table, one row of it, its numbers, its texts, and its columns of 0 or 1.
type Kind =
    (&'static str, &'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

const KINDS: [Kind; 8] = [
    ("log", "position = 1", &["committed_at_ns", "incarnation", "seq", "facts", "checksum"], &[], &[]),
    (
        "conversation",
        "number = 1",
        &["started_at_ns", "ended_at_ns", "dropped", "facts", "checksum"],
        &["id"],
        &["resident", "active"],
    ),
    ("cell", "minute = 7", &["minute", "events", "checksum"], &[], &[]),
    ("user_state", "at_ns > 0", &["at_ns", "at_digits", "received_ns", "checksum"], &["user", "value"], &[]),
    (
        "ledger",
        "from_ns > 0",
        &["feed", "from_ns", "to_ns", "checksum"],
        &["name", "state", "reason"],
        &["listening"],
    ),
    ("outbox", "position = 1", &["committed_at_ns", "after_seq", "seq", "checksum"], &[], &[]),
    ("inherited", "vector_clock = 17", &["vector_clock", "removed_until_ns", "checksum"], &["id"], &[]),
    ("removed", "position > 0", &["hash", "vector_clock", "until_ns", "position", "checksum"], &[], &[]),
];

/// Two of each, but for what was removed.
fn two_of_each(folder: &Path) {
    let mut store = open(folder);
    store.begin_outbox(true).expect("begun");
    let bounds = OutboxBounds { bytes_max: 1 << 20, age_ns_max: i64::MAX };
    for n in [1, 2] {
        let value = Word::new(if n == 1 { "busy" } else { "idle" }).expect("a word");
        let at = (n == 1).then_some(Time { nanos: START, digits: 6 });
        let users = [UserRow { user: id(n), what: UserWhat::Presence, value, at, received: START }];
        let (name, reason, state) = ("feed".to_owned(), "cut".to_owned(), Completeness::Repaired);
        let from = START.cast_unsigned().wrapping_mul(2 - n).cast_signed();
        let ledger = [LedgerRow { feed: 3, name, from, to: Some(START + 9), state, listening: true, reason }];
        let (admitted, named) = (batch(n, 9), [id(n)]);
        let laid_down = [conversation(n * 3, false), conversation(n * 3 + 10, false)];
        let outgoing = Outgoing { after_seq: n, conversations: &named, passed: 0, bounds };
        let commit = Commit { committed_at: START, incarnation: 1, seq: n + 1, ..Commit::default() };
        let commit = Commit { admitted: &admitted, cells: &[(n.cast_signed() * 7, 5)], ..commit };
        let commit = Commit { users: &users, ledger: &ledger, laid_down: &laid_down, ..commit };
        store.commit(&Commit { outgoing: Some(outgoing), ..commit }).expect("committed");
    }
    store.remove(&[Removal { conversation: id(13), clock: 9 }], START + 5).expect("removed");
    let lost =
        |n, removed_until| Inherited { conversation: id(n), clock: 17, removed_until, remembered: None };
    store.inherit(&[lost(20, Some(START)), Inherited { clock: 3, ..lost(21, None) }]).expect("inherited");
    store.close().expect("closed");
}

#[test]
fn a_bit_that_flips_in_any_column_of_any_kind_is_seen_and_costs_that_record() {
    let whole = tempfile::tempdir().expect("a folder");
    two_of_each(whole.path());
    let found = |change: Option<&str>| {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("headcount.db");
        std::fs::copy(whole.path().join("headcount.db"), &file).expect("copied");
        std::fs::write(folder.path().join("lock"), "").expect("written");
        let connection = Connection::open(&file).expect("opened");
        change.into_iter().for_each(|sql| assert_eq!(connection.execute(sql, []), Ok(1), "{sql}"));
        connection.close().expect("closed");
        let (mut told, looked) = (Vec::new(), Store::look(folder.path()).expect("opened").store);
        let checked = looked.check(&mut |damaged| told.push(damaged.table), &mut |_| {}).expect("checked");
        drop(looked);
        let (recovered, kept) = recover(&mut open(folder.path()));
        assert_eq!(recovered.damaged, kept.damaged.len() as u64);
        (checked, told, kept)
    };
    let (sound, none, all) = found(None);
    assert_eq!((sound.damaged, none.len(), all.damaged.len()), (0, 0, 0));
    for (table, row, numbers, texts, flags) in KINDS {
        let number = |column: &'static str| {
            let flipped = move |bit| format!("({column} | {bit}) - ({column} & {bit})");
            [1_i64, 1 << 5, 1 << 31].map(move |bit| (column, flipped(bit)))
        };
        let last =
            |column: &'static str| (column, format!("substr({column}, 1, length({column}) - 1) || '~'"));
        let flag = |column: &'static str| (column, format!("1 - {column}"));
        let changes = numbers.iter().copied().flat_map(number);
        let changes = changes.chain(texts.iter().copied().map(last)).chain(flags.iter().copied().map(flag));
        for (column, change) in changes {
            let sql = format!("UPDATE {table} SET {column} = {change} WHERE {row}");
            let (checked, told, kept) = found(Some(&sql));
            assert_eq!((told, checked.sound), (vec![table], sound.sound - 1), "{sql}");
            let at_a_start =
                !matches!(table, "outbox" | "removed") && (table != "conversation" || column == "resident");
            let said: Vec<_> = kept.damaged.iter().map(|damaged| damaged.table).collect();
            assert_eq!(said, if at_a_start { vec![table] } else { vec![] }, "{sql}");
            let counts = |kept: &crate::fixtures::Kept| {
                [kept.users.len(), kept.ledger.len(), kept.cells.len(), kept.inherited.len()]
            };
            let of = ["user_state", "ledger", "cell", "inherited"];
            let lost = of.map(|name| usize::from(table == name));
            let left: Vec<_> = counts(&all).iter().zip(lost).map(|(all, lost)| all - lost).collect();
            assert_eq!(counts(&kept)[..], left, "{sql}");
        }
    }
}

#[test]
fn a_minute_that_is_damaged_stays_so_whatever_moves_it() {
    let folder = tempfile::tempdir().expect("a folder");
    two_of_each(folder.path());
    let connection = Connection::open(folder.path().join("headcount.db")).expect("opened");
    connection.execute("UPDATE cell SET events = 4 WHERE minute = 7", []).expect("changed");
    drop(connection);
    let mut store = open(folder.path());
    store.commit(&Commit { cells: &[(7, 1), (14, 1)], ..Commit::default() }).expect("committed");
    assert_eq!(store.cells(0, 99), Ok(vec![(14, 6)]), "a count that is not right is not told");
    let (_, kept) = recover(&mut store);
    assert_eq!(
        kept.damaged.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["cell 7: the checksum differs"]
    );
}

#[test]
fn what_is_left_of_a_removed_one_is_believed_or_said_to_be_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    two_of_each(folder.path());
    let connection = Connection::open(folder.path().join("headcount.db")).expect("opened");
    connection.execute("UPDATE removed SET vector_clock = 8", []).expect("changed");
    drop(connection);
    let store = open(folder.path());
    let Err(StoreError::Damaged(damaged)) = store.removed(&id(13)) else { unreachable!("it is damaged") };
    assert_eq!((damaged.table, damaged.why), ("removed", "the checksum differs"));
    assert_eq!(store.removed(&id(16)), Ok(None));
}
