//! `/api/v1/completeness`: its shape, its defaults, and what it refuses.

use crate::world::{FIRST, World};
use serde_json::json;

#[tokio::test]
async fn a_range_of_every_feed() {
    let board = World::of(1).board();
    let got = board.json("/api/v1/completeness?from=2026-01-01T11:00:00Z&to=2026-01-01T12:00:00.5Z").await;
    let (from, to) = ("2026-01-01T11:00:00.000Z", "2026-01-01T12:00:00.500Z");
    let expected = json!({
        "from": from, "to": to, "completeness": "partial", "position": "1.42",
        "feeds": [{"name": "events", "connected": true, "completeness": "partial", "truncated": false,
            "intervals": [{"from": from, "to": to, "completeness": "partial", "reason": "why"}]}],
        "lacking": {"count": 7, "conversations": [{"id": FIRST, "missing": [{"region": "use1", "from": 3, "to": 5}],
            "missingCount": 9, "droppedFacts": 2}]},
    });
    assert_eq!(got, expected);
}

#[tokio::test]
async fn who_does_not_say_gets_the_last_day() {
    let board = World::of(0).board();
    for (query, from, to) in [
        ("", "2025-12-31T12:01:30.000Z", "2026-01-01T12:01:30.000Z"),
        ("?from=&to=", "2025-12-31T12:01:30.000Z", "2026-01-01T12:01:30.000Z"),
        ("?from=2026-01-01T12:00:00Z", "2026-01-01T12:00:00.000Z", "2026-01-01T12:01:30.000Z"),
        ("?to=2025-06-02T00:00:00Z", "2025-06-01T00:00:00.000Z", "2025-06-02T00:00:00.000Z"),
    ] {
        let got = board.json(&format!("/api/v1/completeness{query}")).await;
        assert_eq!((&got["from"], &got["to"]), (&json!(from), &json!(to)), "{query}");
    }
}

#[tokio::test]
async fn what_is_no_range_is_refused() {
    let board = World::of(0).board();
    for (query, says) in [
        ("from=yesterday", "\"from\" must be a time with its zone"),
        ("to=2026-01-01T12:00:00", "\"to\" must be a time with its zone"),
        ("from=2026-01-01T12:00:00Z&to=2026-01-01T12:00:00Z", "\"from\" must be before \"to\""),
        ("from=2026-01-01T12:00:00Z&to=2026-01-01T11:00:00Z", "\"from\" must be before \"to\""),
        ("from=2026-01-01T12:01:30Z", "nothing is claimed of the future"),
        ("from=2026-01-01T12:00:00Z&from=2026-01-01T12:00:00Z", "\"from\" is given more than once"),
        ("since=2026-01-01T12:00:00Z", "\"since\""),
    ] {
        let response = board.get(&format!("/api/v1/completeness?{query}")).await;
        let problem = response.json();
        assert_eq!((response.status.as_u16(), &problem["code"]), (400, &json!("bad_parameter")), "{query}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{query}: {problem}");
    }
}
