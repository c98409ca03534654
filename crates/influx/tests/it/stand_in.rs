//! An InfluxDB that keeps points and refuses whatever its documents do not promise to take.
//!
//! It looks at path, parameters, token, precision, compression and every line, and answers with the bodies of the real ones:
//! 1.x as version 1.6.7 answered, 2.x and 3.x as in their API references and sources.

use crate::stand_in_states;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use lines::parse;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::Read;
use std::sync::{Arc, Mutex};
use three::Three;

mod lines;
pub mod three;

pub const TOKEN: &str = "canary-token";
pub const V1_TOKEN: &str = "writer:canary-word";
pub const BUCKET: &str = "calls";
pub const ORG: &str = "our org";

/// A point's series and time, and its fields as written.
pub type Points = BTreeMap<(String, i64), BTreeMap<String, String>>;

#[derive(Default)]
pub struct Inside {
    pub points: Points,
    /// What is answered instead, one a request.
    pub script: VecDeque<(u16, String)>,
    pub writes: u64,
    pub deletes: u64,
    pub lines_most: usize,
    /// Something that no client may do.
    pub broken: Vec<String>,
    pub forbidden: bool,
    pub asked: u64,
    pub body_bytes_max: Option<usize>,
    /// What is there of the ways of 3.x.
    pub three: Three,
    /// It says that it is VictoriaMetrics.
    pub victoria: bool,
    /// So many writes are taken from now on, each with its answer; of the one after them so much is taken as is said, and none is ever answered.
    pub deaf_after: Option<(u64, Taken)>,
    pub unanswered: u64,
    /// Writes are answered when so many are under way at a time; from then on at once.
    pub together: Option<Arc<tokio::sync::Barrier>>,
}

/// How much of a write is taken that is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Nothing,
    Half,
    All,
}

#[derive(Clone)]
pub struct StandIn {
    pub version: u8,
    pub inside: Arc<Mutex<Inside>>,
    pub url: String,
}

type Parameters = Query<HashMap<String, String>>;

impl StandIn {
    pub async fn start(version: u8) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/proxied", listener.local_addr().unwrap());
        let this = Self { version, inside: Arc::default(), url };
        let router = Router::new()
            .route("/proxied/ping", get(ping))
            .route("/proxied/write", post(write_1))
            .route("/proxied/query", post(query_1))
            .route("/proxied/api/v2/write", post(write_2))
            .route("/proxied/api/v2/delete", post(delete_2))
            .route("/proxied/api/v3/write_lp", post(write_3))
            .route("/proxied/api/v2/query", post(query_2))
            .route("/proxied/api/v3/query_sql", post(three::query))
            .route("/proxied/api/v3/configure/database", get(three::databases))
            .with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    pub fn look<T>(&self, at: impl FnOnce(&mut Inside) -> T) -> T {
        at(&mut self.inside.lock().unwrap())
    }

    /// What stands, as a right reader reads it.
    pub fn points(&self) -> Points {
        self.look(|inside| {
            assert_eq!(inside.broken, Vec::<String>::new());
            if self.version == 3 { inside.three.standing(BUCKET) } else { inside.points.clone() }
        })
    }

    fn refuse(&self, what: String) -> Response {
        self.look(|inside| inside.broken.push(what.clone()));
        (StatusCode::NOT_IMPLEMENTED, what).into_response()
    }

    fn authorised(&self, headers: &HeaderMap) -> bool {
        let given = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        // The word of `writer:canary-word`, as Basic has it.
        let wanted = match self.version {
            1 => "Basic d3JpdGVyOmNhbmFyeS13b3Jk".to_owned(),
            2 => format!("Token {TOKEN}"),
            _ => format!("Bearer {TOKEN}"),
        };
        let given = if self.version == 3 { given.replace("Token ", "Bearer ") } else { given.to_owned() };
        given == wanted && !self.look(|inside| inside.forbidden)
    }

    fn error(&self, status: StatusCode, code: &str, message: &str) -> Response {
        let body = match self.version {
            2 => serde_json::json!({"code": code, "message": message}),
            _ => serde_json::json!({"error": message}),
        };
        (status, axum::Json(body)).into_response()
    }

