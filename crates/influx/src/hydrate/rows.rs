//! Answers of the three query languages as rows of a conversation and a clock. What is no row is passed over.

use serde_json::Value;

/// Conversations and clocks.
pub(super) type Rows = Vec<(String, u64)>;

/// What an answer is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// All rows.
    Rows(Rows),
    /// The first rows only, since there are more than the server gives.
    Cut,
    /// Something else.
    Else,
}

impl Read {
    fn of(rows: Option<Rows>) -> Self {
        rows.map_or(Self::Else, Self::Rows)
    }
}

/// `{"results":[{"series":[{"tags":{…},"columns":["time",…],"values":[[…]],"partial":true}]}]}`.
pub(super) fn of_influxql(body: &[u8]) -> Read {
    let Ok(answer) = serde_json::from_slice::<Value>(body) else { return Read::Else };
    let Some(result) = answer.get("results").and_then(|results| results.get(0)) else { return Read::Else };
    let is_partial = |of: &Value| of.get("partial").and_then(Value::as_bool) == Some(true);
    let mut series = result.get("series").and_then(Value::as_array).into_iter().flatten();
    if is_partial(result) || series.any(is_partial) {
        return Read::Cut;
    }
    Read::of(series_of(result))
}

fn series_of(result: &Value) -> Option<Rows> {
    let mut rows = Vec::new();
    for series in result.get("series").and_then(Value::as_array).into_iter().flatten() {
        let columns: Vec<&str> =
            series.get("columns")?.as_array()?.iter().filter_map(Value::as_str).collect();
        let column = |name: &str| columns.iter().position(|column| *column == name);
        let clock = column("vector_clock").or_else(|| column("max"))?;
        let tag = series.get("tags").and_then(|tags| tags.get("interactionId")).and_then(Value::as_str);
        for row in series.get("values")?.as_array()? {
            let field = column("interactionId").and_then(|at| row.get(at)).and_then(Value::as_str);
            let id = tag.or(field);
            rows.extend(id.map(str::to_owned).zip(row.get(clock).and_then(Value::as_u64)));
        }
    }
    Some(rows)
}

/// `[{"id":"…","clock":17}, …]`.
pub(super) fn of_sql(body: &[u8]) -> Read {
    let answer: Option<Vec<Value>> = serde_json::from_slice(body).ok();
    let row = |row: &Value| Some((row.get("id")?.as_str()?.to_owned(), row.get("clock")?.as_u64()?));
    Read::of(answer.map(|rows| rows.iter().filter_map(row).collect()))
}

/// Annotated CSV: tables with an empty line between them, each with a header; lines of annotations begin with `#`.
pub(super) fn of_flux(body: &[u8]) -> Read {
    let Ok(text) = std::str::from_utf8(body) else { return Read::Else };
    let (mut header, mut rows): (Option<Vec<String>>, Rows) = (None, Vec::new());
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
            cells.get(at).cloned()
        };
        let clock = cell(&["vector_clock", "_value"]).and_then(|clock| clock.parse().ok());
        rows.extend(cell(&["interactionId"]).zip(clock));
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
