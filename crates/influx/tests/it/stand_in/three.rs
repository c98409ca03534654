//! What 3.x does otherwise, as version 3.8.3 did it.
//!
//! A point that is written again does not replace the old one: here every content is kept, and a seed says which of them a
//! query meets, so that whoever relies on one of them is found out. A column is a tag or a field, of one type, for good.
//! Queries are run, by SQLite, which reads the part of SQL that is used.

use super::lines::{parse, split};
use super::{Points, StandIn, nanos};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Parquet files that a query may look into.
const FILES_MAX: i64 = 432;
/// Databases that Core has.
const DATABASES_MAX: usize = 5;

type Fields = BTreeMap<String, String>;

#[derive(Default)]
pub struct Three {
    /// By which of the points of one key a query meets is drawn.
    pub seed: u64,
    pub databases: BTreeMap<String, Database>,
    /// Files of ten minutes.
    pub files: i64,
    /// The token may not ask which databases there are.
    pub lists_nothing: bool,
    /// The next write comes just after somebody dropped all databases.
    pub dropped_at_write: bool,
    /// What was asked.
    pub questions: BTreeSet<String>,
}

#[derive(Default)]
pub struct Database {
    pub tables: BTreeMap<String, Table>,
}

#[derive(Default)]
pub struct Table {
    columns: BTreeMap<String, Type>,
    /// All that was ever written of each key.
    written: BTreeMap<(String, i64), Vec<Fields>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Tag,
    Integer,
    Text,
}

impl Type {
    fn of(value: &str) -> Self {
        if value.starts_with('"') { Self::Text } else { Self::Integer }
    }

    fn in_refusals(self) -> &'static str {
        match self {
            Self::Tag => "iox::column_type::tag",
            Self::Integer => "iox::column_type::field::integer",
            Self::Text => "iox::column_type::field::string",
        }
    }

    fn plain(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Integer => "integer",
            Self::Text => "text",
        }
    }

    fn in_schema(self) -> &'static str {
        match self {
            Self::Tag => "Dictionary(Int32, Utf8)",
            Self::Integer => "Int64",
            Self::Text => "Utf8",
        }
    }
}

impl Table {
    fn take(&mut self, series: String, fields: Fields, time: i64) -> Result<(), String> {
        let tags = split(&series, ',');
        let tags = tags.iter().skip(1).map(|tag| (split(tag, '=')[0].clone(), Type::Tag));
        let columns = tags.chain(fields.iter().map(|(key, value)| (key.clone(), Type::of(value))));
        let columns: Vec<(String, Type)> = columns.collect();
        for (name, found) in &columns {
            if let Some(known) = self.columns.get(name).filter(|known| *known != found) {
                return Err(format!(
                    "invalid column type for column '{name}', expected {}, got {}",
                    known.in_refusals(),
                    found.in_refusals()
                ));
            }
        }
        self.columns.extend(columns);
        let known = self.written.entry((series, time)).or_default();
        if !known.contains(&fields) {
            known.push(fields);
        }
        Ok(())
    }

    /// The points as a query meets them.
    fn met(&self, seed: u64) -> impl Iterator<Item = (&str, i64, &Fields)> {
        self.written.iter().map(move |((series, time), contents)| {
            let mut hasher = DefaultHasher::new();
            (seed, series, time).hash(&mut hasher);
            (series.as_str(), *time, &contents[hasher.finish() as usize % contents.len()])
        })
    }
}

