//! Every row of the file, also of one whose pages are damaged.
//!
//! SQLite ends a query at the first page that it cannot make sense of. Rows with a number can be asked for behind that page:
//! the next one that can be read is found by doubling steps and then by halves, so that a page costs its own rows and some
//! hundred look-ups. Tables without numbers are small (users, the ledger) and are read as far as they go.

use crate::cells;
use crate::record::{RowError, batch, cell, conversation, inherited, ledger, removed, user};
use crate::{Damaged, StoreError, outbox, read, recover};
use rusqlite::{Connection, Row};

/// A table whose rows are checked.
pub(crate) struct Table {
    pub name: &'static str,
    /// As its decoder takes them; the number, where there is one, is among them.
    pub columns: &'static str,
    /// The column that numbers its rows, and where it stands among them.
    pub number: Option<(&'static str, usize)>,
    pub decode: fn(&Row<'_>) -> Result<(), RowError>,
}

/// Every table with records, in the order in which a recovery reads them.
pub(crate) const TABLES: [Table; 12] = [
    Table {
        name: "user_state",
        columns: user::COLUMNS,
        number: None,
        decode: |row| user::read(row).map(drop),
    },
    Table {
        name: "ledger",
        columns: ledger::COLUMNS,
        number: None,
        decode: |row| ledger::read(row).map(drop),
    },
    Table {
        name: "cell",
        columns: cell::COLUMNS,
        number: Some(("minute", 0)),
        decode: |row| cell::read(row).map(drop),
    },
    Table {
        name: "conversation",
        columns: conversation::COLUMNS,
        number: Some(("number", 9)),
        decode: conversation::check,
    },
    Table {
        name: "log",
        columns: batch::COLUMNS,
        number: Some(("position", 0)),
        decode: |row| recover::read_batch(row).map(drop),
    },
    Table { name: "outbox", columns: outbox::COLUMNS, number: Some(("position", 0)), decode: outbox::check },
    Table {
        name: "inherited",
        columns: inherited::COLUMNS,
        number: None,
        decode: |row| inherited::read(row).map(drop),
    },
    Table {
        name: "cell_part",
        columns: cells::COLUMNS,
        number: Some(("number", 0)),
        decode: |row| cells::read("cell_part", row).map(drop),
    },
    Table {
        name: "cell_minutes",
        columns: cells::COLUMNS,
        number: Some(("number", 0)),
        decode: |row| cells::read("cell_minutes", row).map(drop),
    },
    Table {
        name: "cell_hours",
        columns: cells::COLUMNS,
        number: Some(("number", 0)),
        decode: |row| cells::read("cell_hours", row).map(drop),
    },
    Table {
        name: "cell_days",
        columns: cells::COLUMNS,
        number: Some(("number", 0)),
        decode: |row| cells::read("cell_days", row).map(drop),
    },
    Table {
        name: "removed",
        columns: removed::COLUMNS,
        number: Some(("hash", 0)),
        decode: |row| removed::read(row).map(drop),
    },
];

/// What is met on the way.
pub(crate) enum Met<'a, 'r> {
    /// A row that holds what was written.
    Sound(&'a Row<'r>),
    /// One that does not.
    Damaged(Damaged),
    /// Rows that are in the way of a damaged page.
    Unreadable(Damaged),
}

/// Goes over all rows of a table.
pub(crate) fn walk(
    connection: &Connection,
    table: &Table,
    meet: &mut dyn FnMut(Met<'_, '_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut after = i64::MIN;
    loop {
        let Err(error) = walk_from(connection, table, &mut after, meet) else { return Ok(()) };
        if !is_corrupt(&error) {
            return Err(error);
        }
        let next = match table.number {
            Some(_) => next_readable(connection, table, after)?,
            None => None,
        };
        meet(Met::Unreadable(unreadable(table, after, next)))?;
        match next {
            Some(next) => after = next.saturating_sub(1),
            None => return Ok(()),
        }
    }
}

fn walk_from(
    connection: &Connection,
    table: &Table,
    after: &mut i64,
    meet: &mut dyn FnMut(Met<'_, '_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare(&select(table))?;
    let mut rows = match table.number {
        Some(_) => statement.query([*after])?,
        None => statement.query([])?,
    };
    while let Some(row) = rows.next()? {
        if let Some((_, column)) = table.number {
            *after = row.get(column)?;
        }
        match read::decoded(table.name, row, table.decode)? {
            Ok(()) => meet(Met::Sound(row))?,
            Err(damaged) => meet(Met::Damaged(damaged))?,
        }
    }
    Ok(())
}

fn select(table: &Table) -> String {
    let Table { name, columns, number, .. } = table;
    match number {
        Some((number, _)) => format!("SELECT {columns} FROM {name} WHERE {number} > ?1 ORDER BY {number}"),
        None => format!("SELECT {columns} FROM {name}"),
    }
}

/// The number of the first row behind `after` that can be read again; none when there is none.
fn next_readable(connection: &Connection, table: &Table, after: i64) -> Result<Option<i64>, StoreError> {
    let mut failing = after;
    for exponent in 0..u64::BITS {
        let step = after.saturating_add_unsigned(1 << exponent);
        match first_behind(connection, table, step) {
            Err(error) if is_corrupt(&error) => failing = step,
            Err(error) => return Err(error),
            Ok(_) => return between(connection, table, failing, step),
        }
    }
    Ok(None)
}

/// The same, known to lie behind a number that fails and not behind one that does not.
fn between(
    connection: &Connection,
    table: &Table,
    mut failing: i64,
    mut good: i64,
) -> Result<Option<i64>, StoreError> {
    while failing.abs_diff(good) > 1 {
        let middle = failing.saturating_add_unsigned(failing.abs_diff(good) / 2);
        match first_behind(connection, table, middle) {
            Err(error) if is_corrupt(&error) => failing = middle,
            Err(error) => return Err(error),
            Ok(_) => good = middle,
        }
    }
    first_behind(connection, table, good)
}

fn first_behind(connection: &Connection, table: &Table, after: i64) -> Result<Option<i64>, StoreError> {
    let Some((_, column)) = table.number else { return Ok(None) };
    let mut statement = connection.prepare_cached(&select(table))?;
    let mut rows = statement.query([after])?;
    Ok(rows.next()?.map(|row| row.get(column)).transpose()?)
}

fn unreadable(table: &Table, after: i64, next: Option<i64>) -> Damaged {
    let from = if after == i64::MIN { "from the first on".to_owned() } else { format!("behind {after}") };
    let row = match (table.number, next) {
        (Some(_), Some(next)) => format!("{from}, before {next}"),
        (Some(_), None) => format!("{from}, to the last"),
        (None, _) => "some, to the last".to_owned(),
    };
    Damaged { table: table.name, row, why: "a page of the file is damaged" }
}

fn is_corrupt(error: &StoreError) -> bool {
    matches!(error, StoreError::Corrupt { .. })
}
