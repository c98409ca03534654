//! A user's presence or routing status: a row in plain columns.

use super::bytes::Malformed;
use super::ordinals::{user_what, user_what_word};
use super::{RowError, checksum};
use engine::{Id, Time, UserRow, Word};
use rusqlite::{CachedStatement, Row, params};

/// As [`read`] takes them.
pub(crate) const COLUMNS: &str = "user, what, value, at_ns, at_digits, received_ns, checksum";

/// Every one of them.
pub(crate) const SELECT: &str =
    "SELECT user, what, value, at_ns, at_digits, received_ns, checksum FROM user_state";

/// Stores one, in place of the older.
pub(crate) const UPSERT: &str = "INSERT OR REPLACE INTO user_state
    (user, what, value, at_ns, at_digits, received_ns, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Stores one with a statement of [`UPSERT`].
pub(crate) fn write(statement: &mut CachedStatement<'_>, row: &UserRow) -> rusqlite::Result<()> {
    statement.execute(params![
        row.user.to_string(),
        user_what_word(row.what),
        row.value.as_str(),
        row.at.map(|t| t.nanos),
        row.at.map(|t| t.digits.min(9)),
        row.received,
        sum(row),
    ])?;
    Ok(())
}

/// Takes one from a row of [`SELECT`].
pub(crate) fn read(row: &Row<'_>) -> Result<UserRow, RowError> {
    let found = columns(row)?;
    if row.get::<_, u32>(6)? != sum(&found) {
        return Err(Malformed("the checksum differs").into());
    }
    Ok(found)
}

/// The same, whatever its checksum.
pub(crate) fn columns(row: &Row<'_>) -> Result<UserRow, RowError> {
    let at: Option<i64> = row.get(3)?;
    let digits: Option<u8> = row.get(4)?;
    Ok(UserRow {
        user: Id::new(row.get_ref(0)?.as_str()?).map_err(|_| Malformed("an impossible id"))?,
        what: user_what(row.get_ref(1)?.as_str()?)?,
        value: Word::new(row.get_ref(2)?.as_str()?).ok_or(Malformed("an empty word"))?,
        at: at.map(|nanos| Time { nanos, digits: digits.unwrap_or_default().min(9) }),
        received: row.get(5)?,
    })
}

fn sum(row: &UserRow) -> u32 {
    let user = row.user.to_string();
    let columns = [
        u64::from(row.at.is_some()),
        row.at.map_or(0, |at| at.nanos.cast_unsigned()),
        row.at.map_or(0, |at| u64::from(at.digits.min(9))),
        row.received.cast_unsigned(),
        user.len() as u64,
    ];
    checksum(b"user", &columns, [&user, user_what_word(row.what), row.value.as_str()].join(" ").as_bytes())
}
