//! What is committed at one instant, read beside whoever writes.
//!
//! A reader is a transaction of its own, begun by the writer between two commits; what it sees stays as it was then, so that
//! long answers are worked out elsewhere while the writer goes on. What can be asked of it stands where it is stored:
//! `cells/answer.rs`, `span.rs`, and minutes here.

use crate::cells::{self, CellsKept};
use crate::open::connect_to_read;
use crate::read::decoded;
use crate::record::cell;
use crate::{CellQuestion, Store, StoreError};
use rusqlite::Connection;
use std::time::Duration;

/// Room for the pages of an answer: they are read once.
const CACHE_KIB: i64 = 8_192;
/// How long to wait for a writer that is just recovering the write-ahead log.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What is committed at one instant.
#[derive(Debug)]
pub struct CommitReader {
    pub(crate) connection: Connection,
    /// Others that see the same, for answers that many read at once.
    pub(crate) beside: Vec<Connection>,
    /// From when on cells are kept.
    pub kept: CellsKept,
}

impl Store {
    /// A reader as of the last commit.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn commit_reader(&self) -> Result<CommitReader, StoreError> {
        let (connection, kept) = self.begin_to_read()?;
        Ok(CommitReader { connection, beside: Vec::new(), kept })
    }

    /// The same with as many connections as a question about cells takes.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn commit_reader_for(&self, question: &CellQuestion) -> Result<CommitReader, StoreError> {
        let mut reader = self.commit_reader()?;
        // Nobody else commits, so that all of them see one commit.
        for _ in 0..question.readers_beside() {
            reader.beside.push(self.begin_to_read()?.0);
        }
        Ok(reader)
    }

    fn begin_to_read(&self) -> Result<(Connection, CellsKept), StoreError> {
        let cannot = |error: crate::OpenError| StoreError::Sqlite { cause: error.to_string() };
        let connection = connect_to_read(&self.file).map_err(cannot)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.execute_batch("BEGIN")?;
        // The first read fixes the instant.
        let kept = cells::kept(&connection)?;
        Ok((connection, kept))
    }
}

impl CommitReader {
    /// The last minutes that have events, from the newest down: at most `limit`, and none behind `upto`. And how many of them
    /// cannot be read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_minutes(&self, upto: i64, limit: usize) -> Result<(Vec<(i64, u64)>, u64), StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(cell::SELECT_LAST)?;
        let (mut rows, mut found, mut damaged) = (statement.query((upto, limit))?, Vec::new(), 0);
        while let Some(row) = rows.next()? {
            match decoded("cell", row, cell::read)? {
                Ok(minute) => found.push(minute),
                Err(_) => damaged += 1,
            }
        }
        Ok((found, damaged))
    }
}
