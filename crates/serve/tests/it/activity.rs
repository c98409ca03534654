//! Cells by role, queue, user and medium, over a real pipeline and its disk.

use crate::world::{Board, NOON, World, id, routes_over_at};
use axum::http::StatusCode;
use engine::*;
use pipeline::{Clock, Pipeline, Settings, Telemetry};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use store::{CellInterval, Commit, Store};

const DAY: i64 = 86_400 * SECOND;

fn fact(n: u64, what: What, at: i64, queue: &str) -> Fact {
    let mut fact = Fact::new(what);
    fact.id = FactId::of_event(&format!("{queue}-{n}"));
    fact.participant = Some(id(&format!("p-{queue}")));
    fact.state = Word::new(if what == What::Left { "disconnected" } else { "connected" });
    fact.role = Word::new("agent");
    fact.queue = Some(id(queue));
    fact.medium = Word::new("voice");
    fact.at = Some(Time::from_nanos(at).to_millis());
    fact.authority = Authority::Recorded;
    fact
}

fn delivery(conversation: &str, facts: Vec<Fact>) -> Delivery {
    Delivery {
        conversation: id(conversation),
        feed: 0,
        source: Source::Events,
        topic: 0,
        received: NOON,
        facts: facts.into(),
        toggles: Vec::new(),
    }
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !done().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect(what);
}

/// A service whose only feed has listened for ten days.
async fn service(folder: &Path) -> (Board, Pipeline, Clock) {
    let (clock, telemetry) = (Clock::manual(NOON), Telemetry::new(&mut Registry::default()));
    let pipeline = Pipeline::start(folder, Settings::default(), telemetry, clock.clone(), 7).unwrap();
    for event in [FeedEvent::Named { name: "events".to_owned(), resends: false }, FeedEvent::Listening] {
        pipeline.intake().note(FeedNote { feed: 0, at: NOON - 10 * DAY, event });
    }
    let reader = pipeline.reader();
    let listens = reader.clone();
    until("the feed listens", async || listens.summary().feeds.iter().any(|feed| feed.connected)).await;
    (routes_over_at(reader, clock.clone()), pipeline, clock)
}

