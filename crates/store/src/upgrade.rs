//! From one format to the next: a step each, all of them in the transaction that opens the file.
//!
//! A new file is made as the first format and then takes every step, so that there is one description of each table, and
//! what an upgrade leaves behind is what a new file is. A file keeps its content whatever step fails, since nothing of the
//! transaction stays.

use crate::cells;
use crate::record::id::Key;
use crate::record::inherited;
use crate::record::sums;
use crate::schema::{FORMAT, set_meta};
use crate::span;
use engine::Id;
use rusqlite::{OptionalExtension, Row, Transaction};

/// A part of what leads to a format.
enum Step {
    /// Statements.
    Sql(&'static str),
    /// What statements cannot do.
    Code(fn(&Transaction<'_>) -> rusqlite::Result<()>),
}

/// What leads from format n + 1 to the next; the first is the tables of `schema.rs`.
const STEPS: [&[Step]; FORMAT as usize - 1] = [
    &[Step::Sql(FOLLOWERS)],
    &[Step::Sql(RETENTION)],
    &[
        Step::Sql(READABLE_IDS),
        Step::Code(pack_ids),
        Step::Sql(sums::ADDED),
        Step::Code(sums::fill),
        Step::Sql(inherited::REMEMBERED),
        Step::Sql(span::INDEX),
        Step::Code(span::fill),
        // Cells are filled last: by then conversations are rows of this format.
        Step::Sql(cells::TABLES),
        Step::Code(cells::fill),
    ],
    &[
        Step::Sql(inherited::CHECKSUM),
        Step::Code(inherited::fill_checksums),
        // The index over spans tells retention what is old.
        Step::Sql("DROP INDEX conversation_ended"),
    ],
];

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

/// Format 4: the ids of conversations as they are packed, readable still.
const READABLE_IDS: &str = "
    DROP VIEW readable_conversation;
    CREATE VIEW readable_conversation AS SELECT
        CASE typeof(id) WHEN 'blob' THEN lower(printf('%s-%s-%s-%s-%s', substr(hex(id), 1, 8), substr(hex(id), 9, 4),
            substr(hex(id), 13, 4), substr(hex(id), 17, 4), substr(hex(id), 21))) ELSE id END AS id, active,
        strftime('%Y-%m-%dT%H:%M:%fZ', started_at_ns / 1e9, 'unixepoch') AS started_at,
        strftime('%Y-%m-%dT%H:%M:%fZ', ended_at_ns / 1e9, 'unixepoch') AS ended_at,
        facts, dropped FROM conversation;
";

/// Rows after which an upgrade that is long says how far it is.
const TOLD_EVERY: u64 = 100_000;

/// How far a part of an upgrade is that goes over all conversations.
pub(crate) struct Progress {
    what: &'static str,
    done: u64,
}

impl Progress {
    /// Nothing is done yet; `what` the part does, for people.
    pub fn of(what: &'static str) -> Self {
        Self { what, done: 0 }
    }

    /// One more is done.
    pub fn step(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(TOLD_EVERY) {
            tracing::info!("the data folder is upgraded, {}: {} conversations so far", self.what, self.done);
        }
    }
}

/// Packs the ids that are UUIDs, one row at a time.
fn pack_ids(of: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut next = of.prepare(
        "SELECT number, id FROM conversation WHERE number > ?1 AND typeof(id) = 'text' ORDER BY number LIMIT 1",
    )?;
    let mut change = of.prepare("UPDATE conversation SET id = ?2 WHERE number = ?1")?;
    let (mut after, mut progress) = (i64::MIN, Progress::of("ids"));
    loop {
        let row = next.query_row([after], |row| Ok((row.get(0)?, id_of(row)?))).optional()?;
        let Some((number, id)) = row else { return Ok(()) };
        if let Some(id) = id.filter(|id| id.as_uuid().is_some()) {
            change.execute((number, Key(&id)))?;
        }
        after = number;
        progress.step();
    }
}

/// What a row's id says; none: it is damaged, and stays as it is to be told of.
fn id_of(row: &Row<'_>) -> rusqlite::Result<Option<Id>> {
    let text = row.get_ref(1)?.as_str().ok();
    Ok(text.and_then(|text| Id::new(text).ok()))
}

/// Takes a file of format `from` to the newest.
pub(crate) fn upgrade(transaction: &Transaction<'_>, from: i64) -> rusqlite::Result<()> {
    let done = usize::try_from(from - 1).unwrap_or(0);
    for step in STEPS.iter().skip(done).copied().flatten() {
        match step {
            Step::Sql(statements) => transaction.execute_batch(statements)?,
            Step::Code(run) => run(transaction)?,
        }
    }
    set_meta(transaction, "format", FORMAT)
}
