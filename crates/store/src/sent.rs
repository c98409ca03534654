//! What a follower has behind it: its durable position, and what its sink holds, in a file of its own.
//!
//! A sink is corrected by what differs between what stands and what was sent, so what was sent has to be known, also after
//! a crash: of each point its time, a hash of its series and one of its content. No two points of a series have one time:
//! this file is where that is looked up.
//!
//! A batch takes two steps. Before it is sent, its points are noted, and each place that it touches (where a point comes to
//! stand, and where one goes) is noted as *in doubt*. When the sink has acknowledged, the doubts go and the position moves,
//! in one transaction. Whoever finds doubts at the beginning of a batch does not know what the sink holds there: a point
//! that stands in such a place is written again, and a place where none stands is cleared. So a crash at any moment,
//! also one after which the same batch comes out differently, leaves nothing behind. A sink that keeps whatever it once took
//! is noted in another way: see `sent/ledger.rs`.
//!
//! The file is small beside the history, since it forgets conversations that have not changed for days, and it may be
//! deleted while the program is stopped: then all that the outbox holds is sent anew. One that is damaged is set aside, and
//! a new one begun. Rejected: tables in the data file (a second writer there holds up commits for the time of its sync).

use crate::{OpenError, StoreError};
use engine::{FactId, Id};
use rusqlite::{Connection, ErrorCode, OptionalExtension};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

mod ledger;

pub use ledger::{Standing, Waiting};

/// Lines that were refused by a sink and are kept to be looked at.
const REFUSED_MAX: i64 = 1_000;
/// Points that are looked at for forgetting in one go.
const FORGET_MAX: i64 = 2_048;

/// How long another tool may hold the file against us.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

const TABLES: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY NOT NULL, value ANY) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS point (
        conversation INTEGER NOT NULL, fact INTEGER NOT NULL, series INTEGER NOT NULL, time_ns INTEGER NOT NULL,
        content INTEGER NOT NULL, PRIMARY KEY (conversation, fact)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS point_time ON point (time_ns);
    CREATE TABLE IF NOT EXISTS series (hash INTEGER PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS doubt (
        series INTEGER NOT NULL, time_ns INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (series, time_ns)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS refused (
        number INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER NOT NULL, reason TEXT NOT NULL, line TEXT NOT NULL);
";

/// A connection to a file with its tables, from which what stands first can be read.
fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch(TABLES)?;
    connection.execute_batch(ledger::TABLES)?;
    connection.query_row("SELECT count(*) FROM about", [], |_| Ok(()))?;
    Ok(connection)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Where a follower stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The last row of the outbox that its sink has.
    pub position: u64,
    /// The last change number that its sink has.
    pub seq: u64,
}

/// A point that a sink holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentPoint {
    /// Which fact of its conversation, in 64 bits.
    pub fact: i64,
    /// A hash of its series.
    pub series: i64,
    /// Its time, in nanoseconds since the epoch.
    pub time: i64,
    /// A hash of all that was written.
    pub content: i64,
}

/// A place in a sink: one point of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A hash of the series.
    pub series: i64,
    /// The time, in nanoseconds since the epoch.
    pub time: i64,
    /// By what it is found, in the sink's own words.
    pub text: String,
}

/// What is known of a conversation's points, by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The conversation, in 64 bits.
    pub conversation: i64,
    /// Its points.
    pub points: Vec<SentPoint>,
}

/// The file of one follower.
#[derive(Debug)]
pub struct Sent {
    connection: Connection,
    file: PathBuf,
    forgotten_to: i64,
    damaged: Option<PathBuf>,
}

impl Sent {
    /// Opens the file of the follower `name`, or makes it. One that is damaged, or of something else, is set aside, and a new one
    /// is made.
    ///
    /// # Errors
    /// When it cannot be opened or made.
    pub fn open(folder: &Path, name: &str) -> Result<Self, OpenError> {
        let file = folder.join(format!("follower-{name}.db"));
        match connect(&file) {
            Err(error) if is_damage(&error) => Self::begin_anew(file),
            Err(error) => Err(OpenError::of_sqlite(&file, &error)),
            Ok(connection) => Ok(Self { connection, file, forgotten_to: i64::MIN, damaged: None }),
        }
    }

    /// Where the file was put that was damaged, when it was opened or renewed; one of an earlier time is written over.
    #[must_use]
    pub fn damaged(&self) -> Option<&Path> {
        self.damaged.as_deref()
    }

    /// Where pages of the file are damaged, sets it aside and begins a new one that stands at `progress`; false: it is sound.
    /// All that is noted goes with it, so what was sent before is not corrected any more.
    ///
    /// # Errors
    /// When no new one can be made.
    pub fn renew(&mut self, progress: Progress) -> Result<bool, OpenError> {
        let sound = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        match self.connection.query_row("PRAGMA quick_check(1)", [], sound) {
            Ok(verdict) if verdict == "ok" => return Ok(false),
            Err(error) if !is_damage(&error) => return Err(OpenError::of_sqlite(&self.file, &error)),
            Ok(_) | Err(_) => {}
        }
        *self = Self::begin_anew(self.file.clone())?;
        self.acknowledge(progress).map_err(|error| {
            let (path, cause) = (self.file.clone(), error.to_string());
            OpenError::Sqlite { path, cause }
        })?;
        Ok(true)
    }

