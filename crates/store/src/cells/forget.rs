//! How long cells are kept: minutes go first, what they add up to stays longer.
//!
//! A step takes away whole pages, oldest first, in a transaction that also says from when on the rest is kept, so that what
//! is gone is never taken for a time without events. Minutes of all events together (`cell`) go with those by filter.

use super::{CellInterval, HOURS, MINUTES, PAGES_MAX, Table};
use crate::{Store, StoreError, schema};
use rusqlite::{Connection, TransactionBehavior};

/// Pages that one step takes away of an interval, at most.
const STEP_PAGES_MAX: i64 = 64;

/// From which unit on cells are kept, in minutes, hours and days since 1970; none: from the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CellsKept {
    /// Of minutes.
    pub minutes: Option<i64>,
    /// Of hours.
    pub hours: Option<i64>,
    /// Of days.
    pub days: Option<i64>,
    /// Records of conversations that could not be read when the file was upgraded: what they added is in no page.
    pub lacking: u64,
}

/// What a step took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Pages.
    pub pages: u64,
    /// There is more to take away.
    pub more: bool,
}

impl CellsKept {
    /// Of an interval.
    #[must_use]
    pub fn of(&self, interval: CellInterval) -> Option<i64> {
        match interval {
            CellInterval::Minute => self.minutes,
            CellInterval::Hour => self.hours,
            CellInterval::Day => self.days,
        }
    }
}

impl Store {
    /// From when on cells are kept.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn cells_kept(&self) -> Result<CellsKept, StoreError> {
        Ok(kept(&self.connection)?)
    }

    /// Takes cells of an interval away, those of whole pages before a minute since 1970, oldest first, as many as a step
    /// does; with minutes go those of all events together.
    ///
    /// # Errors
    /// Nothing is taken away then, unless the store is poisoned: in that case only [`Store::reopen`] tells.
    pub fn forget_cells(
        &mut self,
        interval: CellInterval,
        before_minute: i64,
    ) -> Result<Forgotten, StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        let done = self.forget_some(interval.table(), before_minute);
        done.map_err(|error| {
            self.poisoned = !self.connection.is_autocommit() || crate::error::leaves_doubt(&error);
            error.into()
        })
    }

    /// The minute since 1970 with which the oldest page of minutes begins; none: there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn oldest_minute_page(&self) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT min(number) FROM cell_minutes";
        let number: Option<i64> = self.connection.query_row(sql, [], |row| row.get(0))?;
        Ok(number.map(|number| number.div_euclid(PAGES_MAX).saturating_mul(MINUTES.units)))
    }

    fn forget_some(&mut self, table: Table, before_minute: i64) -> rusqlite::Result<Forgotten> {
        let page = before_minute.div_euclid(table.minutes).div_euclid(table.units);
        let before = page.saturating_mul(PAGES_MAX);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = format!(
            "DELETE FROM {0} WHERE number IN (SELECT number FROM {0} WHERE number < ?1 ORDER BY number LIMIT ?2)",
            table.name
        );
        let pages = transaction.prepare_cached(&sql)?.execute((before, STEP_PAGES_MAX))?;
        let mut most = usize::try_from(STEP_PAGES_MAX).is_ok_and(|most| pages == most);
        let (first, mut gone) = (page.saturating_mul(table.units), pages);
        if table == MINUTES {
            let sql = "DELETE FROM cell WHERE minute IN
                       (SELECT minute FROM cell WHERE minute < ?1 ORDER BY minute LIMIT ?2)";
            let rows_max = STEP_PAGES_MAX * MINUTES.units;
            let rows = transaction.prepare_cached(sql)?.execute((first, rows_max))?;
            most |= usize::try_from(rows_max).is_ok_and(|most| rows == most);
            gone += rows;
        }
        if gone == 0 {
            return Ok(Forgotten::default());
        }
        let was = kept_from(&transaction, table)?.unwrap_or(i64::MIN);
        schema::set_meta(&transaction, table.kept_from, first.max(was))?;
        transaction.commit()?;
        Ok(Forgotten { pages: pages as u64, more: most })
    }
}

/// The unit from which on a table's cells are kept; none: all are.
pub(crate) fn kept_from(at: &Connection, table: Table) -> rusqlite::Result<Option<i64>> {
    schema::meta(at, table.kept_from)
}

/// The minute from which on minutes are kept; none: all are.
pub(crate) fn minutes_from(at: &Connection) -> rusqlite::Result<Option<i64>> {
    kept_from(at, MINUTES)
}

pub(crate) fn kept(at: &Connection) -> rusqlite::Result<CellsKept> {
    let lacking = schema::meta(at, schema::CELLS_LACKING)?.unwrap_or_default();
    Ok(CellsKept {
        minutes: kept_from(at, MINUTES)?,
        hours: kept_from(at, HOURS)?,
        days: kept_from(at, super::DAYS)?,
        lacking: lacking.max(0).cast_unsigned(),
    })
}
