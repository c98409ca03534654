//! The commit: everything of a batch, or nothing, and durable when it returns.
//!
//! Rows of the log that laid-down conversations cover are not replayed any more from the moment the transaction that says
//! so is durable; the rows themselves go a few with each commit, so that no commit takes long. The newest row always
//! stays: it carries the position and the change number from which the next life goes on.

use crate::cells::{self, Moves};
use crate::error::leaves_doubt;
use crate::outbox::{self, Moved, Outgoing};
use crate::record::inherited::{self, Inherited};
use crate::record::{Scratch, WriteError, batch, cell, conversation, ledger, user};
use crate::{Store, StoreError, schema};
use engine::{Admitted, LedgerRow, StoredConversation, UserRow};
use rusqlite::{Transaction, TransactionBehavior, params};
use std::borrow::Cow;

/// Rows of the log that one commit deletes at most: several times what it adds, and a few milliseconds.
const FORGET_ROWS_MAX: u64 = 8;

/// What is stored together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Commit<'a> {
    /// When, in nanoseconds since the epoch.
    pub committed_at: i64,
    /// Under which incarnation of ours.
    pub incarnation: u32,
    /// The last change number after this batch.
    pub seq: u64,
    /// The batch, in the order of admission: one row of the log.
    pub admitted: &'a [Admitted],
    /// Minutes since the epoch, and by how many events each changes.
    pub cells: &'a [(i64, i64)],
    /// Users' values that changed: each replaces the one of the same user and kind.
    pub users: &'a [UserRow],
    /// Intervals of the ledger that changed: each replaces the one of the same feed and start.
    pub ledger: &'a [LedgerRow],
    /// Conversations laid down whole: each replaces what was laid down of it before.
    pub laid_down: &'a [StoredConversation],
    /// Clocks of removed conversations that are told of again with this batch.
    pub inherited: &'a [Inherited],
    /// When the oldest fact was received that is not among these and waits still, in nanoseconds since the epoch; none: all
    /// that was received is here. After a crash nothing is known of the time since.
    pub heard_until: Option<i64>,
    /// Rows of the log below this position are covered by conversations that are laid down, with this commit or before:
    /// they are not replayed again, and are deleted over this and the next commits.
    pub forget_log_below: Option<u64>,
    /// What followers have to look at again; none when nobody follows.
    pub outgoing: Option<Outgoing<'a>>,
}

impl Store {
    /// Stores all of it in one transaction, synced to the disk. Gives the position of the batch's row in the log, which
    /// is one above the last.
    ///
    /// # Errors
    /// Nothing is stored then, unless the store is poisoned: in that case only [`Store::reopen`] tells. [`StoreError::Full`]
    /// may be tried again.
    pub fn commit(&mut self, commit: &Commit<'_>) -> Result<u64, StoreError> {
        if self.poisoned || self.is_other_than_held(commit)? {
            return Err(StoreError::Poisoned);
        }
        let position = self.last_position + 1;
        let covered = self.covered.max(commit.forget_log_below.unwrap_or_default().min(position));
        match self.transact(commit, position, covered) {
            Ok(()) => {
                (self.last_position, self.covered) = (position, covered);
                self.is_behind = commit.heard_until.is_some();
                self.holds_unacknowledged = false;
                Ok(position)
            }
            Err(failure) => Err(self.settle(failure)),
        }
    }

