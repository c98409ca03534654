//! Reading a folder that nobody writes, and that may not be written.
//!
//! SQLite reads a file with a write-ahead log through an index that it makes beside the log, and asks for that index even
//! where the log is empty; where the folder may not be written (a read-only mount, another user's folder) the file does not
//! open. A folder that was closed cleanly has no log, or an empty one, and all of it is in the file: such a file is opened as
//! one that does not change (`immutable`, <https://www.sqlite.org/uri.html#uriimmutable>), and nothing is made beside it.
//! SQLite looks at no lock then and would read nonsense beside a writer, so whoever opens it so holds the folder's lock.
//!
//! Rejected: `immutable` where the log is not empty (what was committed last would be missing, and nobody would be told).

use crate::OpenError;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The bytes that the data file and its write-ahead log take.
pub(crate) fn size_bytes(file: &Path) -> u64 {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
    size(file) + size(&write_ahead_log(file))
}

/// Whether all that was committed is in the file itself. What cannot be told counts as no.
pub(crate) fn is_whole(file: &Path) -> bool {
    match std::fs::metadata(write_ahead_log(file)) {
        Ok(found) => found.len() == 0,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Opens a file that [is whole](is_whole) and stays as it is while the connection lives: the caller holds the folder's lock.
pub(crate) fn connect(file: &Path) -> Result<Connection, OpenError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(uri(file), flags).map_err(|error| OpenError::of_sqlite(file, &error))
}

/// Whether SQLite found no index of the log and could make none.
pub(crate) fn lacks_index(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// What a failure to read means: that a log needs an index which cannot be made is a cause of its own.
pub(crate) fn failed(file: &Path, error: &rusqlite::Error) -> OpenError {
    if lacks_index(error) && !is_whole(file) {
        let folder = file.parent().unwrap_or(file).to_owned();
        return OpenError::NotClosed { folder, cause: error.to_string() };
    }
    OpenError::of_sqlite(file, error)
}

/// The name of a file for SQLite, in which a space, `?`, `#` and `%` are no signs of anything.
fn uri(file: &Path) -> String {
    let mut uri = "file:".to_owned();
    for byte in file.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte))
            }
            _ => {
                let _strings_take_all = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri + "?immutable=1"
}

fn write_ahead_log(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push("-wal");
    path.into()
}

#[cfg(test)]
mod tests;
