//! Rows come back in their order, whoever decoded them; what cannot be decoded is told in its place.

use super::*;
use rusqlite::Connection;

struct Text(i64);

impl Lifted for Text {
    const TABLE: &'static str = "t";
    const NUMBER: usize = 0;
    type Record = (i64, usize);

    fn lift(row: &Row<'_>, bytes: &mut Vec<u8>) -> Result<Self, RowError> {
        bytes.extend_from_slice(row.get_ref(1)?.as_blob()?);
        Ok(Self(row.get(0)?))
    }

    fn key(&self) -> String {
        self.0.to_string()
    }

    fn decode(&self, body: &[u8]) -> Result<(i64, usize), Malformed> {
        let sound = body.iter().all(|byte| i64::from(*byte) == self.0 % 251);
        if sound { Ok((self.0, body.len())) } else { Err(Malformed("another's bytes")) }
    }
}

type Told = Result<(i64, usize), String>;

/// Of so many rows, each of `length(number)` bytes: every ninth has no blob, every seventh the bytes of another.
fn told(rows: i64, length: impl Fn(i64) -> usize) -> (Vec<Told>, i64) {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t (number INTEGER PRIMARY KEY, body)").unwrap();
    for number in 1..=rows {
        let byte = (number % 251) as u8 ^ u8::from(number % 7 == 0);
        let body = (number % 9 != 0).then(|| vec![byte; length(number)]);
        connection.execute("INSERT INTO t VALUES (?1, ?2)", (number, body)).unwrap();
    }
    let mut statement = connection.prepare("SELECT number, body FROM t ORDER BY number").unwrap();
    let (mut told, mut last) = (Vec::new(), 0);
    each::<Text, _>(
        &mut statement.query([]).unwrap(),
        &mut last,
        |record| record,
        |row| {
            told.push(row.map_err(|damaged| damaged.to_string()));
        },
    )
    .unwrap();
    (told, last)
}

#[test]
fn rows_come_in_their_order_whoever_decoded_them() {
    let rows = 20_000;
    let length = |number: i64| if number % 1_000 == 0 { 100_000 } else { number as usize % 90 };
    for rows in [0, 1, 63, 64, 65, 129, rows] {
        let (told, last) = told(rows, length);
        assert_eq!(last, rows);
        let should = |number: i64| match number {
            _ if number % 9 == 0 => Err(format!("t {number}: a column of another type")),
            _ if number % 7 == 0 && length(number) > 0 => Err(format!("t {number}: another's bytes")),
            _ => Ok((number, length(number))),
        };
        assert_eq!(told, (1..=rows).map(should).collect::<Vec<_>>());
    }
}