    /// After a commit of unknown outcome that the log has, nothing but the same commit can come next.
    fn is_other_than_held(&self, commit: &Commit<'_>) -> Result<bool, StoreError> {
        if !self.holds_unacknowledged {
            return Ok(false);
        }
        let held: (i64, i64) = self.connection.query_row(
            "SELECT seq, facts FROM log WHERE position = ?1",
            [(self.last_position + 1).cast_signed()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(held != (commit.seq.cast_signed(), (commit.admitted.len() as u64).cast_signed()))
    }

    fn transact(&mut self, commit: &Commit<'_>, position: u64, covered: u64) -> Result<(), WriteError> {
        let newly_covered = covered > self.covered;
        let behind = self.is_behind || commit.heard_until.is_some();
        let again = self.holds_unacknowledged;
        let (scratch, outbox_bytes) = (&mut self.scratch, self.outbox_bytes.unwrap_or_default());
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let kept = kept(commit.cells, cells::minutes_from(&transaction)?);
        let commit = &Commit { cells: &kept, ..*commit };
        let cells = if again { &[] } else { commit.cells };
        make_room(&transaction, again, position)?;
        append(&transaction, scratch, commit, position)?;
        inherited::write(&transaction, commit.inherited)?;
        lay_down(&transaction, scratch, commit.laid_down)?;
        update(&transaction, commit, cells)?;
        forget(&transaction, covered, newly_covered)?;
        let moved = match &commit.outgoing {
            Some(outgoing) => outbox::write(&transaction, scratch, commit, outgoing, position, outbox_bytes)?,
            None => Moved::default(),
        };
        if behind {
            lag(&transaction, commit.heard_until)?;
        }
        transaction.commit()?;
        self.outbox_bytes = self.outbox_bytes.map(|bytes| moved.apply(bytes));
        Ok(())
    }

    pub(crate) fn settle(&mut self, failure: WriteError) -> StoreError {
        let stuck = !self.connection.is_autocommit();
        match failure {
            WriteError::Record(error) => {
                self.poisoned = stuck;
                error
            }
            WriteError::Database(error) => {
                self.poisoned = stuck || leaves_doubt(&error);
                error.into()
            }
        }
    }
}

/// Takes away the rows of this batch that were never acknowledged.
fn make_room(to: &Transaction<'_>, again: bool, position: u64) -> Result<(), WriteError> {
    if again {
        to.execute("DELETE FROM log WHERE position = ?1", [position.cast_signed()])?;
        to.execute("DELETE FROM outbox WHERE position = ?1", [position.cast_signed()])?;
    }
    Ok(())
}

fn append(
    to: &Transaction<'_>,
    scratch: &mut Scratch,
    commit: &Commit<'_>,
    position: u64,
) -> Result<(), WriteError> {
    let head = batch::Head {
        position,
        committed_at: commit.committed_at,
        incarnation: commit.incarnation,
        seq: commit.seq,
        facts: commit.admitted.len() as u64,
    };
    let body = batch::encode(scratch, &head, commit.admitted)?;
    let mut statement = to.prepare_cached(
        "INSERT INTO log (position, committed_at_ns, incarnation, seq, facts, checksum, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    statement.execute(params![
        position.cast_signed(),
        head.committed_at,
        head.incarnation,
        head.seq.cast_signed(),
        head.facts.cast_signed(),
        head.checksum(body),
        body,
    ])?;
    Ok(())
}

fn lay_down(
    to: &Transaction<'_>,
    scratch: &mut Scratch,
    conversations: &[StoredConversation],
) -> Result<(), WriteError> {
    let (mut statement, mut moves) = (to.prepare_cached(conversation::UPSERT)?, Moves::default());
    for stored in conversations {
        moves.replace(to, stored)?;
        conversation::write(&mut statement, scratch, stored)?;
    }
    moves.write(to)
}

/// Cells without those of minutes that are kept no longer: what is left of such a minute would be taken for all of it.
fn kept(cells: &[(i64, i64)], from: Option<i64>) -> Cow<'_, [(i64, i64)]> {
    let is_kept = |(minute, _): &(i64, i64)| from.is_none_or(|from| *minute >= from);
    match cells.iter().all(is_kept) {
        true => Cow::Borrowed(cells),
        false => Cow::Owned(cells.iter().filter(|cell| is_kept(cell)).copied().collect()),
    }
}

fn update(to: &Transaction<'_>, commit: &Commit<'_>, cells: &[(i64, i64)]) -> rusqlite::Result<()> {
    let mut statement = to.prepare_cached(cell::UPSERT)?;
    for moved in cells {
        cell::write(&mut statement, *moved)?;
    }
    let mut statement = to.prepare_cached(user::UPSERT)?;
    for row in commit.users {
        user::write(&mut statement, row)?;
    }
    let mut statement = to.prepare_cached(ledger::UPSERT)?;
    for row in commit.ledger {
        ledger::write(&mut statement, row)?;
    }
    Ok(())
}

/// Notes how far all that was received is stored; 0 stands for up to this commit.
fn lag(to: &Transaction<'_>, heard_until: Option<i64>) -> rusqlite::Result<()> {
    schema::set_meta(to, schema::HEARD_UNTIL, heard_until.unwrap_or_default())
}

fn forget(to: &Transaction<'_>, covered: u64, newly: bool) -> rusqlite::Result<()> {
    if newly {
        schema::set_meta(to, "covered", covered.cast_signed())?;
    }
    let mut statement = to.prepare_cached(
        "DELETE FROM log WHERE position IN
         (SELECT position FROM log WHERE position < ?1 ORDER BY position LIMIT ?2)",
    )?;
    statement.execute((covered.cast_signed(), FORGET_ROWS_MAX.cast_signed())).map(|_| ())
}

#[cfg(test)]
mod tests;
