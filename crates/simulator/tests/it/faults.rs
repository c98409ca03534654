//! What a test can order to go wrong.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Dialect, FaultOptions, Options, Simulator};

use crate::client::{Api, Ws, client, quick};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rest_fails_as_ordered() {
    let simulator = Simulator::start(quick()).await.expect("a simulator");
    let control = simulator.control();
    let api = Api::of(&simulator).await;
    control.fail_next(2, 503);
    for expected in [503, 503, 200] {
        assert_eq!(api.call(Method::GET, "/api/v2/users", Value::Null).await.0, expected);
    }
    control.forbid_path("/api/v2/routing/", "routing:queue:view");
    let (status, body) = api.call(Method::GET, "/api/v2/routing/queues", Value::Null).await;
    assert_eq!((status, &body["code"]), (403, &json!("missing.permissions")));
    assert!(body["message"].as_str().expect("text").ends_with("routing:queue:view"));
    control.revoke_tokens();
    let (status, body) = api.call(Method::GET, "/api/v2/users", Value::Null).await;
    assert_eq!((status, &body["code"]), (401, &json!("bad.credentials")));
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_are_told_cut_and_fed_as_ordered() {
    let simulator = Simulator::start(quick()).await.expect("a simulator");
    let control = simulator.control();
    let api = Api::of(&simulator).await;
    let (channel, url) = api.channel().await;
    let mut first = Ws::open(&url).await.expect("a socket");
    control.inject(Dialect::Notifications, r#"{"odd":1}"#);
    assert_eq!(first.next().await, Some(json!({ "odd": 1 })));
    control.announce_socket_closing();
    assert_eq!(first.next().await.expect("a notice")["topicName"], "v2.system.socket_closing");
    let mut second = Ws::open(&url).await.expect("a socket beside it");
    for socket in [&mut first, &mut second] {
        socket.say(json!({ "message": "ping" })).await;
        assert_eq!(socket.next().await.expect("an answer")["eventBody"]["message"], "pong");
    }
    control.revoke_tokens();
    let notice = second.next().await.expect("a notice");
    assert_eq!(notice["topicName"], format!("v2.system.token_revoked.{channel}"));
    control.drop_sockets();
    assert!(second.next().await.is_none());
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heartbeats_come_and_silence_stops_them() {
    let heartbeat = Duration::from_millis(20);
    let simulator = Simulator::start(Options { heartbeat, ..quick() }).await.expect("a simulator");
    let api = Api::of(&simulator).await;
    let (_, url) = api.channel().await;
    let mut socket = Ws::open(&url).await.expect("a socket");
    let beat = json!({ "topicName": "channel.metadata", "eventBody": { "message": "WebSocket Heartbeat" } });
    assert_eq!(socket.next().await, Some(beat.clone()));
    simulator.control().silence(true);
    // What was written before the silence may still arrive; then nothing does.
    let mut quiet = false;
    while !quiet {
        quiet = tokio::time::timeout(heartbeat * 20, socket.next()).await.is_err();
    }
    simulator.control().silence(false);
    assert_eq!(socket.next().await, Some(beat));
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expired_tokens_are_refused() {
    let token_lifetime = Duration::from_millis(1);
    let simulator = Simulator::start(Options { token_lifetime, ..quick() }).await.expect("a simulator");
    let api = Api::of(&simulator).await;
    while api.call(Method::GET, "/api/v2/users", Value::Null).await.0 != 401 {}
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_truth_file_holds_the_whole_truth_in_the_end() {
    let path = std::env::temp_dir().join(format!("simulator-truth-{}.json", std::process::id()));
    let options =
        Options { conversations: 20, truth: Some(path.clone()), await_subscriber: false, ..quick() };
    let simulator = Simulator::start(options).await.expect("a simulator");
    simulator.finished().await;
    let mut expected = serde_json::to_value(simulator.truth()).expect("JSON");
    simulator.stop().await;
    let text = std::fs::read(&path).expect("the file");
    std::fs::remove_file(&path).expect("the file goes");
    let mut written: Value = serde_json::from_slice(&text).expect("JSON");
    expected["until"].take();
    written["until"].take();
    assert!(written == expected);
}

fn by_chance(faults: FaultOptions) -> Options {
    Options { faults, ..quick() }
}

fn none() -> FaultOptions {
    Options::default().faults
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_break_off_and_the_request_was_carried_out() {
    let lost = FaultOptions { lose_answers: 1.0, faults_for: Duration::from_secs(1), ..none() };
    let simulator = Simulator::start(by_chance(lost)).await.expect("a simulator");
    let url = format!("{}/oauth/token", simulator.urls().api);
    let ask = || async {
        let form = [("grant_type", "client_credentials")];
        let answer = client().post(&url).basic_auth("demo", Some("demo")).form(&form).send().await;
        match answer {
            Ok(answer) => answer.bytes().await.is_ok(),
            Err(_) => false,
        }
    };
    assert!(!ask().await);
    while !ask().await {}
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_are_left_out_and_dates_lie() {
    let faults = FaultOptions { leave_out_topics: 0.5, lying_dates: 1.0, ..none() };
    let simulator = Simulator::start(by_chance(faults)).await.expect("a simulator");
    let api = Api::of(&simulator).await;
    let (channel, _) = api.channel().await;
    let path = format!("/api/v2/notifications/channels/{channel}/subscriptions");
    let topics: Vec<_> = (0..100)
        .map(|n| json!({ "id": format!("v2.users.{n:08}-0000-4000-8000-000000000000.conversations") }))
        .collect();
    let (_, told) = api.call(Method::POST, &path, json!(topics)).await;
    let (_, on) = api.call(Method::GET, &path, Value::Null).await;
    let count = |body: &Value| body["entities"].as_array().expect("topics").len();
    assert_eq!(count(&told), count(&on));
    assert!((20..80).contains(&count(&on)), "{} of 100", count(&on));
    let answer = client().get(format!("{}/nothing", simulator.urls().api)).send().await.expect("an answer");
    let date = answer.headers()["date"].to_str().expect("a text");
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).expect("a date");
    assert!(date.duration_since(jiff::Timestamp::now()).as_secs().abs() > 1, "{date}");
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_cut_leaves_the_socket_open_and_answers_nothing() {
    let faults = FaultOptions { silent_cuts: 1.0, ..none() };
    let drop_socket_every = Some(Duration::from_millis(200));
    let options = Options { drop_socket_every, heartbeat: Duration::from_millis(20), ..by_chance(faults) };
    let simulator = Simulator::start(options).await.expect("a simulator");
    let api = Api::of(&simulator).await;
    let (_, url) = api.channel().await;
    let mut socket = Ws::open(&url).await.expect("a socket");
    let mut silent = false;
    while !silent {
        silent = tokio::time::timeout(Duration::from_millis(500), socket.next()).await.is_err();
    }
    socket.say(json!({ "message": "ping" })).await;
    assert!(tokio::time::timeout(Duration::from_millis(200), socket.next()).await.is_err());
    assert_eq!(simulator.control().sockets().0, 1);
    drop(socket);
    while simulator.control().sockets().0 > 0 {
        tokio::task::yield_now().await;
    }
    simulator.stop().await;
}
