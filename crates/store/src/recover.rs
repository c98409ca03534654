//! Coming back: the tables first, then the log behind them.
//!
//! Recovery never holds more than a few rows. The tables are pushed to a receiver, conversations decoded on other cores
//! meanwhile (see `decode.rs`); the log is pulled, row by row, because whoever replays it must look conversations up in
//! between. What cannot be read is said once, in [`Store::recover`],
//! and passed over from then on: one damaged row costs its own facts and nothing else.

use crate::decode::{self, Lifted};
use crate::read::decoded;
use crate::record::inherited::{self, Inherited};
use crate::record::{Malformed, RowError, batch, cell, conversation, ledger, user};
use crate::{Damaged, Store, StoreError, schema};
use engine::{Admitted, LedgerRow, StoredConversation, UserRow};
use rusqlite::Row;

/// Takes what the tables hold.
pub trait Recover {
    /// What is made of a conversation before it is handed over.
    type Prepared: Send;
    /// Makes it, on whatever thread, and of one conversation independently of all others.
    fn prepare(stored: StoredConversation) -> Self::Prepared;
    /// A user's value.
    fn user(&mut self, row: UserRow);
    /// An interval of a feed's ledger; those of one feed come by time.
    fn ledger(&mut self, row: LedgerRow);
    /// A minute since the epoch, and its events. Minutes ascend.
    fn cell(&mut self, minute: i64, count: u64);
    /// A conversation that was in memory when it was laid down; they come in the order in which they lie in the file.
    fn conversation(&mut self, prepared: Self::Prepared);
    /// How far a conversation's clock had come in a history that is gone.
    fn inherited(&mut self, row: Inherited);
    /// A record that cannot be read, of the tables or of the log.
    fn damaged(&mut self, what: Damaged);
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Conversations that were in memory.
    pub conversations: u64,
    /// Rows of the log that there are to replay.
    pub log_rows: u64,
    /// Facts in those conversations and rows together.
    pub facts: u64,
    /// Records that cannot be read.
    pub damaged: u64,
    /// When the last commit was made, in nanoseconds since the epoch.
    pub last_committed_at: Option<i64>,
    /// When the oldest fact was received that was not stored then and waited, in nanoseconds since the epoch; none: all was.
    pub heard_until: Option<i64>,
}

/// A batch as it was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedBatch {
    /// Its row's position.
    pub position: u64,
    /// When it was committed, in nanoseconds since the epoch.
    pub committed_at: i64,
    /// Under which incarnation.
    pub incarnation: u32,
    /// Its facts, in the order of admission.
    pub admitted: Vec<Admitted>,
}

const SELECT_LOG: &str = "SELECT position, committed_at_ns, incarnation, seq, facts, checksum, body FROM log
    WHERE position > ?1 ORDER BY position";

impl Store {
    /// Hands over what the tables hold (users, the ledger, cells, the conversations that were in memory), and looks
    /// through the log for damage.
    ///
    /// # Errors
    /// When the file cannot be read. A damaged record is not an error: the receiver is told.
    pub fn recover<R: Recover>(&mut self, into: &mut R) -> Result<Recovered, StoreError> {
        let mut found = Recovered::default();
        self.each("user_state", user::SELECT, user::read, |row| match row {
            Ok(row) => into.user(row),
            Err(damaged) => found.set_aside(into, damaged),
        })?;
        self.each("ledger", ledger::SELECT, ledger::read, |row| match row {
            Ok(row) => into.ledger(row),
            Err(damaged) => found.set_aside(into, damaged),
        })?;
        self.each("inherited", inherited::SELECT, inherited::read, |row| match row {
            Ok(row) => into.inherited(row),
            Err(damaged) => found.set_aside(into, damaged),
        })?;
        self.each("cell", cell::SELECT, cell::read, |row| match row {
            Ok((minute, count)) => into.cell(minute, count),
            Err(damaged) => found.set_aside(into, damaged),
        })?;
        self.conversations(into, &mut found)?;
        self.look_through_log(into, &mut found)?;
        found.heard_until = schema::meta(&self.connection, schema::HEARD_UNTIL)?.filter(|at| *at != 0);
        Ok(found)
    }

