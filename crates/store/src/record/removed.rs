//! What is left of a conversation that was removed: a row in plain columns.

use super::bytes::Malformed;
use super::{RowError, checksum};
use crate::Gone;
use rusqlite::{CachedStatement, Row};

/// As [`read`] takes them.
pub(crate) const COLUMNS: &str = "hash, vector_clock, until_ns, position, checksum";

/// The one of a hash.
pub(crate) const SELECT_ONE: &str =
    "SELECT hash, vector_clock, until_ns, position, checksum FROM removed WHERE hash = ?1";

/// Stores one, in place of what was left before.
pub(crate) const UPSERT: &str = "INSERT OR REPLACE INTO removed
    (hash, vector_clock, until_ns, position, checksum) VALUES (?1, ?2, ?3, ?4, ?5)";

/// Stores one with a statement of [`UPSERT`].
pub(crate) fn write(statement: &mut CachedStatement<'_>, hash: i64, gone: &Gone) -> rusqlite::Result<()> {
    let row = [hash, i64::try_from(gone.clock).unwrap_or(i64::MAX), gone.until, gone.position.cast_signed()];
    let [hash, clock, until, position] = row;
    statement.execute((hash, clock, until, position, sum(row))).map(|_| ())
}

/// Takes one from a row.
pub(crate) fn read(row: &Row<'_>) -> Result<Gone, RowError> {
    let columns: [i64; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
    let [_, clock, until, position] = columns;
    if row.get::<_, u32>(4)? != sum(columns) || clock < 0 || position < 0 {
        return Err(Malformed("the checksum differs").into());
    }
    Ok(Gone { clock: clock.cast_unsigned(), until, position: position.cast_unsigned() })
}

/// Of hash, clock, instant and position.
pub(crate) fn sum(columns: [i64; 4]) -> u32 {
    checksum(b"removed", &columns.map(i64::cast_unsigned), &[])
}
