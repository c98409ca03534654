//! From one format to the next: a step each, all of them in the transaction that opens the file.
//!
//! A new file is made as the first format and then takes every step, so that there is one description of each table, and
//! what an upgrade leaves behind is what a new file is. A file keeps its content whatever step fails, since nothing of the
//! transaction stays.

use crate::schema::{FORMAT, set_meta};
use crate::span;
use rusqlite::Transaction;

/// A part of what leads to a format.
enum Step {
    /// Statements.
    Sql(&'static str),
    /// What statements cannot do.
    Code(fn(&Transaction<'_>) -> rusqlite::Result<()>),
}

/// What leads from format n + 1 to the next; the first is the tables of `schema.rs`.
const STEPS: [&[Step]; FORMAT as usize - 1] =
    [&[Step::Sql(FOLLOWERS)], &[Step::Sql(RETENTION)], &[Step::Sql(span::INDEX), Step::Code(span::fill)]];

/// Format 2: what followers have not got yet, and the clocks that one of them gave back after a lost disk.
const FOLLOWERS: &str = "
    CREATE TABLE outbox (
        position INTEGER PRIMARY KEY, committed_at_ns INTEGER NOT NULL, after_seq INTEGER NOT NULL,
        seq INTEGER NOT NULL, checksum INTEGER NOT NULL, body BLOB NOT NULL);

    CREATE TABLE inherited (id TEXT PRIMARY KEY NOT NULL, vector_clock INTEGER NOT NULL) WITHOUT ROWID;
";

/// Format 3: which conversations have ended, oldest first; those that were removed, by a hash of the id; and whether a clock
/// was inherited from one of them.
const RETENTION: &str = "
    CREATE INDEX conversation_ended ON conversation (ended_at_ns)
        WHERE NOT resident AND NOT active AND ended_at_ns IS NOT NULL;

    CREATE TABLE removed (
        hash INTEGER PRIMARY KEY, vector_clock INTEGER NOT NULL, until_ns INTEGER NOT NULL,
        position INTEGER NOT NULL);

    ALTER TABLE inherited ADD COLUMN removed_until_ns INTEGER;
";

/// Takes a file of format `from` to the newest.
pub(crate) fn upgrade(transaction: &Transaction<'_>, from: i64) -> rusqlite::Result<()> {
    let done = usize::try_from(from - 1).unwrap_or(0);
    for step in STEPS.iter().skip(done).copied().flatten() {
        match step {
            Step::Sql(statements) => transaction.execute_batch(statements)?,
            Step::Code(code) => code(transaction)?,
        }
    }
    set_meta(transaction, "format", FORMAT)
}
