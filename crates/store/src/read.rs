//! Look-ups: conversations that left memory, and the activity of past minutes.
//!
//! A look-up that finds nothing is the common case (every conversation that begins is looked up once), so its statement
//! is prepared once and walks a narrow index.

use crate::by_id::each_by_id;
use crate::record::id::{self, Key};
use crate::record::{Malformed, RowError, cell, conversation};
use crate::{Damaged, Store, StoreError};
use engine::{Id, StoredConversation};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::ops::ControlFlow;

impl Store {
    /// A conversation as it was laid down; none when it never was.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when what was laid down cannot be read.
    pub fn load(&self, id: &Id) -> Result<Option<StoredConversation>, StoreError> {
        let mut statement = self.connection.prepare_cached(conversation::SELECT_ONE)?;
        let mut rows = statement.query([Key(id)])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        match decoded("conversation", row, conversation::read)? {
            Ok(stored) => Ok(Some(stored)),
            Err(damaged) => Err(StoreError::Damaged(damaged)),
        }
    }

    /// The ids of conversations that are not in memory, ascending, from the first one after `after`: at most `limit`, or what
    /// is wrong with a row that does not say whose it is.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn ids_after(
        &self,
        after: Option<&Id>,
        limit: usize,
    ) -> Result<Vec<Result<Id, Damaged>>, StoreError> {
        let (mut found, whose) = (Vec::new(), |row: &Row<'_>| id::of(row.get_ref(0)?));
        if limit > 0 {
            each_by_id(&self.connection, conversation::SELECT_IDS_AFTER, after, whose, |each| {
                found.push(each);
                if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        Ok(found)
    }

    /// The minutes from `from_minute` to `to_minute`, both included, that have events, ascending, with how many. One that is
    /// damaged is left out: the start that found it lets no time before be complete.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn cells(&self, from_minute: i64, to_minute: i64) -> Result<Vec<(i64, u64)>, StoreError> {
        let mut cells = cells_between(&self.connection, from_minute, to_minute)?;
        cells.retain(|(_, events)| *events > 0);
        Ok(cells)
    }

    /// The first minute from `from_minute` to `to_minute`, both included, that has events.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn first_cell(&self, from_minute: i64, to_minute: i64) -> Result<Option<i64>, StoreError> {
        let sql =
            "SELECT minute FROM cell WHERE minute BETWEEN ?1 AND ?2 AND events > 0 ORDER BY minute LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query((from_minute, to_minute))?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }
}

/// The minutes from the first to the last, both included, without those that are damaged.
pub(crate) fn cells_between(
    connection: &Connection,
    from_minute: i64,
    to_minute: i64,
) -> Result<Vec<(i64, u64)>, StoreError> {
    let (mut statement, mut found) = (connection.prepare_cached(cell::SELECT_BETWEEN)?, Vec::new());
    let mut rows = statement.query((from_minute, to_minute))?;
    while let Some(row) = rows.next()? {
        match decoded("cell", row, cell::read)? {
            Ok(minute) => found.push(minute),
            Err(what) => tracing::error!(%what, "a damaged record was left out; a start says so of its time"),
        }
    }
    Ok(found)
}

/// What a row holds, or what is wrong with it; its key is the first column.
pub(crate) fn decoded<T>(
    table: &'static str,
    row: &Row<'_>,
    decode: impl FnOnce(&Row<'_>) -> Result<T, RowError>,
) -> Result<Result<T, Damaged>, StoreError> {
    match decode(row) {
        Ok(value) => Ok(Ok(value)),
        Err(RowError::Malformed(Malformed(why))) => Ok(Err(Damaged { table, row: key(row), why })),
        Err(RowError::Failed(error)) => Err(error.into()),
    }
}

fn key(row: &Row<'_>) -> String {
    match row.get_ref(0) {
        Ok(ValueRef::Integer(number)) => number.to_string(),
        Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
        Ok(ValueRef::Blob(bytes)) => {
            bytes.try_into().map_or("?".to_owned(), |uuid| Id::from_uuid(uuid).to_string())
        }
        _ => "?".to_owned(),
    }
}
