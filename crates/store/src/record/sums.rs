//! Checksums of rows in plain columns, for files from before there were any.
//!
//! What cannot be read keeps the sum that no row has, and is told of as damaged from then on.

use super::{RowError, cell, ledger, removed, user};
use rusqlite::{OptionalExtension, Row, Transaction};

/// Columns for them.
pub(crate) const ADDED: &str = "
    ALTER TABLE user_state ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1;
    ALTER TABLE ledger ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1;
    ALTER TABLE cell ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1;
    ALTER TABLE removed ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1;
";

/// Fills them, one row of the tables that may be long at a time.
pub(crate) fn fill(of: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut users = of.prepare_cached(user::UPSERT)?;
    for row in all(of, user::SELECT, user::columns)? {
        user::write(&mut users, &row)?;
    }
    let mut intervals = of.prepare_cached(ledger::UPSERT)?;
    for row in all(of, ledger::SELECT, ledger::columns)? {
        ledger::write(&mut intervals, &row)?;
    }
    each(of, "cell", "minute", "events, 0, 0", |[minute, events, _, _]| cell::checksum(minute, events))?;
    each(of, "removed", "hash", "vector_clock, until_ns, position", |row| i64::from(removed::sum(row)))
}

/// Rows of a small table that can be read.
fn all<T>(
    of: &Transaction<'_>,
    sql: &str,
    columns: fn(&Row<'_>) -> Result<T, RowError>,
) -> rusqlite::Result<Vec<T>> {
    let (mut statement, mut found) = (of.prepare(sql)?, Vec::new());
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        match columns(row) {
            Ok(row) => found.push(row),
            Err(RowError::Failed(error)) => return Err(error),
            Err(RowError::Malformed(_)) => {}
        }
    }
    Ok(found)
}

/// Gives each row of a table of numbers its sum.
fn each(
    of: &Transaction<'_>,
    table: &str,
    key: &str,
    columns: &str,
    sum: impl Fn([i64; 4]) -> i64,
) -> rusqlite::Result<()> {
    let next = format!("SELECT {key}, {columns} FROM {table} WHERE {key} > ?1 ORDER BY {key} LIMIT 1");
    let first = format!("SELECT {key}, {columns} FROM {table} ORDER BY {key} LIMIT 1");
    let mut change = of.prepare(&format!("UPDATE {table} SET checksum = ?2 WHERE {key} = ?1"))?;
    let (mut next, mut first) = (of.prepare(&next)?, of.prepare(&first)?);
    let numbers = |row: &Row<'_>| {
        let column = |at| row.get::<_, i64>(at).ok();
        let all = [column(0), column(1), column(2), column(3)];
        Ok((row.get::<_, i64>(0)?, all.map(Option::unwrap_or_default), all.iter().all(Option::is_some)))
    };
    let mut found = first.query_row([], numbers).optional()?;
    while let Some((at, row, sound)) = found {
        if sound {
            change.execute((at, sum(row)))?;
        }
        found = next.query_row([at], numbers).optional()?;
    }
    Ok(())
}
