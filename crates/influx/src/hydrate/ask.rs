//! One question to one version, about a slice of time: clocks, or what was last told of each participant.

use super::rows::{Read, Told, of_flux, of_influxql, of_sql};
use crate::answer::Answered;
use crate::points::STATES;
use crate::server::Server;
use crate::{Api, Schema};

/// The most that is read of one answer.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// From its first instant to the first one after it, in nanoseconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    pub from: i64,
    pub to: i64,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Conversations with a clock, each perhaps more than once.
    Clocks,
    /// Of each participant, and of each conversation itself, the newest point; older ones may be among the rows.
    States,
}

impl What {
    /// For a person.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clocks => "clocks",
            Self::States => "last states",
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Refused {
    TooLarge,
    Why(String),
}

/// Asks for a slice.
pub(super) async fn ask(
    server: &Server,
    (api, schema): (Api, Schema),
    what: What,
    slice: Slice,
) -> Result<Vec<Told>, Refused> {
    let (answered, read): (Answered, fn(&[u8]) -> Read) = match api {
        Api::V1 => (server.influxql(&influxql(schema, what, slice), ANSWER_BYTES_MAX).await, of_influxql),
        Api::V2 => {
            (server.flux(&flux(server.bucket(), schema, what, slice), ANSWER_BYTES_MAX).await, of_flux)
        }
        Api::V3 => (server.sql(&sql(what, slice), ANSWER_BYTES_MAX).await, of_sql),
    };
    match answered {
        Answered::Body(body) => match read(&body) {
            Read::Rows(rows) => Ok(rows),
            Read::Cut => Err(Refused::TooLarge),
            Read::Else => Err(Refused::Why("it answers something else than was asked".to_owned())),
        },
        Answered::Nothing => Ok(Vec::new()),
        Answered::TooLarge => Err(Refused::TooLarge),
        Answered::Refused(why) => Err(Refused::Why(why)),
    }
}

fn influxql(schema: Schema, what: What, Slice { from, to }: Slice) -> String {
    let (columns, group) = match (schema, what) {
        (Schema::Tutorial, What::Clocks) => ("max(vector_clock)", " GROUP BY \"interactionId\""),
        (Schema::Tutorial, What::States) => (
            // The other columns are those of the point that is the last.
            "last(vector_clock) AS vector_clock, state, role",
            " GROUP BY \"interactionId\", \"participantId\"",
        ),
        (Schema::Compact, What::Clocks) => ("\"interactionId\", vector_clock", ""),
        (Schema::Compact, What::States) => {
            ("\"interactionId\", \"participantId\", \"userId\", vector_clock, state, role, queue, medium", "")
        }
    };
    format!("SELECT {columns} FROM \"{STATES}\" WHERE time >= {from} AND time < {to}{group}")
}

fn flux(bucket: &str, schema: Schema, what: What, slice: Slice) -> String {
    let quoted = bucket.replace('\\', "\\\\").replace('"', "\\\"");
    let head = format!(
        "from(bucket: \"{quoted}\") |> range(start: {}, stop: {}) |> filter(fn: (r) => r._measurement == \"{STATES}\"",
        written(slice.from),
        written(slice.to)
    );
    let rows = "|> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")";
    match (schema, what) {
        (Schema::Tutorial, What::Clocks) => format!(
            "{head} and r._field == \"vector_clock\") |> group(columns: [\"interactionId\"]) |> max() \
             |> keep(columns: [\"interactionId\", \"_value\"])"
        ),
        (Schema::Compact, What::Clocks) => format!(
            "{head} and (r._field == \"vector_clock\" or r._field == \"interactionId\")) {rows} \
             |> keep(columns: [\"interactionId\", \"vector_clock\"])"
        ),
        (Schema::Tutorial, What::States) => format!(
            "{head} and (r._field == \"vector_clock\" or r._field == \"role\")) {rows} \
             |> group(columns: [\"interactionId\", \"participantId\"]) |> sort(columns: [\"_time\"]) \
             |> last(column: \"vector_clock\") \
             |> keep(columns: [\"_time\", \"interactionId\", \"participantId\", \"state\", \"role\", \"vector_clock\"])"
        ),
        (Schema::Compact, What::States) => format!(
            "{head} and r._field != \"kind\") {rows} \
             |> keep(columns: [\"_time\", \"interactionId\", \"participantId\", \"userId\", \"state\", \"role\", \"queue\", \
             \"medium\", \"vector_clock\"])"
        ),
    }
}

fn sql(what: What, slice: Slice) -> String {
    let range = format!("time >= '{}' AND time < '{}'", written(slice.from), written(slice.to));
    match what {
        What::Clocks => format!(
            "SELECT \"interactionId\" AS id, max(vector_clock) AS clock FROM {STATES} WHERE {range} \
             GROUP BY \"interactionId\""
        ),
        // All columns, since one that no point ever had does not exist and cannot be asked for.
        What::States => format!(
            "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY \"interactionId\", \"participantId\" \
             ORDER BY time DESC) AS age FROM (SELECT *, row_number() OVER (PARTITION BY fact ORDER BY revision DESC) AS \
             nth FROM {STATES} WHERE {range}) WHERE nth = 1 AND weight > 0) WHERE age = 1"
        ),
    }
}

/// RFC 3339.
pub(crate) fn written(nanos: i64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or_default().to_string()
}
