//! Cells by role, queue, user and medium: how many events fall into each minute, hour and day of their own time.
//!
//! What conversations that left memory add is kept apart from their facts, and outlives them. It comes in *parts*: all that
//! one commit changes, written with it. A little later parts are merged into *pages*, for an hour of minutes, a day of
//! hours and 32 days of days, in short transactions of their own between two commits, so that no commit pays for a page
//! and no roll-up has to go through the past. What a conversation adds is in parts or pages exactly while its row says that
//! it is not in memory: when such a row is replaced, what it added is taken back by the same commit. So a commit that is
//! made again, a crash at any moment and a conversation that is told of late leave each event counted once.
//!
//! A page that has grown long is left as it is, and a further one of the same time begun: work per step stays bounded, and
//! a page that is damaged is never written over. Counts may be below zero in a page, not in the sum of all of a time.
//!
//! | table | a row | numbered by |
//! |---|---|---|
//! | `cell_part` | minutes, as a commit changed them | age |
//! | `cell_minutes` | the minutes of an hour | hour since 1970 × 256 + page |
//! | `cell_hours` | the hours of a day, UTC | day since 1970 × 256 + page |
//! | `cell_days` | the days of 32 days, UTC | 32 days since 1970 × 256 + page |
//!
//! Rejected: a row for each minute and what it is of (as many as facts), pages moved inside the commit (a minute's commits
//! would each write the same pages anew), and roll-ups made from finer pages later (what came late would be missed or
//! counted twice).

mod answer;
pub(crate) mod block;
mod forget;
mod merge;
mod upgrade;

pub use answer::{CellQuestion, CellSums};
pub use forget::{CellsKept, Forgotten};
pub(crate) use forget::{kept, minutes_from};
pub use merge::Merging;
pub(crate) use upgrade::fill;

use crate::record::id::Key;
use crate::record::{Malformed, RowError, WriteError, checksum, conversation, inherited};
use block::Sums;
use engine::{Facets, StoredConversation, contributions};
use rusqlite::{Row, Transaction, params};

