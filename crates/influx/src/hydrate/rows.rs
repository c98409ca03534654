//! Answers of the three query languages as rows about a conversation. What is no row is passed over.

use crate::answer::is_nothing_there;
use serde_json::Value;

/// What a row tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The conversation.
    pub id: String,
    /// Its clock.
    pub clock: Option<u64>,
    /// The time of the point, in nanoseconds since the epoch.
    pub at: Option<i64>,
    /// Of whom it tells; none: of the conversation itself.
    pub participant: Option<String>,
    pub state: Option<String>,
    pub role: Option<String>,
    pub user: Option<String>,
    pub queue: Option<String>,
    pub medium: Option<String>,
}

/// What an answer is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// All rows.
    Rows(Vec<Told>),
    /// The first rows only, since there are more than the server gives.
    Cut,
    /// Something else.
    Else,
}

impl Told {
    /// A row, when it names a conversation; `cell` gives what a column holds.
    fn of(cell: impl Fn(&[&str]) -> Option<String>) -> Option<Self> {
        Some(Self {
            id: cell(&["interactionId", "id"])?,
            clock: cell(&["vector_clock", "clock", "max", "_value"]).and_then(|text| text.parse().ok()),
            at: cell(&["time", "_time"]).and_then(|text| instant(&text)),
            participant: cell(&["participantId"]),
            state: cell(&["state"]),
            role: cell(&["role"]),
            user: cell(&["userId"]),
            queue: cell(&["queue"]),
            medium: cell(&["medium"]),
        })
    }
}

impl Read {
    fn of(rows: Option<Vec<Told>>) -> Self {
        rows.map_or(Self::Else, Self::Rows)
    }
}

/// Nanoseconds since the epoch, of a number of them or of a time in RFC 3339, which 3.x writes without a zone.
pub(crate) fn instant(text: &str) -> Option<i64> {
    let zoned = |text: &str| text.parse::<jiff::Timestamp>().ok();
    let written = || zoned(text).or_else(|| zoned(&format!("{text}Z")));
    text.parse().ok().or_else(|| i64::try_from(written()?.as_nanosecond()).ok())
}

/// A value as text; none when it is null or empty.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// `{"results":[{"series":[{"tags":{…},"columns":["time",…],"values":[[…]],"partial":true}]}]}`.
pub(super) fn of_influxql(body: &[u8]) -> Read {
    let Ok(answer) = serde_json::from_slice::<Value>(body) else { return Read::Else };
    let Some(result) = answer.get("results").and_then(|results| results.get(0)) else { return Read::Else };
    match result.get("error").map(Value::as_str) {
        None => {}
        Some(Some(error)) if is_nothing_there(error) => return Read::Rows(Vec::new()),
        Some(_) => return Read::Else,
    }
    let is_partial = |of: &Value| of.get("partial").and_then(Value::as_bool) == Some(true);
    let mut series = result.get("series").and_then(Value::as_array).into_iter().flatten();
    if is_partial(result) || series.any(is_partial) {
        return Read::Cut;
    }
    Read::of(series_of(result))
}

fn series_of(result: &Value) -> Option<Vec<Told>> {
    let mut rows = Vec::new();
    for series in result.get("series").and_then(Value::as_array).into_iter().flatten() {
        let columns: Vec<&str> =
            series.get("columns")?.as_array()?.iter().filter_map(Value::as_str).collect();
        for row in series.get("values")?.as_array()? {
            let column = |name: &str| row.get(columns.iter().position(|column| *column == name)?);
            let tag = |name: &str| series.get("tags")?.get(name);
            let cell = |names: &[&str]| {
                names.iter().find_map(|name| tag(name).or_else(|| column(name))).and_then(text)
            };
            rows.extend(Told::of(cell));
        }
    }
    Some(rows)
}

/// `[{"id":"…","clock":17}, …]`.
pub(super) fn of_sql(body: &[u8]) -> Read {
    let answer: Option<Vec<Value>> = serde_json::from_slice(body).ok();
    let row = |row: &Value| Told::of(|names| names.iter().find_map(|name| row.get(name)).and_then(text));
    Read::of(answer.map(|rows| rows.iter().filter_map(row).collect()))
}

/// Annotated CSV: tables with an empty line between them, each with a header; lines of annotations begin with `#`.
pub(super) fn of_flux(body: &[u8]) -> Read {
    let Ok(text) = std::str::from_utf8(body) else { return Read::Else };
    let (mut header, mut rows): (Option<Vec<String>>, Vec<Told>) = (None, Vec::new());
    for line in text.lines().map(|line| line.trim_end_matches('\r')) {
        if line.is_empty() {
            header = None;
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        let cells = cells(line);
        let Some(names) = &header else {
            header = Some(cells);
            continue;
        };
        let cell = |wanted: &[&str]| {
            let at = names.iter().position(|name| wanted.contains(&name.as_str()))?;
            cells.get(at).filter(|cell| !cell.is_empty()).cloned()
        };
        rows.extend(Told::of(cell));
    }
    Read::Rows(rows)
}

/// The cells of a line, without their quotes.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match (c, cells.last_mut()) {
            ('"', _) => quoted = !quoted,
            (',', _) if !quoted => cells.push(String::new()),
            (c, Some(cell)) => cell.push(c),
            (_, None) => {}
        }
    }
    cells
}

#[cfg(test)]
mod tests;
