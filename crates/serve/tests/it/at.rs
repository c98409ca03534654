//! What was true at an instant, over a real pipeline and its disk, against the truth by construction.

use crate::export::{service, settled};
use crate::history::{self, START};
use crate::world::Board;
use axum::http::StatusCode;
use serde_json::Value;
use std::collections::BTreeSet;

const CONVERSATIONS: u64 = 2_000;

fn written(after_ms: i64) -> String {
    let instant = jiff::Timestamp::from_millisecond(START / 1_000_000 + after_ms).unwrap();
    format!("{instant:.3}")
}

/// All pages of a list.
async fn pages(board: &Board, query: &str) -> (Vec<Value>, String) {
    let (mut items, mut cursor, mut completeness) = (Vec::new(), String::new(), String::new());
    loop {
        let page = board.json(&format!("/api/v1/conversations?limit=700&cursor={cursor}&{query}")).await;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        completeness = page["completeness"].as_str().unwrap().to_owned().max(completeness);
        match page["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return (items, completeness),
        }
    }
}

#[tokio::test]
async fn a_conversation_is_shown_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    history::make(folder.path(), CONVERSATIONS);
    let (_pipeline, board) = service(folder.path());
    settled(&board, CONVERSATIONS).await;
    // One that is in the store alone, and one that is in memory.
    for number in [3, CONVERSATIONS - 1] {
        let parts = history::parts(number);
        let path = format!("/api/v1/conversations/{}", history::conversation(number));
        let begin = START / 1_000_000;
        for part in &parts {
            for at in [part.from_ms, part.from_ms + part.taken_ms as i64 - 1] {
                let view = board.json(&format!("{path}?at={}", written(at - begin))).await;
                let participant = view["participants"].as_array().unwrap().iter();
                let participant = participant.clone().find(|p| p["role"] == part.role).unwrap();
                assert_eq!(participant["state"], part.state, "{view}");
                assert_eq!((&participant["active"], &view["active"]), (&true.into(), &true.into()));
                assert_eq!(view["at"], written(at - begin));
                assert!(view["endedAt"].is_null());
            }
        }
        let before = board.get(&format!("{path}?at={}", written(parts[0].from_ms - begin - 1))).await;
        assert_eq!(
            (before.status, before.json()["code"].as_str()),
            (StatusCode::NOT_FOUND, Some("unknown_conversation"))
        );
        let today = board.json(&path).await;
        let mut after = board.json(&format!("{path}?at={}", written(3_599_000))).await;
        after.as_object_mut().unwrap().remove("at");
        assert_eq!(after, today);
    }
    let shown_later = format!(
        "/api/v1/conversations/{}?at={}&known_at={}",
        history::conversation(3),
        written(2_000),
        written(1_000)
    );
    assert_eq!(board.get(&shown_later).await.status, StatusCode::NOT_FOUND, "nothing was known of it then");
}

#[tokio::test]
async fn the_list_is_of_that_instant() {
    let folder = tempfile::tempdir().unwrap();
    history::make(folder.path(), CONVERSATIONS);
    let (_pipeline, board) = service(folder.path());
    settled(&board, CONVERSATIONS).await;
    for at in [20_000, 61_000] {
        let instant = START / 1_000_000 + at;
        let lives = |number: &u64| {
            let parts = history::parts(*number);
            parts.iter().any(|p| p.from_ms <= instant && instant < p.from_ms + p.taken_ms as i64)
        };
        let begun = |number: &u64| history::parts(*number)[0].from_ms <= instant;
        let ids = |items: &[Value]| -> BTreeSet<String> {
            items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
        };
        let of = |wanted: &dyn Fn(&u64) -> bool| -> BTreeSet<String> {
            (0..CONVERSATIONS).filter(wanted).map(|n| history::conversation(n).to_string()).collect()
        };
        let (active, completeness) = pages(&board, &format!("at={}&active=true", written(at))).await;
        assert_eq!((ids(&active).len(), ids(&active)), (active.len(), of(&lives)));
        assert_eq!(completeness, "unknown", "nobody listened the day before");
        assert_eq!(ids(&pages(&board, &format!("at={}", written(at))).await.0), of(&begun));
        let talks = |number: &u64| {
            let agent = |p: &&history::Part| p.role == "agent" && p.state == "connected";
            let parts = history::parts(*number);
            let part = parts.iter().find(agent).unwrap();
            part.from_ms <= instant && instant < part.from_ms + part.taken_ms as i64
        };
        // All of it came long after.
        let none = pages(&board, &format!("known_at={}&active=true", written(at))).await.0;
        assert_eq!(none, Vec::<Value>::new());
        let (talking, _) = pages(&board, &format!("at={}&role=agent&state=connected", written(at))).await;
        assert_eq!(ids(&talking), of(&talks));
    }
}

