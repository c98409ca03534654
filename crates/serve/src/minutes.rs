//! `GET /api/v1/minutes`: the events of each of the last 24 hours' minutes, and what the clocks of the zone showed then.
//!
//! A grid of hours and minutes cannot tell a day on which the clocks change: a minute is missing or comes twice. So here
//! minutes are instants, and the offsets say how to write them; whoever draws needs no rules of its own, which may be others
//! than ours. The offsets reach back as far as conversations are usually kept, so that all times on the page can be
//! written by them.

use crate::Shared;
use crate::times::{self, Written};
use crate::zone::Zone;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use engine::{Activity, MINUTE, SECOND};
use serde::Serialize;
use std::sync::Arc;

/// Minutes of an answer.
const MINUTES: i64 = 1_440;
const SECONDS_PER_DAY: i64 = 86_400;
/// How far back, and ahead of now, offsets are told.
const DAYS_BACK: i64 = 400;
const DAYS_AHEAD: i64 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Minutes<'a> {
    /// The first instant of the first minute; the last is the one that goes on, or that of the newest event.
    from: Written,
    events: Vec<u64>,
    zone: &'a str,
    zone_rules: Option<&'a str>,
    zone_rules_from: &'static str,
    offsets: Vec<FromThenOn>,
    completeness: &'static str,
    position: String,
}

/// From an instant on clocks are so far ahead of UTC.
#[derive(Serialize)]
struct FromThenOn {
    from: Written,
    offset: String,
}

/// `GET /api/v1/minutes`.
pub(crate) async fn minutes(State(shared): State<Arc<Shared>>) -> Response {
    let (summary, now) = (shared.reader.summary(), shared.clock.now());
    let (first, events) = until_now(&summary.activity, now.div_euclid(MINUTE));
    let zone = shared.state.zone();
    let body = Minutes {
        from: times::ours(first.saturating_mul(MINUTE)),
        events,
        zone: zone.name(),
        zone_rules: zone.release(),
        zone_rules_from: zone.origin().as_str(),
        offsets: around(zone, now.div_euclid(SECOND)),
        completeness: summary.completeness.as_str(),
        position: summary.position.to_string(),
    };
    Json(body).into_response()
}

/// The first of the minutes that end with `now`, or with a newer event, and how many events each has.
fn until_now(activity: &Activity, now: i64) -> (i64, Vec<u64>) {
    let newest = activity.newest_minute.unwrap_or(now);
    let first = newest.max(now) - (MINUTES - 1);
    let kept = i64::try_from(activity.counts.len()).unwrap_or(0);
    let count = |minute: i64| {
        let at = usize::try_from(minute - (newest - kept + 1)).ok()?;
        activity.counts.get(at).copied()
    };
    (first, (first..first + MINUTES).map(|minute| count(minute).unwrap_or(0)).collect())
}

fn around(zone: &Zone, now: i64) -> Vec<FromThenOn> {
    let (from, to) = (now - DAYS_BACK * SECONDS_PER_DAY, now + DAYS_AHEAD * SECONDS_PER_DAY);
    let told = |(from, offset): (i64, i64)| FromThenOn {
        from: times::ours(from.saturating_mul(SECOND)),
        offset: written(offset),
    };
    zone.offsets(from, to).into_iter().map(told).collect()
}

/// As in `+05:30`; with seconds where there are any.
fn written(offset: i64) -> String {
    let (sign, s) = (if offset < 0 { '-' } else { '+' }, offset.abs());
    let seconds = if s % 60 == 0 { String::new() } else { format!(":{:02}", s % 60) };
    format!("{sign}{:02}:{:02}{seconds}", s / 3_600, s / 60 % 60)
}

#[cfg(test)]
mod tests;
