//! Which conversations there are: the analytics queries that a repair needs.
//!
//! Filters and groupings are accepted and not applied: every answer is about the whole centre.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::ApiError;
use super::{Answer, App, Body, read};
use crate::body::analytics;
use crate::time::Millis;

/// The largest page of `details/query`.
const PAGE_MAX: usize = 100;

/// The longest interval of `details/query`.
const INTERVAL_MS_MAX: Millis = 31 * 86_400_000;

#[derive(Deserialize)]
pub struct ActivityQuery {
    metrics: Vec<Value>,
}

/// `POST activity/query`: what is live now.
pub async fn activity(State(shared): App, body: Body) -> Answer {
    let query: ActivityQuery = read(body)?;
    if query.metrics.is_empty() {
        return Err(ApiError::bad_request("metrics must not be empty."));
    }
    let world = shared.world();
    let setting = world.setting();
    let live = world.centre.conversations().filter(|one| one.ended_at.is_none());
    let entities: Vec<Value> = live.flat_map(|one| analytics::activity(setting, one)).collect();
    let data = ["oWaiting", "oAlerting", "oInteracting"].map(|metric| {
        let count = entities.iter().filter(|entity| entity["metric"] == metric).count();
        json!({ "metric": metric, "count": count })
    });
    let result = json!({ "group": {}, "data": data, "truncated": false, "entities": entities });
    Ok(Json(json!({ "results": [result], "entityIdDimension": "conversationId" })))
}

#[derive(Deserialize)]
pub struct DetailsQuery {
    interval: String,
    #[serde(default)]
    paging: Paging,
    order: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Paging {
    page_size: usize,
    page_number: usize,
}

impl Default for Paging {
    fn default() -> Self {
        Self { page_size: 25, page_number: 1 }
    }
}

/// `POST details/query`: conversations that were active in an interval, by start.
pub async fn details(State(shared): App, body: Body) -> Answer {
    let query: DetailsQuery = read(body)?;
    let (from, to) = interval(&query.interval)?;
    let Paging { page_size, page_number } = query.paging;
    if !(1..=PAGE_MAX).contains(&page_size) || page_number == 0 {
        return Err(ApiError::bad_request(format!(
            "pageSize must be from 1 to {PAGE_MAX}, pageNumber from 1."
        )));
    }
    let world = shared.world();
    let setting = world.setting();
    let touched = |started: Millis, ended: Option<Millis>| started < to && ended.is_none_or(|at| at >= from);
    let all = world.centre.conversations();
    let mut found: Vec<_> = all.filter(|one| touched(one.started_at, one.ended_at)).collect();
    found.sort_by_key(|one| (one.started_at, one.id));
    if query.order.as_deref() == Some("desc") {
        found.reverse();
    }
    let page = found.iter().skip((page_number - 1).saturating_mul(page_size)).take(page_size);
    let conversations: Vec<Value> = page.map(|one| analytics::details(setting, one)).collect();
    if conversations.is_empty() {
        return Ok(Json(json!({ "totalHits": found.len() })));
    }
    Ok(Json(json!({ "conversations": conversations, "totalHits": found.len() })))
}

fn interval(text: &str) -> Result<(Millis, Millis), ApiError> {
    let instant = |text: &str| text.parse::<Timestamp>().ok().map(|at| at.as_millisecond());
    let bounds = text.split_once('/').and_then(|(from, to)| Some((instant(from)?, instant(to)?)));
    match bounds {
        Some((from, to)) if from <= to && to - from <= INTERVAL_MS_MAX => Ok((from, to)),
        _ => Err(ApiError::bad_request("interval must be two ISO-8601 instants, at most 31 days apart.")),
    }
}
