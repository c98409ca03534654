//! How much is stored: by kind, as pages of the file, and by day.
//!
//! A kind's bytes are its pages with all indexes, which is what the disk pays; a day's are the bodies alone, since pages
//! belong to no day. Days are UTC: of the log by when it was committed, of a conversation by when it began.

use crate::{CellsKept, Store, StoreError};

const NS_PER_DAY: i64 = 86_400_000_000_000;
const MINUTES_PER_DAY: i64 = 1_440;

/// How much is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// The data file and its write-ahead log together.
    pub file_bytes: u64,
    /// Pages of the file that are free to be used again.
    pub free_bytes: u64,
    /// Each table with its indexes.
    pub kinds: Vec<Kind>,
    /// Each day of which something is stored, oldest first.
    pub days: Vec<Day>,
    /// The instant before which conversations that had ended were removed, in nanoseconds since the epoch; none: none ever
    /// was.
    pub removed_before: Option<i64>,
    /// From when on cells are kept, by interval.
    pub cells_kept: CellsKept,
}

/// A table with its indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its pages, and those of its indexes.
    pub bytes: u64,
}

/// A day, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Its number since 1970-01-01; none: conversations without a beginning.
    pub number: Option<i64>,
    /// Rows of the log.
    pub batches: u64,
    /// Facts in these.
    pub logged_facts: u64,
    /// Bytes of their bodies.
    pub log_bytes: u64,
    /// Conversations that were laid down.
    pub conversations: u64,
    /// Facts in these.
    pub facts: u64,
    /// Bytes of their bodies.
    pub conversation_bytes: u64,
    /// Minutes that have events.
    pub cells: u64,
    /// Events in these.
    pub events: u64,
}

impl Store {
    /// Sizes by kind and by day. Reads the whole file once.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let one = |sql: &str| {
            self.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|n| n.max(0).cast_unsigned())
        };
        let free_bytes = one("PRAGMA freelist_count")? * one("PRAGMA page_size")?;
        Ok(Stats {
            file_bytes: self.size_bytes(),
            free_bytes,
            kinds: self.kinds()?,
            days: self.days()?,
            removed_before: self.removed_before()?,
            cells_kept: self.cells_kept()?,
        })
    }

    fn kinds(&self) -> Result<Vec<Kind>, StoreError> {
        let mut statement = self.connection.prepare(
            "SELECT coalesce(tbl_name, size.name) AS kind, sum(pgsize) AS bytes
             FROM (SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE) AS size
             LEFT JOIN sqlite_schema ON sqlite_schema.name = size.name
             GROUP BY kind ORDER BY bytes DESC, kind",
        )?;
        let sizes = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
        let mut kinds = Vec::new();
        for (name, bytes) in sizes.collect::<rusqlite::Result<Vec<_>>>()? {
            let rows: i64 =
                self.connection.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0))?;
            kinds.push(Kind { name, rows: rows.max(0).cast_unsigned(), bytes: bytes.max(0).cast_unsigned() });
        }
        Ok(kinds)
    }

    fn days(&self) -> Result<Vec<Day>, StoreError> {
        let mut statement = self.connection.prepare(
            "SELECT day, sum(batches), sum(logged), sum(log_bytes), sum(conversations), sum(facts), sum(bytes),
                    sum(cells), sum(events) FROM (
                 SELECT committed_at_ns / ?1 AS day, 1 AS batches, facts AS logged, length(body) AS log_bytes,
                        0 AS conversations, 0 AS facts, 0 AS bytes, 0 AS cells, 0 AS events FROM log
                 UNION ALL SELECT started_at_ns / ?1, 0, 0, 0, 1, facts, length(body), 0, 0 FROM conversation
                 UNION ALL SELECT minute / ?2, 0, 0, 0, 0, 0, 0, 1, events FROM cell WHERE events > 0)
             GROUP BY day ORDER BY day",
        )?;
        let days = statement.query_map((NS_PER_DAY, MINUTES_PER_DAY), |row| {
            let number = |at: usize| row.get::<_, i64>(at).map(|n| n.max(0).cast_unsigned());
            Ok(Day {
                number: row.get(0)?,
                batches: number(1)?,
                logged_facts: number(2)?,
                log_bytes: number(3)?,
                conversations: number(4)?,
                facts: number(5)?,
                conversation_bytes: number(6)?,
                cells: number(7)?,
                events: number(8)?,
            })
        })?;
        Ok(days.collect::<rusqlite::Result<_>>()?)
    }
}
