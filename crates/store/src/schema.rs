//! The tables and the settings of the connection.
//!
//! `conversation` is keyed by its id, a UUID as its 16 bytes and any other as its text; the view shows the text of each. The
//! row itself has a number, so that rows lie in the order in which they were laid down and only a narrow index is scattered
//! by random ids; with the body in the key's tree each look-up of an absent id would walk pages that are full of bodies.
//!
//! Settings, and why: pages of 8 KiB, since rows of 300 to 1,500 bytes leave a tenth of smaller ones empty, and what lies in
//! many pages is read in half as many steps (a file keeps the pages that it was made with). A commit is durable when it
//! returns (`synchronous = FULL`). A checkpoint moves the write-ahead log into the file and costs two syncs; at 16 MiB it
//! comes once in some 80 full batches instead of once in 20, and index pages that many batches touch are written once. The
//! log file is cut back to 64 MiB after a burst. The cache holds the index of about half a million conversations. Memory
//! mapping stays off: an I/O error would be a signal.

use rusqlite::{Connection, Transaction};
use std::time::Duration;

/// The format that this version writes, and the newest that it reads.
pub(crate) const FORMAT: i64 = 5;
/// Says in the file's header that it is ours: "Hdct".
const APPLICATION_ID: i64 = 0x4864_6374;
/// The value of the file that says until when all that was received is stored; 0 or none: until the last commit.
pub(crate) const HEARD_UNTIL: &str = "heard_until_ns";
/// The value of the file that says before when conversations that had ended were removed; none: none ever was.
pub(crate) const REMOVED_BEFORE: &str = "removed_before_ns";
/// The value of the file that says of how many conversations cells by what events are about lack what they added.
pub(crate) const CELLS_LACKING: &str = "cells_lacking";
/// From how many bytes on the write-ahead log is moved into the file.
const CHECKPOINT_BYTES: i64 = 16 << 20;
/// How long another tool may hold the file against us.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// More than there are different statements.
const STATEMENTS_MAX: usize = 32;

const SETTINGS: &str = "
    PRAGMA page_size = 8192;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -32768;
    PRAGMA mmap_size = 0;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
";

const TABLES: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) WITHOUT ROWID;

    CREATE TABLE log (
        position INTEGER PRIMARY KEY, committed_at_ns INTEGER NOT NULL, incarnation INTEGER NOT NULL,
        seq INTEGER NOT NULL, facts INTEGER NOT NULL, checksum INTEGER NOT NULL, body BLOB NOT NULL);

    CREATE TABLE conversation (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, resident INTEGER NOT NULL, active INTEGER NOT NULL,
        started_at_ns INTEGER, ended_at_ns INTEGER, dropped INTEGER NOT NULL, facts INTEGER NOT NULL,
        checksum INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE INDEX conversation_resident ON conversation (resident) WHERE resident;

    CREATE TABLE cell (minute INTEGER PRIMARY KEY, events INTEGER NOT NULL);

    CREATE TABLE user_state (
        user TEXT NOT NULL, what TEXT NOT NULL, value TEXT NOT NULL, at_ns INTEGER, at_digits INTEGER,
        received_ns INTEGER NOT NULL, PRIMARY KEY (user, what)) WITHOUT ROWID;

    CREATE TABLE ledger (
        feed INTEGER NOT NULL, name TEXT NOT NULL, from_ns INTEGER NOT NULL, to_ns INTEGER, state TEXT NOT NULL,
        listening INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (feed, from_ns)) WITHOUT ROWID;

    CREATE VIEW readable_conversation AS SELECT id, active,
        strftime('%Y-%m-%dT%H:%M:%fZ', started_at_ns / 1e9, 'unixepoch') AS started_at,
        strftime('%Y-%m-%dT%H:%M:%fZ', ended_at_ns / 1e9, 'unixepoch') AS ended_at,
        facts, dropped FROM conversation;

    CREATE VIEW readable_cell AS SELECT
        strftime('%Y-%m-%dT%H:%MZ', minute * 60, 'unixepoch') AS minute, events FROM cell;
";

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It holds nothing yet.
    Empty,
    /// It is ours, of this format.
    Ours(i64),
    /// It belongs to another program.
    Foreign,
}

/// Sets the connection up.
pub(crate) fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.execute_batch(SETTINGS)?;
    let page_bytes: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_BYTES / page_bytes.max(1))
}

/// Looks whose file it is, without changing it.
pub(crate) fn kind(connection: &Connection) -> rusqlite::Result<Kind> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(Kind::Empty);
    }
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if application != APPLICATION_ID {
        return Ok(Kind::Foreign);
    }
    Ok(meta(connection, "format")?.map_or(Kind::Foreign, Kind::Ours))
}

/// Makes the tables of a new file: those of the first format; [`upgrade`](crate::upgrade::upgrade) does the rest.
pub(crate) fn create(transaction: &Transaction<'_>, epoch: u64) -> rusqlite::Result<()> {
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    set_meta(transaction, "epoch", epoch.cast_signed())
}

/// A value of the file as a whole.
pub(crate) fn meta(connection: &Connection, key: &str) -> rusqlite::Result<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    let mut rows = statement.query([key])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

/// Changes a value of the file as a whole.
pub(crate) fn set_meta(connection: &Connection, key: &str, value: i64) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?;
    statement.execute((key, value)).map(|_| ())
}
