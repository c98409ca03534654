//! Parts into pages: a step takes the oldest parts and puts one hour of them where it belongs, for all three intervals at
//! once. What is left of these parts is one part again.

use super::block::Sums;
use super::{COLUMNS, HOURS, INTERVALS, MINUTES, PAGES_MAX, PARTS, Table, forget, put, read};
use crate::record::{RowError, WriteError};
use crate::{Store, StoreError};
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior};

/// Bytes of parts that one step takes, at most, and one part at least.
const STEP_BYTES_MAX: usize = 128 << 10;
/// Parts of one step, at most.
const STEP_PARTS_MAX: usize = 512;
/// A page with as many bytes is not added to.
const PAGE_BYTES_MAX: usize = 256 << 10;

/// What a step of merging did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merging {
    /// Where the next step goes on: behind parts that cannot be read; none: nothing is left to merge.
    pub next: Option<i64>,
}

impl Store {
    /// How many parts wait to be merged into pages, and their bytes.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn cell_parts(&self) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT count(*), coalesce(sum(length(body)), 0) FROM cell_part";
        let number = |row: &rusqlite::Row<'_>, at| row.get::<_, i64>(at).map(|n| n.max(0).cast_unsigned());
        Ok(self.connection.query_row(sql, [], |row| Ok((number(row, 0)?, number(row, 1)?)))?)
    }

    /// Merges an hour of the oldest parts behind a number (at first 0) into pages, in one transaction, synced.
    ///
    /// # Errors
    /// Nothing is merged then, unless the store is poisoned: in that case only [`Store::reopen`] tells.
    pub fn merge_cells(&mut self, after: i64) -> Result<Merging, StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        let done = self.merge_some(after);
        done.map_err(|failure| self.settle(failure))
    }

    fn merge_some(&mut self, after: i64) -> Result<Merging, WriteError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let taken = take(&transaction, after)?;
        let next = taken.last.filter(|_| taken.more);
        let Some(first) = taken.numbers.first().copied() else { return Ok(Merging { next }) };
        for number in &taken.numbers {
            transaction.prepare_cached("DELETE FROM cell_part WHERE number = ?1")?.execute([number])?;
        }
        let left = merge_hour(&transaction, &taken.sums)?;
        if !left.is_empty() {
            put(&transaction, PARTS, first, &left)?;
        }
        transaction.commit()?;
        let left_before = first.saturating_sub(1);
        Ok(Merging { next: if left.is_empty() { next } else { Some(left_before) } })
    }
}

/// Parts that were read.
#[derive(Default)]
struct Taken {
    sums: Sums,
    numbers: Vec<i64>,
    last: Option<i64>,
    more: bool,
}

fn take(from: &Transaction<'_>, after: i64) -> Result<Taken, WriteError> {
    let sql = format!("SELECT {COLUMNS} FROM cell_part WHERE number > ?1 ORDER BY number");
    let mut statement = from.prepare_cached(&sql)?;
    let mut rows = statement.query([after])?;
    let (mut taken, mut bytes, mut looked_at) = (Taken::default(), 0, 0);
    while let Some(row) = rows.next()? {
        if bytes >= STEP_BYTES_MAX || looked_at >= STEP_PARTS_MAX {
            taken.more = true;
            break;
        }
        let number = row.get(0)?;
        (taken.last, looked_at) = (Some(number), looked_at + 1);
        match read(PARTS, row) {
            Ok(part) => {
                bytes += row.get_ref(5)?.as_blob().map_or(0, <[u8]>::len);
                part.rows().for_each(|(of, minutes)| taken.sums.add_all(of.clone(), minutes.iter().copied()));
                taken.numbers.push(number);
            }
            // What cannot be read is left for `headcount store check` to name.
            Err(RowError::Malformed(_)) => {}
            Err(RowError::Failed(error)) => return Err(error.into()),
        }
    }
    Ok(taken)
}

/// Puts the first hour into pages; gives back the rest.
fn merge_hour(to: &Transaction<'_>, sums: &Sums) -> Result<Sums, WriteError> {
    let Some(minute) = sums.first() else { return Ok(Sums::default()) };
    let hour = minute.div_euclid(HOURS.minutes);
    let (mut hourly, mut left) = (Sums::default(), Sums::default());
    for (of, minutes) in sums.rows() {
        let within = minutes.partition_point(|(minute, _)| minute.div_euclid(HOURS.minutes) == hour);
        let (now, later) = minutes.split_at(within);
        hourly.add_all(of.clone(), now.iter().copied());
        left.add_all(of.clone(), later.iter().copied());
    }
    for table in INTERVALS {
        let minute = hour.saturating_mul(HOURS.minutes);
        if forget::kept_from(to, table)?.is_none_or(|kept| minute.div_euclid(table.minutes) >= kept) {
            add_to_page(to, table, &hourly)?;
        }
    }
    Ok(left)
}

/// Adds minutes of one hour to the newest page of their time, or begins a further one.
fn add_to_page(to: &Transaction<'_>, table: Table, minutes: &Sums) -> Result<(), WriteError> {
    let Some(first) = minutes.first() else { return Ok(()) };
    let first = table.page_of(first.div_euclid(table.minutes));
    let last = first.saturating_add(PAGES_MAX - 1);
    let sql = format!(
        "SELECT {COLUMNS} FROM {} WHERE number BETWEEN ?1 AND ?2 ORDER BY number DESC LIMIT 1",
        table.name
    );
    let newest = to
        .prepare_cached(&sql)?
        .query_row((first, last), |row| {
            let bytes = row.get_ref(5)?.as_blob().map_or(0, <[u8]>::len);
            Ok((row.get::<_, i64>(0)?, bytes, sound(table, row)?))
        })
        .optional()?;
    let (number, mut page) = match newest {
        Some((number, bytes, Some(page))) if bytes < PAGE_BYTES_MAX || number == last => (number, page),
        // The last page of a time that can be is damaged: what it held is lost already, and what comes with it.
        Some((number, _, None)) if number == last => return Ok(()),
        Some((number, ..)) => (number.saturating_add(1), Sums::default()),
        None => (first, Sums::default()),
    };
    for (of, minutes) in minutes.rows() {
        let units = minutes.iter().map(|(minute, events)| (minute.div_euclid(table.minutes), *events));
        page.add_all(of.clone(), units);
    }
    if !page.is_empty() {
        return put(to, table.name, number, &page);
    }
    to.prepare_cached(&format!("DELETE FROM {} WHERE number = ?1", table.name))?.execute([number])?;
    Ok(())
}

/// A page; none when it is damaged.
fn sound(table: Table, row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Sums>> {
    match read(table.name, row) {
        Ok(page) => Ok(Some(page)),
        Err(RowError::Malformed(_)) => Ok(None),
        Err(RowError::Failed(error)) => Err(error),
    }
}

/// That an hour of minutes is one page, and lies within one page of hours and one of days.
const _: () = assert!(MINUTES.units == HOURS.minutes);
