//! Conversations laid down: what went in comes out, and no part of a row can change unseen.

use super::*;
use crate::upgrade::upgrade;
use crate::{schema, testing};
use proptest::prelude::*;
use rusqlite::Connection;

fn tables() -> Connection {
    let mut connection = Connection::open_in_memory().expect("memory");
    let transaction = connection.transaction().expect("begun");
    schema::create(&transaction, 1).expect("made");
    upgrade(&transaction, 1).expect("upgraded");
    transaction.commit().expect("committed");
    connection
}

fn put(connection: &Connection, stored: &StoredConversation) {
    let mut statement = connection.prepare_cached(UPSERT).expect("prepared");
    write(&mut statement, &mut Scratch::default(), stored).expect("written");
}

fn get(connection: &Connection, id: &Id) -> Result<StoredConversation, RowError> {
    let mut statement = connection.prepare_cached(SELECT_ONE).expect("prepared");
    let mut rows = statement.query([Key(id)]).expect("queried");
    read(rows.next().expect("read").expect("a row"))
}

fn sample() -> StoredConversation {
    let time = Time::from_millis(1_780_000_000_123);
    StoredConversation {
        id: Id::from_uuid([7; 16]),
        resident: true,
        active: false,
        started_at: Some(time),
        ended_at: Some(Time { digits: 6, ..time }),
        dropped: 2,
        facts: vec![(testing::event(1, Id::from_uuid([8; 16]), time), testing::heard(5))],
    }
}

#[test]
fn golden() {
    let stored = StoredConversation { facts: Vec::new(), ..sample() };
    let mut scratch = Scratch::default();
    assert_eq!(encode(&mut scratch, &stored).expect("encoded"), [1, 0, 0, 0x80, 0x10, 0x63]);
}

#[test]
fn no_column_can_change_unseen() {
    let connection = tables();
    let changes = [
        "resident = 0",
        "active = 1",
        "started_at_ns = NULL",
        "ended_at_ns = ended_at_ns + 1",
        "dropped = 0",
        "facts = 2",
        "body = zeroblob(20)",
        "checksum = checksum + 1",
        "checksum = -1",
        "body = 'text'",
    ];
    for change in changes {
        put(&connection, &sample());
        assert_eq!(get(&connection, &sample().id).expect("readable"), sample());
        connection.execute(&format!("UPDATE conversation SET {change}"), []).expect("changed");
        let error = get(&connection, &sample().id).expect_err(change);
        assert!(matches!(error, RowError::Malformed(_)), "{change}: {error:?}");
    }
}

#[test]
fn people_can_read_it() {
    let connection = tables();
    put(&connection, &sample());
    let sql = "SELECT id, started_at, facts FROM readable_conversation";
    let row: (String, String, i64) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("a row");
    assert_eq!(row, ("07070707-0707-0707-0707-070707070707".into(), "2026-05-28T20:26:40.123Z".into(), 1));
    connection.execute("INSERT INTO cell (minute, events) VALUES (29666666, 3)", []).expect("inserted");
    let sql = "SELECT minute, events FROM readable_cell";
    let row: (String, i64) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("a row");
    assert_eq!(row, ("2026-05-28T20:26Z".into(), 3));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn conversations_come_back(stored in prop::collection::vec(testing::conversation(), 1..4)) {
        let connection = tables();
        for stored in stored {
            put(&connection, &stored);
            let back = get(&connection, &stored.id).expect("readable");
            prop_assert_eq!(format!("{back:?}"), format!("{stored:?}"), "digits of times included");
            prop_assert_eq!(back, stored);
        }
    }
}
