//! What followers have not got yet: a row a commit, written with it, and gone when every follower has passed it.
//!
//! A row names what changed and not what it became (see `record/outgoing.rs`), so an outbox is small: 16 bytes a conversation
//! and commit. It is bounded by bytes and by age all the same. The oldest rows go first, and a follower that comes for them
//! sees it by the change numbers: the next row begins behind where the follower stands. Followers read through a connection
//! of their own, which in SQLite's write-ahead mode holds up nobody who writes. Where nobody follows, nothing is written.
//!
//! Rejected: the whole content of each change (it needs a pass over every conversation inside the commit, is twenty times
//! as large, and cannot say what a later revision takes back), and positions in this file (a follower that writes to it
//! holds up the next commit for the time of its sync).

use crate::cells;
use crate::open::DATA_FILE;
use crate::read::{cells_between, decoded};
use crate::record::{Malformed, RowError, Scratch, WriteError, outgoing};
use crate::{Commit, OpenError, Progress, Store, StoreError};
use engine::Id;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};
use std::path::Path;
use std::time::Duration;

/// The columns of a row, as they are read.
pub(crate) const COLUMNS: &str = "position, committed_at_ns, after_seq, seq, checksum, body";
/// Rows that one commit deletes at most: several times what it adds.
const FORGET_ROWS_MAX: u64 = 8;
/// How long a reader waits for a file that is being made anew.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What followers have to look at again after a commit.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The last change number before the commit.
    pub after_seq: u64,
    /// The conversations of its changes, each once.
    pub conversations: &'a [Id],
    /// Every follower has passed the rows up to this position.
    pub passed: u64,
    /// What may be kept for the slowest.
    pub bounds: OutboxBounds,
}

/// How much is kept for a follower that does not come. Whatever is reached first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxBounds {
    /// Bytes of bodies.
    pub bytes_max: u64,
    /// Nanoseconds since the commit.
    pub age_ns_max: i64,
}

impl Default for OutboxBounds {
    /// A week, and a gigabyte: 60 million changes of conversations.
    fn default() -> Self {
        Self { bytes_max: 1 << 30, age_ns_max: 7 * 86_400 * engine::SECOND }
    }
}

/// Bytes that a commit adds to the outbox, and takes away.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moved {
    added: u64,
    removed: u64,
}

impl Moved {
    pub fn apply(self, bytes: u64) -> u64 {
        (bytes + self.added).saturating_sub(self.removed)
    }
}

impl Store {
    /// Says, before the first commit of a life, whether anybody follows. What is left for followers that are no longer there
    /// goes: how many changes that are.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn begin_outbox(&mut self, followed: bool) -> Result<u64, StoreError> {
        if followed {
            let sql = "SELECT coalesce(sum(length(body)), 0) FROM outbox";
            let bytes: i64 = self.connection.query_row(sql, [], |row| row.get(0))?;
            self.outbox_bytes = Some(bytes.max(0).cast_unsigned());
            return Ok(0);
        }
        let sql = "SELECT coalesce(sum(seq - after_seq), 0) FROM outbox";
        let changes: i64 = self.connection.query_row(sql, [], |row| row.get(0))?;
        if self.connection.query_row("SELECT EXISTS (SELECT 1 FROM outbox)", [], |row| row.get(0))? {
            self.connection.execute("DELETE FROM outbox", [])?;
        }
        Ok(changes.max(0).cast_unsigned())
    }

    /// Bytes that wait for followers; none when nobody follows.
    #[must_use]
    pub fn outbox_bytes(&self) -> Option<u64> {
        self.outbox_bytes
    }

    /// The position of the newest commit; 0 before the first.
    #[must_use]
    pub fn last_position(&self) -> u64 {
        self.last_position
    }
}

