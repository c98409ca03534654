//! Room that is kept for the moment when the disk is full.
//!
//! A full disk stops commits. What must still work is to move the write-ahead log into the file, and to start anew
//! after a crash, and both need room for a while. So a file of that size lies in the folder and is cut to nothing when a
//! commit finds no room. From then on nothing is committed until the reserve can be made again with as much room beside it:
//! otherwise the next batches would eat what was set free, and the disk would be full without a reserve. A file of no
//! length says after a restart that this is so.
//!
//! The bytes are not zeros, which some file systems would not keep room for. A disk too small to hold the reserve twice
//! does without; commits then fail and come back as the room does.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// As long as the write-ahead log before it is moved into the file (`wal_autocheckpoint` in `schema.rs`).
pub(crate) const RESERVE_BYTES: u64 = 16 << 20;
/// Free bytes without which the reserve is not made.
pub(crate) const ROOM_BYTES_MIN: u64 = 2 * RESERVE_BYTES;
const FILE: &str = "reserve";
const CHUNK_BYTES: usize = 64 << 10;

/// The room that is kept in a folder.
#[derive(Debug)]
pub(crate) struct Reserve {
    folder: PathBuf,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Never made.
    Missing,
    /// It is there.
    Kept,
    /// It was there, and the disk was full.
    GivenUp,
}

impl Reserve {
    /// As the folder has it.
    pub fn of(folder: &Path) -> Self {
        let state = match fs::metadata(folder.join(FILE)) {
            Ok(found) if found.len() == RESERVE_BYTES => State::Kept,
            Ok(_) => State::GivenUp,
            Err(_) => State::Missing,
        };
        Self { folder: folder.to_owned(), state }
    }

    /// Whether the disk was full and is not known to have room again.
    pub fn is_given_up(&self) -> bool {
        self.state == State::GivenUp
    }

    /// Makes it, if it is not there and there is room for it and as much again; whether it is there.
    pub fn make(&mut self) -> bool {
        if self.state == State::Kept {
            return true;
        }
        if free_bytes(&self.folder).is_none_or(|free| free < ROOM_BYTES_MIN) {
            return false;
        }
        match fill(&self.file()) {
            Ok(()) => self.state = State::Kept,
            Err(_) if self.is_given_up() => drop(File::create(self.file())),
            Err(_) => drop(fs::remove_file(self.file())),
        }
        self.state == State::Kept
    }

    /// Sets its room free; whether there was any.
    pub fn give_up(&mut self) -> bool {
        let kept = self.state == State::Kept && File::create(self.file()).is_ok();
        if kept {
            self.state = State::GivenUp;
        }
        kept
    }

    fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }
}

fn fill(file: &Path) -> io::Result<()> {
    let mut to = File::create(file)?;
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    let mut left = RESERVE_BYTES;
    while left > 0 {
        chunk.clear();
        while chunk.len() < CHUNK_BYTES {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            chunk.extend_from_slice(&bits.to_le_bytes());
        }
        to.write_all(&chunk)?;
        left = left.saturating_sub(chunk.len() as u64);
    }
    to.sync_all()
}

/// What this user may still write on the disk of a folder; none where the system does not tell.
fn free_bytes(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

#[cfg(test)]
mod tests;
