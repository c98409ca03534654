//! How far a conversation's clock had come in a history that is gone, by a lost disk or by retention, and what a copy
//! elsewhere last told of it: a row in plain columns, but for the latter, which has a checksum of its own.

use super::bytes::Malformed;
use super::{RowError, checksum, memory};
use crate::{Store, StoreError};
use engine::{Id, Memory};
use rusqlite::{Connection, Row, Transaction, TransactionBehavior};

/// The columns of a row, as they are read.
pub(crate) const COLUMNS: &str = "id, vector_clock, removed_until_ns, remembered, checksum";
/// Every one of them; nothing is remembered of a conversation that is stored, since its facts speak.
pub(crate) const SELECT: &str = "SELECT id, vector_clock, removed_until_ns,
    CASE WHEN remembered IS NULL OR EXISTS (SELECT 1 FROM conversation WHERE conversation.id IN (inherited.id,
            CASE WHEN length(inherited.id) = 36 AND inherited.id = lower(inherited.id)
                THEN unhex(inherited.id, '-') END))
        THEN NULL ELSE remembered END, checksum
    FROM inherited";
const SELECT_ONE: &str =
    "SELECT id, vector_clock, removed_until_ns, NULL, checksum FROM inherited WHERE id = ?1";
/// Part of format 4: what was last told of it.
pub(crate) const REMEMBERED: &str = "ALTER TABLE inherited ADD COLUMN remembered BLOB;";
/// Format 5: a checksum over the other columns. What cannot be read keeps one that no row has.
pub(crate) const CHECKSUM: &str = "ALTER TABLE inherited ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1;";

/// What is left of a conversation whose facts are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited {
    /// Whose.
    pub conversation: Id,
    /// How far its clock had come.
    pub clock: u64,
    /// Before when all happened that retention removed of it, in nanoseconds since the epoch; none: a disk was lost.
    pub removed_until: Option<i64>,
    /// What was last told of it, where it looked live and no fact of it is stored.
    pub remembered: Option<Memory>,
}

/// Takes one from a row of [`SELECT`].
pub(crate) fn read(row: &Row<'_>) -> Result<Inherited, RowError> {
    let columns = columns(row)?;
    if row.get::<_, i64>(4)? != sum(&columns) {
        return Err(Malformed("the checksum differs").into());
    }
    let (id, clock, removed_until) = columns;
    let conversation = Id::new(&id).map_err(|_| Malformed("an impossible id"))?;
    let clock = u64::try_from(clock).map_err(|_| Malformed("a clock below zero"))?;
    let remembered = row.get_ref(3)?.as_blob_or_null()?.map(memory::read).transpose()?;
    Ok(Inherited { conversation, clock, removed_until, remembered })
}

/// The plain columns: the id, the clock, and before when all happened that was removed.
type Columns = (String, i64, Option<i64>);

fn columns(row: &Row<'_>) -> Result<Columns, RowError> {
    Ok((row.get_ref(0)?.as_str()?.to_owned(), row.get(1)?, row.get(2)?))
}

fn sum((id, clock, removed_until): &Columns) -> i64 {
    let until = [u64::from(removed_until.is_some()), removed_until.unwrap_or_default().cast_unsigned()];
    i64::from(checksum(b"inherited", &[clock.cast_unsigned(), until[0], until[1]], id.as_bytes()))
}

/// Before when all happened that retention had removed of a conversation when it was told of again, in nanoseconds since the
/// epoch; none: nothing was, or that cannot be read, which a start has told of.
pub(crate) fn removed_until(from: &Connection, id: &Id) -> rusqlite::Result<Option<i64>> {
    let mut statement = from.prepare_cached(SELECT_ONE)?;
    let mut rows = statement.query([id.to_string()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    match read(row) {
        Ok(row) => Ok(row.removed_until),
        Err(RowError::Malformed(_)) => Ok(None),
        Err(RowError::Failed(error)) => Err(error),
    }
}

/// Gives each row of a file of format 4 its checksum.
pub(crate) fn fill_checksums(of: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut change = of.prepare("UPDATE inherited SET checksum = ?2 WHERE id = ?1")?;
    let mut statement = of.prepare("SELECT id, vector_clock, removed_until_ns FROM inherited")?;
    let (mut rows, mut sums) = (statement.query([])?, Vec::new());
    while let Some(row) = rows.next()? {
        match columns(row) {
            Ok(columns) => sums.push((columns.0.clone(), sum(&columns))),
            Err(RowError::Malformed(_)) => {}
            Err(RowError::Failed(error)) => return Err(error),
        }
    }
    sums.into_iter().try_for_each(|row| change.execute(row).map(drop))
}

/// Stores some, each in place of what was inherited of the same conversation.
pub(crate) fn write(to: &Transaction<'_>, rows: &[Inherited]) -> rusqlite::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT OR REPLACE INTO inherited (id, vector_clock, removed_until_ns, remembered, checksum)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut statement = to.prepare_cached(sql)?;
    for row in rows {
        let clock = i64::try_from(row.clock).unwrap_or(i64::MAX);
        let columns = (row.conversation.to_string(), clock, row.removed_until);
        let (sum, remembered) = (sum(&columns), row.remembered.as_ref().map(memory::write));
        let (id, clock, removed_until) = columns;
        statement.execute((id, clock, removed_until, remembered, sum))?;
    }
    Ok(())
}

impl Store {
    /// Takes up what an earlier history left, before the first commit of a new folder.
    ///
    /// # Errors
    /// When the file cannot be written; none of it is stored then.
    pub fn inherit(&mut self, rows: &[Inherited]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        write(&transaction, rows)?;
        Ok(transaction.commit()?)
    }
}
