//! `/api/v1/state`: the tutorial's shape, to the letter.

use crate::world::World;
use serde_json::{Value, json};
use std::sync::Arc;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn the_tutorials_shape_and_a_few_fields_more() {
    let mut world = World::of(3);
    world.summary.activity.counts[1_439] = 5;
    world.summary.activity.counts[0] = 7;
    world.summary.suspects = 2;
    let state = world.board().json("/api/v1/state").await;
    let fields = [
        "activeInteractions",
        "completeness",
        "completenessFrom",
        "heatmap",
        "lastUpdated",
        "position",
        "suspects",
        "zone",
        "zoneRules",
        "zoneRulesFrom",
    ];
    assert_eq!(keys(&state), fields);
    assert_eq!(
        (&state["completenessFrom"], &state["suspects"]),
        (&json!("2026-01-01T11:00:00.000Z"), &json!(2))
    );
    assert_eq!(keys(&state["heatmap"]), ["data"]);
    assert_eq!(state["activeInteractions"], 3);
    assert_eq!(state["lastUpdated"], "2026-01-01T12:00:00.000Z");
    assert_eq!(
        (state["completeness"].as_str(), state["position"].as_str()),
        (Some("complete"), Some("1.42"))
    );
    let data = state["heatmap"]["data"].as_array().unwrap();
    assert_eq!(data.len(), 24);
    assert!(data.iter().all(|row| row.as_array().unwrap().len() == 60));
    assert_eq!((&data[12][0], &data[12][1], &data[0][0]), (&json!(5), &json!(7), &json!(0)));
}

#[tokio::test]
async fn why_it_stands_still_is_said_only_then() {
    let mut world = World::of(0);
    world.summary.store_trouble = Some("nothing new can be stored: no space is left".to_owned());
    let state = world.board().json("/api/v1/state").await;
    assert_eq!(state["storeTrouble"], "nothing new can be stored: no space is left");
}

#[tokio::test]
async fn nothing_was_ever_updated_before_the_first_change() {
    let mut world = World::of(0);
    world.summary.last_updated = None;
    world.summary.activity.newest_minute = None;
    let state = world.board().json("/api/v1/state").await;
    assert_eq!((&state["lastUpdated"], &state["activeInteractions"]), (&Value::Null, &json!(0)));
}

#[tokio::test]
async fn cells_stand_in_the_configured_zone() {
    let mut world = World::of(0);
    world.summary.activity.counts[1_439] = 5;
    let state = world.board_in("Asia/Kathmandu").json("/api/v1/state").await;
    assert_eq!(state["heatmap"]["data"][17][45], 5);
    assert_eq!((&state["zone"], &state["zoneRulesFrom"]), (&json!("Asia/Kathmandu"), &json!("bundled")));
    assert!(state["zoneRules"].as_str().unwrap() >= "2026f");
}

#[tokio::test]
async fn a_new_summary_is_a_new_answer() {
    let board = World::of(1).board();
    assert_eq!(board.json("/api/v1/state").await["activeInteractions"], 1);
    let next = pipeline::Summary { active: 2, ..pipeline::Summary::clone(&board.summary.load()) };
    board.summary.store(Arc::new(next));
    assert_eq!(board.json("/api/v1/state").await["activeInteractions"], 2);
}

#[tokio::test]
async fn minutes_are_instants_and_offsets_say_how_to_write_them() {
    let mut world = World::of(0);
    world.summary.activity.counts[1_439] = 5;
    let minutes = world.board_in("Europe/Berlin").json("/api/v1/minutes").await;
    assert_eq!(minutes["from"], "2025-12-31T12:02:00.000Z");
    let events = minutes["events"].as_array().unwrap();
    // It is a minute and a half past the minute of the newest event.
    assert_eq!((events.len(), &events[1_438], &events[1_439]), (1_440, &json!(5), &json!(0)));
    assert_eq!(
        (&minutes["zone"], &minutes["position"], &minutes["completeness"]),
        (&json!("Europe/Berlin"), &json!("1.42"), &json!("complete"))
    );
    let offsets: Vec<_> = minutes["offsets"].as_array().unwrap().iter().map(|o| &o["offset"]).collect();
    assert_eq!(offsets, ["+01:00", "+02:00", "+01:00"]);
    assert_eq!(minutes["offsets"][2]["from"], "2025-10-26T01:00:00.000Z");
}