impl Three {
    pub fn write(&mut self, database: &str, text: &str, way: u8) -> Response {
        let error = |status, text: &str| match way {
            2 => (status, axum::Json(json!({"code": "invalid", "message": text}))).into_response(),
            _ => (status, axum::Json(json!({"error": text}))).into_response(),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c) || way != 3 && c == '/';
        if database.len() > 64 || !database.chars().all(plain) {
            return error(
                StatusCode::BAD_REQUEST,
                "invalid character in database or rp name: must be ASCII, containing only letters, numbers, underscores, or hyphens",
            );
        }
        if !self.databases.contains_key(database) && self.databases.len() >= DATABASES_MAX {
            return error(
                StatusCode::UNPROCESSABLE_ENTITY,
                "Adding a new database would exceed limit of 5 databases",
            );
        }
        if std::mem::take(&mut self.dropped_at_write) {
            self.databases.clear();
        }
        let tables = &mut self.databases.entry(database.to_owned()).or_default().tables;
        if text.is_empty() {
            return error(StatusCode::BAD_REQUEST, "write buffer error: incoming write was empty");
        }
        let mut refused = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let taken = parse(line).map_err(str::to_owned).and_then(|(series, fields, time)| {
                if series.contains("poison") {
                    return Err("poisoned".to_owned());
                }
                tables.entry(split(&series, ',')[0].clone()).or_default().take(series, fields, time)
            });
            if let Err(why) = taken {
                let start: String = line.chars().take(20).collect();
                refused.push(json!({"original_line": start, "line_number": at + 1, "error_message": why}));
            }
        }
        match (refused.first(), way) {
            (None, _) => StatusCode::NO_CONTENT.into_response(),
            (Some(first), 2) => {
                let why = first["error_message"].as_str().unwrap();
                error(
                    StatusCode::BAD_REQUEST,
                    &format!("write buffer error: line protocol parse failed: {why}"),
                )
            }
            _ => {
                let body = json!({"error": "partial write of line protocol occurred", "data": refused});
                (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
            }
        }
    }

    /// What stands, by the rule of the ledger, whichever points are met: without the columns of the ledger but `fact`.
    pub fn standing(&self, database: &str) -> Points {
        let mut sums: BTreeMap<(String, i64, Fields), i64> = BTreeMap::new();
        let tables = self.databases.get(database).into_iter().flat_map(|database| database.tables.values());
        for (series, time, fields) in tables.flat_map(|table| table.met(self.seed)) {
            let mut fields = fields.clone();
            fields.remove("revision").expect("a row has a revision");
            let add =
                fields.remove("weight").or_else(|| fields.remove("events")).expect("a row adds something");
            let parts = split(series, ',');
            let kept: Vec<&str> =
                parts.iter().filter(|tag| !tag.starts_with("row=")).map(String::as_str).collect();
            *sums.entry((kept.join(","), time, fields)).or_default() +=
                add.trim_end_matches('i').parse::<i64>().unwrap();
        }
        let mut standing = Points::new();
        for ((series, time, mut fields), sum) in sums {
            if series == "participant_activity" {
                fields.insert("events".to_owned(), format!("{sum}i"));
            } else if sum == 0 {
                continue;
            } else {
                assert_eq!(sum, 1, "{series} {fields:?} {time}");
            }
            assert_eq!(standing.insert((series.clone(), time), fields), None, "{series} {time}");
        }
        standing
    }

    /// Keys that were written with more than one content.
    pub fn rewritten(&self) -> Vec<String> {
        let tables = self.databases.values().flat_map(|database| database.tables.values());
        let keys = tables.flat_map(|table| table.written.iter().filter(|(_, contents)| contents.len() > 1));
        keys.map(|((series, time), contents)| format!("{series} {time}: {contents:?}")).collect()
    }

    /// Lines as a query meets them, to be written elsewhere.
    pub fn lines(&self, database: &str) -> Vec<String> {
        let tables = self.databases[database].tables.values().flat_map(|table| table.met(self.seed));
        tables
            .map(|(series, time, fields)| {
                let fields: Vec<String> =
                    fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
                format!("{series} {} {time}", fields.join(","))
            })
            .collect()
    }

    /// Columns and rows as a query meets them.
    pub fn tables(&self, database: &str) -> Value {
        let tables = self.databases[database].tables.iter().map(|(name, table)| {
            let mut columns: Map<String, Value> =
                table.columns.iter().map(|(column, kind)| (column.clone(), kind.plain().into())).collect();
            columns.insert("time".to_owned(), "time".into());
            let rows = table.met(self.seed).map(|(series, time, fields)| {
                let mut row: Map<String, Value> = cells(series, fields).into_iter().collect();
                row.insert("time".to_owned(), time.into());
                Value::from(row)
            });
            (name.clone(), json!({"columns": columns, "rows": rows.collect::<Vec<_>>()}))
        });
        tables.collect::<Map<_, _>>().into()
    }

