//! One process a folder.
//!
//! Two writers would each believe in their own incarnation and positions. The lock is the operating system's, on a file
//! that holds the owner's pid: it ends with the process, however that ends, so that nothing stale ever needs deleting.
//! Rejected: a pid file alone (stale after a crash, and pids come again), and SQLite's own locks (they are taken and let
//! go around each transaction, and would show the clash only in the middle of the work).

use crate::OpenError;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

const LOCK_FILE: &str = "lock";
/// A pid has at most ten digits.
const PID_BYTES_MAX: u64 = 16;

/// A folder that is ours until this is dropped.
#[derive(Debug)]
pub(crate) struct FolderLock {
    file: File,
}

impl FolderLock {
    /// Makes the folder if it is missing, and takes it.
    pub fn take(folder: &Path) -> Result<Self, OpenError> {
        make(folder)?;
        let path = folder.join(LOCK_FILE);
        let failed = |error: io::Error| OpenError::of_io(&path, &error);
        let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(failed)?;
        lock(&file, folder)?;
        match file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())) {
            // Whose it is would only be told to a second program: no reason not to start on a full disk.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {}
            written => written.map_err(failed)?,
        }
        Ok(Self { file })
    }

    /// Takes a folder that was used before, without writing into it.
    pub fn look(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join(LOCK_FILE);
        let file = File::open(&path).map_err(|error| OpenError::of_io(&path, &error))?;
        lock(&file, folder)?;
        Ok(Self { file })
    }

    /// Takes a folder that was used before together with others that look at it, without writing into it.
    pub fn share(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join(LOCK_FILE);
        let file = File::open(&path).map_err(|error| OpenError::of_io(&path, &error))?;
        taken(file.try_lock_shared(), &file, folder)?;
        Ok(Self { file })
    }

    /// Whether a process has a folder that was used before. Asking shares it for a moment, so that those who ask at once do
    /// not take one another for its owner.
    pub fn is_taken(folder: &Path) -> Result<bool, OpenError> {
        let path = folder.join(LOCK_FILE);
        let failed = |error: io::Error| OpenError::of_io(&path, &error);
        let file = File::open(&path).map_err(failed)?;
        match file.try_lock_shared() {
            Ok(()) => file.unlock().map(|()| false).map_err(failed),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

fn lock(file: &File, folder: &Path) -> Result<(), OpenError> {
    taken(file.try_lock(), file, folder)
}

fn taken(lock: Result<(), TryLockError>, file: &File, folder: &Path) -> Result<(), OpenError> {
    match lock {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            Err(OpenError::InUse { folder: folder.to_owned(), pid: owner(file) })
        }
        Err(TryLockError::Error(error)) => Err(OpenError::of_io(&folder.join(LOCK_FILE), &error)),
    }
}

/// Closing the file would do, but for a child that is just being started and has not let go of its copy yet.
impl Drop for FolderLock {
    fn drop(&mut self) {
        let _closing_releases_it_too = self.file.unlock();
    }
}

fn make(folder: &Path) -> Result<(), OpenError> {
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(OpenError::NotAFolder { path: folder.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder).map_err(|error| OpenError::of_io(folder, &error))
        }
        Err(error) => Err(OpenError::of_io(folder, &error)),
    }
}

fn owner(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(PID_BYTES_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
