//! `GET /api/v1/completeness?from=&to=`: for every feed, what is known of a range of time, interval by interval.

use crate::Shared;
use crate::error::{Code, Problem};
use crate::parameters::Parameters;
use crate::show::Range;
use crate::times;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use engine::SECOND;
use std::sync::Arc;

/// How far back the range of a caller who does not say begins: as far as `/api/v1/state` speaks of.
const DAY: i64 = 86_400 * SECOND;

/// `GET /api/v1/completeness`. A range that ends in the future is answered up to now.
pub(crate) async fn completeness(
    State(shared): State<Arc<Shared>>,
    mut given: Parameters,
) -> Result<Response, Problem> {
    let from = given.take_as("from", times::MUST_BE, times::read)?;
    let to = given.take_as("to", times::MUST_BE, times::read)?;
    let now = shared.clock.now();
    let to = to.unwrap_or_else(|| now.max(from.unwrap_or(now)));
    let from = from.unwrap_or_else(|| to.saturating_sub(DAY));
    let wrong = |detail: &str| Err(Problem::new(Code::BadParameter, detail));
    if from >= now {
        return wrong("\"from\" must be in the past: nothing is claimed of the future");
    }
    if from >= to {
        return wrong("\"from\" must be before \"to\"");
    }
    let answer = shared.reader.range(from, to).await?;
    Ok(Json(Range::of(&answer.value, answer.position)).into_response())
}