    /// The files that a range of time lies in.
    fn files_of(&self, database: &str, q: &str) -> i64 {
        let asked: BTreeSet<i64> = literals(q).map(|(_, time)| time).collect();
        let tables = self.databases[database].tables.values();
        let there: BTreeSet<i64> =
            tables.flat_map(|table| table.written.keys().map(|(_, time)| *time)).collect();
        let (Some(from), Some(to)) = (asked.first().max(there.first()), asked.last().min(there.last()))
        else {
            return 0;
        };
        (to - from).max(0) / 1_000_000_000 * self.files / 600
    }

    /// Rows of a question, or why there are none.
    pub fn ask(&self, database: &str, q: &str) -> Result<Vec<Map<String, Value>>, (StatusCode, String)> {
        let Some(there) = self.databases.get(database) else {
            return Err((StatusCode::NOT_FOUND, format!("query error: database not found: {database}")));
        };
        let planning = |why: String| {
            (StatusCode::INTERNAL_SERVER_ERROR, format!("query error: error while planning query: {why}"))
        };
        if self.files_of(database, q) > FILES_MAX {
            return Err(planning(format!(
                "External error: Query would scan {FILES_MAX} Parquet files, exceeding the file limit. Use a narrower time range"
            )));
        }
        there.run(self.seed, q).map_err(|error| {
            let why = error.to_string();
            match why.split_once("no such table: ") {
                Some((_, table)) => {
                    let table = table.split_whitespace().next().unwrap();
                    planning(format!("Error during planning: table 'public.iox.{table}' not found"))
                }
                None => planning(format!("Schema error: {why}")),
            }
        })
    }
}

impl Database {
    /// A table of another writer.
    pub fn with(&mut self, line: &str) {
        let (series, fields, time) = parse(line).unwrap();
        self.tables.entry(split(&series, ',')[0].clone()).or_default().take(series, fields, time).unwrap();
    }

    fn run(&self, seed: u64, q: &str) -> rusqlite::Result<Vec<Map<String, Value>>> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(
            "ATTACH ':memory:' AS information_schema;
             CREATE TABLE information_schema.columns (table_name TEXT, column_name TEXT, data_type TEXT);",
        )?;
        for (name, table) in &self.tables {
            let columns: Vec<String> = table.columns.keys().map(|column| format!("\"{column}\"")).collect();
            connection
                .execute_batch(&format!("CREATE TABLE \"{name}\" (time TEXT, {})", columns.join(", ")))?;
            for (column, kind) in &table.columns {
                connection.execute(
                    "INSERT INTO information_schema.columns VALUES (?1, ?2, ?3)",
                    (name, column, kind.in_schema()),
                )?;
            }
            for (series, time, fields) in table.met(seed) {
                insert(&connection, name, series, time, fields)?;
            }
        }
        let mut statement = connection.prepare(&in_sqlite(q))?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let rows = statement.query_map([], |row| {
            let cell = |(at, name): (usize, &String)| {
                let value = match row.get_ref(at).ok()? {
                    ValueRef::Integer(number) => number.into(),
                    // Without a zone, and without zeros at the end, by threes.
                    ValueRef::Text(text) if name == "time" => {
                        let text = std::str::from_utf8(text).ok()?;
                        let (whole, fraction) = text.split_once('.')?;
                        let mut fraction = fraction;
                        while let Some(shorter) = fraction.strip_suffix("000") {
                            fraction = shorter;
                        }
                        [whole, fraction].join(if fraction.is_empty() { "" } else { "." }).into()
                    }
                    ValueRef::Text(text) => std::str::from_utf8(text).ok()?.into(),
                    // A column that is null is left out.
                    _ => return None,
                };
                Some((name.clone(), value))
            };
            Ok(names.iter().enumerate().filter_map(cell).collect())
        })?;
        rows.collect()
    }
}

