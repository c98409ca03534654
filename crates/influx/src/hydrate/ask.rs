//! One question to one version: the clocks of a slice of time.

use super::rows::{Read, Rows, of_flux, of_influxql, of_sql};
use crate::points::STATES;
use crate::server::{Answered, Server};
use crate::{Api, Schema};

/// The most that is read of one answer.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// From its first instant to the first one after it, in nanoseconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    pub from: i64,
    pub to: i64,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Refused {
    TooLarge,
    Why(String),
}

/// Conversations with a clock, each perhaps more than once.
pub(super) async fn ask(server: &Server, api: Api, schema: Schema, slice: Slice) -> Result<Rows, Refused> {
    let (answered, read): (Answered, fn(&[u8]) -> Read) = match api {
        Api::V1 => (server.influxql(&influxql(schema, slice), ANSWER_BYTES_MAX).await, of_influxql),
        Api::V2 => (server.flux(&flux(server.bucket(), schema, slice), ANSWER_BYTES_MAX).await, of_flux),
        Api::V3 => (server.sql(&sql(slice), ANSWER_BYTES_MAX).await, of_sql),
    };
    match answered {
        Answered::Body(body) => match read(&body) {
            Read::Rows(rows) => Ok(rows),
            Read::Cut => Err(Refused::TooLarge),
            Read::Else => Err(Refused::Why("it answers something else than was asked".to_owned())),
        },
        Answered::TooLarge => Err(Refused::TooLarge),
        Answered::Refused(why) => Err(Refused::Why(why)),
    }
}

fn influxql(schema: Schema, Slice { from, to }: Slice) -> String {
    let range = format!("time >= {from} AND time < {to}");
    match schema {
        Schema::Tutorial => {
            format!("SELECT max(vector_clock) FROM \"{STATES}\" WHERE {range} GROUP BY \"interactionId\"")
        }
        Schema::Compact => format!("SELECT \"interactionId\", vector_clock FROM \"{STATES}\" WHERE {range}"),
    }
}

fn flux(bucket: &str, schema: Schema, slice: Slice) -> String {
    let quoted = bucket.replace('\\', "\\\\").replace('"', "\\\"");
    let head = format!(
        "from(bucket: \"{quoted}\") |> range(start: {}, stop: {}) |> filter(fn: (r) => r._measurement == \"{STATES}\"",
        written(slice.from),
        written(slice.to)
    );
    match schema {
        Schema::Tutorial => format!(
            "{head} and r._field == \"vector_clock\") |> group(columns: [\"interactionId\"]) |> max() \
             |> keep(columns: [\"interactionId\", \"_value\"])"
        ),
        Schema::Compact => format!(
            "{head} and (r._field == \"vector_clock\" or r._field == \"interactionId\")) \
             |> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\") \
             |> keep(columns: [\"interactionId\", \"vector_clock\"])"
        ),
    }
}

fn sql(slice: Slice) -> String {
    format!(
        "SELECT \"interactionId\" AS id, max(vector_clock) AS clock FROM {STATES} \
         WHERE time >= '{}' AND time < '{}' GROUP BY \"interactionId\"",
        written(slice.from),
        written(slice.to)
    )
}

/// RFC 3339.
fn written(nanos: i64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or_default().to_string()
}
