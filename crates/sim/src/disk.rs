//! A node's disk: what a crash leaves of it, and how it refuses.
//!
//! The store is the real one, on real files in memory. A commit syncs the write-ahead log before it returns, so all that
//! lay there before the commit survives a crash; of what the commit itself wrote, any part may have reached the disk,
//! whole, cut off or as garbage. That tail is torn here, at a byte that the seed chooses, and the files are copied
//! as the next life finds them.

use fastrand::Rng;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const FILES: [&str; 2] = ["headcount.db", "headcount.db-wal"];
/// What a file is called that is out of the way.
const AWAY: &str = "away";
/// Where files cost no real sync.
const MEMORY: &str = "/dev/shm";

/// What of the log's tail a crash may harm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tail {
    /// What was synced before.
    pub synced: u64,
    /// What was written since.
    pub written: u64,
}

#[derive(Debug)]
pub(crate) struct Disk {
    folder: TempDir,
}

impl Disk {
    pub fn new() -> io::Result<Self> {
        let memory = Path::new(MEMORY);
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
        Ok(Self { folder: folder? })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How long the write-ahead log is.
    pub fn log_bytes(&self) -> u64 {
        fs::metadata(self.file(FILES[1])).map_or(0, |found| found.len())
    }

    /// One of the files cannot be opened from now on; which.
    pub fn refuse(&self, rng: &mut Rng) -> io::Result<&'static str> {
        let name = crate::plan::pick(rng, &["headcount.db", "lock"]);
        match fs::rename(self.file(name), self.file(AWAY)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir(self.file(name))?,
        }
        Ok(name)
    }

    /// It can be opened again.
    pub fn relent(&self, name: &str) -> io::Result<()> {
        fs::remove_dir(self.file(name))?;
        match fs::rename(self.file(AWAY), self.file(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The disk as a crash leaves it; in words, what became of the tail.
    pub fn crash(&mut self, tail: Option<Tail>, rng: &mut Rng) -> io::Result<String> {
        let next = Self::new()?;
        for name in FILES {
            match fs::copy(self.file(name), next.file(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let said = match tail.filter(|tail| tail.written > tail.synced) {
            Some(tail) => next.tear(tail, rng)?,
            None => "nothing unsynced".to_owned(),
        };
        *self = next;
        Ok(said)
    }

    fn tear(&self, tail: Tail, rng: &mut Rng) -> io::Result<String> {
        let log = self.file(FILES[1]);
        let kept = rng.u64(tail.synced..=tail.written);
        let mut bytes = fs::read(&log)?;
        let from = usize::try_from(kept).unwrap_or(bytes.len()).min(bytes.len());
        let garbage = rng.bool();
        if garbage {
            bytes.iter_mut().skip(from).for_each(|byte| *byte = rng.u8(..));
        } else {
            bytes.truncate(from);
        }
        fs::write(&log, bytes)?;
        let (kept, of) = (kept - tail.synced, tail.written - tail.synced);
        Ok(format!(
            "{kept} of {of} unsynced bytes kept, the rest {}",
            if garbage { "garbage" } else { "lost" }
        ))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
