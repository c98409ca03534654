//! One InfluxDB: where each of its interfaces is, who we say we are, and what it can do.

use crate::answer::{Answered, Verdict, judge, permission, said, short, unanswered};
use crate::line::tags;
use crate::{Api, Settings};
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;
use store::Place;
use url::Url;

pub use outward::SetupError;

/// The most that is read of an answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Points removed by one request to 1.x.
const REMOVALS_MAX: usize = 200;

/// A server that may answer.
#[derive(Debug)]
pub(crate) struct Server {
    client: Client,
    settings: Settings,
}

/// What a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Which API it is written to by: the one that was asked for, or else its own.
    pub api: Api,
    /// Which API is its own, by its version: it is asked, and points are deleted, by this one.
    pub own: Api,
    /// What it calls itself.
    pub version: String,
    /// How a point is corrected.
    pub correction: Correction,
    /// The build that keeps few databases.
    pub core: bool,
}

/// What a server can do about a point that is another now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Correction {
    /// A point that is written again replaces the old one, and one that stands elsewhere now is deleted.
    Delete,
    /// A point that is written again may replace the old one or not, and none can be deleted: it is taken back by another row.
    TakeBack,
    /// None can be deleted, and nothing is taken back: an old one stays.
    LeaveBehind,
}

impl Server {
    /// Makes the client; nothing is asked yet.
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        let plain = settings.url.scheme() == "http";
        let crate::Timing { connect_timeout, request_timeout, .. } = settings.timing;
        let waits = outward::Waits { connect_timeout, request_timeout };
        let client = outward::client(outward::tls(plain)?, plain, waits)?;
        Ok(Self { client, settings: settings.clone() })
    }

    /// Asks the server what it is. `/ping` answers in every version: 1.x and 2.x in a header, 3.x also in the body, and without
    /// a token that it knows not at all.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn detect(&self) -> Result<Found, String> {
        let response = self.send(self.authorised(self.client.get(self.url("ping")), Api::V2)).await?;
        let status = response.status();
        let text = |name: &str| {
            response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (version, build) = (text("x-influxdb-version"), text("x-influxdb-build"));
        let victoria = response.headers().contains_key("x-server-hostname");
        let body = outward::body(response, ANSWER_BYTES_MAX).await.unwrap_or_default();
        if status == StatusCode::UNAUTHORIZED
            || status == StatusCode::FORBIDDEN && self.settings.api.is_none()
        {
            let said = said(&String::from_utf8_lossy(&body));
            return Err(permission(status, &said, (&self.settings, self.settings.api.unwrap_or(Api::V3))));
        }
        let told = serde_json::from_slice::<serde_json::Value>(&body).ok();
        let told = told.and_then(|body| Some(body.get("version")?.as_str()?.to_owned()));
        let version = if version.is_empty() { told.unwrap_or_default() } else { version };
        let by_version = if victoria { Some(Api::V1) } else { api_of(&version, &build) };
        let own = by_version.or(self.settings.api).ok_or_else(|| {
            format!("the server does not say which InfluxDB it is ({status}); set INFLUX_API to v1, v2 or v3")
        })?;
        let correction = match own {
            _ if victoria => Correction::LeaveBehind,
            Api::V1 | Api::V2 => Correction::Delete,
            Api::V3 => Correction::TakeBack,
        };
        let name = if victoria { "VictoriaMetrics".to_owned() } else { format!("InfluxDB {version}") };
        let core = own == Api::V3 && build.eq_ignore_ascii_case("core");
        Ok(Found { api: self.settings.api.unwrap_or(own), own, version: name, correction, core })
    }

    /// Writes lines, compressed.
    pub async fn write(&self, api: Api, lines: &[String]) -> Verdict {
        let Ok(body) = compressed(lines) else { return Verdict::TooLarge };
        let request =
            self.client.post(self.write_url(api)).header(header::CONTENT_ENCODING, "gzip").body(body);
        let request = request.header(header::CONTENT_TYPE, "text/plain; charset=utf-8");
        match self.send(self.authorised(request, api)).await {
            Err(why) => Verdict::Wait(why, None),
            Ok(response) => {
                let (status, after) = (response.status(), outward::retry_after(response.headers()));
                let body = outward::body(response, ANSWER_BYTES_MAX).await.unwrap_or_default();
                let body = String::from_utf8_lossy(&body);
                judge(status, after, &body, lines, (&self.settings, api))
            }
        }
    }

    /// Removes points, each by its time and tags.
    ///
    /// # Errors
    /// Why some may be left; all of them may be tried again.
    pub async fn remove(&self, found: &Found, removals: &[Place]) -> Result<(), String> {
        let api = found.own;
        match api {
            Api::V1 => {
                for removals in removals.chunks(REMOVALS_MAX) {
                    let statements: Vec<String> = removals.iter().map(as_influxql).collect();
                    let url = self.url_with("query", &[("db", self.database().0)]);
                    let form = [("q", statements.join("; "))];
                    self.expect_done(self.authorised(self.client.post(url).form(&form), api), api).await?;
                }
            }
            Api::V2 => {
                for removal in removals {
                    let org = self.settings.org.as_deref().unwrap_or_default();
                    let url =
                        self.url_with("api/v2/delete", &[("org", org), ("bucket", &self.settings.bucket)]);
                    let request = self.client.post(url).json(&as_predicate(removal));
                    self.expect_done(self.authorised(request, api), api).await?;
                }
            }
            Api::V3 => {}
        }
        Ok(())
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.settings.bucket
    }

    /// Asks 1.x.
    pub async fn influxql(&self, q: &str, bytes_max: usize) -> Answered {
        let url = self.url_with("query", &[("db", self.database().0), ("epoch", "ns")]);
        self.ask(self.client.post(url).form(&[("q", q)]), Api::V1, bytes_max).await
    }

    /// Asks 2.x.
    pub async fn flux(&self, q: &str, bytes_max: usize) -> Answered {
        let org = self.settings.org.as_deref().unwrap_or_default();
        let request = self.client.post(self.url_with("api/v2/query", &[("org", org)]));
        let request = request.header(header::CONTENT_TYPE, "application/vnd.flux");
        self.ask(request.header(header::ACCEPT, "application/csv").body(q.to_owned()), Api::V2, bytes_max)
            .await
    }

    /// Asks 3.x.
    pub async fn sql(&self, q: &str, bytes_max: usize) -> Answered {
        let question = serde_json::json!({"db": self.settings.bucket, "q": q, "format": "json"});
        self.ask(self.client.post(self.url("api/v3/query_sql")).json(&question), Api::V3, bytes_max).await
    }

    /// The databases of 3.x, without its own.
    ///
    /// # Errors
    /// Why it does not tell.
    pub async fn databases(&self) -> Result<Vec<String>, String> {
        let url = self.url_with("api/v3/configure/database", &[("format", "json")]);
        match self.ask(self.client.get(url), Api::V3, ANSWER_BYTES_MAX).await {
            Answered::Body(body) => {
                let rows: Vec<HashMap<String, serde_json::Value>> = serde_json::from_slice(&body)
                    .map_err(|_| "InfluxDB answers no list of databases".to_owned())?;
                let names = rows.iter().filter_map(|row| row.values().find_map(|name| name.as_str()));
                Ok(names.filter(|name| !name.starts_with('_')).map(str::to_owned).collect())
            }
            Answered::Nothing => Ok(Vec::new()),
            Answered::TooLarge => Err("InfluxDB lists more databases than are read".to_owned()),
            Answered::Refused(why) => Err(why),
        }
    }

    async fn ask(&self, request: RequestBuilder, api: Api, bytes_max: usize) -> Answered {
        let response = match self.send(self.authorised(request, api)).await {
            Ok(response) => response,
            Err(why) => return Answered::Refused(why),
        };
        let status = response.status();
        match outward::body(response, bytes_max).await {
            Err(outward::BodyError::TooLarge) => Answered::TooLarge,
            Err(outward::BodyError::BrokeOff(why)) => Answered::Refused(why),
            Ok(body) if status.is_success() => Answered::Body(body),
            Ok(body) => unanswered(status, &String::from_utf8_lossy(&body), (&self.settings, api)),
        }
    }

    async fn expect_done(&self, request: RequestBuilder, api: Api) -> Result<(), String> {
        let response = self.send(request).await?;
        let status = response.status();
        let body = outward::body(response, ANSWER_BYTES_MAX).await.unwrap_or_default();
        let body = String::from_utf8_lossy(&body);
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(permission(status, &said(&body), (&self.settings, api)))
            }
            status if !status.is_success() => {
                Err(format!("InfluxDB does not delete a point ({status}): {}", short(&said(&body))))
            }
            // 1.x tells of a statement that failed inside an answer that succeeded.
            _ if body.contains("\"error\"") => {
                Err(format!("InfluxDB does not delete a point: {}", short(&body)))
            }
            _ => Ok(()),
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, String> {
        let host = outward::host(&self.settings.url);
        request
            .send()
            .await
            .map_err(|error| format!("InfluxDB at {host} cannot be reached: {}", outward::cause(&error)))
    }

    fn authorised(&self, request: RequestBuilder, api: Api) -> RequestBuilder {
        let Some(token) = self.settings.token.as_ref().map(ExposeSecret::expose_secret) else {
            return request;
        };
        match (api, token.split_once(':')) {
            (Api::V1, Some((user, password))) => request.basic_auth(user, Some(password)),
            (Api::V1 | Api::V2, _) => {
                request.header(header::AUTHORIZATION, secret(&format!("Token {token}")))
            }
            (Api::V3, _) => request.header(header::AUTHORIZATION, secret(&format!("Bearer {token}"))),
        }
    }

    fn write_url(&self, api: Api) -> Url {
        let Settings { org, bucket, .. } = &self.settings;
        match api {
            Api::V1 => {
                let (database, policy) = self.database();
                let policy = policy.map(|policy| ("rp", policy));
                let parameters: Vec<_> =
                    [("db", database)].into_iter().chain(policy).chain([("precision", "ns")]).collect();
                self.url_with("write", &parameters)
            }
            Api::V2 => {
                let org = org.as_deref().unwrap_or_default();
                self.url_with("api/v2/write", &[("org", org), ("bucket", bucket), ("precision", "ns")])
            }
            Api::V3 => self.url_with("api/v3/write_lp", &[("db", bucket), ("precision", "nanosecond")]),
        }
    }

    /// The database of 1.x, and its retention policy.
    fn database(&self) -> (&str, Option<&str>) {
        match self.settings.bucket.split_once('/') {
            Some((database, policy)) => (database, Some(policy)),
            None => (&self.settings.bucket, None),
        }
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.settings.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url
    }

    fn url_with(&self, path: &str, parameters: &[(&str, &str)]) -> Url {
        let mut url = self.url(path);
        url.query_pairs_mut().extend_pairs(parameters);
        url
    }
}

