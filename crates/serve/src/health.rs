//! How the program and its feeds are: for load balancers, for Prometheus, and for the page.

use crate::Shared;
use crate::error::{Code, Problem};
use crate::show::{Feed, Feeds};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use pipeline::{FeedName, FollowerStatus};
use serde_json::{Value, json};
use std::sync::Arc;

/// The text format that [`prometheus_client::encoding::text::encode`] writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /healthz`: the process lives.
pub(crate) async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// `GET /readyz`: it serves current data; else 503, and why. A follower that lags or missed something is named, and does not
/// make the program unready: what it serves is right.
pub(crate) async fn readyz(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, Problem> {
    let followers: Vec<Value> = shared.reader.followers().status().iter().map(follower).collect();
    let mut reasons = shared.telemetry.faults.reasons();
    reasons.extend_from_slice(&shared.reader.summary().not_ready);
    match reasons.as_slice() {
        [] if followers.is_empty() => Ok(Json(json!({"status": "ready"}))),
        [] => Ok(Json(json!({"status": "ready", "followers": followers}))),
        reasons => Err(Problem::not_ready(reasons)),
    }
}

fn follower(status: &FollowerStatus) -> Value {
    json!({
        "name": status.name, "lagChanges": status.lag_changes, "trouble": status.trouble,
        "missedChanges": status.missed_changes, "gap": status.gap,
    })
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let summary = shared.reader.summary();
    let feeds: Vec<String> = summary.feeds.iter().map(|feed| feed.name.clone()).collect();
    shared.telemetry.refresh(&feeds, shared.clock.now());
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &shared.registry)
        .map_err(|_| Problem::new(Code::Internal, "the metrics could not be written"))?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

/// `GET /api/v1/feeds`: how each feed stands, and what `/readyz` says, for a page that must not take a refusal for an answer.
pub(crate) async fn feeds(State(shared): State<Arc<Shared>>) -> Response {
    let summary = shared.reader.summary();
    let now = shared.clock.now();
    let items: Vec<Feed<'_>> = summary
        .feeds
        .iter()
        .map(|feed| Feed::of(feed, last_heard_seconds(&shared, &feed.name, now)))
        .collect();
    let body = Feeds {
        items,
        not_ready: &summary.not_ready,
        position: summary.position.to_string(),
        completeness: summary.completeness.as_str(),
    };
    Json(body).into_response()
}

/// Seconds since the feed's last frame; none before the first.
fn last_heard_seconds(shared: &Shared, feed: &str, now: i64) -> Option<i64> {
    let at = shared.telemetry.feed_last_heard_at.get(&FeedName { feed: feed.to_owned() })?.get();
    (at > 0).then(|| (now / engine::SECOND - at).max(0))
}
