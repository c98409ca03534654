//! Moves keep what fits fitting, and what does not fit damaged; no bit flips unseen.

use super::*;
use proptest::prelude::*;
use rusqlite::Connection;

fn moved(moves: &[(i64, i64)]) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let table =
        "CREATE TABLE cell (minute INTEGER PRIMARY KEY, events INTEGER NOT NULL, checksum INTEGER NOT NULL)";
    connection.execute_batch(table).unwrap();
    moves.iter().for_each(|one| write(&mut connection.prepare_cached(UPSERT).unwrap(), *one).unwrap());
    connection
}

fn one(connection: &Connection) -> Result<(i64, u64), RowError> {
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM cell")).unwrap();
    let mut rows = statement.query([]).unwrap();
    read(rows.next().unwrap().unwrap())
}

proptest! {
    #[test]
    fn what_is_moved_fits(moves in prop::collection::vec(-9..1_000_000_000_i64, 1..9), minute in any::<i32>()) {
        let minute = i64::from(minute);
        let all: Vec<_> = moves.iter().map(|by| (minute, *by)).collect();
        let sum = moves.iter().sum::<i64>().max(0).cast_unsigned();
        prop_assert_eq!(one(&moved(&all)).ok(), Some((minute, sum)));
    }

    #[test]
    fn a_bit_that_flips_is_seen_whatever_moves_then(bit in 0..63_u32, column in 0..3_usize, by in 0..9_i64) {
        let connection = moved(&[(29_666_666, 70)]);
        let column = ["minute", "events", "checksum"][column];
        let flip = format!("UPDATE cell SET {column} = ({column} | ?1) - ({column} & ?1)");
        connection.execute(&flip, [1_i64 << bit]).unwrap();
        prop_assert!(one(&connection).is_err());
        if column != "minute" {
            write(&mut connection.prepare_cached(UPSERT).unwrap(), (29_666_666, by)).unwrap();
            prop_assert!(one(&connection).is_err(), "a move mends nothing");
        }
    }
}
