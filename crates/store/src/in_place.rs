//! Whether the data file still lies where it was opened.
//!
//! A folder that is deleted, moved away or replaced leaves an open file behind that nobody finds again: it takes every write,
//! and every sync of it succeeds. So the file behind the name is compared with the one that was opened, by device and inode
//! (POSIX, `stat`); the write-ahead log too, without which the file lacks its newest commits. Rejected: watching the folder
//! (inotify has a limit on its watches, and tells nothing on network file systems).

use crate::{Store, StoreError};
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Another lies there.
pub(crate) const NOT_OURS: &str = "is not the one that was opened: the disk was changed";
const GONE: &str = "was deleted or moved away while it was open";
const NO_LOG: &str = "has lost its write-ahead log, which was deleted or moved away while it was open";

/// What lies in a place: device and inode.
type Identity = (u64, u64);

/// The files that were opened.
#[derive(Debug)]
pub(crate) struct InPlace {
    data: Option<Identity>,
    log: Option<Identity>,
}

impl InPlace {
    /// Those that lie there now; what cannot be looked at is not compared later.
    pub fn of(file: &Path) -> Self {
        Self { data: identity(file).ok(), log: identity(&log_of(file)).ok() }
    }
}

impl Store {
    /// Looks whether the files are those that were opened.
    ///
    /// # Errors
    /// That they [have changed](StoreError::Changed): what is committed from now on is found by nobody.
    pub fn look_in_place(&self) -> Result<(), StoreError> {
        let changed = |why| Err(StoreError::Changed { why });
        if is_another(&self.file, self.in_place.data) {
            return changed(if self.file.exists() { NOT_OURS } else { GONE });
        }
        if is_another(&log_of(&self.file), self.in_place.log) { changed(NO_LOG) } else { Ok(()) }
    }
}

/// Whether another file lies there, or none. A disk that cannot be asked says nothing.
fn is_another(path: &Path, known: Option<Identity>) -> bool {
    let Some(known) = known else { return false };
    match identity(path) {
        Ok(found) => found != known,
        Err(error) => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
    }
}

fn identity(path: &Path) -> io::Result<Identity> {
    path.metadata().map(|known| (known.dev(), known.ino()))
}

fn log_of(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push("-wal");
    name.into()
}

#[cfg(test)]
mod tests;
