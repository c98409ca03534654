//! What InfluxDB 3 was told of conversations and minutes of which nothing is noted any more.
//!
//! A fact that is told twice counts twice there, so that whoever has forgotten has to ask: of what the notes forget after
//! days, and of what is older than the notes, where the follower's file or the whole disk was lost. Only what is
//! old enough is asked for, so in the usual run nothing is. The server itself is the one place that cannot disagree with itself.

use crate::Schema;
use crate::answer::Answered;
use crate::hydrate::{instant, written};
use crate::points::{ACTIVITY, Columns, STATES};
use crate::server::Server;
use engine::{Id, MINUTE, SECOND};
use serde_json::{Map, Value};
use std::collections::HashMap;
use store::Standing;

/// Conversations of one question.
const ASKED_MAX: usize = 64;
/// The most that is read of one answer.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// A fact may once have stood this far from where its conversation is now.
const AROUND_NS: i64 = 3_600 * SECOND;
/// How much the clocks of sources may differ from ours.
pub(crate) const ASTRAY_NS: i64 = 600 * SECOND;

/// What the server says of a fact.
#[derive(Debug)]
pub(crate) struct Recalled {
    pub conversation: Id,
    pub standing: Standing,
}

/// A row as the server answers it.
type Row = Map<String, Value>;

/// What the server was told of conversations whose points lie between two times, in nanoseconds since the epoch.
///
/// # Errors
/// Why it does not say.
pub(crate) async fn conversations(
    server: &Server,
    schema: Schema,
    ids: &[Id],
    (from, to): (i64, i64),
) -> Result<Vec<Recalled>, String> {
    let range = (from.saturating_sub(AROUND_NS), to.saturating_add(AROUND_NS));
    let mut newest: HashMap<(Id, i64), Standing> = HashMap::new();
    for ids in ids.chunks(ASKED_MAX) {
        let names: HashMap<String, &Id> = ids.iter().map(|id| (kept(id, schema), id)).collect();
        let quoted: Vec<String> = names.keys().map(|id| format!("'{}'", id.replace('\'', "''"))).collect();
        let q = format!("SELECT * FROM {STATES} WHERE \"interactionId\" IN ({})", quoted.join(", "));
        for row in rows(server, &format!("{q} AND"), "", range).await? {
            let id = text(&row, "interactionId").and_then(|id| names.get(&id).copied());
            let Some((id, standing)) = id.zip(standing(&row, schema)) else { continue };
            let known = newest.entry((id.clone(), standing.fact)).or_insert_with(|| standing.clone());
            if known.revision < standing.revision {
                *known = standing;
            }
        }
    }
    Ok(newest.into_iter().map(|((conversation, _), standing)| Recalled { conversation, standing }).collect())
}

/// The minutes between two of them that the server was told of: events and rows of each.
///
/// # Errors
/// Why it does not say.
pub(crate) async fn minutes(
    server: &Server,
    (first, last): (i64, i64),
) -> Result<Vec<(i64, (i64, i64))>, String> {
    let q = format!("SELECT time, sum(events) AS events, max(revision) AS revision FROM {ACTIVITY} WHERE");
    let range = (first.saturating_mul(MINUTE), last.saturating_add(1).saturating_mul(MINUTE));
    let minute = |row: &Row| {
        let at = instant(&text(row, "time")?)?.div_euclid(MINUTE);
        Some((at, (row.get("events")?.as_i64()?, row.get("revision")?.as_i64()?)))
    };
    Ok(rows(server, &q, " GROUP BY time", range).await?.iter().filter_map(minute).collect())
}

fn read(body: &[u8]) -> Result<Vec<Row>, String> {
    serde_json::from_slice(body).map_err(|_| "InfluxDB answers something else than was asked".to_owned())
}

/// The rows of a range of time, asked for in halves where an answer, or the files that it would look into, are too large.
async fn rows(server: &Server, head: &str, tail: &str, range: (i64, i64)) -> Result<Vec<Row>, String> {
    let (mut found, mut left) = (Vec::new(), vec![range]);
    while let Some((from, to)) = left.pop() {
        let q = format!("{head} time >= '{}' AND time < '{}'{tail}", written(from), written(to));
        match server.sql(&q, ANSWER_BYTES_MAX).await {
            Answered::Body(body) => found.extend(read(&body)?),
            Answered::Nothing => return Ok(Vec::new()),
            Answered::TooLarge if to.saturating_sub(from) > MINUTE => {
                // At whole minutes, so that none is told of in two parts.
                let middle = from.midpoint(to).div_euclid(MINUTE).saturating_mul(MINUTE).max(from + 1);
                left.extend([(from, middle), (middle, to)]);
            }
            Answered::TooLarge => return Err("a minute of it is too large an answer".to_owned()),
            Answered::Refused(why) => return Err(why),
        }
    }
    Ok(found)
}

fn standing(row: &Row, schema: Schema) -> Option<Standing> {
    let columns = Columns {
        interaction: text(row, "interactionId"),
        participant: text(row, "participantId"),
        user: text(row, "userId"),
        kind: text(row, "kind"),
        state: text(row, "state"),
        role: text(row, "role"),
        queue: text(row, "queue"),
        medium: text(row, "medium"),
        vector_clock: row.get("vector_clock")?.as_u64()?,
    };
    let stands = row.get("weight")?.as_i64()? > 0;
    Some(Standing {
        fact: fact_of(row)?,
        revision: row.get("revision")?.as_i64()?,
        time: instant(&text(row, "time")?)?,
        text: stands.then(|| columns.line(schema).text().to_owned()),
        own: false,
    })
}

fn fact_of(row: &Row) -> Option<i64> {
    Some(u64::from_str_radix(&text(row, "fact")?, 16).ok()?.cast_signed())
}

fn text(row: &Row, name: &str) -> Option<String> {
    row.get(name)?.as_str().map(str::to_owned)
}

/// An id as it is kept: a tag cannot carry a backslash.
fn kept(id: &Id, schema: Schema) -> String {
    let id = id.to_string();
    if schema == Schema::Tutorial { id.replace('\\', "/") } else { id }
}