/// A header that is never shown.
fn secret(value: &str) -> header::HeaderValue {
    let mut value = header::HeaderValue::from_str(value).unwrap_or(header::HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// The API of a version such as `1.6.7~rc0`, `v2.7.1`, `3.0.1`; the cloud's 2.x has no number.
fn api_of(version: &str, build: &str) -> Option<Api> {
    match version.trim_start_matches(['v', 'V']).chars().next() {
        Some('1') => Some(Api::V1),
        Some('2') => Some(Api::V2),
        Some('3') => Some(Api::V3),
        _ if build.eq_ignore_ascii_case("cloud") || version.eq_ignore_ascii_case("cloud") => Some(Api::V2),
        _ => None,
    }
}

fn compressed(lines: &[String]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for line in lines {
        encoder.write_all(line.as_bytes())?;
        encoder.write_all(b"\n")?;
    }
    encoder.finish()
}

/// The tags that a series of the schema `compact` may have: one that it has not is empty in a condition.
const COMPACT_TAGS: [&str; 4] = ["medium", "queue", "role", "state"];

fn as_influxql(removal: &Place) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let mut condition = format!("time = {}", removal.time);
    let tags = tags(&removal.text);
    for (key, value) in &tags {
        condition.push_str(&format!(" AND \"{key}\" = '{}'", quoted(value)));
    }
    if !tags.iter().any(|(key, _)| key == "interactionId") {
        let absent = COMPACT_TAGS.iter().filter(|key| !tags.iter().any(|(known, _)| known == *key));
        absent.for_each(|key| condition.push_str(&format!(" AND \"{key}\" = ''")));
    }
    format!("DELETE FROM \"{}\" WHERE {condition}", crate::points::STATES)
}

fn as_predicate(removal: &Place) -> serde_json::Value {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut predicate = format!("_measurement=\"{}\"", crate::points::STATES);
    for (key, value) in tags(&removal.text) {
        predicate.push_str(&format!(" AND {key}=\"{}\"", quoted(&value)));
    }
    let at = jiff::Timestamp::from_nanosecond(i128::from(removal.time)).unwrap_or_default();
    serde_json::json!({"start": format!("{at:.9}"), "stop": format!("{at:.9}"), "predicate": predicate})
}

/// How long to wait for a server that names a time, within reason.
pub(crate) fn patience(asked: Option<Duration>, own: Duration) -> Duration {
    asked.map_or(own, |asked| asked.max(own))
}

#[cfg(test)]
mod tests;
