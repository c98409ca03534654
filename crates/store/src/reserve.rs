//! Room that is kept for a start on a full disk.
//!
//! A full disk stops commits, and nothing is lost by that. What must work all the same is a start after a crash: it rebuilds
//! the index of the write-ahead log and notes its incarnation, and needs a little room for both. So a file lies in the folder
//! that is cut shorter by a step when a start finds no room, and is made whole again once there is room for it and as much
//! beside it. Commits never get any of it: they would use it up, and the next start would have none. Nor is it given up all
//! at once, since whoever filled the disk would take it.
//!
//! The bytes are not zeros, which some file systems would not keep room for. A disk without room for twice the reserve
//! does without.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Enough for as many starts on a full disk as it has steps.
const RESERVE_BYTES: u64 = 8 << 20;
/// What one start may take: the index of a write-ahead log of 64 MiB takes 128 KiB.
const STEP_BYTES: u64 = 512 << 10;
/// Free bytes without which the reserve is not made whole.
const ROOM_BYTES_MIN: u64 = 2 * RESERVE_BYTES;
const FILE: &str = "reserve";
const CHUNK_BYTES: usize = 64 << 10;

/// The room that is kept in a folder.
#[derive(Debug)]
pub(crate) struct Reserve {
    folder: PathBuf,
    bytes: u64,
}

impl Reserve {
    /// As the folder has it.
    pub fn of(folder: &Path) -> Self {
        let bytes = fs::metadata(folder.join(FILE)).map_or(0, |found| found.len());
        Self { folder: folder.to_owned(), bytes }
    }

    /// Makes it whole, if it is not and there is room for it and as much again; whether it is whole.
    pub fn make(&mut self) -> bool {
        if self.bytes >= RESERVE_BYTES {
            return true;
        }
        if free_bytes(&self.folder).is_none_or(|free| free < ROOM_BYTES_MIN) {
            return false;
        }
        let made = fill(&self.file(), self.bytes);
        self.bytes = Self::of(&self.folder).bytes;
        made.is_ok()
    }

    /// Sets some of its room free; whether there was any.
    pub fn give_some(&mut self) -> bool {
        if self.bytes == 0 {
            return false;
        }
        let bytes = self.bytes.saturating_sub(STEP_BYTES);
        let cut = File::options().write(true).open(self.file()).and_then(|file| file.set_len(bytes));
        if cut.is_ok() {
            self.bytes = bytes;
        }
        cut.is_ok()
    }

    fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }
}

/// Fills it up behind the bytes that it has.
fn fill(file: &Path, from: u64) -> io::Result<()> {
    let mut to = File::options().create(true).truncate(false).write(true).open(file)?;
    to.seek(SeekFrom::Start(from))?;
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    let mut left = RESERVE_BYTES.saturating_sub(from);
    while left > 0 {
        chunk.clear();
        while chunk.len() < CHUNK_BYTES {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            chunk.extend_from_slice(&bits.to_le_bytes());
        }
        chunk.truncate(usize::try_from(left).unwrap_or(CHUNK_BYTES));
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
