//! What the tables of InfluxDB 3 look like, before anything is written into them.
//!
//! A column is a tag or a field for good there, and a table that was written as points that overwrite one another (by an older
//! Headcount, or through another version's interface) has sums that mean nothing. Either would be noticed late: every line
//! refused for good, or numbers that are wrong. So the columns are looked at first, and a table that does not fit is left
//! alone, with the way out.

use crate::Schema;
use crate::answer::{Answered, short};
use crate::points::{ACTIVITY, STATES};
use crate::server::Server;
use serde::Deserialize;

/// The most that is read of an answer: some dozens of columns.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// No database, or none of our tables in it.
    Nothing,
    /// Rows as they are written now, in a schema; `None` where there are cells alone.
    Rows(Option<Schema>),
    /// Points that overwrite one another.
    Points,
}

#[derive(Debug, Deserialize)]
struct Column {
    table_name: String,
    column_name: String,
    data_type: String,
}

impl Layout {
    /// Asks for it.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn ask(server: &Server) -> Result<Self, String> {
        let q = format!(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_name IN ('{STATES}', \
             '{ACTIVITY}')"
        );
        match server.sql(&q, ANSWER_BYTES_MAX).await {
            Answered::Body(body) => serde_json::from_slice(&body).map(Self::of).map_err(|_| {
                format!(
                    "InfluxDB answers something else than its columns: {}",
                    short(&String::from_utf8_lossy(&body))
                )
            }),
            Answered::Nothing => Ok(Self::Nothing),
            Answered::TooLarge => Err("InfluxDB tells of more columns than are read".to_owned()),
            Answered::Refused(why) => Err(why),
        }
    }

    fn of(columns: Vec<Column>) -> Self {
        let column = |table: &str, name: &str| {
            columns.iter().find(|column| column.table_name == table && column.column_name == name)
        };
        let there = |table: &str| columns.iter().any(|column| column.table_name == table);
        let older = |table: &str| there(table) && column(table, "revision").is_none();
        if columns.is_empty() {
            return Self::Nothing;
        }
        if older(STATES) || older(ACTIVITY) {
            return Self::Points;
        }
        // The tags are dictionaries, the fields are not.
        Self::Rows(column(STATES, "interactionId").map(|ids| match ids.data_type.starts_with("Dictionary") {
            true => Schema::Tutorial,
            false => Schema::Compact,
        }))
    }

    /// Why rows of a schema cannot be written there, with the way out.
    ///
    /// # Errors
    /// When they cannot.
    pub fn takes(self, schema: Schema, database: &str) -> Result<(), String> {
        match self {
            Self::Points => Err(format!(
                "the database `{database}` has points that overwrite one another, of an older Headcount or of another writer, and \
                 InfluxDB 3 does not overwrite reliably; name a new database in INFLUX_BUCKET, or drop the tables {STATES} and \
                 {ACTIVITY} (docs/influxdb.md)"
            )),
            Self::Rows(Some(there)) if there != schema => Err(format!(
                "the database `{database}` is written in the schema {there}, and {schema} is wanted, which it would refuse line \
                 by line; set INFLUX_SCHEMA to {there}, or name another database in INFLUX_BUCKET"
            )),
            Self::Nothing | Self::Rows(_) => Ok(()),
        }
    }
}
