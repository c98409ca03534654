//! What an answer means: done, wait, or these lines are refused.
//!
//! The bodies are those that the servers send (1.x `services/httpd`, 2.x `http/points`, 3.x `influxdb3_server/src/http.rs`):
//!
//! | | body of a refusal |
//! |---|---|
//! | 1.x | 400 `{"error":"partial write: unable to parse 'LINE': why\nunable to parse …  dropped=0"}`, also without lines: `dropped=N` |
//! | 2.x | 400 `{"code":"invalid","message":"unable to parse 'LINE': why"}`; `… partial write: … dropped=N` with 422, in 2.0 with 500 |
//! | 3.x | 400 `{"error":"partial write of line protocol occurred","data":[{"line_number":2,"error_message":"why","original_line":"…"}]}`; by `/api/v2/write` all or nothing: `line protocol parse failed: …` |
//!
//! So no status tells whether lines are refused: the words do. That points are older than what is kept is told by their
//! number alone: they are the oldest. A request beyond the size that 3.x takes is answered 500 before 3.9.1.
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
        500 if said.contains("max request size") => Verdict::TooLarge,
        400 | 422 => refusal(body, &said, lines).map_or_else(
            || {
                Verdict::Wait(
                    format!("InfluxDB refuses the request ({status}): {}", short(&said)),
                    retry_after,
                )
            },
            Verdict::Refused,
        ),
        // With the number of lines it is a word about them; without, one about nodes that were away.
        500..=599 if said.contains("partial write") && dropped(&said).is_some_and(|dropped| dropped > 0) => {
            Verdict::Refused(unnamed(&said, lines))
        }
        _ => Verdict::Wait(format!("InfluxDB answers {status}: {}", short(&said)), retry_after),
    }
}

/// What became of a question.
#[derive(Debug)]
pub(crate) enum Answered {
    /// What it says.
    Body(Vec<u8>),
    /// There is nothing yet that could be asked: no such database or table.
    Nothing,
    /// It says more than is read, or would have to look into more than the server looks into at once.
    TooLarge,
    /// It does not say anything, and why.
    Refused(String),
}

/// Judges the answer to a question that failed.
pub(crate) fn unanswered(status: StatusCode, body: &str, to: (&Settings, Api)) -> Answered {
    let said = said(body);
    if said.contains("exceeding the file limit") {
        return Answered::TooLarge;
    }
    if is_nothing_there(&said) {
        return Answered::Nothing;
    }
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Answered::Refused(permission(status, &said, to)),
        _ => Answered::Refused(format!("InfluxDB does not answer ({status}): {}", short(&said))),
    }
}

/// How 1.x, 2.x and 3.x say that a database, a bucket or a table is not there.
pub(crate) fn is_nothing_there(said: &str) -> bool {
    let table = said.contains("table '") && said.contains("' not found");
    table || said.contains("database not found") || said.contains("could not find bucket")
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
        (Api::V3, _) => format!("give INFLUX_TOKEN a token that may read and write the database `{bucket}`"),
    };
    format!("InfluxDB does not let us in ({status}: {}); {what}", short(said))
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

/// Words of a refusal that is about lines.
const SIGNS: [&str; 8] = [
    "partial write",
    "unable to parse",
    "field type conflict",
    "points beyond retention",
    "parsing failed",
    "line protocol parsing error",
    "line protocol parse failed",
    "invalid column type",
];

/// Which lines an error is about; none when it is not about lines.
fn refusal(body: &str, said: &str, lines: &[String]) -> Option<Refusal> {
    let mut named: Vec<(usize, String)> = listed(body)
        .into_iter()
        .filter_map(|line| Some((line.line_number.checked_sub(1)?, short(&line.error_message))))
        .filter(|(at, _)| *at < lines.len())
        .collect();
    named.extend(quoted(said, lines));
    named.sort_by_key(|(at, _)| *at);
    named.dedup_by_key(|(at, _)| *at);
    if !named.is_empty() {
        return Some(Refusal { named, all: false, why: short(said) });
    }
    SIGNS.iter().any(|sign| said.contains(sign)).then(|| unnamed(said, lines))
}

/// What 3.x tells of lines: a list where it took the others, one where it took none.
fn listed(body: &str) -> Vec<RefusedLine> {
    let data = serde_json::from_str::<Body>(body).unwrap_or_default().data.unwrap_or_default();
    match data {
        serde_json::Value::Object(_) => {
            serde_json::from_value(data).map_or_else(|_| Vec::new(), |line| vec![line])
        }
        list => serde_json::from_value(list).unwrap_or_default(),
    }
}

/// A refusal of lines that it does not name.
fn unnamed(said: &str, lines: &[String]) -> Refusal {
    let (why, dropped) = (short(said), dropped(said).unwrap_or_default());
    let all = dropped >= lines.len();
    let named = if !all && said.contains("points beyond retention") {
        oldest(lines, dropped).into_iter().map(|at| (at, why.clone())).collect()
    } else {
        Vec::new()
    };
    Refusal { named, all, why }
}

/// The oldest lines: whoever drops by age drops these.
fn oldest(lines: &[String], count: usize) -> Vec<usize> {
    let time = |line: &String| line.rsplit(' ').next().and_then(|time| time.parse::<i64>().ok());
    let mut by_age: Vec<(Option<i64>, usize)> = lines.iter().map(time).zip(0..).collect();
    by_age.sort_unstable();
    by_age.into_iter().take(count).map(|(_, at)| at).collect()
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
