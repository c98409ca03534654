//! What can go wrong with a data folder, each with its cause and the way out.
//!
//! Two questions matter to a caller: whether to try again (a full disk may be emptied), and whether a commit may have
//! reached the disk all the same. After a sync that failed nobody can know that without reading the file anew, so nothing
//! more is accepted until it is opened anew.

use rusqlite::ErrorCode;
use rusqlite::ffi;
use std::io;
use std::path::{Path, PathBuf};

/// Why a data folder cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds it.
    #[error(
        "another headcount runs on the data folder {} ({}): stop it, or give --data another folder",
        folder.display(), who(*pid)
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// Of the process that holds it, where it could be read.
        pid: Option<u32>,
    },
    /// It was written by a newer version.
    #[error(
        "the data folder has format {found}, and this headcount knows formats up to {known}: run the newer version, or \
         give --data another folder"
    )]
    Newer {
        /// The format of the file.
        found: i64,
        /// The newest format that is known here.
        known: i64,
    },
    /// It was written by an older version, and is only to be looked at.
    #[error(
        "the data folder has format {found}, and this headcount looks at format {known}: start `headcount serve` on it once"
    )]
    Older {
        /// The format of the file.
        found: i64,
        /// The format that can be looked at.
        known: i64,
    },
    /// There is nothing to look at.
    #[error("{} holds no data of headcount: give --data the folder of a service that has run", folder.display())]
    Nothing {
        /// The folder.
        folder: PathBuf,
    },
    /// Something else is there.
    #[error("{} is not a folder: give --data a folder", path.display())]
    NotAFolder {
        /// Where.
        path: PathBuf,
    },
    /// The file is not ours.
    #[error("{} is not a file of headcount: move it away, or give --data another folder", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// It may not be read or written.
    #[error("{} may not be read and written by this user ({cause}): mend its permissions, or give --data another folder", path.display())]
    Permission {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// It was not closed cleanly, and is only to be looked at where nothing may be written.
    #[error(
        "{} was not closed cleanly, and what its write-ahead log holds cannot be read where SQLite may write no index of it \
         ({cause}): copy the whole folder to where this user may write and give --data the copy, or start and stop `headcount \
         serve` on it once",
        folder.display()
    )]
    NotClosed {
        /// The folder.
        folder: PathBuf,
        /// What SQLite said.
        cause: String,
    },
    /// No space is left.
    #[error("no space is left on the disk of {}: free some, or give --data a folder on another disk", path.display())]
    Full {
        /// The folder or file.
        path: PathBuf,
    },
    /// The disk failed.
    #[error("{} could not be read or written ({cause}): look at the disk", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The database refused.
    #[error("the data file {} could not be opened ({cause}): restore it from a copy, or give --data another folder", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        cause: String,
    },
}

/// Why a store cannot do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No space is left. Nothing of the commit was stored; a later one may succeed.
    #[error("no space is left on the disk of the data folder: free some, nothing is lost so far")]
    Full,
    /// An earlier commit may or may not have reached the disk.
    #[error(
        "an earlier commit failed halfway to the disk: look at the disk; what it holds is read when it is opened anew"
    )]
    Poisoned,
    /// The disk failed.
    #[error("the data file could not be read or written ({cause}): look at the disk")]
    Io {
        /// What SQLite said.
        cause: String,
    },
    /// The database refused.
    #[error("the data file refused ({cause})")]
    Sqlite {
        /// What SQLite said.
        cause: String,
    },
    /// In the place of the data file there is another, or an older state of it: what was committed to it is not there, and
    /// only a start reads what is.
    #[error("the data file {why}; start headcount again, and it goes on from what lies there")]
    Changed {
        /// In what way.
        why: &'static str,
    },
    /// Pages of the data file are damaged, not a record alone.
    #[error(
        "pages of the data file are damaged ({cause}): stop headcount; `headcount store check` says what is lost, and \
         `headcount store repair` saves the rest"
    )]
    Corrupt {
        /// What SQLite said.
        cause: String,
    },
    /// A record is not what was written.
    #[error("damaged: {0}")]
    Damaged(Damaged),
    /// A record is larger than one may be.
    #[error("a record of {bytes} bytes is above the bound of {bytes_max}: make the batches smaller")]
    TooLarge {
        /// Its size before compression.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
}

/// A record that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table} {row}: {why}")]
pub struct Damaged {
    /// The table.
    pub table: &'static str,
    /// The row's key.
    pub row: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl OpenError {
    pub(crate) fn of_io(path: &Path, error: &io::Error) -> Self {
        let (path, cause) = (path.to_owned(), error.to_string());
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Permission { path, cause }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            io::ErrorKind::NotADirectory => Self::NotAFolder { path },
            _ => Self::Io { path, cause },
        }
    }

    pub(crate) fn of_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, cause) = (path.to_owned(), error.to_string());
        if is_full(error) {
            return Self::Full { path };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotOurs { path },
            Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => Self::Permission { path, cause },
            Some(ErrorCode::SystemIoFailure) => Self::Io { path, cause },
            _ => Self::Sqlite { path, cause },
        }
    }
}

impl StoreError {
    /// Whether the same may succeed later, once the disk is well again, without a start.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        !matches!(self, Self::Damaged(_) | Self::TooLarge { .. } | Self::Changed { .. })
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let cause = error.to_string();
        if is_full(&error) {
            return Self::Full;
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::SystemIoFailure) => Self::Io { cause },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { cause },
            _ => Self::Sqlite { cause },
        }
    }
}

/// Whether a failed commit leaves it open what is on the disk, or whether the open file is still good for anything.
///
/// A full or busy disk is reported before the commit's last frame is whole, so it is rolled back. A sync that failed leaves
/// frames behind that a later one may or may not keep; a write that failed may mean that the disk is gone.
pub(crate) fn leaves_doubt(error: &rusqlite::Error) -> bool {
    !matches!(error.sqlite_error_code(), Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy))
}

/// Whether no space was left; for the index of the write-ahead log that is an error of its own.
fn is_full(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|failure| failure.extended_code);
    code == Some(ffi::SQLITE_IOERR_SHMSIZE) || error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

fn who(pid: Option<u32>) -> String {
    pid.map_or_else(|| "its pid is unknown".to_owned(), |pid| format!("pid {pid}"))
}

#[cfg(test)]
mod tests;
