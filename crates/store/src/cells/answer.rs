//! Questions about cells: pages and parts summed, as of one commit. A damaged page is named, and what it held is missing from
//! the sum.

use super::{CellInterval, PAGES_MAX, PARTS, Part, block, bytes};
use crate::read::decoded;
use crate::record::id::Key;
use crate::record::{Malformed, RowError, conversation, inherited};
use crate::{CommitReader, Damaged, StoreError};
use engine::{Facets, Id, contributions};
use rusqlite::{Connection, Row};
use std::sync::atomic::{AtomicI64, Ordering};

/// Pages of so many times are read in one go.
const PORTION: i64 = 8 * PAGES_MAX;
/// From how many of these on a range is read by several at once.
const WIDE_PORTIONS: i64 = 4;
/// How many read beside one. A day's hours lie scattered over the file, so what takes long is waiting for a disk, which answers
/// some eight at once; with more the two cores are busy with asking.
const READERS_BESIDE: usize = 7;

/// Which cells are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellQuestion {
    /// What events must be about.
    pub filter: Facets,
    /// How long a cell is.
    pub interval: CellInterval,
    /// The first cell, counted in intervals since 1970.
    pub from: i64,
    /// The first one behind the last.
    pub to: i64,
}

/// What is summed up so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CellSums {
    /// One count a cell, from the first on.
    pub counts: Vec<i64>,
    /// Records that could not be read: what they held is missing.
    pub damaged: Vec<Damaged>,
}

impl CellSums {
    fn add(&mut self, other: Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
        self.damaged.extend(other.damaged);
    }
}

impl CellQuestion {
    /// Nothing summed up yet.
    #[must_use]
    pub fn nothing(&self) -> CellSums {
        let cells = usize::try_from(self.to.saturating_sub(self.from)).unwrap_or_default();
        CellSums { counts: vec![0; cells], damaged: Vec::new() }
    }

    /// The minutes it is about, since 1970.
    #[must_use]
    pub fn minutes(&self) -> std::ops::Range<i64> {
        let minutes = self.interval.minutes();
        self.from.saturating_mul(minutes)..self.to.saturating_mul(minutes)
    }

    /// The numbers of its first and its last page.
    fn pages(&self) -> (i64, i64) {
        let table = self.interval.table();
        let last = table.page_of(self.to.saturating_sub(1));
        (table.page_of(self.from), last.saturating_add(PAGES_MAX - 1))
    }

    /// How many are to read beside one.
    pub(crate) fn readers_beside(&self) -> usize {
        let (first, last) = self.pages();
        if last.saturating_sub(first) / PORTION < WIDE_PORTIONS { 0 } else { READERS_BESIDE }
    }

    /// Adds events of a minute to the sums.
    pub fn add_minute(&self, sums: &mut CellSums, minute: i64, events: i64) {
        self.add(sums, minute.div_euclid(self.interval.minutes()), events);
    }

    fn add(&self, sums: &mut CellSums, unit: i64, events: i64) {
        let place = unit.wrapping_sub(self.from).cast_unsigned();
        if let Some(count) = usize::try_from(place).ok().and_then(|at| sums.counts.get_mut(at)) {
            *count = count.saturating_add(events);
        }
    }
}

