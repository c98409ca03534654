//! The events of a minute: a row that is moved by differences, and its sum moves with it.
//!
//! A sum that were made anew with each move would make a damaged count look sound. So it is linear in the count, modulo a
//! prime: a move adds the same to both, and what did not fit before does not fit behind. One bit that flips is always seen,
//! since no power of two is a multiple of the prime.

use super::RowError;
use super::bytes::Malformed;
use rusqlite::{CachedStatement, Row};

/// As [`read`] takes them.
pub(crate) const COLUMNS: &str = "minute, events, checksum";

/// Every one of them, by time.
pub(crate) const SELECT: &str = "SELECT minute, events, checksum FROM cell ORDER BY minute";

/// Those from one minute to another, both included.
pub(crate) const SELECT_BETWEEN: &str =
    "SELECT minute, events, checksum FROM cell WHERE minute BETWEEN ?1 AND ?2 ORDER BY minute";

/// The last that have events, none behind a minute: so many.
pub(crate) const SELECT_LAST: &str = "SELECT minute, events, checksum FROM cell WHERE minute <= ?1 AND events > 0 ORDER BY minute DESC LIMIT ?2";

/// Moves one by a difference.
pub(crate) const UPSERT: &str = "INSERT INTO cell (minute, events, checksum) VALUES (?1, ?2, ?3)
    ON CONFLICT (minute) DO UPDATE SET events = events + excluded.events,
        checksum = (checksum + ?4) % 2305843009213693951";

/// 2^61 - 1, as in [`UPSERT`].
const PRIME: i64 = 2_305_843_009_213_693_951;
/// Odd numbers without a pattern, below the prime.
const OF_MINUTE: i64 = 0x1e37_79b9_7f4a_7c15;
const OF_EVENTS: i64 = 0x158c_6d0b_8331_11eb;

/// Moves one with a statement of [`UPSERT`].
pub(crate) fn write(
    statement: &mut CachedStatement<'_>,
    (minute, moved): (i64, i64),
) -> rusqlite::Result<()> {
    statement.execute((minute, moved, checksum(minute, moved), times(moved, OF_EVENTS))).map(|_| ())
}

/// The minute, and its events.
pub(crate) fn read(row: &Row<'_>) -> Result<(i64, u64), RowError> {
    let (minute, events) = (row.get(0)?, row.get(1)?);
    if row.get::<_, i64>(2)? != checksum(minute, events) {
        return Err(Malformed("the checksum differs").into());
    }
    Ok((minute, events.max(0).cast_unsigned()))
}

/// Of a row that holds this.
pub(crate) fn checksum(minute: i64, events: i64) -> i64 {
    (times(minute, OF_MINUTE) + times(events, OF_EVENTS)) % PRIME
}

/// A product modulo the prime, not below zero.
fn times(number: i64, factor: i64) -> i64 {
    let product = i128::from(number.rem_euclid(PRIME)) * i128::from(factor);
    i64::try_from(product % i128::from(PRIME)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