/// The columns of a point.
fn cells(series: &str, fields: &Fields) -> Vec<(String, Value)> {
    let plain = |text: &str| text.replace('\\', "");
    let tags = split(series, ',').into_iter().skip(1).map(|tag| {
        let pair = split(&tag, '=');
        (pair[0].clone(), plain(&pair[1]).into())
    });
    let fields = fields.iter().map(|(key, value)| {
        let number = value.strip_suffix('i').and_then(|number| number.parse::<i64>().ok());
        (key.clone(), number.map_or_else(|| plain(value.trim_matches('"')).into(), Value::from))
    });
    tags.chain(fields).collect()
}

fn insert(
    connection: &Connection,
    table: &str,
    series: &str,
    time: i64,
    fields: &Fields,
) -> rusqlite::Result<()> {
    let mut columns = vec!["time".to_owned()];
    let mut values: Vec<rusqlite::types::Value> = vec![written(time).into()];
    for (name, cell) in cells(series, fields) {
        columns.push(format!("\"{name}\""));
        values.push(match (cell.as_i64(), cell.as_str()) {
            (Some(number), _) => number.into(),
            (None, text) => text.unwrap_or_default().to_owned().into(),
        });
    }
    let marks = vec!["?"; values.len()].join(", ");
    let sql = format!("INSERT INTO \"{table}\" ({}) VALUES ({marks})", columns.join(", "));
    connection.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(values)).map(|_| ())
}

/// A time as it is compared here: all of one length.
fn written(time: i64) -> String {
    format!("{:.9}", jiff::Timestamp::from_nanosecond(i128::from(time)).unwrap())
        .trim_end_matches('Z')
        .to_owned()
}

/// The times that stand in a question, each as it is written there.
fn literals(q: &str) -> impl Iterator<Item = (&str, i64)> {
    q.split('\'').filter(|part| part.parse::<jiff::Timestamp>().is_ok()).map(|part| (part, nanos(part)))
}

/// The few words that SQLite has otherwise.
fn in_sqlite(q: &str) -> String {
    let mut sql = q.replace("date_trunc('minute', time)", "substr(time, 1, 16) || ':00.000000000'");
    for (literal, time) in literals(q) {
        sql = sql.replace(&format!("'{literal}'"), &format!("'{}'", written(time)));
    }
    sql
}

pub fn too_large(max: usize) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("max request size ({max} bytes) exceeded")).into_response()
}

/// InfluxQL deletes nothing, and says so inside an answer that succeeded.
pub fn influxql(q: &str) -> Response {
    let error =
        format!("datafusion error: This feature is not implemented: {}", q.split(' ').next().unwrap());
    axum::Json(json!({"results": [{"statement_id": 0, "error": error}]})).into_response()
}

pub async fn query(State(server): State<StandIn>, headers: HeaderMap, body: String) -> Response {
    let wish: Value = serde_json::from_str(&body).unwrap();
    if server.version != 3 || wish["format"] != "json" {
        return server.refuse(format!("sql {body}"));
    }
    if !server.authorised(&headers) {
        return server.unauthorised();
    }
    let (db, q) = (wish["db"].as_str().unwrap(), wish["q"].as_str().unwrap());
    let answer = server.look(|inside| {
        inside.asked += u64::from(q.contains("max(vector_clock)"));
        inside.three.questions.insert(q.to_owned());
        inside.three.ask(db, q)
    });
    match answer {
        Ok(rows) => axum::Json(rows).into_response(),
        Err((status, why)) => (status, why).into_response(),
    }
}

pub async fn databases(State(server): State<StandIn>, headers: HeaderMap) -> Response {
    if server.version != 3 {
        return StatusCode::NOT_FOUND.into_response();
    }
    if !server.authorised(&headers) {
        return server.unauthorised();
    }
    if server.look(|inside| inside.three.lists_nothing) {
        return (StatusCode::FORBIDDEN, axum::Json(json!({"error": "forbidden"}))).into_response();
    }
    let names: Vec<Value> = server
        .look(|inside| inside.three.databases.keys().map(|name| json!({"iox::database": name})).collect());
    axum::Json(names).into_response()
}
