//! An interval of a feed's ledger: a row in plain columns.

use super::RowError;
use super::ordinals::completeness;
use engine::LedgerRow;
use rusqlite::{CachedStatement, Row, params};

/// As [`read`] takes them.
pub(crate) const COLUMNS: &str = "feed, name, from_ns, to_ns, state, listening, reason";

/// Every one of them, by feed and time.
pub(crate) const SELECT: &str =
    "SELECT feed, name, from_ns, to_ns, state, listening, reason FROM ledger ORDER BY feed, from_ns";

/// Stores one, in place of what was known of it.
pub(crate) const UPSERT: &str = "INSERT OR REPLACE INTO ledger
    (feed, name, from_ns, to_ns, state, listening, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Stores one with a statement of [`UPSERT`].
pub(crate) fn write(statement: &mut CachedStatement<'_>, row: &LedgerRow) -> rusqlite::Result<()> {
    let state = row.state.as_str();
    statement.execute(params![row.feed, row.name, row.from, row.to, state, row.listening, row.reason])?;
    Ok(())
}

/// Takes one from a row of [`SELECT`].
pub(crate) fn read(row: &Row<'_>) -> Result<LedgerRow, RowError> {
    Ok(LedgerRow {
        feed: row.get(0)?,
        name: row.get(1)?,
        from: row.get(2)?,
        to: row.get(3)?,
        state: completeness(row.get_ref(4)?.as_str()?)?,
        listening: row.get(5)?,
        reason: row.get(6)?,
    })
}