    /// A write by the way of a version; `None`: it is never answered.
    fn write(
        &self,
        way: u8,
        headers: &HeaderMap,
        parameters: &HashMap<String, String>,
        body: &[u8],
    ) -> Option<Response> {
        if let Some(wrong) = self.wrong_parameters(way, parameters) {
            return Some(self.refuse(wrong));
        }
        let header = |name| headers.get(name).and_then(|v: &axum::http::HeaderValue| v.to_str().ok());
        if header("content-encoding") != Some("gzip")
            || !header("content-type").unwrap_or("").starts_with("text/plain")
        {
            return Some(self.refuse(format!("headers {headers:?}")));
        }
        if !self.authorised(headers) {
            return Some(self.unauthorised());
        }
        let scripted = self.look(|inside| {
            inside.writes += 1;
            inside.script.pop_front()
        });
        if let Some((status, body)) = scripted {
            return Some((StatusCode::from_u16(status).unwrap(), body).into_response());
        }
        let mut text = String::new();
        if let Err(error) = flate2::read::GzDecoder::new(body).read_to_string(&mut text) {
            return Some(self.refuse(format!("no gzip: {error}")));
        }
        if let Some(max) = self.look(|inside| inside.body_bytes_max).filter(|max| text.len() > *max) {
            return Some(match self.version {
                3 => three::too_large(max),
                _ => self.error(StatusCode::PAYLOAD_TOO_LARGE, "request too large", "request too large"),
            });
        }
        let taken = self.look(|inside| match &mut inside.deaf_after {
            None => None,
            Some((0, taken)) => {
                inside.unanswered += 1;
                Some(*taken)
            }
            Some((left, _)) => {
                *left -= 1;
                None
            }
        });
        match taken {
            None => return Some(self.take(way, &text)),
            Some(Taken::Nothing) => {}
            Some(Taken::Half) => {
                let lines: Vec<&str> = text.lines().collect();
                self.take(way, &lines[..lines.len() / 2].join("\n"));
            }
            Some(Taken::All) => drop(self.take(way, &text)),
        }
        None
    }

    fn wrong_parameters(&self, way: u8, parameters: &HashMap<String, String>) -> Option<String> {
        let expected: &[(&str, &str)] = match way {
            1 => &[("db", BUCKET), ("precision", "ns")],
            2 if self.version == 3 => &[("org", ""), ("bucket", BUCKET), ("precision", "ns")],
            2 => &[("org", ORG), ("bucket", BUCKET), ("precision", "ns")],
            _ => &[("db", BUCKET), ("precision", "nanosecond")],
        };
        let mut given: BTreeMap<&str, &str> =
            parameters.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        if self.version == 3 && given.contains_key("org") {
            given.insert("org", "");
        }
        (given != expected.iter().copied().collect()).then(|| format!("parameters {given:?}"))
    }

    fn unauthorised(&self) -> Response {
        match self.version {
            1 => self.error(StatusCode::FORBIDDEN, "", "unauthorized access"),
            2 => self.error(StatusCode::UNAUTHORIZED, "unauthorized", "unauthorized access"),
            _ => self.error(StatusCode::UNAUTHORIZED, "", "the request was not authenticated"),
        }
    }

    fn take(&self, way: u8, text: &str) -> Response {
        if self.version == 3 {
            return self.look(|inside| {
                inside.lines_most = inside.lines_most.max(text.lines().count());
                inside.three.write(BUCKET, text, way)
            });
        }
        let mut refused = Vec::new();
        let lines: Vec<&str> = text.lines().collect();
        self.look(|inside| inside.lines_most = inside.lines_most.max(lines.len()));
        let mut taken = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            match parse(line) {
                Ok(point) if point.0.contains("poison") => refused.push((at, *line, "poisoned")),
                Ok(point) => taken.push(point),
                Err(why) => {
                    self.look(|inside| inside.broken.push(format!("{why}: {line}")));
                    refused.push((at, *line, why));
                }
            }
        }
        // 2.x takes all or nothing of what it cannot parse.
        if self.version != 2 || refused.is_empty() {
            self.look(|inside| {
                for (series, fields, time) in taken {
                    inside.points.entry((series, time)).or_default().extend(fields);
                }
            });
        }
        match (refused.first(), self.version) {
            (None, _) if lines.is_empty() && self.version == 2 => {
                self.error(StatusCode::BAD_REQUEST, "invalid", "writing requires points")
            }
            (None, _) => StatusCode::NO_CONTENT.into_response(),
            (Some(_), 1) => {
                let all = refused.iter().map(|(_, line, why)| format!("unable to parse '{line}': {why}"));
                let all = all.collect::<Vec<_>>().join("\n");
                self.error(StatusCode::BAD_REQUEST, "", &format!("partial write: {all} dropped=0"))
            }
            (Some((_, line, why)), _) => {
                self.error(StatusCode::BAD_REQUEST, "invalid", &format!("unable to parse '{line}': {why}"))
            }
        }
    }

    /// Conversations and clocks of the points in a range, as fields or tags have them.
    fn clocks(&self, from: i64, to: i64) -> Vec<(String, u64)> {
        self.look(|inside| {
            inside.asked += 1;
            let states = inside.points.iter().filter(|((series, at), _)| {
                series.starts_with("participant_state") && (from..to).contains(at)
            });
            let row = |((series, _), fields): (&(String, i64), &BTreeMap<String, String>)| {
                let tag =
                    series.split(',').find_map(|tag| tag.strip_prefix("interactionId=")).map(str::to_owned);
                let id =
                    tag.or_else(|| fields.get("interactionId").map(|id| id.trim_matches('"').to_owned()));
                (id.unwrap(), fields["vector_clock"].trim_end_matches('i').parse().unwrap())
            };
            states.map(row).collect()
        })
    }

    fn delete(&self, time: i64, tags: &[(String, String)]) {
        self.look(|inside| {
            inside.deletes += 1;
            inside.points.retain(|(series, at), _| {
                let has = |(key, value): &(String, String)| match value.is_empty() {
                    true => !series.contains(&format!(",{key}=")),
                    false => format!("{series},").contains(&format!(",{key}={value},")),
                };
                *at != time || !tags.iter().all(has)
            });
        });
    }
}

