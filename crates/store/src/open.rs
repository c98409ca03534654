//! Opening a data folder, and closing it.
//!
//! The incarnation is minted here, in a transaction of its own: whoever gets it may use it at once, since no later life
//! can get the same. A file of a newer format is refused before anything in it is touched.

use crate::at_rest;
use crate::folder::FolderLock;
use crate::in_place::InPlace;
use crate::record::Scratch;
use crate::reserve::Reserve;
use crate::schema::{self, Kind};
use crate::upgrade::upgrade;
use crate::{OpenError, Store, StoreError};
use causal::Incarnation;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::fs::File;
use std::path::{Path, PathBuf};

pub(crate) const DATA_FILE: &str = "headcount.db";
/// The most pages that SQLite gives a file: its own default.
const PAGES_MAX: i64 = 0xffff_fffe;

/// A data folder that was opened.
#[derive(Debug)]
pub struct Opened {
    /// It.
    pub store: Store,
    /// Ours, from now until the store is closed: durable, and greater than any before.
    pub incarnation: Incarnation,
    /// Of this data folder: drawn when it was made, the same ever since.
    pub epoch: u64,
    /// The last change number that was published; 0 before the first.
    pub seq: u64,
    /// The older format that the file had until now; none: it had the newest, or was made.
    pub upgraded_from: Option<i64>,
}

/// What the file says of itself.
struct Header {
    incarnation: Incarnation,
    epoch: u64,
    covered: u64,
    last_position: u64,
    seq: u64,
    upgraded_from: Option<i64>,
}

impl Store {
    /// Opens a data folder, or makes it. `new_epoch` is what a new folder is known by.
    ///
    /// # Errors
    /// When another process has it, when it is of a newer format or not a folder of ours, and when the disk refuses; each
    /// message names the cause and the way out.
    pub fn open(folder: &Path, new_epoch: u64) -> Result<Opened, OpenError> {
        let lock = FolderLock::take(folder)?;
        let mut reserve = Reserve::of(folder);
        let (connection, header) = loop {
            match read_header(folder, new_epoch) {
                Err(OpenError::Full { .. }) if reserve.give_some() => {}
                other => break other?,
            }
        };
        let store = Self {
            connection,
            in_place: InPlace::of(&folder.join(DATA_FILE)),
            file: folder.join(DATA_FILE),
            last_position: header.last_position,
            covered: header.covered,
            is_behind: true,
            outbox_bytes: None,
            poisoned: false,
            holds_unacknowledged: false,
            writable: true,
            epoch: header.epoch,
            incarnation: header.incarnation.get(),
            reserve,
            scratch: Scratch::default(),
            _lock: Some(lock),
        };
        let Header { incarnation, epoch, seq, upgraded_from, .. } = header;
        Ok(Opened { store, incarnation, epoch, seq, upgraded_from })
    }

    /// Whether a folder holds data, of whatever program.
    #[must_use]
    pub fn is_there(folder: &Path) -> bool {
        folder.join(DATA_FILE).exists()
    }

    /// Opens the data folder of a program that is stopped, to look at what it holds: nothing in it is changed, nothing can
    /// be committed, and no incarnation is minted; the one given is the last that was. A folder that was closed cleanly need
    /// not be writable.
    ///
    /// # Errors
    /// As for [`Store::open`], and when the folder holds no data or data of an older format, or has a write-ahead log and
    /// may not be written.
    pub fn look(folder: &Path) -> Result<Opened, OpenError> {
        let file = data_file(folder)?;
        let lock = FolderLock::look(folder)?;
        let connection =
            if at_rest::is_whole(&file) { at_rest::connect(&file)? } else { connect_to_read(&file)? };
        Self::of_reader(connection, file, Some(lock))
    }

    /// The bytes that the data takes on disk, the write-ahead log included.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        at_rest::size_bytes(&self.file)
    }

    /// Lets the data file grow by at most so many pages from now on; none lifts the bound. A commit that does not
    /// fit fails as on a full disk.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn bound_growth(&self, pages: Option<u32>) -> Result<(), StoreError> {
        let page_count = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
        let used = self.connection.query_row("PRAGMA page_count", [], page_count)?;
        let most = pages.map_or(PAGES_MAX, |pages| used + i64::from(pages));
        self.connection.query_row(&format!("PRAGMA max_page_count = {most}"), [], page_count)?;
        Ok(())
    }

    /// Sees to it that room is kept for a start on a full disk; false when the disk has none to spare.
    pub fn keep_reserve(&mut self) -> bool {
        self.reserve.make()
    }

    /// Moves the write-ahead log into the file and closes it.
    ///
    /// # Errors
    /// When the disk refuses. Everything that was acknowledged is durable all the same, and a full disk is no error: the
    /// write-ahead log stays, and is moved after the next start.
    pub fn close(self) -> Result<(), StoreError> {
        match self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").map_err(StoreError::from) {
            Ok(()) | Err(StoreError::Full) => {}
            Err(error) => return Err(error),
        }
        self.connection.close().map_err(|(_, error)| error.into())
    }
}

/// The file of a folder that was used before.
pub(crate) fn data_file(folder: &Path) -> Result<PathBuf, OpenError> {
    let file = folder.join(DATA_FILE);
    if file.is_file() { Ok(file) } else { Err(OpenError::Nothing { folder: folder.to_owned() }) }
}