    /// The first batch of the log behind `position` (0: from the start) that can be read and is not covered by
    /// conversations laid down; none behind the last.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn replay_after(&self, position: u64) -> Result<Option<LoggedBatch>, StoreError> {
        let mut statement = self.connection.prepare_cached(SELECT_LOG)?;
        let mut rows = statement.query([self.first_to_replay(position)])?;
        while let Some(row) = rows.next()? {
            if let Ok(batch) = decoded("log", row, read_batch)? {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    fn conversations<R: Recover>(&self, into: &mut R, found: &mut Recovered) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare(conversation::SELECT_RESIDENT)?;
        let prepare = |stored: StoredConversation| (stored.facts.len() as u64, R::prepare(stored));
        let mut last = i64::MIN;
        decode::each::<conversation::Columns, _>(&mut statement.query([])?, &mut last, prepare, |row| {
            match row {
                Ok((facts, prepared)) => {
                    found.conversations += 1;
                    found.facts += facts;
                    into.conversation(prepared);
                }
                Err(damaged) => found.set_aside(into, damaged),
            }
        })
    }

    fn look_through_log<R: Recover>(&self, into: &mut R, found: &mut Recovered) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(SELECT_LOG)?;
        let mut rows = statement.query([self.first_to_replay(0)])?;
        let mut last = i64::MIN;
        let sizes = |batch: LoggedBatch| (batch.admitted.len() as u64, batch.committed_at);
        decode::each::<Columns, _>(&mut rows, &mut last, sizes, |row| match row {
            Ok((facts, committed_at)) => {
                found.log_rows += 1;
                found.facts += facts;
                found.last_committed_at = Some(committed_at);
            }
            Err(damaged) => found.set_aside(into, damaged),
        })
    }

    /// The position behind which the next row to replay lies.
    fn first_to_replay(&self, after: u64) -> i64 {
        after.max(self.covered.saturating_sub(1)).cast_signed()
    }

    fn each<T>(
        &self,
        table: &'static str,
        sql: &str,
        decode: impl Fn(&Row<'_>) -> Result<T, RowError>,
        mut take: impl FnMut(Result<T, Damaged>),
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            take(decoded(table, row, &decode)?);
        }
        Ok(())
    }
}

impl Recovered {
    fn set_aside(&mut self, into: &mut impl Recover, damaged: Damaged) {
        self.damaged += 1;
        into.damaged(damaged);
    }
}

pub(crate) fn read_batch(row: &Row<'_>) -> Result<LoggedBatch, RowError> {
    Ok(Columns::of(row)?.decode(row.get_ref(6)?.as_blob()?)?)
}

/// A row of the log without its body.
#[derive(Debug)]
struct Columns {
    head: batch::Head,
    checksum: u32,
}

impl Columns {
    fn of(row: &Row<'_>) -> Result<Self, RowError> {
        let head = batch::Head {
            position: row.get::<_, i64>(0)?.cast_unsigned(),
            committed_at: row.get(1)?,
            incarnation: row.get(2)?,
            seq: row.get::<_, i64>(3)?.cast_unsigned(),
            facts: row.get::<_, i64>(4)?.cast_unsigned(),
        };
        Ok(Self { head, checksum: row.get(5)? })
    }
}

impl Lifted for Columns {
    const TABLE: &'static str = "log";
    const NUMBER: usize = 0;
    type Record = LoggedBatch;

    fn lift(row: &Row<'_>, bytes: &mut Vec<u8>) -> Result<Self, RowError> {
        let columns = Self::of(row)?;
        bytes.extend_from_slice(row.get_ref(6)?.as_blob()?);
        Ok(columns)
    }

    fn key(&self) -> String {
        self.head.position.to_string()
    }

    fn decode(&self, body: &[u8]) -> Result<LoggedBatch, Malformed> {
        if self.head.checksum(body) != self.checksum {
            return Err(Malformed("the checksum differs"));
        }
        let admitted = batch::decode(&self.head, body)?;
        let batch::Head { position, committed_at, incarnation, .. } = self.head;
        Ok(LoggedBatch { position, committed_at, incarnation, admitted })
    }
}