async fn ping(State(server): State<StandIn>, headers: HeaderMap) -> Response {
    let told = |version, build| {
        (StatusCode::NO_CONTENT, [("X-Influxdb-Version", version), ("X-Influxdb-Build", build)])
            .into_response()
    };
    match server.version {
        _ if server.look(|inside| inside.victoria) => {
            (StatusCode::NO_CONTENT, [("X-Server-Hostname", "here")]).into_response()
        }
        1 => told("1.8.10", "OSS"),
        2 => told("v2.7.12", "OSS"),
        _ if !server.authorised(&headers) => server.unauthorised(),
        _ => {
            let body = serde_json::json!({"version": "3.8.3", "revision": "x", "process_id": "y"});
            ([("x-influxdb-version", "3.8.3"), ("x-influxdb-build", "Core")], axum::Json(body))
                .into_response()
        }
    }
}

async fn write_1(server: State<StandIn>, p: Parameters, headers: HeaderMap, body: Bytes) -> Response {
    write(server, 1, p, headers, body).await
}

async fn write_2(server: State<StandIn>, p: Parameters, headers: HeaderMap, body: Bytes) -> Response {
    write(server, 2, p, headers, body).await
}

async fn write_3(server: State<StandIn>, p: Parameters, headers: HeaderMap, body: Bytes) -> Response {
    write(server, 3, p, headers, body).await
}

