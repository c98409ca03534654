//! What goes wrong is a problem of the closed list, wherever it goes wrong.

use crate::world::{AGENT, Board, FIRST, Response, World, ask};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

/// Every route, of something that is there, and the parameters that it knows.
fn routes() -> Vec<(String, &'static [&'static str])> {
    let of_something = |path: &str| {
        let id = if path.contains("/users/") { AGENT } else { FIRST };
        path.replace("{id}", id).replace("{name}", "app.js")
    };
    serve::routes().into_iter().map(|(path, known)| (of_something(path), known)).collect()
}

fn is_problem(response: &Response, status: StatusCode, code: &str) {
    assert_eq!(response.status, status, "{}", response.text());
    assert_eq!(response.headers["content-type"], "application/problem+json");
    let problem = response.json();
    assert_eq!(problem["code"], code);
    assert_eq!(problem["status"], status.as_u16());
    assert_eq!(problem["type"], format!("urn:headcount:problem:{code}"));
    assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
}

#[tokio::test]
async fn other_methods_are_told_which_are_allowed() {
    let board = World::of(1).board();
    for (route, _) in &routes() {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            let response = ask(&board.router, method, route).await;
            is_problem(&response, StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
            let allow: Vec<_> = response.headers.get_all("allow").iter().collect();
            assert_eq!(allow, ["GET, HEAD"], "{route}");
        }
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let board = World::of(1).board();
    // An export needs a history on a disk, and a stream never ends.
    let apart = ["/api/v1/stream", "/api/v1/export"];
    for (route, _) in routes().iter().filter(|(route, _)| !apart.contains(&route.as_str())) {
        let head = ask(&board.router, Method::HEAD, route).await;
        let get = board.get(route).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0), "{route}");
        assert_eq!(get.status, StatusCode::OK, "{route}");
        assert_eq!(head.headers["content-type"], get.headers["content-type"], "{route}");
    }
}

#[tokio::test]
async fn everything_else_is_not_found() {
    let board = World::of(1).board();
    for path in
        ["/nothing", "/api/v1", "/api/v1/conversations/", "/api/v2/state", "/assets/none.js", "/assets/%ff"]
    {
        is_problem(&board.get(path).await, StatusCode::NOT_FOUND, "not_found");
    }
    is_problem(&ask(&board.router, Method::POST, "/nothing").await, StatusCode::NOT_FOUND, "not_found");
}

#[tokio::test]
async fn what_is_not_known_is_said_by_name() {
    let board = World::of(1).board();
    for id in ["nobody", "%ff", "%00", &"x".repeat(129)] {
        for below in ["", "/timeline", "/spells"] {
            let response = board.get(&format!("/api/v1/conversations/{id}{below}")).await;
            is_problem(&response, StatusCode::NOT_FOUND, "unknown_conversation");
        }
        is_problem(&board.get(&format!("/api/v1/users/{id}")).await, StatusCode::NOT_FOUND, "unknown_user");
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let board = World::of(1).board();
    let long = "x".repeat(129);
    for (query, name) in [
        ("actve=true", "actve"),
        ("active=yes", "active"),
        ("suspect=maybe", "suspect"),
        ("active=true&active=true", "active"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        (&format!("role={long}"), "role"),
        (&format!("state={long}"), "state"),
        (&format!("medium={long}"), "medium"),
        (&format!("userId={long}"), "userId"),
        ("queueId=%00", "queueId"),
        (&format!("{long}=1"), &long[..64]),
    ] {
        let response = board.get(&format!("/api/v1/conversations?{query}")).await;
        is_problem(&response, StatusCode::BAD_REQUEST, "bad_parameter");
        let detail = response.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(&format!("\"{name}\"")), "{query}: {detail}");
    }
    let response = board.get("/api/v1/conversations?cursor=nonsense").await;
    is_problem(&response, StatusCode::BAD_REQUEST, "bad_cursor");
}

#[tokio::test]
async fn every_route_refuses_what_it_does_not_know_and_names_what_it_does() {
    let board = World::of(1).board();
    for (route, known) in routes() {
        for query in ["nonsense=1", "nonsense", "nonsense=", "Nonsense=%ff"] {
            let response = board.get(&format!("{route}?{query}")).await;
            is_problem(&response, StatusCode::BAD_REQUEST, "bad_parameter");
            let detail = response.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.to_lowercase().starts_with("\"nonsense\""), "{route}: {detail}");
            assert!(known.iter().all(|name| detail.contains(&format!("\"{name}\""))), "{route}: {detail}");
        }
    }
}

#[tokio::test]
async fn no_route_declares_a_parameter_that_it_ignores() {
    let board = World::of(1).board();
    for (route, known) in routes() {
        for name in known {
            // Whoever reads it must refuse two of it, whatever the values.
            let response = board.get(&format!("{route}?{name}=1&{name}=1")).await;
            is_problem(&response, StatusCode::BAD_REQUEST, "bad_parameter");
            let detail = response.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.starts_with(&format!("\"{name}\" is given more than once")), "{route}: {detail}");
        }
    }
}

