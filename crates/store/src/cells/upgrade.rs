//! The upgrade of a file from before there were cells by what events are about: what its conversations add.
//!
//! One conversation is in memory at a time, and as much as goes into one part. Of conversations that retention had removed
//! nothing is known any more, so that cells are kept from the retention's horizon on.

use super::block::Sums;
use super::{DAYS, HOURS, MINUTES, PART_COUNTS_MAX, write_part};
use crate::record::{RowError, WriteError, conversation};
use crate::schema;
use crate::upgrade::Progress;
use engine::{MINUTE, contributions};
use rusqlite::{OptionalExtension, Transaction};

/// Makes parts of all that is laid down and not in memory.
pub(crate) fn fill(at: &Transaction<'_>) -> rusqlite::Result<()> {
    if let Some(horizon) = schema::meta(at, schema::REMOVED_BEFORE)? {
        let minute = horizon.div_euclid(MINUTE).saturating_add(1);
        for table in [MINUTES, HOURS, DAYS] {
            let unit = minute.div_euclid(table.minutes) + i64::from(minute.rem_euclid(table.minutes) > 0);
            schema::set_meta(at, table.kept_from, unit)?;
        }
    }
    let sql =
        format!("SELECT {} FROM conversation WHERE NOT resident ORDER BY number", conversation::COLUMNS);
    let mut statement = at.prepare(&sql)?;
    let mut until = at.prepare("SELECT removed_until_ns FROM inherited WHERE id = ?1")?;
    let mut rows = statement.query([])?;
    let (mut part, mut counts, mut lacking) = (Sums::default(), 0, 0);
    let mut progress = Progress::of("cells");
    while let Some(row) = rows.next()? {
        progress.step();
        match conversation::read(row) {
            Ok(stored) => {
                let id = stored.id.to_string();
                let until = until.query_row([id], |row| row.get(0)).optional()?.flatten();
                contributions(&stored, until, |minute, of| {
                    part.add(of, minute, 1);
                    counts += 1;
                });
            }
            Err(RowError::Malformed(_)) => lacking += 1,
            Err(RowError::Failed(error)) => return Err(error),
        }
        if counts >= PART_COUNTS_MAX {
            counts = 0;
            write(at, &std::mem::take(&mut part))?;
        }
    }
    if lacking > 0 {
        schema::set_meta(at, schema::CELLS_LACKING, lacking)?;
    }
    if part.is_empty() { Ok(()) } else { write(at, &part) }
}

fn write(at: &Transaction<'_>, part: &Sums) -> rusqlite::Result<()> {
    write_part(at, part).map_err(|error| match error {
        WriteError::Database(error) => error,
        WriteError::Record(error) => rusqlite::Error::ToSqlConversionFailure(Box::new(error)),
    })
}
