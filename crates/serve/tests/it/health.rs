//! Health, metrics, feeds and the page's files.

use crate::world::{NOON, World, ask, routes_over};
use axum::http::{Method, StatusCode};
use engine::Completeness;
use pipeline::{Clock, Follower, Pipeline, Settings, Telemetry, reader_pair};
use prometheus_client::registry::Registry;
use serde_json::json;
use std::time::Duration;
use store::OutboxBounds;

#[tokio::test]
async fn alive_and_ready() {
    let board = World::of(0).board();
    assert_eq!(board.json("/healthz").await, json!({"status": "ok"}));
    assert_eq!(board.json("/readyz").await, json!({"status": "ready"}));
}

#[tokio::test]
async fn not_ready_says_why() {
    let mut world = World::of(0);
    world.summary.not_ready = vec!["the disk is full".to_owned(), "no feed has connected yet".to_owned()];
    let board = world.board();
    let response = board.get("/readyz").await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers["content-type"], "application/problem+json");
    let problem = response.json();
    assert_eq!(problem["code"], "not_ready");
    assert_eq!(problem["reasons"], json!(["the disk is full", "no feed has connected yet"]));
    assert_eq!(board.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_follower_in_trouble_is_named_and_stands_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let telemetry = || Telemetry::new(&mut Registry::default());
    let settings = Settings { outbox: Some(OutboxBounds::default()), ..Settings::default() };
    let made = Pipeline::start(folder.path(), settings, telemetry(), Clock::manual(NOON), 7).unwrap();
    made.drain(Duration::from_secs(5)).await.unwrap();
    let (reader, _backend) = reader_pair(World::of(0).summary);
    let follower = Follower::open(folder.path(), "test", &reader, telemetry()).unwrap();
    follower.trouble("the sink is away");
    let response = ask(&routes_over(reader), Method::GET, "/readyz").await;
    assert_eq!(response.status, StatusCode::OK);
    let named = json!({"name": "test", "lagChanges": 0, "trouble": "the sink is away", "missedChanges": 0, "gap": null});
    assert_eq!(response.json(), json!({"status": "ready", "followers": [named]}));
}

#[tokio::test]
async fn metrics_are_text_with_ages() {
    let board = World::of(0).board();
    board.telemetry.facts.inc();
    board.telemetry.heard("events", NOON);
    let response = board.get("/metrics").await;
    assert_eq!(
        response.headers["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let text = response.text();
    assert!(text.contains("\nheadcount_facts_total 1\n"), "{text}");
    assert!(text.contains("headcount_feed_last_heard_seconds{feed=\"events\"} 90\n"), "{text}");
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn each_feed_as_it_stands() {
    let mut world = World::of(0);
    let mut second = world.summary.feeds[0].clone();
    second.name = "notifications".to_owned();
    second.connected = false;
    second.completeness = Completeness::Unknown;
    second.reason = Some("the token was refused".to_owned());
    world.summary.feeds.push(second);
    world.summary.not_ready = vec!["a list of queues cannot be read".to_owned()];
    let board = world.board();
    board.telemetry.heard("events", NOON);
    let expected = json!({
        "position": "1.42", "completeness": "complete", "notReady": ["a list of queues cannot be read"],
        "items": [
            {"name": "events", "connected": true, "completeness": "complete", "reason": null,
             "since": "2026-01-01T12:00:00.000Z", "lastHeardSeconds": 90},
            {"name": "notifications", "connected": false, "completeness": "unknown",
             "reason": "the token was refused", "since": "2026-01-01T12:00:00.000Z", "lastHeardSeconds": null},
        ],
    });
    assert_eq!(board.json("/api/v1/feeds").await, expected);
}

#[tokio::test]
async fn the_page_and_its_files() {
    let board = World::of(0).board();
    let page = board.get("/").await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let page = page.text();
    for id in ["active-count", "completeness", "conversations-table", "heatmap", "feeds", "last-updated"] {
        assert!(page.contains(&format!("data-testid=\"{id}\"")), "{id}");
    }
    assert!(page.contains("demo") && page.contains("made-up data") && page.contains("data-zone=\"UTC\""));
    for (file, kind) in [
        ("app.js", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("favicon.svg", "image/svg+xml"),
    ] {
        let response = board.get(&format!("/assets/{file}")).await;
        assert_eq!(
            (response.status, response.headers["content-type"].to_str().unwrap()),
            (StatusCode::OK, kind)
        );
        assert!(!response.body.is_empty());
    }
}
