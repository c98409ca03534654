//! What is known of a sink that keeps whatever it once took: InfluxDB 3.
//!
//! There a row that is written again with another content replaces the old one or does not, and nobody can say which, so no
//! row may ever be written with another content. What changes is taken back by a row more and told anew by another, and
//! the sink is read by sums. Then two things have to be known: what stands there of each fact, word for word, since that
//! is what is taken back; and which rows may be under way. A row that waits is kept here, word for word too, from before it
//! is first sent until it is acknowledged, so that after a crash the same row is sent again, which changes nothing,
//! and never another in its place.
//!
//! What is not known here any more (or not yet, where the file is younger than the sink) is asked of the sink; see
//! [`Sent::known_since`]. Rejected: forgetting a waiting batch and making it anew (it comes out differently once a fact came in between,
//! and the half of it that had arrived would stand beside the new one).

use super::Sent;
use crate::StoreError;
use rusqlite::OptionalExtension;
use std::collections::HashMap;

pub(super) const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS stands (
        conversation INTEGER NOT NULL, fact INTEGER NOT NULL, revision INTEGER NOT NULL, time_ns INTEGER NOT NULL, text TEXT,
        own INTEGER NOT NULL, PRIMARY KEY (conversation, fact)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS stands_time ON stands (time_ns);
    CREATE TABLE IF NOT EXISTS minute (
        minute INTEGER PRIMARY KEY, events INTEGER NOT NULL, revision INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS waiting (
        number INTEGER PRIMARY KEY AUTOINCREMENT, conversation INTEGER, key INTEGER NOT NULL, revision INTEGER NOT NULL,
        amount INTEGER NOT NULL, line TEXT NOT NULL);
";

pub(super) const CLEAR: &str = "
    DELETE FROM stands; DELETE FROM minute; DELETE FROM waiting;
    DELETE FROM about WHERE key IN ('known_since', 'forgotten', 'arrived');
";

/// What a sink says of a fact, once all that waits has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which fact, in 64 bits.
    pub fact: i64,
    /// How many rows it has had: the number of the newest.
    pub revision: i64,
    /// The time of the newest, in nanoseconds since the epoch.
    pub time: i64,
    /// What stands, in the sink's own words; `None` where it was taken back.
    pub text: Option<String>,
    /// Whether the history here has it; else only the sink says so, which an earlier history told.
    pub own: bool,
}

/// A row that may be under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its place among those that wait.
    pub number: i64,
    /// It, word for word.
    pub line: String,
}

impl Sent {
    /// What the sink says of a conversation's facts.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn standing(&self, conversation: i64) -> Result<Vec<Standing>, StoreError> {
        let sql = "SELECT fact, revision, time_ns, text, own FROM stands WHERE conversation = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([conversation], |row| {
            let (text, own) = (row.get(3)?, row.get(4)?);
            Ok(Standing { fact: row.get(0)?, revision: row.get(1)?, time: row.get(2)?, text, own })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The minutes that are noted, each with its events and how many rows it has had.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn minutes(&self) -> Result<HashMap<i64, (i64, i64)>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT minute, events, revision FROM minute")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Notes what the sink says of a fact now.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn stand(&self, conversation: i64, now: &Standing) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO stands (conversation, fact, revision, time_ns, text, own) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let Standing { fact, revision, time, text, own } = now;
        self.connection.prepare_cached(sql)?.execute((conversation, fact, revision, time, text, own))?;
        Ok(())
    }

    /// Events of a minute that the sink has, and how many rows it has had.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn minute(&self, minute: i64) -> Result<Option<(i64, i64)>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT events, revision FROM minute WHERE minute = ?1")?;
        Ok(statement.query_row([minute], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    /// Notes the events of a minute that the sink has now.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_minute(&self, minute: i64, (events, revision): (i64, i64)) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO minute (minute, events, revision) VALUES (?1, ?2, ?3)";
        self.connection.prepare_cached(sql)?.execute((minute, events, revision))?;
        Ok(())
    }

    /// Lets a row wait: of a fact of a conversation, or of a minute where there is none. `amount` is what it adds.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn wait(
        &self,
        conversation: Option<i64>,
        (key, revision): (i64, i64),
        amount: i64,
        line: &str,
    ) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO waiting (conversation, key, revision, amount, line) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.connection.prepare_cached(sql)?.execute((conversation, key, revision, amount, line))?;
        Ok(())
    }

    /// The first rows that may be under way, in the order in which they came.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn waiting(&self, rows_max: usize) -> Result<Vec<Waiting>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT number, line FROM waiting ORDER BY number LIMIT ?1")?;
        let bound = i64::try_from(rows_max).unwrap_or(i64::MAX);
        let rows =
            statement.query_map([bound], |row| Ok(Waiting { number: row.get(0)?, line: row.get(1)? }))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// A row that waits is refused for good: what it would have told does not stand. One that takes something back is refused
    /// where what it takes back is gone, too.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn refuse(&self, number: i64) -> Result<(), StoreError> {
        let fact =
            "UPDATE stands SET text = NULL FROM waiting WHERE waiting.number = ?1 AND waiting.amount > 0
                    AND stands.conversation = waiting.conversation AND stands.fact = waiting.key
                    AND stands.revision = waiting.revision";
        let minute =
            "UPDATE minute SET events = events - waiting.amount FROM waiting WHERE waiting.number = ?1
                      AND waiting.conversation IS NULL AND minute.minute = waiting.key";
        self.connection.prepare_cached(fact)?.execute([number])?;
        self.connection.prepare_cached(minute)?.execute([number])?;
        Ok(())
    }

    /// The rows up to a number have arrived, or were refused.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn arrived(&self, upto: i64) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM waiting WHERE number <= ?1")?.execute([upto])?;
        Ok(self.set_about("arrived", 1)?)
    }

    /// Whether anything has arrived since the sink was first written to.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn has_arrived(&self) -> Result<bool, StoreError> {
        Ok(self.about::<i64>("arrived")?.is_some())
    }

    /// Forgets all that is noted of the sink, and knows it since a time: from the beginning, where nothing is there any more.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn clear(&self, since: i64) -> Result<(), StoreError> {
        self.begin()?;
        self.connection.execute_batch(CLEAR)?;
        self.knows_since(since)?;
        self.noted()
    }

    /// Says since when it is noted here what the sink was told: what is older may have been told by others.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn knows_since(&self, begun: i64) -> Result<(), StoreError> {
        Ok(self.set_about("known_since", begun)?)
    }

    /// Since when only we told the sink, in nanoseconds since the epoch.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn own_since(&self) -> Result<i64, StoreError> {
        Ok(self.about("known_since")?.unwrap_or(i64::MIN))
    }

    /// Since when all that the sink was told is noted here; what lies before is to be asked of the sink where nothing is noted
    /// of it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn known_since(&self) -> Result<i64, StoreError> {
        let forgotten = self.about("forgotten")?.unwrap_or(i64::MIN);
        Ok(self.own_since()?.max(forgotten))
    }

    /// Forgets a few of the conversations that have no row since `before` (nanoseconds since the epoch), and minutes before it.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn forget_some_standing(&mut self, before: i64) -> Result<(), StoreError> {
        let gone = self.forget_in("stands", before)?;
        let sql = "DELETE FROM minute WHERE minute < ?1";
        let minutes = self.connection.prepare_cached(sql)?.execute([before.div_euclid(engine::MINUTE)])?;
        if gone + minutes > 0 {
            let forgotten = self.about::<i64>("forgotten")?.unwrap_or(i64::MIN).max(before);
            self.set_about("forgotten", forgotten)?;
        }
        Ok(())
    }
}
