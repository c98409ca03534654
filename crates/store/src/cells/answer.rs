//! Questions about cells: pages and parts summed, as of one commit. A damaged page is named, and what it held is missing from
//! the sum.

use super::{CellInterval, PAGES_MAX, PARTS, Part, block, bytes};
use crate::read::decoded;
use crate::record::id::Key;
use crate::record::{Malformed, RowError, conversation};
use crate::{CommitReader, Damaged, StoreError};
use engine::{Facets, Id, contributions};
use rusqlite::Row;

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
    /// Adds all that parts and pages hold of a question.
    ///
    /// # Errors
    /// When the file cannot be read, other than because of damage.
    pub fn sum(&self, question: &CellQuestion, sums: &mut CellSums) -> Result<(), StoreError> {
        if question.from >= question.to {
            return Ok(());
        }
        let table = question.interval.table();
        let first = table.page_of(question.from);
        let last = table.page_of(question.to - 1).saturating_add(PAGES_MAX - 1);
        let (filter, part) = (&question.filter, Part::of(&question.filter));
        let mut add = |unit, events| question.add(sums, unit, events);
        let mut damaged =
            self.each(table.name, part, (first, last), &mut |body| block::scan(body, filter, &mut add))?;
        let all = (i64::MIN, i64::MAX);
        let mut add = |minute: i64, events| question.add_minute(sums, minute, events);
        damaged.extend(self.each(PARTS, part, all, &mut |body| block::scan(body, filter, &mut add))?);
        sums.damaged.extend(damaged);
        Ok(())
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
            let until = self.removed_until(id)?;
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

    /// Hands over the bodies of a table; gives what is damaged of them.
    fn each(
        &self,
        table: &'static str,
        part: Part,
        numbers: (i64, i64),
        take: &mut dyn FnMut(&[u8]) -> Result<(), Malformed>,
    ) -> Result<Vec<Damaged>, StoreError> {
        let sql = format!("SELECT {} FROM {table} WHERE number BETWEEN ?1 AND ?2", part.columns());
        let mut statement = self.connection.prepare_cached(&sql)?;
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
}

fn unreadable(table: &'static str, last: i64) -> Damaged {
    Damaged { table, row: format!("behind {last}"), why: "a page of the file is damaged" }
}
