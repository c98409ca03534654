//! The REST interface: listings, errors and limits.

use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Options, Simulator, StartError};

use crate::client::{Api, quick};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_loopback_is_listened_on() {
    let options = Options { listen: "0.0.0.0:0".parse().expect("an address"), ..quick() };
    let Err(StartError::Options(problems)) = Simulator::start(options).await else { panic!("it started") };
    assert_eq!(problems, ["--listen must be a loopback address"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_client_is_refused_in_the_shape_of_oauth() {
    let simulator = Simulator::start(quick()).await.expect("a simulator");
    let api = Api::of(&simulator).await;
    let refused = api.grant("demo", "wrong").await;
    assert_eq!(refused.status(), 400);
    let body: Value = refused.json().await.expect("JSON");
    assert_eq!(
        (&body["error"], &body["description"]),
        (&json!("invalid_client"), &json!("authentication failed"))
    );
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listings_come_in_pages() {
    let simulator = Simulator::start(quick()).await.expect("a simulator");
    let api = Api::of(&simulator).await;
    let mut ids = Vec::new();
    let mut next = "/api/v2/users?pageSize=15&pageNumber=1".to_owned();
    loop {
        let page = api.get(&next).await;
        assert_eq!((&page["total"], &page["pageCount"]), (&json!(40), &json!(3)));
        ids.extend(page["entities"].as_array().expect("entities").iter().map(|user| user["id"].to_string()));
        let Some(uri) = page["nextUri"].as_str() else { break };
        next = uri.to_owned();
    }
    ids.dedup();
    assert_eq!(ids.len(), 40);
    let (status, body) = api.call(Method::GET, "/api/v2/users?pageSize=0", Value::Null).await;
    assert_eq!((status, &body["code"]), (400, &json!("bad.request")));
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_have_the_shape_of_the_platform() {
    let simulator = Simulator::start(quick()).await.expect("a simulator");
    let api = Api::of(&simulator).await;
    let query = "/api/v2/analytics/conversations/details/query";
    let unknown = "/api/v2/conversations/00000000-0000-4000-8000-000000000000";
    for (method, path, body, status, code) in [
        (Method::GET, "/api/v2/nothing", "", 404, "not.found"),
        (Method::GET, unknown, "", 404, "not.found"),
        (Method::GET, "/api/v2/conversations/no-uuid", "", 400, "bad.request"),
        (Method::DELETE, "/api/v2/users", "", 405, "method.not.allowed"),
        (Method::POST, query, "{", 400, "bad.request"),
        (Method::POST, query, r#"{"interval":"yesterday"}"#, 400, "bad.request"),
        (Method::POST, "/api/v2/notifications/channels", "nul", 400, "bad.request"),
    ] {
        let response = api.send(method, path, body).await;
        assert_eq!(response.status(), status, "{path}");
        let body: Value = response.json().await.expect("JSON");
        assert_eq!((&body["code"], &body["status"]), (&json!(code), &json!(status)), "{path}");
        assert!(body["message"].is_string() && body["contextId"].is_string());
        assert_eq!((&body["details"], &body["errors"]), (&json!([]), &json!([])));
    }
    let large = api.send(Method::POST, query, vec![b' '; 2 << 20]).await;
    assert_eq!(large.status(), 413);
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_analytics_queries_find_the_conversations_of_the_truth() {
    let options = Options { conversations: 30, leave_live: 0.5, await_subscriber: false, ..quick() };
    let simulator = Simulator::start(options).await.expect("a simulator");
    let api = Api::of(&simulator).await;
    simulator.finished().await;
    let truth = simulator.truth();
    let interval = format!("{}/{}", truth.started_at, truth.until);
    let mut found = Vec::new();
    for page in 1..=2 {
        let query = json!({ "interval": interval, "paging": { "pageSize": 20, "pageNumber": page } });
        let body = api.post("/api/v2/analytics/conversations/details/query", query).await;
        assert_eq!(body["totalHits"], 30);
        let ids = body["conversations"].as_array().expect("conversations").iter();
        found.extend(ids.map(|one| one["conversationId"].as_str().expect("an id").to_owned()));
    }
    let all: Vec<String> = truth.conversations.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(found, all);
    let metrics = json!({ "metrics": [{ "metric": "oInteracting" }] });
    let body = api.post("/api/v2/analytics/conversations/activity/query", metrics).await;
    let entities = body["results"][0]["entities"].as_array().expect("entities");
    for conversation in &truth.conversations {
        let id = json!(conversation.id);
        assert_eq!(conversation.active, entities.iter().any(|entity| entity["conversationId"] == id));
    }
    assert_eq!(api.get("/api/v2/conversations").await["entities"], json!([]));
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_requests_are_told_when_to_come_back() {
    let simulator =
        Simulator::start(Options { requests_per_minute: 3, ..quick() }).await.expect("a simulator");
    let api = Api::of(&simulator).await;
    for _ in 0..3 {
        api.get("/api/v2/users").await;
    }
    let response = api.send(Method::GET, "/api/v2/users", "").await;
    assert_eq!(response.status(), 429);
    let seconds: u64 = response.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=60).contains(&seconds));
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["code"], "too.many.requests.retry.after");
    assert!(body["message"].as_str().expect("text").contains(&format!("[{seconds}]")));
    simulator.stop().await;
}