/// A connection through which nothing can be changed.
pub(crate) fn connect_to_read(file: &Path) -> Result<Connection, OpenError> {
    // The system's errors name the cause, where SQLite's say "unable to open".
    File::open(file).map_err(|error| OpenError::of_io(file, &error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(file, flags).map_err(|error| OpenError::of_sqlite(file, &error))
}

impl Store {
    /// What a connection reads, of a file that must be of the format of this version.
    pub(crate) fn of_reader(
        connection: Connection,
        file: PathBuf,
        lock: Option<FolderLock>,
    ) -> Result<Opened, OpenError> {
        let failed = |error: rusqlite::Error| at_rest::failed(&file, &error);
        let folder = file.parent().unwrap_or(&file);
        let nothing = || OpenError::Nothing { folder: folder.to_owned() };
        let reserve = Reserve::of(folder);
        match schema::kind(&connection).map_err(failed)? {
            Kind::Ours(schema::FORMAT) => {}
            Kind::Ours(found) if found > schema::FORMAT => {
                return Err(OpenError::Newer { found, known: schema::FORMAT });
            }
            Kind::Ours(found) => return Err(OpenError::Older { found, known: schema::FORMAT }),
            Kind::Empty => return Err(nothing()),
            Kind::Foreign => return Err(OpenError::NotOurs { path: file }),
        }
        let number =
            |key| schema::meta(&connection, key).map(|found| found.unwrap_or_default().cast_unsigned());
        let (last, epoch) = (number("incarnation").map_err(failed)?, number("epoch").map_err(failed)?);
        let covered = number("covered").map_err(failed)?;
        let (last_position, seq) = newest(&connection).map_err(failed)?;
        let incarnation = u32::try_from(last).ok().and_then(Incarnation::new).ok_or_else(nothing)?;
        let store = Self {
            connection,
            in_place: InPlace::of(&file),
            file,
            last_position,
            covered,
            is_behind: true,
            outbox_bytes: None,
            poisoned: true,
            holds_unacknowledged: false,
            writable: false,
            epoch,
            incarnation: incarnation.get(),
            reserve,
            scratch: Scratch::default(),
            _lock: lock,
        };
        Ok(Opened { store, incarnation, epoch, seq, upgraded_from: None })
    }
}

/// Makes the file if it is missing: the system's errors name the cause, where SQLite's say "unable to open".
fn touch(file: &Path) -> Result<(), OpenError> {
    let opened = File::options().read(true).write(true).create(true).truncate(false).open(file);
    opened.map(|_| ()).map_err(|error| OpenError::of_io(file, &error))
}

/// Foreign and newer files are looked at before the settings, which would write to them.
pub(crate) fn connect(file: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// Opens the file, and mints what this life is known by.
fn read_header(folder: &Path, new_epoch: u64) -> Result<(Connection, Header), OpenError> {
    let file = folder.join(DATA_FILE);
    touch(&file)?;
    let mut connection = connect(&file).map_err(|error| OpenError::of_sqlite(&file, &error))?;
    let kind = schema::kind(&connection).map_err(|error| OpenError::of_sqlite(&file, &error))?;
    match kind {
        Kind::Foreign => return Err(OpenError::NotOurs { path: file }),
        Kind::Ours(found) if found > schema::FORMAT => {
            return Err(OpenError::Newer { found, known: schema::FORMAT });
        }
        Kind::Ours(_) | Kind::Empty => {}
    }
    let begun = begin(&mut connection, kind, new_epoch);
    let header = begun.map_err(|error| OpenError::of_sqlite(&file, &error))?;
    Ok((connection, header))
}

fn begin(connection: &mut Connection, kind: Kind, new_epoch: u64) -> rusqlite::Result<Header> {
    schema::set_up(connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let upgraded_from = match kind {
        Kind::Ours(found) if found < schema::FORMAT => Some(found),
        _ => None,
    };
    if kind == Kind::Empty {
        schema::create(&transaction, new_epoch)?;
        upgrade(&transaction, 1)?;
    }
    upgraded_from.map_or(Ok(()), |found| upgrade(&transaction, found))?;
    let number = |key| schema::meta(&transaction, key).map(|found| found.unwrap_or_default().cast_unsigned());
    let last = number("incarnation")?;
    let next = u32::try_from(last).ok().and_then(|last| last.checked_add(1)).and_then(Incarnation::new);
    let incarnation = next.ok_or(rusqlite::Error::IntegralValueOutOfRange(0, last.cast_signed()))?;
    schema::set_meta(&transaction, "incarnation", i64::from(incarnation.get()))?;
    let (epoch, covered) = (number("epoch")?, number("covered")?);
    let (last_position, seq) = newest(&transaction)?;
    transaction.commit()?;
    Ok(Header { incarnation, epoch, covered, last_position, seq, upgraded_from })
}

/// The newest row of the log, which is never deleted, and the change number in it.
pub(crate) fn newest(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    let mut statement = connection.prepare("SELECT position, seq FROM log ORDER BY position DESC LIMIT 1")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else {
        return Ok((0, 0));
    };
    Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, i64>(1)?.cast_unsigned()))
}
