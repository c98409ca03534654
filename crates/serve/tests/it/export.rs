//! `/api/v1/export` over a real pipeline and its disk.

use crate::history::{self, START};
use crate::world::{Board, ask, routes_on};
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode};
use engine::SECOND;
use export::{Ask, Format, Only, What, to_stream};
use pipeline::{Clock, Past, Pipeline, Settings, Telemetry};
use prometheus_client::registry::Registry;
use std::path::Path;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub const LATER: i64 = START + 3_600 * SECOND;

pub fn service(folder: &Path) -> (Pipeline, Board) {
    let clock = Clock::manual(LATER);
    let settings = Settings::default();
    let telemetry = Telemetry::new(&mut Registry::default());
    let pipeline = Pipeline::start(folder, settings, telemetry, clock.clone(), 7).unwrap();
    let board = routes_on(pipeline.reader(), clock, folder);
    (pipeline, board)
}

pub async fn settled(board: &Board, conversations: u64) {
    // The start's own commit is the last: nothing changes behind it.
    let path = format!("/api/v1/conversations/{}", history::conversation(conversations - 1));
    board.json(&path).await;
}

async fn until(pass: impl Fn() -> bool) {
    let passed = async {
        while !pass() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), passed).await.expect("it never passed");
}

async fn response(board: &Board, path: &str) -> Response<Body> {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    board.router.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn it_streams_what_the_folder_holds() {
    let folder = tempfile::tempdir().unwrap();
    history::make(folder.path(), 300);
    let (_pipeline, board) = service(folder.path());
    settled(&board, 300).await;
    for what in What::ALL {
        for format in Format::ALL {
            let path = format!("/api/v1/export?what={}&format={}", what.as_str(), format.as_str());
            let answer = board.get(&path).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
            let past = Past::open(folder.path(), LATER).unwrap();
            assert!(past.is_running());
            let mut held = Vec::new();
            let ask = Ask { what, format, from: None, to: None, only: Only::default() };
            assert!(to_stream(&past, &ask, &mut held).unwrap() > 0);
            assert_eq!(answer.body, held, "{path}");
            assert_eq!(answer.headers["content-type"], format.media_type());
            let name = format!("attachment; filename=\"headcount-{}.{}\"", what.as_str(), format.as_str());
            assert_eq!(answer.headers["content-disposition"], name.as_str());
            assert_eq!(answer.headers["headcount-position"], past.position().to_string().as_str());
            assert_eq!(answer.headers["headcount-completeness"], "unknown", "nobody listened at first");
            assert!(!answer.headers.contains_key("content-encoding"));
            let head = ask_head(&board, &path).await;
            assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
        }
    }
}

async fn ask_head(board: &Board, path: &str) -> crate::world::Response {
    ask(&board.router, Method::HEAD, path).await
}

#[tokio::test]
async fn range_and_filters_are_applied_and_completeness_is_the_ranges() {
    let folder = tempfile::tempdir().unwrap();
    history::make(folder.path(), 300);
    let (_pipeline, board) = service(folder.path());
    settled(&board, 300).await;
    let first = history::conversation(0);
    let path = format!(
        "/api/v1/export?what=spells&from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:05%2B00:00&conversationId={first}&role=Agent"
    );
    let answer = board.get(&path).await;
    assert_eq!(answer.text().lines().count(), 3, "{}", answer.text());
    assert_eq!(answer.headers["headcount-completeness"], "complete");
    assert!(
        answer
            .text()
            .lines()
            .all(|line| line.contains("\"role\":\"agent\"") && line.contains(&first.to_string()))
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_a_problem_that_names_the_parameter() {
    let folder = tempfile::tempdir().unwrap();
    history::make(folder.path(), 10);
    let (_pipeline, board) = service(folder.path());
    for (query, named) in [
        ("", "what"),
        ("what=everything", "what"),
        ("what=spells&what=spells", "what"),
        ("what=spells&format=xlsx", "format"),
        ("what=spells&from=yesterday", "from"),
        ("what=spells&to=2026-05-04", "to"),
        ("what=spells&from=2026-01-02T00:00:00Z", "from"),
        ("what=spells&from=2026-01-01T00:00:00Z&to=2025-01-01T00:00:00Z", "from"),
        ("what=facts&queueId=q", "queueId"),
        ("what=cells&conversationId=q", "conversationId"),
        ("what=spells&role=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "role"),
        ("what=spells&queue=q", "queue"),
    ] {
        let answer = board.get(&format!("/api/v1/export?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.json()["code"], "bad_parameter");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(&format!("\"{named}\"")), "{query}: {detail}");
    }
}

#[tokio::test]
async fn few_are_served_at_once_and_none_holds_up_the_shard() {
    let folder = tempfile::tempdir().unwrap();
    history::make(folder.path(), 2_000);
    let (pipeline, board) = service(folder.path());
    settled(&board, 2_000).await;
    let path = "/api/v1/export?what=facts";
    // Nobody reads these: their threads wait for a reader.
    let (first, second) = (response(&board, path).await, response(&board, path).await);
    assert_eq!((first.status(), second.status()), (StatusCode::OK, StatusCode::OK));
    let third = board.get(path).await;
    assert_eq!(
        (third.status, third.json()["code"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("too_many_exports"))
    );

    // A turn is taken all the same, and what it commits is not in an export that had begun.
    let delivery = history::delivery(2_000, history::facts(2_000).remove(0));
    pipeline.intake().submit(vec![delivery], Vec::new()).await;
    until(|| pipeline.reader().summary().active == 1).await;
    settled(&board, 2_001).await;
    let rows = to_bytes(first.into_body(), usize::MAX).await.unwrap();
    assert_eq!(rows.split(|byte| *byte == b'\n').count() - 1, 2_000 * 7);
    drop(second);
    let freed = async {
        loop {
            let again = board.get(path).await;
            if again.status != StatusCode::SERVICE_UNAVAILABLE {
                return again;
            }
        }
    };
    let again = tokio::time::timeout(std::time::Duration::from_secs(20), freed).await.expect("a place");
    assert_eq!(again.text().lines().count(), 2_000 * 7 + 1);
}

#[tokio::test]
async fn one_that_is_cut_off_does_not_look_whole() {
    let folder = tempfile::tempdir().unwrap();
    history::make(folder.path(), 2_000);
    let (_pipeline, mut board) = service(folder.path());
    let stop = CancellationToken::new();
    board.router = board.router.layer(Extension(stop.clone()));
    settled(&board, 2_000).await;
    let begun = response(&board, "/api/v1/export?what=facts&format=csv").await;
    stop.cancel();
    let error = to_bytes(begun.into_body(), usize::MAX).await.unwrap_err();
    assert!(error.to_string().contains("broke off"), "{error}");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go_and_sees_that_it_is_not_all() {
    let folder = tempfile::tempdir().unwrap();
    history::make(folder.path(), 2_000);
    let (_pipeline, board) = service(folder.path());
    settled(&board, 2_000).await;
    let path = "/api/v1/export?what=facts&format=csv";
    let unread = [response(&board, path).await, response(&board, path).await];
    tokio::time::pause();
    let mut answer = board.get("/api/v1/export?what=cells").await;
    // The time that passes for the program is made up; its threads still need some of their own.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while answer.status != StatusCode::OK && std::time::Instant::now() < deadline {
        tokio::time::advance(std::time::Duration::from_secs(31)).await;
        std::thread::yield_now();
        answer = board.get("/api/v1/export?what=cells").await;
    }
    assert_eq!(answer.status, StatusCode::OK, "nobody was let go");
    // One was let go at least; the other may just have been about to wait.
    let mut cut = 0;
    for unread in unread {
        cut += u32::from(to_bytes(unread.into_body(), usize::MAX).await.is_err());
    }
    assert!(cut > 0);
}

#[tokio::test]
async fn what_cannot_be_read_is_said_before_the_answer_where_it_is_known_before() {
    let folder = tempfile::tempdir().unwrap();
    history::make(folder.path(), 2_500);
    let file = rusqlite::Connection::open(folder.path().join("headcount.db")).unwrap();
    file.execute("DELETE FROM log WHERE position < (SELECT max(position) FROM log)", []).unwrap();
    let (pipeline, board) = service(folder.path());
    let nowhere = routes_on(pipeline.reader(), Clock::manual(LATER), &folder.path().join("nowhere"));
    let answer = nowhere.get("/api/v1/export?what=cells").await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("history_unreadable"))
    );
    assert!(!answer.text().contains("nowhere"), "no path of the machine: {}", answer.text());

    // A conversation that left memory is read when its turn comes: the body breaks off there.
    let damaged = history::conversation(5).to_string();
    assert_eq!(
        file.execute("UPDATE conversation SET checksum = checksum + 1 WHERE id = unhex(?1, '-')", [damaged]),
        Ok(1)
    );
    let broken = response(&board, "/api/v1/export?what=spells").await;
    assert_eq!(broken.status(), StatusCode::OK);
    assert!(to_bytes(broken.into_body(), usize::MAX).await.is_err());
    // A damaged row of the log may be of anybody.
    assert!(file.execute("UPDATE log SET checksum = checksum + 1", []).unwrap() > 0);
    let answer = board.get("/api/v1/export?what=cells").await;
    assert_eq!(answer.json()["code"], "history_unreadable");
    assert!(answer.json()["detail"].as_str().unwrap().contains("headcount export"));
}