    fn begin_anew(file: PathBuf) -> Result<Self, OpenError> {
        let named = |end: &str| {
            let mut name = file.clone().into_os_string();
            name.push(end);
            PathBuf::from(name)
        };
        let aside = named(".damaged");
        let moves = [(file.clone(), aside.clone()), (named("-wal"), named(".damaged-wal"))];
        for (from, to) in moves {
            match fs::rename(&from, to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(OpenError::of_io(&from, &error));
                }
                Ok(()) | Err(_) => {}
            }
        }
        let _built_anew_by_whoever_looks = fs::remove_file(named("-shm"));
        let connection = connect(&file).map_err(|error| OpenError::of_sqlite(&file, &error))?;
        Ok(Self { connection, file, forgotten_to: i64::MIN, damaged: Some(aside) })
    }

    /// Says which sink is written to, and how. When it is another than last time, the points of the old one are forgotten;
    /// the position stays. True when there was an old one.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn aim(&self, target: &str) -> Result<bool, StoreError> {
        let known: Option<String> = self.about("target")?;
        if known.as_deref() == Some(target) {
            return Ok(false);
        }
        self.begin()?;
        self.connection.execute_batch("DELETE FROM point; DELETE FROM series; DELETE FROM doubt;")?;
        self.connection.execute_batch(ledger::CLEAR)?;
        // Until whoever aims says otherwise, all of it may have been told by others.
        self.knows_since(i64::MAX)?;
        self.set_about("series", 0)?;
        self.set_about("target", target)?;
        self.connection.execute_batch("COMMIT")?;
        Ok(known.is_some())
    }

    /// Where the follower stands; none when it never began.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn progress(&self) -> Result<Option<Progress>, StoreError> {
        let (position, seq): (Option<i64>, Option<i64>) = (self.about("position")?, self.about("seq")?);
        let both = position.zip(seq);
        Ok(both
            .map(|(position, seq)| Progress { position: position.cast_unsigned(), seq: seq.cast_unsigned() }))
    }

    /// Begins to note what a batch will change. Nothing counts before [`Sent::noted`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn begin(&self) -> Result<(), StoreError> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// What the batch changes is noted, durably: now it may be sent.
    ///
    /// # Errors
    /// When the file cannot be written. Nothing may be sent then.
    pub fn noted(&self) -> Result<(), StoreError> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("COMMIT")?;
        }
        Ok(())
    }

    /// The sink has the batch: nothing is in doubt any more, and the follower stands here.
    ///
    /// # Errors
    /// When the file cannot be written. The batch is sent again then.
    pub fn acknowledge(&self, progress: Progress) -> Result<(), StoreError> {
        self.begin()?;
        self.connection.execute_batch("DELETE FROM doubt")?;
        self.set_about("position", progress.position.cast_signed())?;
        self.set_about("seq", progress.seq.cast_signed())?;
        self.noted()
    }

    /// Notes that it is not known, until the batch is acknowledged, what the sink holds in a place.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn doubt(&self, place: &Place) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO doubt (series, time_ns, text) VALUES (?1, ?2, ?3)";
        self.connection.prepare_cached(sql)?.execute((place.series, place.time, &place.text))?;
        Ok(())
    }

    /// The places that an earlier batch left in doubt and where no point stands. Points that stand in such a place count as
    /// not written.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn left_in_doubt(&self) -> Result<Vec<Place>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT series, time_ns, text FROM doubt")?;
        let places = statement
            .query_map([], |row| Ok(Place { series: row.get(0)?, time: row.get(1)?, text: row.get(2)? }))?;
        let mut places: Vec<Place> = places.collect::<rusqlite::Result<_>>()?;
        let sql = "UPDATE point SET content = 0 WHERE time_ns = ?1 AND series = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut empty = Vec::new();
        for place in places.drain(..) {
            if statement.execute((place.time, place.series))? == 0 {
                empty.push(place);
            }
        }
        Ok(empty)
    }

    /// Whether a point stands in a place.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stands(&self, series: i64, time: i64) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM point WHERE time_ns = ?1 AND series = ?2)";
        Ok(self.connection.prepare_cached(sql)?.query_row((time, series), |row| row.get(0))?)
    }

    /// The points that the sink has of a conversation.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of(&self, conversation: &Id) -> Result<Known, StoreError> {
        let key = key(conversation);
        let sql = "SELECT fact, series, time_ns, content FROM point WHERE conversation = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let points = statement.query_map([key], |row| {
            Ok(SentPoint { fact: row.get(0)?, series: row.get(1)?, time: row.get(2)?, content: row.get(3)? })
        })?;
        Ok(Known { conversation: key, points: points.collect::<rusqlite::Result<_>>()? })
    }

    /// Whether another conversation has a point of this series at this time.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn is_taken(&self, by_others_than: i64, series: i64, time: i64) -> Result<bool, StoreError> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM point WHERE time_ns = ?1 AND series = ?2 AND conversation <> ?3)";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row((time, series, by_others_than), |row| row.get(0))?)
    }

    /// Notes a point, in place of the one of the same fact.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put(&self, conversation: i64, point: &SentPoint) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO point (conversation, fact, series, time_ns, content)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute((conversation, point.fact, point.series, point.time, point.content))?;
        Ok(())
    }

    /// Notes that a fact has no point any more.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remove(&self, conversation: i64, fact: i64) -> Result<(), StoreError> {
        let mut statement =
            self.connection.prepare_cached("DELETE FROM point WHERE conversation = ?1 AND fact = ?2")?;
        statement.execute((conversation, fact))?;
        Ok(())
    }

    /// Notes the text of a series.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_series(&self, hash: i64, text: &str) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO series (hash, text) VALUES (?1, ?2)";
        self.connection.prepare_cached(sql)?.execute((hash, text))?;
        Ok(())
    }

    /// The text of a series, where it was noted.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn series(&self, hash: i64) -> Result<Option<String>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT text FROM series WHERE hash = ?1")?;
        Ok(statement.query_row([hash], |row| row.get(0)).optional()?)
    }

    /// Counts series that are new, and gives how many there are since the sink was first written to.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn count_series(&self, new: u64) -> Result<u64, StoreError> {
        let count = self.about::<i64>("series")?.unwrap_or_default().saturating_add_unsigned(new);
        if new > 0 {
            self.set_about("series", count)?;
        }
        Ok(count.cast_unsigned())
    }

    /// Keeps a line that the sink refused, and why; of all of them the newest thousand.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_aside(&self, line: &str, reason: &str, at: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO refused (at_ns, reason, line) VALUES (?1, ?2, ?3)";
        self.connection.prepare_cached(sql)?.execute((at, reason, line))?;
        let bound = self.connection.last_insert_rowid() - REFUSED_MAX;
        self.connection.prepare_cached("DELETE FROM refused WHERE number <= ?1")?.execute([bound])?;
        Ok(())
    }

    /// The lines that the sink refused, oldest first, each with the reason.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn refused(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut statement = self.connection.prepare("SELECT line, reason FROM refused ORDER BY number")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The bytes that are in use.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        let sql = "SELECT (page_count - freelist_count) * page_size
                   FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
        let size: i64 = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(size.max(0).cast_unsigned())
    }

    /// Forgets a few of the conversations that have no point since `before` (nanoseconds since the epoch); each call goes
    /// on where the last one ended.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn forget_some(&mut self, before: i64) -> Result<(), StoreError> {
        self.forget_in("point", before).map(|_| ())
    }

    /// How many points went.
    fn forget_in(&mut self, table: &str, before: i64) -> Result<usize, StoreError> {
        let sql = format!(
            "SELECT time_ns, conversation FROM {table} WHERE time_ns > ?1 AND time_ns < ?2 ORDER BY time_ns LIMIT ?3"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let old = statement.query_map((self.forgotten_to, before, FORGET_MAX), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?;
        let old: Vec<_> = old.collect::<rusqlite::Result<_>>()?;
        self.forgotten_to = old.last().map_or(i64::MIN, |(time, _)| *time);
        let sql = format!(
            "DELETE FROM {table} WHERE conversation = ?1
             AND NOT EXISTS (SELECT 1 FROM {table} WHERE conversation = ?1 AND time_ns >= ?2)"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut conversations: Vec<i64> = old.into_iter().map(|(_, conversation)| conversation).collect();
        conversations.sort_unstable();
        conversations.dedup();
        let gone = conversations.into_iter().map(|conversation| statement.execute((conversation, before)));
        Ok(gone.sum::<rusqlite::Result<usize>>()?)
    }

    fn about<T: rusqlite::types::FromSql>(&self, key: &str) -> rusqlite::Result<Option<T>> {
        let mut statement = self.connection.prepare_cached("SELECT value FROM about WHERE key = ?1")?;
        statement.query_row([key], |row| row.get(0)).optional()
    }

    fn set_about(&self, key: &str, value: impl rusqlite::ToSql) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO about (key, value) VALUES (?1, ?2)";
        self.connection.prepare_cached(sql)?.execute((key, value)).map(|_| ())
    }
}

impl SentPoint {
    /// A fact's name in 64 bits.
    #[must_use]
    pub fn fact_key(fact: FactId) -> i64 {
        (fact.0 as u64).cast_signed()
    }

    /// A hash of anything.
    #[must_use]
    pub fn hash(bytes: &[u8]) -> i64 {
        Self::fact_key(FactId::of_content(&[bytes]))
    }
}

/// A conversation's name in 64 bits.
pub(crate) fn key(conversation: &Id) -> i64 {
    SentPoint::hash(conversation.key())
}
