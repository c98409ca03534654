//! Taking away what is too old to keep: conversations that were last told of longest ago, a few at a time.
//!
//! A step is a transaction of its own, between two commits and as short as one, so that it holds up no commit for longer than
//! another would, and after a crash each conversation is there or is gone, with the horizon that says so. Of a removed one a
//! row of four numbers stays, some 25 bytes: a hash of its id, how far its clock had come, before when all of it had
//! happened, and up to where the log may tell of it (those rows go by the log's own bound, and are passed over meanwhile). So a fact that comes later is not taken for a beginning, the clock does not run backwards, and nothing that
//! is told again is counted twice. Two ids with one hash (64 bits) would make a whole conversation look partial, never
//! the other way round.
//!
//! The file does not shrink: its free pages are used again, and a bound on the size is a bound on the pages in use. Rejected:
//! SQLite's incremental vacuum (it must be chosen when a file is made, moves pages about inside commits, and scatters what
//! lies together); `headcount store repair` writes a file without free pages. Rejected, too: removing without a trace (a
//! late fact would be a whole conversation of one fact).

use crate::read::decoded;
use crate::record::id::Key;
use crate::record::{conversation, removed};
use crate::sent::key;
use crate::{Damaged, Store, StoreError, schema};
use engine::{Id, StoredConversation};
use rusqlite::{OptionalExtension, TransactionBehavior};

/// Where a walk through conversations stands that goes by when each was last told of: behind a second, and a row's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LastTold {
    until_s: i64,
    number: i64,
}

impl Default for LastTold {
    /// Before the first.
    fn default() -> Self {
        Self { until_s: i64::MIN, number: i64::MIN }
    }
}

/// A conversation that left memory.
#[derive(Debug)]
pub struct Old {
    /// Where it stands.
    pub last_told: LastTold,
    /// What was laid down of it, or what is wrong with that.
    pub stored: Result<StoredConversation, Damaged>,
}

/// One that is to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Which.
    pub conversation: Id,
    /// How far its clock had come.
    pub clock: u64,
}

/// What is left of one that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    /// How far its clock had come.
    pub clock: u64,
    /// All that was known of it happened before this instant, in nanoseconds since the epoch.
    pub until: i64,
    /// Rows of the log up to this position tell of it what was removed: they are not replayed.
    pub position: u64,
}

impl Store {
    /// Conversations that were last told of before `before`, in nanoseconds since the epoch, and are not in memory by what was
    /// laid down, those first that were longest ago, from behind `after` on: at most `limit`. A few that were told of up to
    /// two seconds later may come.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_told_before(
        &self,
        before: i64,
        after: LastTold,
        limit: usize,
    ) -> Result<Vec<Old>, StoreError> {
        let mut first = self.ends_of_spans(before, (after.until_s, after.number), limit)?;
        first.sort_unstable();
        first.truncate(limit);
        let mut statement = self.connection.prepare_cached(conversation::SELECT_NUMBER)?;
        let mut found = Vec::with_capacity(first.len());
        for (until_s, number) in first {
            let mut rows = statement.query([number])?;
            let Some(row) = rows.next()? else { continue };
            let stored = decoded("conversation", row, conversation::read)?;
            found.push(Old { last_told: LastTold { until_s, number }, stored });
        }
        Ok(found)
    }

    /// When the oldest row was committed that waits for followers, in nanoseconds since the epoch: it names conversations that
    /// were shown then or later. None: nothing waits.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn outbox_since(&self) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT committed_at_ns FROM outbox ORDER BY position LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([], |row| row.get(0)).optional()?)
    }

    /// Removes conversations with all that was known of them, in one transaction, synced. All of it happened, and was told,
    /// before `horizon`; that is noted with them.
    ///
    /// # Errors
    /// None of them is removed then, unless the store is poisoned: in that case only [`Store::reopen`] tells.
    pub fn remove(&mut self, removals: &[Removal], horizon: i64) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        let done = self.remove_all(removals, horizon);
        done.map_err(|error| {
            self.poisoned = !self.connection.is_autocommit() || crate::error::leaves_doubt(&error);
            error.into()
        })
    }

    fn remove_all(&mut self, removals: &[Removal], horizon: i64) -> rusqlite::Result<()> {
        let position = self.last_position;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut delete = transaction.prepare_cached("DELETE FROM conversation WHERE id = ?1")?;
            let mut disown = transaction.prepare_cached("DELETE FROM inherited WHERE id = ?1")?;
            let mut note = transaction.prepare_cached(removed::UPSERT)?;
            for Removal { conversation, clock } in removals {
                delete.execute([Key(conversation)])?;
                disown.execute([conversation.to_string()])?;
                let gone = Gone { clock: *clock, until: horizon, position };
                removed::write(&mut note, key(conversation), &gone)?;
            }
        }
        let before = schema::meta(&transaction, schema::REMOVED_BEFORE)?.unwrap_or(i64::MIN);
        schema::set_meta(&transaction, schema::REMOVED_BEFORE, before.max(horizon))?;
        transaction.commit()
    }

    /// What is left of a conversation that was removed; none of any other.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it was, and what is left cannot be read.
    pub fn removed(&self, conversation: &Id) -> Result<Option<Gone>, StoreError> {
        let mut statement = self.connection.prepare_cached(removed::SELECT_ONE)?;
        let mut rows = statement.query([key(conversation)])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        decoded("removed", row, removed::read)?.map(Some).map_err(StoreError::Damaged)
    }

    /// The instant before which conversations that had ended were removed, in nanoseconds since the epoch; none: none ever
    /// was.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn removed_before(&self) -> Result<Option<i64>, StoreError> {
        Ok(schema::meta(&self.connection, schema::REMOVED_BEFORE)?)
    }

    /// Bytes of the file's pages that hold something.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn used_bytes(&self) -> Result<u64, StoreError> {
        let one = |sql: &str| self.connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let pages = one("PRAGMA page_count")? - one("PRAGMA freelist_count")?;
        Ok(pages.max(0).cast_unsigned() * one("PRAGMA page_size")?.max(0).cast_unsigned())
    }
}