impl CommitReader {
    /// Adds all that parts and pages hold of a question. A long range is read by several at once, since a disk answers
    /// several as fast as one.
    ///
    /// # Errors
    /// When the file cannot be read, other than because of damage.
    pub fn sum(&mut self, question: &CellQuestion, sums: &mut CellSums) -> Result<(), StoreError> {
        if question.from >= question.to {
            return Ok(());
        }
        let (filter, part) = (&question.filter, Part::of(&question.filter));
        let mut add = |minute: i64, events| question.add_minute(sums, minute, events);
        let everything = (i64::MIN, i64::MAX);
        let mut scan = |body: &[u8]| block::scan(body, filter, &mut add);
        let damaged = each(&self.connection, PARTS, part, everything, &mut scan)?;
        sums.damaged.extend(damaged);
        let portions = Portions::of(question);
        let (own, portions) = (&self.connection, &portions);
        std::thread::scope(|scope| {
            let others = self.beside.iter_mut().map(|connection| {
                scope.spawn(move || {
                    let mut sums = question.nothing();
                    portions.sum(connection, &mut sums).map(|()| sums)
                })
            });
            let others: Vec<_> = others.collect();
            portions.sum(own, sums)?;
            for other in others {
                sums.add(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            sums.damaged.sort_by(|a, b| (a.table, &a.row).cmp(&(b.table, &b.row)));
            Ok(())
        })
    }

    /// Takes back what conversations added when they were laid down, out of memory.
    ///
    /// # Errors
    /// When the file cannot be read, other than because of damage.
    pub fn take_back(
        &self,
        ids: &[Id],
        question: &CellQuestion,
        sums: &mut CellSums,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(conversation::SELECT_ONE)?;
        for id in ids {
            let until = inherited::removed_until(&self.connection, id)?;
            let mut rows = statement.query([Key(id)])?;
            let Some(row) = rows.next()? else { continue };
            // One that cannot be read is not taken back by the commit that replaces it either.
            let Ok(before) = decoded("conversation", row, conversation::read)? else { continue };
            contributions(&before, until, |minute, of| {
                if of.pass(&question.filter) {
                    question.add_minute(sums, minute, -1);
                }
            });
        }
        Ok(())
    }
}

/// The pages of a question, handed out a portion at a time to whoever reads.
struct Portions<'a> {
    question: &'a CellQuestion,
    /// The number of the first page that nobody has.
    next: AtomicI64,
    last: i64,
}

impl<'a> Portions<'a> {
    fn of(question: &'a CellQuestion) -> Self {
        let (first, last) = question.pages();
        Self { question, next: AtomicI64::new(first), last }
    }

    /// Adds portions until all are handed out.
    fn sum(&self, connection: &Connection, sums: &mut CellSums) -> Result<(), StoreError> {
        let Self { question, next, last } = self;
        let (filter, table) = (&question.filter, question.interval.table().name);
        loop {
            let first = next.fetch_add(PORTION, Ordering::Relaxed);
            if first > *last {
                return Ok(());
            }
            let numbers = (first, first.saturating_add(PORTION - 1).min(*last));
            let mut add = |unit, events| question.add(sums, unit, events);
            let mut scan = |body: &[u8]| block::scan(body, filter, &mut add);
            let damaged = each(connection, table, Part::of(filter), numbers, &mut scan)?;
            sums.damaged.extend(damaged);
        }
    }
}

/// Hands over the bodies of a table; gives what is damaged of them.
fn each(
    connection: &Connection,
    table: &'static str,
    part: Part,
    numbers: (i64, i64),
    take: &mut dyn FnMut(&[u8]) -> Result<(), Malformed>,
) -> Result<Vec<Damaged>, StoreError> {
    let sql = format!("SELECT {} FROM {table} WHERE number BETWEEN ?1 AND ?2", part.columns());
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(numbers)?;
    let (mut damaged, mut last) = (Vec::new(), numbers.0);
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(damaged),
            Err(error) => match StoreError::from(error) {
                StoreError::Corrupt { .. } => {
                    damaged.push(unreadable(table, last));
                    return Ok(damaged);
                }
                error => return Err(error),
            },
        };
        last = row.get(0)?;
        let mut scan = |row: &Row<'_>| Ok::<_, RowError>(take(bytes(table, row, part, 2)?)?);
        if let Err(what) = decoded(table, row, &mut scan)? {
            damaged.push(what);
        }
    }
}

fn unreadable(table: &'static str, last: i64) -> Damaged {
    Damaged { table, row: format!("behind {last}"), why: "a page of the file is damaged" }
}
