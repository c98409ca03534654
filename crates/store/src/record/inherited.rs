//! How far a conversation's clock had come in a history that is gone, by a lost disk or by retention, and what a copy
//! elsewhere last told of it: a row in plain columns, but for the latter.

use super::bytes::Malformed;
use super::{RowError, memory};
use crate::{Store, StoreError};
use engine::{Id, Memory};
use rusqlite::{Row, Transaction, TransactionBehavior};

/// The columns of a row, as they are read.
pub(crate) const COLUMNS: &str = "id, vector_clock, removed_until_ns, remembered";
/// Every one of them; nothing is remembered of a conversation that is stored, since its facts speak.
pub(crate) const SELECT: &str = "SELECT id, vector_clock, removed_until_ns,
    CASE WHEN remembered IS NULL OR EXISTS (SELECT 1 FROM conversation WHERE conversation.id IN (inherited.id,
            CASE WHEN length(inherited.id) = 36 AND inherited.id = lower(inherited.id)
                THEN unhex(inherited.id, '-') END))
        THEN NULL ELSE remembered END
    FROM inherited";
/// Part of format 4: what was last told of it.
pub(crate) const REMEMBERED: &str = "ALTER TABLE inherited ADD COLUMN remembered BLOB;";

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
    let conversation = Id::new(row.get_ref(0)?.as_str()?).map_err(|_| Malformed("an impossible id"))?;
    let clock = u64::try_from(row.get::<_, i64>(1)?).map_err(|_| Malformed("a clock below zero"))?;
    let remembered = row.get_ref(3)?.as_blob_or_null()?.map(memory::read).transpose()?;
    Ok(Inherited { conversation, clock, removed_until: row.get(2)?, remembered })
}

/// Stores some, each in place of what was inherited of the same conversation.
pub(crate) fn write(to: &Transaction<'_>, rows: &[Inherited]) -> rusqlite::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT OR REPLACE INTO inherited (id, vector_clock, removed_until_ns, remembered) VALUES (?1, ?2, ?3, ?4)";
    let mut statement = to.prepare_cached(sql)?;
    for row in rows {
        let clock = i64::try_from(row.clock).unwrap_or(i64::MAX);
        let remembered = row.remembered.as_ref().map(memory::write);
        statement.execute((row.conversation.to_string(), clock, row.removed_until, remembered))?;
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
