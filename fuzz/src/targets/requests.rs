//! Requests to the API: any target, and a `Last-Event-ID`.
//!
//! The first line is the target of the request as it stands in a request line, the second the header. The routes are the
//! program's own, over an engine that knows two conversations and answers as the shard does, and exports of its store. No answer is a defect of ours
//! (500), every refusal is a problem of the closed list, and what is answered as JSON is JSON. A page that is asked for by
//! the cursor of the one before goes on behind it.

mod backend;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use serde_json::Value;
use std::cell::RefCell;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// The codes of problems that a request of a stranger may meet.
const CODES: [&str; 9] = [
    "not_found",
    "unknown_conversation",
    "unknown_participant",
    "unknown_user",
    "method_not_allowed",
    "unknown_host",
    "bad_parameter",
    "bad_cursor",
    "not_ready",
];
/// The longest answer of so small a world.
const ANSWER_BYTES_MAX: usize = 1 << 20;

thread_local! {
    static ROUTES: RefCell<Option<(Runtime, Router)>> = const { RefCell::new(None) };
}

/// Takes a request's target and a header.
pub(crate) fn run(bytes: &[u8]) {
    let (target, told) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &b""[..]),
    };
    let Ok(uri) = Uri::try_from(target) else { return };
    let mut request = Request::builder().uri(uri.clone()).body(Body::empty()).expect("a request");
    if let (false, Ok(told)) = (told.is_empty(), HeaderValue::from_bytes(told)) {
        request.headers_mut().insert("last-event-id", told);
    }
    ROUTES.with_borrow_mut(|routes| {
        let (runtime, router) = routes.get_or_insert_with(|| {
            let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
            let router = runtime.block_on(async { backend::routes() });
            (runtime, router)
        });
        runtime.block_on(ask(router, request, &uri));
    });
}

async fn ask(router: &Router, request: Request<Body>, uri: &Uri) {
    let response = router.clone().oneshot(request).await.expect("a route never fails");
    let status = response.status();
    assert!(!status.is_server_error(), "{uri}: {status}");
    let is_stream = is(&response, "text/event-stream");
    if status.is_client_error() {
        return check_problem(status, response, uri).await;
    }
    if is_stream {
        return; // It does not end.
    }
    let (is_json, is_lines) = (is(&response, "application/json"), is(&response, "application/x-ndjson"));
    let body = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.expect("a small answer");
    if is_lines {
        let lines = body.split_inclusive(|byte| *byte == b'\n');
        lines.for_each(|line| drop(serde_json::from_slice::<Value>(line).expect("a line of JSON")));
    }
    if is_json {
        let answer: Value = serde_json::from_slice(&body).expect("JSON");
        if let Some(next) = answer["nextCursor"].as_str() {
            follow(router, &answer, next).await;
        }
    }
}

async fn check_problem(status: StatusCode, response: Response<Body>, uri: &Uri) {
    assert!(is(&response, "application/problem+json"), "{uri}: {status} is no problem");
    let body = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.expect("a small answer");
    let problem: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(problem["status"], status.as_u16());
    assert!(problem["code"].as_str().is_some_and(|code| CODES.contains(&code)), "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty() && detail.len() < 600));
}

/// The page behind one goes on behind it.
async fn follow(router: &Router, page: &Value, next: &str) {
    let uri = format!("/api/v1/conversations?cursor={next}");
    let request = Request::builder().uri(uri).body(Body::empty()).expect("a cursor is safe in a query");
    let response = router.clone().oneshot(request).await.expect("a route never fails");
    assert_eq!(response.status(), StatusCode::OK, "{next} is not taken back");
    let body = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.expect("a small answer");
    let behind: Value = serde_json::from_slice(&body).expect("JSON");
    let id = |item: &Value| item["id"].as_str().expect("an id").to_owned();
    let last = page["items"].as_array().and_then(|items| items.last()).map(id);
    for item in behind["items"].as_array().expect("items") {
        assert!(Some(id(item)) > last, "{} stands on two pages", item["id"]);
    }
}

fn is(response: &Response<Body>, kind: &str) -> bool {
    response.headers().get(header::CONTENT_TYPE).is_some_and(|is| is.as_bytes().starts_with(kind.as_bytes()))
}
