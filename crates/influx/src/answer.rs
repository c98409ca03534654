//! What an answer means: done, wait, or these lines are refused.
//!
//! The bodies are those that the servers send (1.x `services/httpd`, 2.x `http/points`, 3.x `influxdb3_server/src/http.rs`):
//!
//! | | body of a refusal |
//! |---|---|
//! | 1.x | `{"error":"partial write: unable to parse 'LINE': why\nunable to parse …  dropped=0"}`, also without lines: `dropped=N` |
//! | 2.x | `{"code":"invalid","message":"unable to parse 'LINE': why"}`, and 422 with `partial write: …` |
//! | 3.x | `{"error":"partial write of line protocol occurred","data":[{"line_number":2,"error_message":"why","original_line":"…"}]}` |
//!
//! What is not about lines is waited out, however long: a token is renewed, a bucket is made, a server comes back, and until
//! then the history waits where it is. A refusal that is not understood is waited out too, since setting lines aside for it
//! could set everything aside.

use crate::{Api, Settings};
use reqwest::StatusCode;
use serde::Deserialize;
use std::time::Duration;

/// As much of what a server says as is repeated.
const SAID_MAX: usize = 300;

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All of it is written.
    Done,
    /// Try again later: why not now, and how long the server wants to be left alone.
    Wait(String, Option<Duration>),
    /// The request is too large.
    TooLarge,
    /// Lines are refused, whatever is done.
    Refused(Refusal),
}

/// Which lines are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Those that are named: index and reason.
    pub named: Vec<(usize, String)>,
    /// None is named, and all are refused.
    pub all: bool,
    /// What the server said.
    pub why: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    error: Option<String>,
    message: Option<String>,
    data: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct RefusedLine {
    line_number: usize,
    #[serde(default)]
    error_message: String,
}

/// Judges the answer to a write of these lines.
pub(crate) fn judge(
    status: StatusCode,
    retry_after: Option<Duration>,
    body: &str,
    lines: &[String],
    to: (&Settings, Api),
) -> Verdict {
    let said = said(body);
    match status.as_u16() {
        200..=299 => Verdict::Done,
        401 | 403 => Verdict::Wait(permission(status, &said, to), retry_after),
        404 => Verdict::Wait(missing(&said, to), retry_after),
        413 => Verdict::TooLarge,
        400 | 422 => refusal(body, &said, lines).map_or_else(
            || {
                Verdict::Wait(
                    format!("InfluxDB refuses the request ({status}): {}", short(&said)),
                    retry_after,
                )
            },
            Verdict::Refused,
        ),
        _ => Verdict::Wait(format!("InfluxDB answers {status}: {}", short(&said)), retry_after),
    }
}

/// What a body says, for people.
pub(crate) fn said(body: &str) -> String {
    let parsed: Body = serde_json::from_str(body).unwrap_or_default();
    parsed.error.or(parsed.message).unwrap_or_else(|| body.trim().to_owned())
}

/// The start of it, in one line.
pub(crate) fn short(said: &str) -> String {
    let line: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAID_MAX).collect();
    if line.is_empty() { "nothing more".to_owned() } else { line }
}

/// Which permission is missing, and how to get it.
pub(crate) fn permission(status: StatusCode, said: &str, (settings, api): (&Settings, Api)) -> String {
    let bucket = &settings.bucket;
    let what = match (api, settings.token.is_some()) {
        (Api::V1, true) => {
            format!("give INFLUX_TOKEN (USER:PASSWORD) a user with WRITE on the database `{bucket}`")
        }
        (Api::V1, false) => {
            format!("set INFLUX_TOKEN to USER:PASSWORD of a user with WRITE on the database `{bucket}`")
        }
        (Api::V2, _) => format!("give INFLUX_TOKEN a token with write access to the bucket `{bucket}`"),
        (Api::V3, _) => format!("give INFLUX_TOKEN a token that may write to the database `{bucket}`"),
    };
    format!("InfluxDB does not let us write ({status}: {}); {what}", short(said))
}

fn missing(said: &str, (settings, api): (&Settings, Api)) -> String {
    let bucket = &settings.bucket;
    let what = match api {
        Api::V1 => format!("make the database `{bucket}`, or name another in INFLUX_BUCKET"),
        Api::V2 => format!("make the bucket `{bucket}`, or look at INFLUX_ORG and INFLUX_BUCKET"),
        Api::V3 => format!("make the database `{bucket}`, or name another in INFLUX_BUCKET"),
    };
    format!("InfluxDB does not find where to write (404: {}); {what}", short(said))
}

/// Which lines an error is about; none when it is not about lines.
fn refusal(body: &str, said: &str, lines: &[String]) -> Option<Refusal> {
    let why = short(said);
    let parsed: Body = serde_json::from_str(body).unwrap_or_default();
    let listed: Vec<RefusedLine> =
        parsed.data.and_then(|data| serde_json::from_value(data).ok()).unwrap_or_default();
    let mut named: Vec<(usize, String)> = listed
        .into_iter()
        .filter_map(|line| Some((line.line_number.checked_sub(1)?, short(&line.error_message))))
        .filter(|(at, _)| *at < lines.len())
        .collect();
    named.extend(quoted(said, lines));
    named.sort_by_key(|(at, _)| *at);
    named.dedup_by_key(|(at, _)| *at);
    let about_lines = !named.is_empty()
        || [
            "partial write",
            "unable to parse",
            "field type conflict",
            "points beyond retention",
            "parsing failed",
        ]
        .iter()
        .any(|sign| said.contains(sign));
    let all = named.is_empty() && dropped(said).is_some_and(|dropped| dropped >= lines.len());
    about_lines.then_some(Refusal { named, all, why })
}

/// Lines that are quoted in `unable to parse 'LINE': why`.
fn quoted<'a>(said: &'a str, lines: &'a [String]) -> impl Iterator<Item = (usize, String)> + 'a {
    said.split("unable to parse '").skip(1).filter_map(move |part| {
        let (line, why) = part.split_once("': ").or_else(|| part.split_once('\''))?;
        let at = lines.iter().position(|known| known == line)?;
        Some((at, short(why.lines().next().unwrap_or_default())))
    })
}

/// The N of `dropped=N`.
fn dropped(said: &str) -> Option<usize> {
    let digits = said.rsplit_once("dropped=")?.1;
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests;
