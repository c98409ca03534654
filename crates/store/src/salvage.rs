//! Saving what can be read into a new folder.
//!
//! Rows are copied as they lie, so that what is sound stays the same to the byte; a damaged one is left out. The new folder
//! has the epoch of the old and goes on behind its incarnation and its change numbers. The ledger it gets says what the
//! losses make of every answer about the time before: the damage itself is no longer there to say it.
//!
//! Rejected: mending in place (a disk that damaged a file is not to be written to), and SQLite's recovery of pages (it knows
//! nothing of checksums, and what it cannot place it puts into tables that nobody reads).

use crate::cells::INTERVALS;
use crate::open::DATA_FILE;
use crate::record::ledger;
use crate::walk::{Met, TABLES, Table, walk};
use crate::{Damaged, OpenError, Store, StoreError, schema};
use engine::{Completeness, LedgerRow, RECORDS_LOST, STATUS_ROW};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use std::path::{Path, PathBuf};

/// Rows of one transaction.
const ROWS_AT_ONCE: u64 = 10_000;

/// What was saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Rows that were copied.
    pub rows: u64,
    /// Rows and runs of rows that were left out.
    pub lost: u64,
}

/// Why nothing was saved.
#[derive(Debug, thiserror::Error)]
pub enum SalvageError {
    /// The new folder holds data.
    #[error("{} holds data of headcount already: give --into a folder that is new", folder.display())]
    NotNew {
        /// The folder.
        folder: PathBuf,
    },
    /// The new folder may not be written.
    #[error(
        "{} may not be written by this user ({cause}): the folder that is repaired is only read, and --into needs a folder \
         that may be made and written",
        folder.display()
    )]
    MayNotWrite {
        /// The new folder.
        folder: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The new folder cannot be made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The old file cannot be read, or the new one not written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for SalvageError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// Copies all that can be read into a new folder, as of `now` (nanoseconds since the epoch); tells what is left out,
    /// and after each row how many were copied. The old folder is not changed.
    ///
    /// # Errors
    /// When the new folder holds data or cannot be written to; it is of no use then.
    pub fn salvage(
        &self,
        into: &Path,
        now: i64,
        tell: &mut dyn FnMut(Damaged),
        progress: &mut dyn FnMut(u64),
    ) -> Result<Salvaged, SalvageError> {
        if into.join(DATA_FILE).exists() {
            return Err(SalvageError::NotNew { folder: into.to_owned() });
        }
        let new = match Self::open(into, self.epoch) {
            Err(OpenError::Permission { cause, .. }) => {
                return Err(SalvageError::MayNotWrite { folder: into.to_owned(), cause });
            }
            opened => opened?.store,
        };
        let mut copy =
            Copy { from: &self.connection, to: &new.connection, done: Salvaged::default(), progress };
        let mut lost_ledger = false;
        copy.begin()?;
        for table in &TABLES {
            copy.table(table, &mut |damaged| {
                lost_ledger |= damaged.table == "ledger";
                tell(damaged);
            })?;
        }
        copy.others()?;
        copy.meta(self.incarnation)?;
        let done = copy.done;
        if done.lost > 0 {
            doubt(
                &new.connection,
                now,
                if lost_ledger { Completeness::Unknown } else { Completeness::Partial },
            )?;
        }
        new.connection.execute_batch("COMMIT")?;
        new.close()?;
        Ok(done)
    }
}

/// Rows on their way.
struct Copy<'a> {
    from: &'a Connection,
    to: &'a Connection,
    done: Salvaged,
    progress: &'a mut dyn FnMut(u64),
}

impl Copy<'_> {
    fn begin(&self) -> rusqlite::Result<()> {
        self.to.execute_batch("BEGIN IMMEDIATE")
    }

    fn table(&mut self, table: &Table, tell: &mut dyn FnMut(Damaged)) -> Result<(), StoreError> {
        let insert = insert(table.name, table.columns);
        let from = self.from;
        walk(from, table, &mut |met| match met {
            Met::Sound(row) => self.put(&insert, row),
            Met::Damaged(damaged) | Met::Unreadable(damaged) => {
                self.done.lost += 1;
                tell(damaged);
                Ok(())
            }
        })
    }

    fn put(&mut self, insert: &str, row: &Row<'_>) -> Result<(), StoreError> {
        let columns = row.as_ref().column_count();
        let values: Vec<Value> = (0..columns).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?;
        self.to.prepare_cached(insert)?.execute(params_from_iter(values))?;
        self.done.rows += 1;
        (self.progress)(self.done.rows);
        if self.done.rows.is_multiple_of(ROWS_AT_ONCE) {
            self.to.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
        }
        Ok(())
    }

    /// Tables that are none of records: as they are, without `meta`.
    fn others(&mut self) -> Result<(), StoreError> {
        let known = |name: &String| name == "meta" || TABLES.iter().any(|table| table.name == name);
        let mut statement = self.to.prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        )?;
        let names = statement.query_map([], |row| row.get::<_, String>(0))?;
        for name in names.collect::<rusqlite::Result<Vec<_>>>()?.iter().filter(|name| !known(name)) {
            let mut statement = self.from.prepare(&format!("SELECT * FROM {name}"))?;
            let insert = insert(name, &statement.column_names().collect::<Vec<_>>().join(", "));
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                self.put(&insert, row)?;
            }
        }
        Ok(())
    }

    /// The values of the file as a whole; the incarnation is what it was, so that the next one is greater.
    fn meta(&self, incarnation: u32) -> Result<(), StoreError> {
        let kept = ["covered", schema::HEARD_UNTIL, schema::REMOVED_BEFORE, schema::CELLS_LACKING];
        for key in kept.into_iter().chain(INTERVALS.map(|table| table.kept_from)) {
            if let Some(value) = schema::meta(self.from, key)? {
                schema::set_meta(self.to, key, value)?;
            }
        }
        Ok(schema::set_meta(self.to, "incarnation", i64::from(incarnation))?)
    }
}

fn insert(table: &str, columns: &str) -> String {
    let places: Vec<String> = (1..=columns.split(',').count()).map(|n| format!("?{n}")).collect();
    format!("INSERT INTO {table} ({columns}) VALUES ({})", places.join(", "))
}

/// Says of every feed that all it told until `now` may lack something.
fn doubt(connection: &Connection, now: i64, state: Completeness) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT feed, name, to_ns FROM ledger WHERE from_ns = ?1")?;
    let feeds = statement.query_map([STATUS_ROW], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    for feed in feeds.collect::<rusqlite::Result<Vec<(u16, String, Option<i64>)>>>()? {
        let (feed, name, Some(first)) = feed else { continue };
        let taken = "SELECT count(*) FROM ledger WHERE feed = ?1 AND from_ns = ?2";
        let mut from = first;
        while connection.query_row(taken, (feed, from), |row| row.get::<_, i64>(0))? > 0 {
            from = from.saturating_add(1);
        }
        let (name, reason, to) = (name, RECORDS_LOST.to_owned(), Some(now.max(from)));
        let row = LedgerRow { feed, name, from, to, state, listening: false, reason };
        ledger::write(&mut connection.prepare_cached(ledger::UPSERT)?, &row)?;
    }
    Ok(())
}