/// What format 4 adds.
pub(crate) const TABLES: &str = "
    CREATE TABLE cell_part (
        number INTEGER PRIMARY KEY, events INTEGER NOT NULL, short_checksum INTEGER NOT NULL, short BLOB NOT NULL,
        checksum INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE TABLE cell_minutes (
        number INTEGER PRIMARY KEY, events INTEGER NOT NULL, short_checksum INTEGER NOT NULL, short BLOB NOT NULL,
        checksum INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE TABLE cell_hours (
        number INTEGER PRIMARY KEY, events INTEGER NOT NULL, short_checksum INTEGER NOT NULL, short BLOB NOT NULL,
        checksum INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE TABLE cell_days (
        number INTEGER PRIMARY KEY, events INTEGER NOT NULL, short_checksum INTEGER NOT NULL, short BLOB NOT NULL,
        checksum INTEGER NOT NULL, body BLOB NOT NULL);
";

/// Counts in one part, at most: a bound on its bytes.
const PART_COUNTS_MAX: usize = 20_000;
/// Pages of one time, at most.
const PAGES_MAX: i64 = 256;

/// How long one cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellInterval {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day, UTC.
    Day,
}

/// A table of parts or pages: the name is part of what a checksum is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub name: &'static str,
    /// The value of the file that says from which unit on it is kept.
    pub kept_from: &'static str,
    /// Minutes of a unit.
    pub minutes: i64,
    /// Units of a page.
    pub units: i64,
}

pub(crate) const PARTS: &str = "cell_part";
pub(crate) const MINUTES: Table =
    Table { name: "cell_minutes", kept_from: "minutes_from", minutes: 1, units: 60 };
pub(crate) const HOURS: Table = Table { name: "cell_hours", kept_from: "hours_from", minutes: 60, units: 24 };
pub(crate) const DAYS: Table = Table { name: "cell_days", kept_from: "days_from", minutes: 1_440, units: 32 };
/// From the finest to the coarsest.
pub(crate) const INTERVALS: [Table; 3] = [MINUTES, HOURS, DAYS];

impl CellInterval {
    pub(crate) fn table(self) -> Table {
        match self {
            Self::Minute => MINUTES,
            Self::Hour => HOURS,
            Self::Day => DAYS,
        }
    }

    /// How many minutes it has.
    #[must_use]
    pub fn minutes(self) -> i64 {
        self.table().minutes
    }
}

impl Table {
    /// The first page's number of the time that a unit falls into.
    pub fn page_of(&self, unit: i64) -> i64 {
        unit.div_euclid(self.units).saturating_mul(PAGES_MAX)
    }
}

/// What a commit changes in cells by what events are about.
#[derive(Debug, Default)]
pub(crate) struct Moves(Sums);

impl Moves {
    /// Takes back what the row of a conversation added that is about to be replaced, and adds what the new one does.
    pub fn replace(&mut self, at: &Transaction<'_>, stored: &StoredConversation) -> rusqlite::Result<()> {
        let until = inherited::removed_until(at, &stored.id)?;
        let mut statement = at.prepare_cached(conversation::SELECT_ONE)?;
        let mut rows = statement.query([Key(&stored.id)])?;
        if let Some(row) = rows.next()?
            && !row.get::<_, bool>(1)?
        {
            match conversation::read(row) {
                Ok(before) => contributions(&before, until, |minute, of| self.0.add(of, minute, -1)),
                // What cannot be read is not taken back: the conversation that begins anew is partial for good.
                Err(RowError::Malformed(_)) => {}
                Err(RowError::Failed(error)) => return Err(error),
            }
        }
        if !stored.resident {
            contributions(stored, until, |minute, of| self.0.add(of, minute, 1));
        }
        Ok(())
    }

    /// Writes all of it as parts.
    pub fn write(self, to: &Transaction<'_>) -> Result<(), WriteError> {
        write_parts(to, &self.0)
    }
}

pub(crate) fn write_parts(to: &Transaction<'_>, sums: &Sums) -> Result<(), WriteError> {
    let mut part = Sums::default();
    for (n, (of, minute, events)) in (1..).zip(sums.each()) {
        part.add(of.clone(), minute, events);
        if n % PART_COUNTS_MAX == 0 {
            write_part(to, &std::mem::take(&mut part))?;
        }
    }
    if part.is_empty() { Ok(()) } else { write_part(to, &part) }
}

fn write_part(to: &Transaction<'_>, part: &Sums) -> Result<(), WriteError> {
    let number: i64 = to
        .prepare_cached("SELECT coalesce(max(number), 0) + 1 FROM cell_part")?
        .query_row([], |row| row.get(0))?;
    put(to, PARTS, number, part)
}

/// Writes a part or a page, in place of the one with its number.
fn put(to: &Transaction<'_>, table: &'static str, number: i64, sums: &Sums) -> Result<(), WriteError> {
    let (short, body, events) = (block::encode(&sums.in_short())?, block::encode(sums)?, sums.total());
    let sql = format!("INSERT OR REPLACE INTO {table} ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    let checksum = |part, bytes: &[u8]| checksum_of(table, (number, events, part), bytes);
    let (first, second) = (checksum(Part::Short, &short), checksum(Part::Whole, &body));
    to.prepare_cached(&sql)?.execute(params![number, events, first, short, second, body])?;
    Ok(())
}

/// What of a row is read: the sums by role and medium alone lie in front, so that nothing else is read for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// By role and medium.
    Short,
    /// By all.
    Whole,
}

/// As [`read`] takes them.
pub(crate) const COLUMNS: &str = "number, events, short_checksum, short, checksum, body";

impl Part {
    /// What answers a filter.
    fn of(filter: &Facets) -> Self {
        if filter.queue.is_none() && filter.user.is_none() { Self::Short } else { Self::Whole }
    }

    /// The columns that have it.
    fn columns(self) -> &'static str {
        match self {
            Self::Short => "number, events, short_checksum, short",
            Self::Whole => "number, events, checksum, body",
        }
    }
}

fn checksum_of(table: &str, (number, events, part): (i64, i64, Part), bytes: &[u8]) -> u32 {
    checksum(table.as_bytes(), &[number.cast_unsigned(), events.cast_unsigned(), part as u64], bytes)
}

/// A part of a row, whose checksum stands in a column and its bytes in the next, if it is what was written.
fn bytes<'a>(table: &str, row: &'a Row<'_>, part: Part, column: usize) -> Result<&'a [u8], RowError> {
    let (number, events, checksum): (_, _, u32) = (row.get(0)?, row.get(1)?, row.get(column)?);
    let bytes = row.get_ref(column + 1)?.as_blob()?;
    if checksum_of(table, (number, events, part), bytes) == checksum {
        Ok(bytes)
    } else {
        Err(Malformed("the checksum differs").into())
    }
}

/// All that a row says.
pub(crate) fn read(table: &str, row: &Row<'_>) -> Result<Sums, RowError> {
    let short = block::decode(bytes(table, row, Part::Short, 2)?)?;
    let sums = block::decode(bytes(table, row, Part::Whole, 4)?)?;
    if !sums.in_short().rows().eq(short.rows()) {
        return Err(Malformed("sums that are not those of its rows").into());
    }
    Ok(sums)
}
