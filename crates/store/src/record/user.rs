//! A user's presence or routing status: a row in plain columns.

use super::RowError;
use super::bytes::Malformed;
use super::ordinals::{user_what, user_what_word};
use engine::{Id, Time, UserRow, Word};
use rusqlite::{CachedStatement, Row, params};

/// As [`read`] takes them.
pub(crate) const COLUMNS: &str = "user, what, value, at_ns, at_digits, received_ns";

/// Every one of them.
pub(crate) const SELECT: &str = "SELECT user, what, value, at_ns, at_digits, received_ns FROM user_state";

/// Stores one, in place of the older.
pub(crate) const UPSERT: &str = "INSERT OR REPLACE INTO user_state
    (user, what, value, at_ns, at_digits, received_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// Stores one with a statement of [`UPSERT`].
pub(crate) fn write(statement: &mut CachedStatement<'_>, row: &UserRow) -> rusqlite::Result<()> {
    statement.execute(params![
        row.user.to_string(),
        user_what_word(row.what),
        row.value.as_str(),
        row.at.map(|t| t.nanos),
        row.at.map(|t| t.digits),
        row.received,
    ])?;
    Ok(())
}

/// Takes one from a row of [`SELECT`].
pub(crate) fn read(row: &Row<'_>) -> Result<UserRow, RowError> {
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
