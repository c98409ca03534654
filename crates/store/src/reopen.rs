//! Coming back after a commit of unknown outcome, in the same life.
//!
//! After a sync that failed the system may call pages clean that never reached the disk, and a later sync of the same
//! pages would succeed without writing them. So nothing is believed of that commit, and it is not waited for: the file is
//! opened anew (the old handle may point at a disk that went away), what its log holds is read, and the *same* commit is
//! made again. Where the log lacks the batch, that is an ordinary commit, and its frames are written over the doubtful ones;
//! where the log has it, the row is replaced and the cells, which moved with it, are left alone. Either way the batch is
//! there once, and only a sync that came after a write speaks for it.
//!
//! Rejected: trying again on the old connection (it never sees that the disk is another), and rewinding the write-ahead log
//! by hand (other tools read it, and its format is SQLite's business).

use crate::in_place::{InPlace, NOT_OURS};
use crate::open::{connect, newest};
use crate::{Store, StoreError, schema};

/// What a file that is the one that was open before has not.
const WENT_BACK: &str = "lacks commits that were acknowledged: the disk lost them";

impl Store {
    /// Whether only [`Store::reopen`] tells what the last commit left on the disk.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// Opens the file anew and finds out what it holds; after that the commit that failed may be made again, and lands
    /// exactly once. Until this succeeds the store goes on answering what is asked of it, as far as the disk lets it.
    ///
    /// # Errors
    /// When the file cannot be opened or read still; that it [has changed](StoreError::Changed) when it is another file, or
    /// lacks what was acknowledged.
    pub fn reopen(&mut self) -> Result<(), StoreError> {
        if !self.writable {
            return Err(StoreError::Poisoned);
        }
        let refused = |why| StoreError::Changed { why };
        let connection = connect(&self.file)?;
        schema::set_up(&connection)?;
        let number =
            |key| schema::meta(&connection, key).map(|found| found.unwrap_or_default().cast_unsigned());
        if (number("epoch")?, number("incarnation")?) != (self.epoch, u64::from(self.incarnation)) {
            return Err(refused(NOT_OURS));
        }
        let (position, _) = newest(&connection)?;
        self.holds_unacknowledged = match position.checked_sub(self.last_position) {
            Some(0) => false,
            Some(1) => true,
            Some(_) => return Err(refused(NOT_OURS)),
            None => return Err(refused(WENT_BACK)),
        };
        self.connection = connection;
        self.in_place = InPlace::of(&self.file);
        self.poisoned = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
