//! Looking for damage: every record against its checksum, and the file's own structure. Nothing is changed.

use crate::walk::{Met, TABLES, walk};
use crate::{Damaged, Store, StoreError};

/// Findings of SQLite's own check that are told; a file that has more is told no better by them.
const STRUCTURE_MAX: u32 = 100;

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Records that hold what was written.
    pub sound: u64,
    /// Findings that were told.
    pub damaged: u64,
}

impl Store {
    /// Looks at every record, and at the file's structure; tells each damaged record and each run of rows that cannot be
    /// reached, and after each record how many were looked at.
    ///
    /// # Errors
    /// When the file cannot be read, other than because of damage.
    pub fn check(
        &self,
        tell: &mut dyn FnMut(Damaged),
        progress: &mut dyn FnMut(u64),
    ) -> Result<Checked, StoreError> {
        let mut checked = Checked::default();
        for table in &TABLES {
            walk(&self.connection, table, &mut |met| {
                match met {
                    Met::Sound(_) => checked.sound += 1,
                    Met::Damaged(damaged) | Met::Unreadable(damaged) => {
                        checked.damaged += 1;
                        tell(damaged);
                    }
                }
                progress(checked.sound + checked.damaged);
                Ok(())
            })?;
        }
        for said in self.structure()? {
            checked.damaged += 1;
            tell(Damaged { table: "file", row: said, why: "the structure of the file is damaged" });
        }
        Ok(checked)
    }

    /// What SQLite finds wrong with tables and indexes.
    fn structure(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare(&format!("PRAGMA integrity_check({STRUCTURE_MAX})"))?;
        let said = statement.query_map([], |row| row.get::<_, String>(0))?;
        match said.collect::<rusqlite::Result<Vec<_>>>().map_err(StoreError::from) {
            Ok(said) => Ok(said.into_iter().filter(|text| text != "ok").collect()),
            Err(StoreError::Corrupt { cause }) => Ok(vec![cause]),
            Err(error) => Err(error),
        }
    }
}
