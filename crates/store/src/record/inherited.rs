//! How far a conversation's clock had come in a history that was lost: a row in plain columns, written once.

use super::RowError;
use super::bytes::Malformed;
use crate::{Store, StoreError};
use engine::Id;
use rusqlite::{Row, TransactionBehavior};

/// The columns of a row, as they are read.
pub(crate) const COLUMNS: &str = "id, vector_clock";
/// Every one of them.
pub(crate) const SELECT: &str = "SELECT id, vector_clock FROM inherited";

/// Takes one from a row of [`SELECT`].
pub(crate) fn read(row: &Row<'_>) -> Result<(Id, u64), RowError> {
    let id = Id::new(row.get_ref(0)?.as_str()?).map_err(|_| Malformed("an impossible id"))?;
    let clock = u64::try_from(row.get::<_, i64>(1)?).map_err(|_| Malformed("a clock below zero"))?;
    Ok((id, clock))
}

impl Store {
    /// Lets clocks go on from where an earlier history had them, before the first commit of a new folder.
    ///
    /// # Errors
    /// When the file cannot be written; none of them is stored then.
    pub fn inherit(&mut self, clocks: &[(Id, u64)]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "INSERT OR REPLACE INTO inherited (id, vector_clock) VALUES (?1, ?2)";
        let mut statement = transaction.prepare_cached(sql)?;
        for (id, clock) in clocks {
            statement.execute((id.to_string(), i64::try_from(*clock).unwrap_or(i64::MAX)))?;
        }
        drop(statement);
        Ok(transaction.commit()?)
    }
}
