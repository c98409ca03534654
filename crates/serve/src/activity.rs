//! `GET /api/v1/activity`: how many events fell into each minute, hour or day, by role, queue, user and medium.

use crate::Shared;
use crate::error::{Code, Problem};
use crate::parameters::{Known, Parameters, short};
use crate::show::Activity;
use crate::times;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use engine::{Facets, Id, MINUTE, Word};
use pipeline::{CellInterval, CellQuestion, NotKept};
use std::sync::Arc;

/// Cells of one answer: a week of minutes, a year of hours, and longer than anybody's history of days.
const CELLS_MAX: i64 = 10_080;
/// Questions that are worked on at once: each is one pass over the conversations in memory, between two commits.
pub(crate) const ASKED_MAX: usize = 2;

/// The parameters that it knows.
pub(crate) const KNOWN: Known = &["from", "to", "interval", "role", "queueId", "userId", "medium"];

/// `GET /api/v1/activity`.
pub(crate) async fn activity(
    State(shared): State<Arc<Shared>>,
    given: Parameters,
) -> Result<Response, Problem> {
    let question = wanted(given, shared.clock.now())?;
    let interval = question.interval;
    let Ok(_turn) = shared.activities.acquire().await else {
        return Err(Problem::new(Code::ShuttingDown, "the program is shutting down"));
    };
    let answer = shared.reader.activity(question).await?;
    let view = answer.value.as_ref().map_err(|gone| not_kept(interval, *gone))?;
    Ok(Json(Activity::of(view, answer.completeness, answer.position)).into_response())
}

fn wanted(mut given: Parameters, now: i64) -> Result<CellQuestion, Problem> {
    let from = given.take_as("from", times::MUST_BE, times::read)?;
    let to = given.take_as("to", times::MUST_BE, times::read)?;
    let interval = given.take_as("interval", "minute, hour or day", read)?.unwrap_or(CellInterval::Hour);
    let filter = Facets {
        role: given.take_as("role", "a role of at most 64 bytes", |text| short(text, Word::lower))?,
        queue: given.take_as("queueId", "a queue's id", |text| Id::new(text).ok())?,
        user: given.take_as("userId", "a user's id", |text| Id::new(text).ok())?,
        medium: given.take_as("medium", "a medium of at most 64 bytes", |text| short(text, Word::new))?,
    };
    let unit = interval.minutes() * MINUTE;
    // The cell that goes on is the last: nothing is claimed of the future.
    let newest = now.div_euclid(unit) + 1;
    let to = to.map_or(Ok(newest), |at| aligned("to", at, interval))?.min(newest);
    let from = from.map_or(Ok(to - by_default(interval)), |at| aligned("from", at, interval))?;
    let wrong = |detail: &str| Err(Problem::new(Code::BadParameter, detail));
    if from >= newest {
        return wrong("\"from\" must be in the past: nothing is claimed of the future");
    }
    if from >= to {
        return wrong("\"from\" must be before \"to\"");
    }
    if to - from > CELLS_MAX {
        let name = name(interval);
        let detail = format!(
            "the range has more than {CELLS_MAX} {name}s, the most of one answer: ask for a shorter one, or for longer intervals"
        );
        return wrong(&detail);
    }
    Ok(CellQuestion { filter, interval, from, to })
}

fn read(text: &str) -> Option<CellInterval> {
    [CellInterval::Minute, CellInterval::Hour, CellInterval::Day].into_iter().find(|one| name(*one) == text)
}

/// The interval's name.
pub(crate) fn name(interval: CellInterval) -> &'static str {
    match interval {
        CellInterval::Minute => "minute",
        CellInterval::Hour => "hour",
        CellInterval::Day => "day",
    }
}

/// How many cells the range of a caller has who does not say: a day, a month, a year.
fn by_default(interval: CellInterval) -> i64 {
    match interval {
        CellInterval::Minute => 1_440,
        CellInterval::Hour => 31 * 24,
        CellInterval::Day => 366,
    }
}

/// The cell that begins at an instant, counted from 1970.
fn aligned(name_of: &str, at: i64, interval: CellInterval) -> Result<i64, Problem> {
    let unit = interval.minutes() * MINUTE;
    if at.rem_euclid(unit) == 0 {
        return Ok(at.div_euclid(unit));
    }
    let before = times::ours(at.div_euclid(unit).saturating_mul(unit));
    let detail = format!(
        "\"{name_of}\" must be where a cell begins, in UTC: the {} before begins at {before}",
        name(interval)
    );
    Err(Problem::new(Code::BadParameter, detail))
}

/// Why there is nothing, and what there is instead.
fn not_kept(interval: CellInterval, NotKept { from }: NotKept) -> Problem {
    let instant = from.saturating_mul(interval.minutes()).saturating_mul(MINUTE);
    let (from, name) = (times::ours(instant), name(interval));
    let longer = match interval {
        CellInterval::Minute => "; hours, and days, are kept longer: ask with interval=hour",
        CellInterval::Hour => "; days are kept longer: ask with interval=day",
        CellInterval::Day => "",
    };
    let detail = format!(
        "{name}s are kept from {from} on{longer}; `keep_{name}s` and `max_size` of the configuration's section [store] say \
         what is kept"
    );
    Problem::new(Code::NotKept, detail)
}