#[tokio::test]
async fn on_the_way_out_it_says_so() {
    let router = World::stopped();
    for path in ["/api/v1/conversations", "/api/v1/conversations/x", "/api/v1/users/x"] {
        let response = ask(&router, Method::GET, path).await;
        is_problem(&response, StatusCode::SERVICE_UNAVAILABLE, "shutting_down");
    }
    assert_eq!(ask(&router, Method::GET, "/api/v1/state").await.status, StatusCode::OK);
}

/// The status of an answer to a request with these headers.
async fn answered(board: &Board, path: &str, headers: &[(&str, &str)]) -> (u16, Option<Value>) {
    let mut request = Request::builder().uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = board.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    if status < 400 {
        return (status, None);
    }
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).ok())
}

#[tokio::test]
async fn no_route_is_served_under_a_strangers_name() {
    let board = World::of(1).board();
    for (route, _) in routes().iter().filter(|(route, _)| route != "/healthz") {
        for host in ["evil.example", "evil.example:8080", "localhost.evil.example", "me@localhost"] {
            let (status, problem) = answered(&board, route, &[("host", host)]).await;
            let problem = problem.expect("a problem");
            assert_eq!((status, &problem["code"]), (421, &"unknown_host".into()), "{route} {host}");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(host) && detail.contains("HEADCOUNT_HOSTS"), "{detail}");
        }
        assert_eq!(answered(&board, route, &[("host", "localhost"), ("host", "evil.example")]).await.0, 421);
        assert_eq!(answered(&board, &format!("http://evil.example{route}"), &[]).await.0, 421, "{route}");
    }
    for host in ["127.0.0.1:8080", "[::1]:8080", "localhost:8080", "10.0.0.7", "board.example.org"] {
        assert_eq!(answered(&board, "/api/v1/state", &[("host", host)]).await.0, 200, "{host}");
    }
    assert_eq!(answered(&board, "/healthz", &[("host", "anything")]).await.0, 200);
}

#[tokio::test]
async fn no_page_of_another_site_holds_a_stream_open() {
    let board = World::of(1).board();
    let ours = ("host", "localhost:8080");
    for foreign in [
        &[ours, ("origin", "http://evil.example")][..],
        &[ours, ("origin", "null")],
        &[ours, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
    ] {
        for path in ["/api/v1/stream", "/api/v1/export?what=cells"] {
            let (status, problem) = answered(&board, path, foreign).await;
            assert_eq!(
                (status, &problem.unwrap()["code"]),
                (403, &"foreign_page".into()),
                "{path} {foreign:?}"
            );
        }
    }
    for own in [
        &[ours, ("origin", "http://localhost:8080"), ("sec-fetch-site", "same-origin")][..],
        &[ours, ("origin", "https://board.example.org")],
        &[ours, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
        &[ours],
    ] {
        assert_eq!(answered(&board, "/api/v1/stream", own).await.0, 200, "{own:?}");
    }
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let board = World::of(1).board();
    for path in ["/", "/api/v1/state", "/nothing", "/assets/app.js"] {
        let headers = board.get(path).await.headers;
        assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'self'"));
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["x-frame-options"], "DENY");
        assert!(headers.contains_key("cache-control"));
        assert!(!headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_answer_is_given_up_on() {
    let (reader, backend) = pipeline::reader_pair(World::of(0).summary);
    let response = ask(&crate::world::routes_over(reader), Method::GET, "/api/v1/conversations").await;
    is_problem(&response, StatusCode::SERVICE_UNAVAILABLE, "timed_out");
    drop(backend);
}

/// Asks an engine that answers nothing, with this trouble of the store.
async fn turned_away(store_trouble: Option<&str>) -> crate::world::Response {
    let mut summary = World::of(0).summary;
    summary.store_trouble = store_trouble.map(str::to_owned);
    let (reader, mut backend) = pipeline::reader_pair(summary);
    tokio::spawn(async move { while backend.queries.recv().await.is_some() {} });
    ask(&crate::world::routes_over(reader), Method::GET, "/api/v1/conversations/c").await
}

#[tokio::test]
async fn what_cannot_be_told_is_refused_with_the_reason() {
    let full = "nothing new can be stored: no space is left";
    let response = turned_away(Some(full)).await;
    is_problem(&response, StatusCode::SERVICE_UNAVAILABLE, "not_ready");
    assert_eq!(response.json()["reasons"], serde_json::json!([full]));
    let response = turned_away(None).await;
    is_problem(&response, StatusCode::SERVICE_UNAVAILABLE, "not_ready");
    assert!(response.text().contains("headcount store check"), "{}", response.text());
}
