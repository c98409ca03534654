//! All that is committed at one instant, read beside whoever writes.
//!
//! A reader of SQLite's write-ahead log sees the file as it was when its transaction began, for as long as that lasts, and
//! keeps nobody from writing. So an export, which takes minutes, neither stops the service nor sees half of what it does
//! meanwhile. The price: the write-ahead log cannot shrink before the snapshot goes, so whoever serves one to others bounds
//! its time.
//!
//! Rejected: the folder's lock (no service could start while an export runs), and a copy of the file (twice the disk). Only
//! where the folder may not be written does a snapshot share the lock: what it reads must not change beneath it
//! (`at_rest.rs`).

use crate::at_rest;
use crate::by_id::each_by_id;
use crate::folder::FolderLock;
use crate::open::{connect_to_read, data_file};
use crate::record::conversation;
use crate::{Damaged, OpenError, Opened, Store, StoreError};
use engine::{Id, StoredConversation};
use rusqlite::Connection;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

/// Room for pages: a walk by id touches each page of facts a few times within a short while at best.
const CACHE_KIB: i64 = 65_536;
/// How long to wait for a writer that is just recovering the write-ahead log.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A data folder at one instant.
#[derive(Debug)]
pub struct Snapshot {
    /// What it holds; it cannot be committed to, and its incarnation is the last that was minted.
    pub opened: Opened,
    /// A process had the folder when the snapshot was taken.
    pub running: bool,
}

/// What is met on the way through all conversations that were laid down.
#[derive(Debug)]
pub enum Each {
    /// One of them.
    Conversation(StoredConversation),
    /// A record that cannot be read.
    Damaged(Damaged),
}

impl Store {
    /// Takes a snapshot of a data folder, whether a service runs on it or not. Nothing in it is changed. Where it may not be
    /// written and was closed cleanly, no service can start on it while the snapshot lives.
    ///
    /// # Errors
    /// As for [`Store::look`], but for a folder that is in use.
    pub fn snapshot(folder: &Path) -> Result<Snapshot, OpenError> {
        let file = data_file(folder)?;
        let running = FolderLock::is_taken(folder)?;
        let connection = connect_to_read(&file)?;
        let (connection, lock) = match begin(&connection) {
            Err(error) if !running && at_rest::lacks_index(&error) && at_rest::is_whole(&file) => {
                let (connection, lock) = open_at_rest(folder, &file)?;
                (connection, Some(lock))
            }
            begun => (begun.map(|()| connection).map_err(|error| at_rest::failed(&file, &error))?, None),
        };
        let opened = Self::of_reader(connection, file, lock)?;
        Ok(Snapshot { opened, running })
    }

    /// How many conversations were laid down.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn laid_down_count(&self) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM conversation";
        let found = self.connection.query_row(sql, [], |row| row.get::<_, i64>(0))?;
        Ok(found.max(0).cast_unsigned())
    }

    /// Goes through all conversations that were laid down, by ascending id behind `after` (none: from the start), those in
    /// memory among them, one at a time, until `tell` breaks off.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn each_laid_down(
        &self,
        after: Option<&Id>,
        mut tell: impl FnMut(Each) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        each_by_id(&self.connection, conversation::SELECT_ALL_AFTER, after, conversation::read, |each| {
            tell(each.map_or_else(Each::Damaged, Each::Conversation))
        })
    }
}

/// Begins the transaction; its first read fixes the instant.
fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.execute_batch("BEGIN")?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// Begins it on a file that nobody can change meanwhile.
fn open_at_rest(folder: &Path, file: &Path) -> Result<(Connection, FolderLock), OpenError> {
    let lock = FolderLock::share(folder)?;
    let connection = at_rest::connect(file)?;
    begin(&connection).map_err(|error| at_rest::failed(file, &error))?;
    Ok((connection, lock))
}
