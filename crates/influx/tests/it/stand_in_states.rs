//! How the stand-in answers who was last told of: the questions word for word, and the answers as each version writes them.

use crate::stand_in::{Points, nanos};
use std::collections::BTreeMap;

/// A point's columns: tags and fields, without quotes; of one that was left out, nothing.
type Row = BTreeMap<String, String>;

const SHOWN: [&str; 8] =
    ["interactionId", "participantId", "userId", "vector_clock", "state", "role", "queue", "medium"];

/// The points of a range, oldest first, as rows with their times.
fn rows(points: &Points, from: i64, to: i64) -> Vec<(i64, Row)> {
    let states = points
        .iter()
        .filter(|((series, at), _)| series.starts_with("participant_state") && (from..to).contains(at));
    let row = |((series, at), fields): (&(String, i64), &BTreeMap<String, String>)| {
        let tags = series.split(',').skip(1).filter_map(|tag| tag.split_once('='));
        let tags = tags.map(|(key, value)| (key.to_owned(), value.replace('\\', "")));
        let fields = fields.iter().map(|(key, value)| {
            let value =
                if key == "vector_clock" { value.trim_end_matches('i') } else { value.trim_matches('"') };
            (key.clone(), value.to_owned())
        });
        (*at, tags.chain(fields).collect())
    };
    let mut rows: Vec<(i64, Row)> = states.map(row).collect();
    rows.sort_by_key(|(at, _)| *at);
    rows
}

/// Of each participant, and of each conversation itself, the newest.
fn newest(rows: Vec<(i64, Row)>) -> Vec<(i64, Row)> {
    let key = |row: &Row| (row.get("interactionId").cloned(), row.get("participantId").cloned());
    let by_key: BTreeMap<_, _> = rows.into_iter().map(|(at, row)| (key(&row), (at, row))).collect();
    by_key.into_values().collect()
}

/// 1.x; none when it is another question.
pub fn influxql(points: &Points, q: &str) -> Option<serde_json::Value> {
    let (select, rest) =
        q.strip_prefix("SELECT ")?.split_once(" FROM \"participant_state\" WHERE time >= ")?;
    let (from, rest) = rest.split_once(" AND time < ")?;
    let (to, group) = rest.split_once(' ').unwrap_or((rest, ""));
    let rows = rows(points, from.parse().ok()?, to.parse().ok()?);
    let cell =
        |row: &Row, name: &str| row.get(name).map_or(serde_json::Value::Null, |text| text.as_str().into());
    let number = |row: &Row| row["vector_clock"].parse::<u64>().unwrap();
    match (select, group) {
        (
            "last(vector_clock) AS vector_clock, state, role",
            "GROUP BY \"interactionId\", \"participantId\"",
        ) => {
            let series = newest(rows).into_iter().map(|(at, row)| {
                let participant = row.get("participantId").map_or("", String::as_str);
                serde_json::json!({
                    "name": "participant_state",
                    "tags": {"interactionId": row["interactionId"], "participantId": participant},
                    "columns": ["time", "vector_clock", "state", "role"],
                    "values": [[at, number(&row), cell(&row, "state"), cell(&row, "role")]]
                })
            });
            Some(series.collect())
        }
        (
            "\"interactionId\", \"participantId\", \"userId\", vector_clock, state, role, queue, medium",
            "",
        ) => {
            let values: Vec<Vec<serde_json::Value>> = rows
                .iter()
                .map(|(at, row)| {
                    let cells = SHOWN.iter().map(|name| match *name {
                        "vector_clock" => number(row).into(),
                        name => cell(row, name),
                    });
                    std::iter::once((*at).into()).chain(cells).collect()
                })
                .collect();
            let columns: Vec<&str> = std::iter::once("time").chain(SHOWN).collect();
            Some(serde_json::json!([{"name": "participant_state", "columns": columns, "values": values}]))
        }
        _ => None,
    }
}

/// 2.x; none when it is another question.
pub fn flux(points: &Points, q: &str) -> Option<String> {
    let (from, rest) = q.split_once("range(start: ")?.1.split_once(", stop: ")?;
    let (to, rest) =
        rest.split_once(") |> filter(fn: (r) => r._measurement == \"participant_state\" and ")?;
    let rows = rows(points, nanos(from), nanos(to));
    const PIVOT: &str = "|> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\") ";
    let tutorial = format!(
        "(r._field == \"vector_clock\" or r._field == \"role\")) {PIVOT}|> group(columns: [\"interactionId\", \
         \"participantId\"]) |> sort(columns: [\"_time\"]) |> last(column: \"vector_clock\") |> keep(columns: [\"_time\", \
         \"interactionId\", \"participantId\", \"state\", \"role\", \"vector_clock\"])"
    );
    let compact = format!(
        "r._field != \"kind\") {PIVOT}|> keep(columns: [\"_time\", \"interactionId\", \"participantId\", \"userId\", \"state\", \
         \"role\", \"queue\", \"medium\", \"vector_clock\"])"
    );
    let rows = match rest {
        rest if rest == tutorial => newest(rows),
        rest if rest == compact => rows,
        _ => return None,
    };
    // A table for each set of columns, as series that lack one have none.
    let mut tables: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for (at, row) in rows {
        let columns: Vec<String> =
            SHOWN.iter().filter(|name| row.contains_key(**name)).map(|n| (*n).to_owned()).collect();
        let time = jiff::Timestamp::from_nanosecond(i128::from(at)).unwrap();
        let cells: Vec<&str> = columns.iter().map(|name| row[name].as_str()).collect();
        tables.entry(columns).or_default().push(format!(",,0,{time},{}", cells.join(",")));
    }
    let table = |(columns, lines): (Vec<String>, Vec<String>)| {
        format!(",result,table,_time,{}\r\n{}\r\n\r\n", columns.join(","), lines.join("\r\n"))
    };
    Some(tables.into_iter().map(table).collect())
}
