//! An interval of a feed's ledger: a row in plain columns.

use super::bytes::Malformed;
use super::ordinals::completeness;
use super::{RowError, checksum};
use engine::LedgerRow;
use rusqlite::{CachedStatement, Row, params};

/// As [`read`] takes them.
pub(crate) const COLUMNS: &str = "feed, name, from_ns, to_ns, state, listening, reason, checksum";

/// Every one of them, by feed and time.
pub(crate) const SELECT: &str = "SELECT feed, name, from_ns, to_ns, state, listening, reason, checksum FROM ledger ORDER BY feed, from_ns";

/// Stores one, in place of what was known of it.
pub(crate) const UPSERT: &str = "INSERT OR REPLACE INTO ledger
    (feed, name, from_ns, to_ns, state, listening, reason, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// Stores one with a statement of [`UPSERT`].
pub(crate) fn write(statement: &mut CachedStatement<'_>, row: &LedgerRow) -> rusqlite::Result<()> {
    let LedgerRow { feed, name, from, to, state, listening, reason } = row;
    statement.execute(params![feed, name, from, to, state.as_str(), listening, reason, sum(row)])?;
    Ok(())
}

/// Takes one from a row of [`SELECT`].
pub(crate) fn read(row: &Row<'_>) -> Result<LedgerRow, RowError> {
    let found = columns(row)?;
    if row.get::<_, u32>(7)? != sum(&found) {
        return Err(Malformed("the checksum differs").into());
    }
    Ok(found)
}

/// The same, whatever its checksum.
pub(crate) fn columns(row: &Row<'_>) -> Result<LedgerRow, RowError> {
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

fn sum(row: &LedgerRow) -> u32 {
    let columns = [
        u64::from(row.feed),
        row.from.cast_unsigned(),
        u64::from(row.to.is_some()),
        row.to.unwrap_or_default().cast_unsigned(),
        u64::from(row.listening),
        row.name.len() as u64,
    ];
    checksum(b"ledger", &columns, [row.name.as_str(), row.state.as_str(), &row.reason].join(" ").as_bytes())
}