#[tokio::test]
async fn an_instant_that_makes_no_sense_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    history::make(folder.path(), 1);
    let (_pipeline, board) = service(folder.path());
    let one = format!("/api/v1/conversations/{}", history::conversation(0));
    for (path, named) in [
        ("/api/v1/conversations?at=2999-01-01T00:00:00Z".to_owned(), "at"),
        ("/api/v1/conversations?at=noon".to_owned(), "at"),
        ("/api/v1/conversations?at=2026-01-01T00:00:01Z&suspect=true".to_owned(), "suspect"),
        ("/api/v1/conversations?known_at=2026-01-01T00:00:01Z&suspect=true".to_owned(), "suspect"),
        ("/api/v1/conversations?known_at=2999-01-01T00:00:00Z".to_owned(), "known_at"),
        (format!("{one}?at=2999-01-01T00:00:00Z"), "at"),
        (format!("{one}?at=2026-01-01T00:00:01Z&at=2026-01-01T00:00:01Z"), "at"),
        (format!("{one}/spells?at=2026-01-01T00:00:01Z"), "at"),
    ] {
        let answer = board.get(&path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(
            answer.json()["detail"].as_str().unwrap().contains(&format!("\"{named}\"")),
            "{}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn the_state_is_of_that_instant() {
    let folder = tempfile::tempdir().unwrap();
    history::make(folder.path(), CONVERSATIONS);
    let (_pipeline, board) = service(folder.path());
    settled(&board, CONVERSATIONS).await;
    let today = board.json("/api/v1/state").await;
    let events = |state: &Value| -> u64 {
        let rows = state["heatmap"]["data"].as_array().unwrap();
        rows.iter().flat_map(|row| row.as_array().unwrap()).map(|n| n.as_u64().unwrap()).sum()
    };
    let mut before = 0;
    for at in [0, 20_000, 61_000, 90_000] {
        let instant = START / 1_000_000 + at;
        let lives = |number: &u64| {
            let parts = history::parts(*number);
            parts.iter().any(|p| p.from_ms <= instant && instant < p.from_ms + p.taken_ms as i64)
        };
        let state = board.json(&format!("/api/v1/state?at={}", written(at))).await;
        let active = (0..CONVERSATIONS).filter(lives).count();
        assert_eq!((&state["activeInteractions"], &state["at"]), (&active.into(), &written(at).into()));
        assert_eq!(state["completeness"], "unknown", "nobody listened the day before");
        assert!(events(&state) > before && events(&state) < events(&today), "{at}");
        before = events(&state);
    }
    for name in ["at", "known_at"] {
        let last = board.json(&format!("/api/v1/state?{name}={}", written(3_599_000))).await;
        assert_eq!(last["activeInteractions"], today["activeInteractions"]);
        assert_eq!(last["heatmap"], today["heatmap"]);
        let first = board.json(&format!("/api/v1/state?{name}={}", written(-3_600_000))).await;
        assert_eq!((first["activeInteractions"].as_u64(), events(&first)), (Some(0), 0));
        let future = board.get(&format!("/api/v1/state?{name}=2999-01-01T00:00:00Z")).await;
        assert_eq!(future.status, StatusCode::BAD_REQUEST);
    }
}