/// Writes a commit's row, when there is anything to tell, and takes old rows away.
pub(crate) fn write(
    to: &Transaction<'_>,
    scratch: &mut Scratch,
    commit: &Commit<'_>,
    outgoing: &Outgoing<'_>,
    position: u64,
    bytes: u64,
) -> Result<Moved, WriteError> {
    let mut moved = Moved::default();
    if !outgoing.conversations.is_empty() || !commit.cells.is_empty() {
        let (committed_at, after_seq, seq) = (commit.committed_at, outgoing.after_seq, commit.seq);
        let head = outgoing::Head { position, committed_at, after_seq, seq };
        let minutes: Vec<i64> = commit.cells.iter().map(|(minute, _)| *minute).collect();
        let body = outgoing::encode(scratch, outgoing.conversations, minutes.iter())?;
        let mut statement = to.prepare_cached(
            "INSERT INTO outbox (position, committed_at_ns, after_seq, seq, checksum, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let numbers = (position.cast_signed(), after_seq.cast_signed(), seq.cast_signed());
        let checksum = head.checksum(body);
        statement.execute(params![numbers.0, committed_at, numbers.1, numbers.2, checksum, body])?;
        moved.added = body.len() as u64;
    }
    moved.removed = forget(to, commit, outgoing, position, bytes + moved.added)?;
    Ok(moved)
}

/// Takes the oldest rows away that everybody has passed, or that are beyond the bounds; how many bytes that were.
fn forget(
    to: &Transaction<'_>,
    commit: &Commit<'_>,
    outgoing: &Outgoing<'_>,
    position: u64,
    bytes: u64,
) -> rusqlite::Result<u64> {
    let sql = "SELECT position, committed_at_ns, length(body) FROM outbox WHERE position < ?1
               ORDER BY position LIMIT ?2";
    let mut statement = to.prepare_cached(sql)?;
    let mut rows = statement.query((position.cast_signed(), FORGET_ROWS_MAX.cast_signed()))?;
    let (mut removed, mut below) = (0, None);
    let oldest = commit.committed_at.saturating_sub(outgoing.bounds.age_ns_max);
    while let Some(row) = rows.next()? {
        let (at, committed_at, length): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let over = bytes - removed > outgoing.bounds.bytes_max || committed_at < oldest;
        if at.cast_unsigned() > outgoing.passed && !over {
            break;
        }
        removed = bytes.min(removed + length.cast_unsigned());
        below = Some(at);
    }
    if let Some(below) = below {
        to.prepare_cached("DELETE FROM outbox WHERE position <= ?1")?.execute([below])?;
    }
    Ok(removed)
}

/// The outbox as a follower reads it, while the store is open for writing elsewhere in this process.
#[derive(Debug)]
pub struct Outbox {
    connection: Connection,
}

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The position in the log of the commit.
    pub position: u64,
    /// When it was committed, in nanoseconds since the epoch.
    pub committed_at: i64,
    /// The last change number before it.
    pub after_seq: u64,
    /// The last change number after it.
    pub seq: u64,
    /// Which conversations changed; none when the row is damaged, and what it named is lost.
    pub conversations: Option<Vec<Id>>,
    /// Which minutes' cells moved.
    pub minutes: Vec<i64>,
}

impl Outbox {
    /// Opens the outbox of a data folder that is open already.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let file = folder.join(DATA_FILE);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&file, flags);
        let connection = opened.and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            Ok(connection)
        });
        Ok(Self { connection: connection.map_err(|error| OpenError::of_sqlite(&file, &error))? })
    }

    /// Where one stands who has nothing of what the outbox holds; none when it is empty.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn before_first(&self) -> Result<Option<Progress>, StoreError> {
        let sql = "SELECT position - 1, after_seq FROM outbox ORDER BY position LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let number = |row: &rusqlite::Row<'_>, at| row.get::<_, i64>(at).map(i64::cast_unsigned);
        let first =
            statement.query_row([], |row| Ok(Progress { position: number(row, 0)?, seq: number(row, 1)? }));
        Ok(first.optional()?)
    }

    /// Rows behind `position`, oldest first, until they hold `changes_max` changes; one at least, if there is any.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn after(&self, position: u64, changes_max: u64) -> Result<Vec<Row>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE position > ?1 ORDER BY position"))?;
        let mut rows = statement.query([position.cast_signed()])?;
        let (mut found, mut changes) = (Vec::new(), 0);
        while changes < changes_max
            && let Some(row) = rows.next()?
        {
            let head = head(row)?;
            let named = decoded("outbox", row, |row| read(&head, row))?.ok();
            let minutes = named.as_ref().map(|named| named.minutes.clone()).unwrap_or_default();
            let outgoing::Head { position, committed_at, after_seq, seq } = head;
            changes += seq.saturating_sub(after_seq).max(1);
            let conversations = named.map(|named| named.conversations);
            found.push(Row { position, committed_at, after_seq, seq, conversations, minutes });
        }
        Ok(found)
    }

    /// The minute since 1970 from which on cells are kept; none: all are.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn minutes_from(&self) -> Result<Option<i64>, StoreError> {
        Ok(cells::minutes_from(&self.connection)?)
    }

    /// The events of minutes from the first to the last, both included, where there are any. One that is damaged is left out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn cells(&self, from_minute: i64, to_minute: i64) -> Result<Vec<(i64, u64)>, StoreError> {
        cells_between(&self.connection, from_minute, to_minute)
    }
}

/// Whether a row of the table holds what was written; its columns as in [`COLUMNS`].
pub(crate) fn check(row: &rusqlite::Row<'_>) -> Result<(), RowError> {
    read(&head(row)?, row).map(drop)
}

fn head(row: &rusqlite::Row<'_>) -> rusqlite::Result<outgoing::Head> {
    let number = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
    let (position, after_seq, seq) = (number(0)?, number(2)?, number(3)?);
    Ok(outgoing::Head { position, committed_at: row.get(1)?, after_seq, seq })
}

fn read(head: &outgoing::Head, row: &rusqlite::Row<'_>) -> Result<outgoing::Named, RowError> {
    let (checksum, body): (u32, _) = (row.get(4)?, row.get_ref(5)?.as_blob()?);
    if head.checksum(body) != checksum {
        return Err(Malformed("the checksum differs").into());
    }
    Ok(outgoing::decode(body)?)
}
