//! How far a conversation's clock had come in a history that is gone, by a lost disk or by retention: a row in plain columns.

use super::RowError;
use super::bytes::Malformed;
use crate::{Store, StoreError};
use engine::Id;
use rusqlite::{Row, Transaction, TransactionBehavior};

/// The columns of a row, as they are read.
pub(crate) const COLUMNS: &str = "id, vector_clock, removed_until_ns";
/// Every one of them.
pub(crate) const SELECT: &str = "SELECT id, vector_clock, removed_until_ns FROM inherited";

/// What is left of a conversation whose facts are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited {
    /// Whose.
    pub conversation: Id,
    /// How far its clock had come.
    pub clock: u64,
    /// Before when all happened that retention removed of it, in nanoseconds since the epoch; none: a disk was lost.
    pub removed_until: Option<i64>,
}

/// Takes one from a row of [`SELECT`].
pub(crate) fn read(row: &Row<'_>) -> Result<Inherited, RowError> {
    let conversation = Id::new(row.get_ref(0)?.as_str()?).map_err(|_| Malformed("an impossible id"))?;
    let clock = u64::try_from(row.get::<_, i64>(1)?).map_err(|_| Malformed("a clock below zero"))?;
    Ok(Inherited { conversation, clock, removed_until: row.get(2)? })
}

/// Stores some, each in place of what was inherited of the same conversation.
pub(crate) fn write(to: &Transaction<'_>, rows: &[Inherited]) -> rusqlite::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT OR REPLACE INTO inherited (id, vector_clock, removed_until_ns) VALUES (?1, ?2, ?3)";
    let mut statement = to.prepare_cached(sql)?;
    for row in rows {
        let clock = i64::try_from(row.clock).unwrap_or(i64::MAX);
        statement.execute((row.conversation.to_string(), clock, row.removed_until))?;
    }
    Ok(())
}

impl Store {
    /// Lets clocks go on from where an earlier history had them, before the first commit of a new folder.
    ///
    /// # Errors
    /// When the file cannot be written; none of them is stored then.
    pub fn inherit(&mut self, clocks: &[(Id, u64)]) -> Result<(), StoreError> {
        let row = |(id, clock): &(Id, u64)| Inherited {
            conversation: id.clone(),
            clock: *clock,
            removed_until: None,
        };
        let rows: Vec<Inherited> = clocks.iter().map(row).collect();
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        write(&transaction, &rows)?;
        Ok(transaction.commit()?)
    }
}