/// 3.x takes writes by the ways of 1.x and 2.x, too.
async fn write(
    State(server): State<StandIn>,
    way: u8,
    Query(p): Parameters,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if way != server.version && server.version != 3 {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Some(answer) = server.write(way, &headers, &p, &body) else { return std::future::pending().await };
    if let Some(together) = server.look(|inside| inside.together.clone())
        && together.wait().await.is_leader()
    {
        server.look(|inside| inside.together = None);
    }
    answer
}

/// `q=DELETE FROM "participant_state" WHERE time = N AND "tag" = 'value'; …`
async fn query_1(
    State(server): State<StandIn>,
    Query(p): Parameters,
    headers: HeaderMap,
    body: String,
) -> Response {
    if server.version == 3 {
        return three::influxql(&serde_urlencoded(&body)["q"]);
    }
    if server.version != 1 || p.get("db").map(String::as_str) != Some(BUCKET) || !server.authorised(&headers)
    {
        return server.refuse(format!("query {p:?}"));
    }
    let form: HashMap<String, String> = serde_urlencoded(&body);
    if let Some(series) = server.look(|inside| stand_in_states::influxql(&inside.points, &form["q"])) {
        return axum::Json(serde_json::json!({"results": [{"statement_id": 0, "series": series}]}))
            .into_response();
    }
    if form["q"].starts_with("SELECT ") {
        if !is_about_clocks(&form["q"]) {
            return server.refuse(form["q"].clone());
        }
        let (from, to) = between(&form["q"], "time >= ", "AND time < ");
        let rows: Vec<_> = server.clocks(from.parse().unwrap(), to.parse().unwrap());
        let series = match form["q"].contains("max(vector_clock)") && form["q"].ends_with("GROUP BY \"interactionId\"") {
            true => serde_json::json!(rows.iter().map(|(id, clock)| serde_json::json!({
                "name": "participant_state", "tags": {"interactionId": id}, "columns": ["time", "max"], "values": [[0, clock]]
            })).collect::<Vec<_>>()),
            false => serde_json::json!([{
                "name": "participant_state", "columns": ["time", "interactionId", "vector_clock"],
                "values": rows.iter().map(|(id, clock)| serde_json::json!([0, id, clock])).collect::<Vec<_>>()
            }]),
        };
        return axum::Json(serde_json::json!({"results": [{"statement_id": 0, "series": series}]}))
            .into_response();
    }
    for statement in form["q"].split("; ") {
        let Some(condition) = statement.strip_prefix("DELETE FROM \"participant_state\" WHERE time = ")
        else {
            return server.refuse(statement.to_owned());
        };
        let mut parts = condition.split(" AND ");
        let time = parts.next().unwrap().parse().unwrap();
        let tag = |part: &str| {
            let (key, value) = part.split_once(" = ").unwrap();
            (key.trim_matches('"').to_owned(), value.trim_matches('\'').to_owned())
        };
        server.delete(time, &parts.map(tag).collect::<Vec<_>>());
    }
    axum::Json(serde_json::json!({"results": [{"statement_id": 0}]})).into_response()
}

/// `{"start", "stop", "predicate": "_measurement=\"participant_state\" AND tag=\"value\""}`
async fn delete_2(
    State(server): State<StandIn>,
    Query(p): Parameters,
    headers: HeaderMap,
    body: String,
) -> Response {
    if server.version == 3 {
        return (StatusCode::NOT_FOUND, "Not found").into_response();
    }
    let right =
        p.get("org").map(String::as_str) == Some(ORG) && p.get("bucket").map(String::as_str) == Some(BUCKET);
    if server.version != 2 || !right || !server.authorised(&headers) {
        return server.refuse(format!("delete {p:?}"));
    }
    let wish: serde_json::Value = serde_json::from_str(&body).unwrap();
    let instant: jiff::Timestamp = wish["start"].as_str().unwrap().parse().unwrap();
    let predicate = wish["predicate"].as_str().unwrap().to_owned();
    let Some(tags) = predicate.strip_prefix("_measurement=\"participant_state\"") else {
        return server.refuse(predicate);
    };
    let tag = |part: &str| {
        let (key, value) = part.split_once('=').unwrap();
        (key.to_owned(), value.trim_matches('"').to_owned())
    };
    let tags: Vec<_> = tags.split(" AND ").skip(1).map(tag).collect();
    server.delete(i64::try_from(instant.as_nanosecond()).unwrap(), &tags);
    StatusCode::NO_CONTENT.into_response()
}

/// What stands behind each of two marks, up to a blank or a bracket.
fn between<'a>(text: &'a str, first: &str, second: &str) -> (&'a str, &'a str) {
    let behind = |mark: &str| {
        let rest = text.split_once(mark).unwrap_or_else(|| panic!("no {mark} in {text}")).1;
        rest.split([' ', ',', ')']).next().unwrap().trim_matches('\'')
    };
    (behind(first), behind(second))
}

/// Of the questions that are answered with clocks: none asks for more.
fn is_about_clocks(q: &str) -> bool {
    q.contains("vector_clock")
        && !["state,", "role", "last(", "row_number"].iter().any(|other| q.contains(other))
}

pub fn nanos(written: &str) -> i64 {
    i64::try_from(written.parse::<jiff::Timestamp>().unwrap().as_nanosecond()).unwrap()
}

async fn query_2(
    State(server): State<StandIn>,
    Query(p): Parameters,
    headers: HeaderMap,
    q: String,
) -> Response {
    let right = p.get("org").map(String::as_str) == Some(ORG)
        && q.starts_with("from(bucket: \"calls\") |> range(start: ");
    let kind = headers.get("content-type").and_then(|v| v.to_str().ok()) == Some("application/vnd.flux");
    if server.version != 2 || !right || !kind || !server.authorised(&headers) {
        return server.refuse(format!("flux {p:?} {q}"));
    }
    if let Some(csv) = server.look(|inside| stand_in_states::flux(&inside.points, &q)) {
        return ([("content-type", "text/csv; charset=utf-8")], csv).into_response();
    }
    if !is_about_clocks(&q) {
        return server.refuse(q);
    }
    let (from, to) = between(&q, "range(start: ", "stop: ");
    let clock = if q.contains("pivot(") { "vector_clock" } else { "_value" };
    let mut csv = format!(
        "#datatype,string,long,string,long\r\n#group,false,false,true,false\r\n#default,_result,,,\r\n,result,table,interactionId,{clock}\r\n"
    );
    for (id, value) in server.clocks(nanos(from), nanos(to)) {
        csv.push_str(&format!(",,0,{id},{value}\r\n"));
    }
    ([("content-type", "text/csv; charset=utf-8")], csv + "\r\n").into_response()
}

fn serde_urlencoded(body: &str) -> HashMap<String, String> {
    let url = url::Url::parse(&format!("http://x/?{body}")).unwrap();
    url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}
