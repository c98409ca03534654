//! `GET /api/v1/state`: the headcount and the heatmap, for whoever polls.
//!
//! Boards poll this many times a second, and between two commits the answer cannot change. So the body is written once
//! per summary and handed out as a reference; two requests that meet a new summary at once both write it, which is
//! harmless. Rejected: writing it in the shard (it would pay for answers that nobody asks for).

use crate::Shared;
use crate::conversations::when;
use crate::error::{Code, Problem};
use crate::parameters::Parameters;
use crate::times::{self, Written};
use crate::zone::Zone;
use arc_swap::ArcSwapOption;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use engine::{Activity, Time};
use pipeline::{Summary, When};
use serde::Serialize;
use std::sync::Arc;

const SECONDS_PER_MINUTE: i64 = 60;
const SECONDS_PER_DAY: i64 = 86_400;

/// Counts by hour of the day and minute of the hour.
pub(crate) type Cells = [[u64; 60]; 24];

/// The body of the newest summary that was asked for.
pub(crate) struct Cache {
    zone: Zone,
    latest: ArcSwapOption<Rendered>,
}

struct Rendered {
    of: Arc<Summary>,
    body: Bytes,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    active_interactions: u64,
    heatmap: Heatmap<'a>,
    last_updated: Option<Written>,
    suspects: u64,
    /// Of the active ones those of which no fact is known; not written when there are none.
    #[serde(skip_serializing_if = "is_none")]
    remembered: u64,
    completeness: &'static str,
    /// From when on that speaks of every feed.
    completeness_from: Option<Written>,
    position: String,
    /// Whose hours and minutes the cells are, by the rules of which release, and whether these are the host's or ours.
    zone: &'a str,
    zone_rules: Option<&'a str>,
    zone_rules_from: &'static str,
    /// Why nothing newer is shown; not written while the store accepts what comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    store_trouble: Option<&'a str>,
}

#[derive(Serialize)]
struct Heatmap<'a> {
    data: Vec<&'a [u64]>,
}

impl Cache {
    /// Nothing is written yet; cells will be laid out by the zone's hours and minutes.
    pub(crate) fn new(zone: Zone) -> Self {
        Self { zone, latest: ArcSwapOption::empty() }
    }

    /// Whose hours and minutes cells are laid out by.
    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The body for this summary.
    ///
    /// # Errors
    /// [`Code::Internal`] when a time cannot be written.
    pub(crate) fn body(&self, summary: Arc<Summary>) -> Result<Bytes, Problem> {
        if let Some(latest) = self.latest.load().as_ref().filter(|latest| Arc::ptr_eq(&latest.of, &summary)) {
            return Ok(latest.body.clone());
        }
        let cells = laid_out(&summary.activity, &self.zone);
        let body = Body {
            active_interactions: summary.active,
            heatmap: Heatmap { data: cells.iter().map(<[u64; 60]>::as_slice).collect() },
            last_updated: summary.last_updated.map(Written),
            suspects: summary.suspects,
            remembered: summary.remembered,
            completeness: summary.completeness.as_str(),
            completeness_from: summary.complete_from.map(|at| Written(Time::from_nanos(at).to_millis())),
            position: summary.position.to_string(),
            zone: self.zone.name(),
            zone_rules: self.zone.release(),
            zone_rules_from: self.zone.origin().as_str(),
            store_trouble: summary.store_trouble.as_deref(),
        };
        let body: Bytes = serde_json::to_vec(&body)
            .map_err(|_| Problem::new(Code::Internal, "the state could not be written"))?
            .into();
        self.latest.store(Some(Arc::new(Rendered { of: summary, body: body.clone() })));
        Ok(body)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// What was said, or is true, of an instant.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Then {
    active_interactions: u64,
    heatmap: Rows,
    completeness: &'static str,
    position: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Written>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known_at: Option<Written>,
}

#[derive(Serialize)]
struct Rows {
    data: Vec<Vec<u64>>,
}

/// `GET /api/v1/state`, as it was at an instant with `?at=`, as it was shown at one with `?known_at=`.
pub(crate) async fn state(
    State(shared): State<Arc<Shared>>,
    mut given: Parameters,
) -> Result<Response, Problem> {
    let now = shared.clock.now();
    let when = when(&mut given, now)?;
    if when == When::default() {
        let body = shared.state.body(shared.reader.summary())?;
        return Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response());
    }
    let Ok(_turn) = shared.activities.acquire().await else {
        return Err(Problem::new(Code::ShuttingDown, "the program is shutting down"));
    };
    let answer = shared.reader.state_at(when).await?;
    let cells = laid_out(&answer.value.activity, &shared.state.zone);
    let then = Then {
        active_interactions: answer.value.active,
        heatmap: Rows { data: cells.iter().map(|row| row.to_vec()).collect() },
        completeness: answer.completeness.as_str(),
        position: answer.position.to_string(),
        at: when.at.map(times::ours),
        known_at: when.known_at.map(times::ours),
    };
    Ok(Json(then).into_response())
}

/// Puts each minute's count into the cell of its hour and minute in `zone`. Where the clocks go back, two minutes share
/// a cell and add up; where they go forward, the skipped hour stays 0.
pub(crate) fn laid_out(activity: &Activity, zone: &Zone) -> Cells {
    let mut cells = [[0; 60]; 24];
    let Some(newest) = activity.newest_minute else {
        return cells;
    };
    for (back, count) in (0..).zip(activity.counts.iter().rev()).filter(|(_, count)| **count > 0) {
        if let Some([hour, minute]) = newest.checked_sub(back).and_then(|minute| cell_of(minute, zone)) {
            cells[hour][minute] += count;
        }
    }
    cells
}

/// Local hour (0 to 23) and minute (0 to 59) of a minute counted from the epoch; `None` beyond what can be counted.
fn cell_of(minute: i64, zone: &Zone) -> Option<[usize; 2]> {
    let seconds = minute.checked_mul(SECONDS_PER_MINUTE)?;
    let local = seconds.checked_add(zone.offset(seconds))?;
    let minute_of_day = local.rem_euclid(SECONDS_PER_DAY) / SECONDS_PER_MINUTE;
    let minute_of_day = usize::try_from(minute_of_day).ok()?;
    Some([minute_of_day / 60, minute_of_day % 60])
}

#[cfg(test)]
mod tests;
