//! An InfluxDB 1.x outside the program that remembers every point which it acknowledged, and watches the follower's position.
//!
//! A batch that the sink acknowledged in full must be behind the follower's position before the next one is sent: so the
//! sink looks into the follower's file when a write arrives. The schema is `compact`; a line is taken for the event of its
//! time, and must be of that event's conversation.

use super::gateway::{Event, conversation_id};
use rusqlite::{Connection, OpenFlags};
use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Lines of one write: few, so that the position moves many times a life.
pub const LINES_MAX: usize = 500;
/// One of so many writes is answered with a 503.
const BUSY_ONE_OF: u64 = 20;

/// Where the follower stands, by its own file; none before it has one.
pub fn position(data: &Path) -> Option<Position> {
    let file = data.join("follower-influxdb.db");
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).ok()?;
    let sql = "SELECT (SELECT value FROM about WHERE key = 'position'), (SELECT value FROM about WHERE key = 'seq')";
    let number = |row: &rusqlite::Row<'_>, at| row.get::<_, i64>(at).map(i64::cast_unsigned);
    let read =
        connection.query_row(sql, [], |row| Ok(Position { row: number(row, 0)?, seq: number(row, 1)? }));
    read.ok()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The row of the outbox.
    pub row: u64,
    /// The change number.
    pub seq: u64,
}

pub struct Sink {
    pub url: String,
    inside: Arc<Mutex<Inside>>,
}

struct Inside {
    data: PathBuf,
    /// Measurement and tags, by number: there are a handful.
    series: Vec<String>,
    /// The event of each point, by time and series.
    points: HashMap<(i64, usize), u64>,
    /// The position when the last write came that ended a batch and was acknowledged, in this life.
    before: Option<Position>,
    writes: u64,
    /// What no follower may do.
    broken: Option<String>,
}

impl Sink {
    pub fn start(data: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inside = Inside {
            data: data.to_owned(),
            series: Vec::new(),
            points: HashMap::new(),
            before: None,
            writes: 0,
            broken: None,
        };
        let inside = Arc::new(Mutex::new(inside));
        let shared = inside.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let inside = shared.clone();
                std::thread::spawn(move || serve(socket, &inside));
            }
        });
        Self { url, inside }
    }

    /// A life ended: where its follower stands is not behind where it was seen, and the next one begins there.
    pub fn life_ended(&self, at: Option<Position>) {
        let mut inside = self.inside.lock().unwrap();
        assert_eq!(inside.broken, None);
        let before = inside.before.take();
        assert!(at >= before, "the position went back from {before:?} to {at:?}");
    }

    /// Every event that stands in the sink.
    pub fn holds(&self) -> BTreeSet<u64> {
        self.inside.lock().unwrap().points.values().copied().collect()
    }

    /// Points, and writes that were acknowledged.
    pub fn counts(&self) -> (usize, u64) {
        let inside = self.inside.lock().unwrap();
        assert_eq!(inside.broken, None);
        (inside.points.len(), inside.writes)
    }
}

/// Answers one connection until it ends.
fn serve(socket: TcpStream, inside: &Mutex<Inside>) {
    let mut from = BufReader::new(socket);
    while let Some((head, body)) = request(&mut from) {
        let answer = match head.split(' ').nth(1).unwrap_or_default() {
            "/ping" => "204 No Content\r\nX-Influxdb-Version: 1.8.10\r\nX-Influxdb-Build: OSS",
            path if path.starts_with("/write?") => inside.lock().unwrap().write(&body),
            path if path.starts_with("/query?") => inside.lock().unwrap().query(&body),
            _ => "404 Not Found",
        };
        let body = if answer.starts_with("200") { r#"{"results":[{"statement_id":0}]}"# } else { "" };
        let length = if answer.starts_with("204") {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        if write!(from.get_mut(), "HTTP/1.1 {answer}\r\n{length}\r\n{body}").is_err() {
            return;
        }
    }
}

/// The first line and the body of a request; none when the connection ended before all of it came.
fn request(from: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    from.read_line(&mut head).ok().filter(|read| *read > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some((head, body))
}

impl Inside {
    fn write(&mut self, body: &[u8]) -> &'static str {
        let at = position(&self.data);
        if let Some(before) = self.before.filter(|before| at.is_none_or(|at| at <= *before)) {
            self.broken = Some(format!("a batch is sent at {at:?}, and one was acknowledged at {before:?}"));
        }
        if fastrand::u64(..BUSY_ONE_OF) == 0 {
            return "503 Service Unavailable";
        }
        let mut text = String::new();
        if flate2::read::GzDecoder::new(body).read_to_string(&mut text).is_err() {
            self.broken = Some("a body that is no gzip".to_owned());
            return "400 Bad Request";
        }
        for line in text.lines().filter(|line| !line.starts_with("participant_activity ")) {
            match self.point(line) {
                Some((place, event)) => drop(self.points.insert(place, event)),
                None => self.broken = Some(format!("this never happened: {line}")),
            }
        }
        self.writes += 1;
        // A batch may take several writes; all but the last are full.
        self.before = at.filter(|_| text.lines().count() < LINES_MAX);
        "204 No Content"
    }

    /// A line as a place and the event that stands there.
    fn point(&mut self, line: &str) -> Option<((i64, usize), u64)> {
        let (series, rest) = line.split_once(' ')?;
        let (fields, time) = rest.rsplit_once(' ')?;
        let time: i64 = time.parse().ok()?;
        let event = Event::at_time(time)?;
        let id = fields.split_once("interactionId=\"")?.1.split_once('"')?.0;
        if id != conversation_id(event.conversation()) {
            return None;
        }
        let known = self.series.iter().position(|known| known == series);
        let series = known.unwrap_or_else(|| {
            self.series.push(series.to_owned());
            self.series.len() - 1
        });
        Some(((time, series), event.number))
    }

    /// `q=DELETE FROM "participant_state" WHERE time = N AND "tag" = 'value'; …`
    fn query(&mut self, body: &[u8]) -> &'static str {
        let url = reqwest::Url::parse(&format!("http://x/?{}", String::from_utf8_lossy(body))).unwrap();
        let q =
            url.query_pairs().find(|(key, _)| key == "q").map(|(_, q)| q.into_owned()).unwrap_or_default();
        if q.starts_with("SELECT ") {
            // A new folder asks for what was; here nothing was.
            return "200 OK";
        }
        for statement in q.split("; ") {
            let Some(condition) = statement.strip_prefix("DELETE FROM \"participant_state\" WHERE time = ")
            else {
                self.broken = Some(format!("a statement that is not understood: {statement}"));
                return "400 Bad Request";
            };
            let mut parts = condition.split(" AND ");
            let time: i64 = parts.next().unwrap().parse().unwrap();
            let tags: Vec<String> =
                parts.map(|part| part.replace("\" = '", "=").trim_matches(['"', '\'']).to_owned()).collect();
            let has = |series: &String, tag: &String| match tag.strip_suffix('=') {
                Some(absent) => !series.contains(&format!(",{absent}=")),
                None => series.split(',').any(|own| own == tag),
            };
            for (number, series) in self.series.iter().enumerate() {
                if tags.iter().all(|tag| has(series, tag)) {
                    self.points.remove(&(time, number));
                }
            }
        }
        "200 OK"
    }
}