async fn asked(board: &Board, question: &str) -> Value {
    let answer = board.get(&format!("/api/v1/activity?{question}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn events_are_counted_by_what_they_are_about_in_memory_and_out_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (board, pipeline, clock) = service(folder.path()).await;
    let ends = vec![
        fact(1, What::Joined, NOON - 120 * SECOND, "sales"),
        fact(2, What::Left, NOON - 60 * SECOND, "sales"),
    ];
    pipeline.intake().submit(vec![delivery("ended", ends)], Vec::new()).await;
    let lasts = fact(1, What::Joined, NOON - 60 * SECOND, "help");
    pipeline.intake().submit(vec![delivery("lasts", vec![lasts])], Vec::new()).await;
    let reader = pipeline.reader();
    until("all is committed", async || reader.summary().activity.counts.iter().sum::<u64>() == 3).await;
    let minutes = "interval=minute&from=2026-01-01T11:50:00Z&to=2026-01-01T12:00:00Z";
    for out_of_memory in [false, true] {
        if out_of_memory {
            clock.set(NOON + 300 * SECOND);
            until("it has left memory", async || {
                let store = Store::snapshot(folder.path()).unwrap().opened.store;
                store.load(&id("ended")).unwrap().is_some_and(|stored| !stored.resident)
            })
            .await;
        }
        let all = asked(&board, minutes).await;
        let cell = |at: &str, events: u64| json!({"from": at, "events": events});
        let should = [cell("2026-01-01T11:58:00.000Z", 1), cell("2026-01-01T11:59:00.000Z", 2)];
        assert_eq!((&all["cells"], &all["total"]), (&json!(should), &json!(3)), "{all:#}");
        assert_eq!(all["completeness"], "complete", "{all:#}");
        assert_eq!((&all["interval"], &all["to"]), (&json!("minute"), &json!("2026-01-01T12:00:00.000Z")));
        let total = async |filter: &str| asked(&board, &format!("{minutes}&{filter}")).await["total"].clone();
        assert_eq!(total("queueId=sales").await, 2);
        assert_eq!(total("queueId=help&role=AGENT&medium=voice").await, 1);
        assert_eq!(total("queueId=help&medium=chat").await, 0);
        assert_eq!(total("userId=nobody").await, 0);
        assert_eq!(asked(&board, "interval=hour&queueId=sales").await["total"], 2);
        assert_eq!(asked(&board, "interval=day").await["total"], 3);
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_said() {
    let board = World::of(1).board();
    let refused = [
        ("interval=week", "minute, hour or day"),
        ("from=2026-01-01T10:30:00Z", "the hour before begins at 2026-01-01T10:00:00.000Z"),
        ("interval=day&to=2025-12-31T23:00:00Z", "the day before begins at 2025-12-31T00:00:00.000Z"),
        ("from=2026-01-02T00:00:00Z", "in the past"),
        ("from=2026-01-01T10:00:00Z&to=2026-01-01T10:00:00Z", "before"),
        ("interval=minute&from=2025-12-01T00:00:00Z", "more than 10080 minutes"),
        ("queue=x", "\"queue\" is not a parameter"),
    ];
    for (question, why) in refused {
        let answer = board.get(&format!("/api/v1/activity?{question}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{question}: {}", answer.text());
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(why), "{question}: {detail}");
    }
    let running = asked(&board, "interval=day&to=2030-01-01T00:00:00Z").await;
    assert_eq!(running["to"], "2026-01-02T00:00:00.000Z", "no cell of the future");
    assert_eq!(running["completeness"], "partial", "what is known of the range is told");
}

/// A folder with a conversation of ten days ago, whose minutes have gone.
fn without_minutes(folder: &Path) {
    let mut before = Engine::new(Limits::default(), 1, 0);
    before.handle(delivery("old", vec![fact(1, What::Joined, NOON - 9 * DAY, "sales")]), NOON);
    let old = StoredConversation { resident: false, ..before.lay_down(&id("old")).unwrap() };
    let mut store = Store::open(folder, 7).unwrap().store;
    let laid_down = [old];
    let commit = Commit {
        committed_at: NOON - DAY,
        incarnation: 1,
        seq: 1,
        laid_down: &laid_down,
        ..Commit::default()
    };
    store.commit(&commit).unwrap();
    while store.cell_parts().unwrap().0 > 0 {
        store.merge_cells(0).unwrap();
    }
    let five_days_ago = (NOON - 5 * DAY) / MINUTE;
    assert_eq!(store.forget_cells(CellInterval::Minute, five_days_ago).unwrap().pages, 1);
    store.remove(&[store::Removal { conversation: id("old"), clock: 1 }], NOON - DAY).unwrap();
    store.close().unwrap();
}

#[tokio::test]
async fn minutes_that_are_gone_are_not_shown_as_zero_and_hours_outlive_facts() {
    let folder = tempfile::tempdir().unwrap();
    without_minutes(folder.path());
    let (board, _pipeline, _) = service(folder.path()).await;
    let answer =
        board.get("/api/v1/activity?interval=minute&from=2025-12-25T00:00:00Z&to=2025-12-26T00:00:00Z").await;
    assert_eq!((answer.status, &answer.json()["code"]), (StatusCode::GONE, &json!("not_kept")));
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    for part in ["minutes are kept from 2025-12-27T12:00:00.000Z", "interval=hour", "keep_minutes"] {
        assert!(detail.contains(part), "{detail}");
    }
    let hours = asked(&board, "from=2025-12-23T00:00:00Z&to=2025-12-24T00:00:00Z&queueId=sales").await;
    assert_eq!(hours["cells"], json!([{"from": "2025-12-23T12:00:00.000Z", "events": 1}]));
    assert_eq!(
        hours["completeness"], "complete",
        "that conversations were removed takes nothing away: {hours:#}"
    );
    let recent = "interval=minute&from=2025-12-31T00:00:00Z&to=2026-01-01T00:00:00Z";
    assert_eq!(asked(&board, recent).await["total"], 0);
}

#[tokio::test]
async fn a_damaged_page_makes_its_time_partial_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    without_minutes(folder.path());
    let file = rusqlite::Connection::open(folder.path().join("headcount.db")).unwrap();
    file.execute_batch("UPDATE cell_hours SET short = zeroblob(9)").unwrap();
    drop(file);
    let (board, _pipeline, _) = service(folder.path()).await;
    let hours = asked(&board, "from=2025-12-23T00:00:00Z&to=2025-12-24T00:00:00Z").await;
    assert_eq!((&hours["completeness"], &hours["total"]), (&json!("partial"), &json!(0)));
    assert!(hours["damaged"][0].as_str().unwrap().contains("cell_hours"), "{hours:#}");
    assert_eq!(asked(&board, "from=2025-12-28T00:00:00Z").await["completeness"], "complete");
}
