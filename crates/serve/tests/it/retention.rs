//! What retention removed is named where somebody asks for it, over a real pipeline and its disk.

use crate::world::{Board, NOON, id, routes_over_at};
use axum::http::StatusCode;
use engine::{FeedEvent, FeedNote, REMOVED, SECOND};
use pipeline::{Clock, Pipeline, Settings, Telemetry};
use prometheus_client::registry::Registry;
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use store::{Removal, Store};

const HORIZON: i64 = NOON - 3_600 * SECOND;

/// A service whose only feed listened since before the horizon, on a folder from which `gone` was removed.
async fn service(folder: &Path) -> (Board, Pipeline) {
    let mut store = Store::open(folder, 7).unwrap().store;
    store.remove(&[Removal { conversation: id("gone"), clock: 4 }], HORIZON).unwrap();
    store.close().unwrap();
    let (clock, telemetry) = (Clock::manual(NOON), Telemetry::new(&mut Registry::default()));
    let pipeline = Pipeline::start(folder, Settings::default(), telemetry, clock.clone(), 7).unwrap();
    let note = |event| FeedNote { feed: 0, at: HORIZON - 3_600 * SECOND, event };
    let named = FeedEvent::Named { name: "events".to_owned(), resends: false };
    for event in [named, FeedEvent::Listening] {
        pipeline.intake().note(note(event));
    }
    let reader = pipeline.reader();
    let listens = async {
        while !reader.summary().feeds.iter().any(|feed| feed.connected) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), listens).await.expect("the feed listens");
    (routes_over_at(reader, clock), pipeline)
}

#[tokio::test]
async fn a_removed_conversation_is_said_to_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (board, _pipeline) = service(folder.path()).await;
    let then = "known_at=2026-01-01T11:59:00Z";
    for below in
        ["".to_owned(), "/timeline".to_owned(), "/spells".to_owned(), "/why".to_owned(), format!("?{then}")]
    {
        let answer = board.get(&format!("/api/v1/conversations/gone{below}")).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (StatusCode::NOT_FOUND, &json!("unknown_conversation"))
        );
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        for part in ["removed by retention", "2026-01-01T11:00:00", "keep_facts"] {
            assert!(detail.contains(part), "{below}: {part} is not in {detail}");
        }
        let other = board.get(&format!("/api/v1/conversations/never{below}")).await.json();
        assert!(!other["detail"].as_str().unwrap().contains("retention"), "{other}");
    }
}

#[tokio::test]
async fn the_time_before_the_horizon_is_unknown_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (board, _pipeline) = service(folder.path()).await;
    let range = board.json("/api/v1/completeness?from=2026-01-01T10:30:00Z&to=2026-01-01T11:30:00Z").await;
    assert_eq!(range["completeness"], "unknown");
    let intervals = range["feeds"][0]["intervals"].as_array().unwrap();
    let told: Vec<_> = intervals.iter().map(|i| (&i["completeness"], &i["reason"])).collect();
    assert_eq!(told, [(&json!("unknown"), &json!(REMOVED)), (&json!("complete"), &json!(null))]);
    let list = board.json("/api/v1/conversations?at=2026-01-01T10:30:00Z").await;
    assert_eq!(list["completeness"], "unknown");
}
