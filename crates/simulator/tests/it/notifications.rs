//! Notification channels and their sockets.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::{Value, json};
use simulator::{Dialect, Options, Simulator};
use tokio_tungstenite::tungstenite::Error;

use crate::client::{Api, Ws, quick};

fn options() -> Options {
    Options { dialect: Dialect::Notifications, conversations: 40, clock_skew_ms: 25, ..quick() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_snapshot_of_each_conversation_agrees_with_the_truth_and_with_rest() {
    let simulator = Simulator::start(options()).await.expect("a simulator");
    let api = Api::of(&simulator).await;
    let (channel, url) = api.channel().await;
    api.subscribe_to_all(&channel).await;
    let mut socket = Ws::open(&url).await.expect("a socket");
    let mut last: HashMap<String, Value> = HashMap::new();
    let mut finished = Box::pin(simulator.finished());
    let mut asked = false;
    loop {
        tokio::select! {
            frame = socket.next() => {
                let mut frame = frame.expect("the socket stays");
                if frame["topicName"] == "channel.metadata" {
                    break;
                }
                let body = frame["eventBody"].take();
                last.insert(body["id"].as_str().expect("an id").to_owned(), body);
            }
            () = &mut finished, if !asked => asked = true,
        }
        if asked {
            // Everything has been written by now, so the pong comes after all of it.
            socket.say(json!({ "message": "ping" })).await;
        }
    }
    drop(finished);
    let truth = serde_json::to_value(simulator.truth()).expect("JSON");
    let conversations = truth["conversations"].as_array().expect("conversations");
    assert_eq!(conversations.len(), 40);
    for expected in conversations {
        let id = expected["id"].as_str().expect("an id");
        assert_eq!(expected["lost"], false);
        compare(expected, &last[id]);
        let rest = api.get(&format!("/api/v2/conversations/{id}")).await;
        compare(expected, &rest);
        assert_eq!(expected["startedAt"], rest["startTime"]);
        assert_eq!(expected["endedAt"], rest["endTime"]);
    }
    simulator.stop().await;
}

/// Everything that the truth says of participants and communications is in the body, spelt the body's way.
fn compare(expected: &Value, body: &Value) {
    let participants = expected["participants"].as_array().expect("participants");
    assert_eq!(participants.len(), body["participants"].as_array().expect("participants").len());
    for (wanted, shown) in participants.iter().zip(body["participants"].as_array().expect("participants")) {
        for (ours, theirs) in [
            ("id", "id"),
            ("role", "purpose"),
            ("userId", "userId"),
            ("queueId", "queueId"),
            ("leftAt", "endTime"),
        ] {
            assert_eq!(wanted[ours], shown[theirs], "{ours} in {shown}");
        }
        for leg in wanted["communications"].as_array().expect("communications") {
            let array = match leg["medium"].as_str() {
                Some("voice") => "calls".to_owned(),
                medium => format!("{}s", medium.expect("a medium")),
            };
            let legs = shown[array.as_str()].as_array().expect("legs");
            let found = legs.iter().find(|other| other["id"] == leg["id"]).expect("the leg");
            for (ours, theirs) in [
                ("state", "state"),
                ("connectedAt", "connectedTime"),
                ("endedAt", "disconnectedTime"),
                ("held", "held"),
            ] {
                assert_eq!(leg[ours], found[theirs], "{ours} in {found}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_connection_ends_the_first_with_a_notice() {
    let simulator = Simulator::start(options()).await.expect("a simulator");
    let api = Api::of(&simulator).await;
    let (channel, url) = api.channel().await;
    let mut first = Ws::open(&url).await.expect("a socket");
    first.say(json!({ "message": "ping" })).await;
    let pong = first.next().await.expect("an answer");
    assert_eq!(pong, json!({ "topicName": "channel.metadata", "eventBody": { "message": "pong" } }));
    let mut second = Ws::open(&url).await.expect("a socket");
    let notice = first.next().await.expect("a notice");
    assert_eq!(notice["topicName"], format!("v2.system.no_longer_subscribed.{channel}"));
    assert_eq!(notice["eventBody"]["reason"], "another_channel_subscribed");
    assert!(first.next().await.is_none());
    second.say(json!({ "message": "ping" })).await;
    assert_eq!(second.next().await.expect("an answer")["eventBody"]["message"], "pong");
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_can_be_subscribed_over_the_socket() {
    let simulator = Simulator::start(options()).await.expect("a simulator");
    let api = Api::of(&simulator).await;
    let (channel, url) = api.channel().await;
    let mut socket = Ws::open(&url).await.expect("a socket");
    let topics = json!(["v2.users.1.presence"]);
    socket.say(json!({ "message": "subscribe", "topics": topics, "correlationId": "7" })).await;
    let answer = socket.until(|frame| frame["result"].is_string()).await;
    assert_eq!(answer, json!({ "result": "200", "status": "subscribed", "correlationId": "7" }));
    let listed = api.get(&format!("/api/v2/notifications/channels/{channel}/subscriptions")).await;
    assert_eq!(listed["entities"][0]["id"], "v2.users.1.presence");
    socket.say(json!({ "message": "subscribe", "topics": ["nonsense"] })).await;
    assert_eq!(socket.until(|frame| frame["result"].is_string()).await["result"], "400");
    socket.say(json!({ "message": "unsubscribe", "topics": topics })).await;
    assert_eq!(socket.until(|frame| frame["result"].is_string()).await["status"], "unsubscribed");
    let listed = api.get(&format!("/api/v2/notifications/channels/{channel}/subscriptions")).await;
    assert_eq!(listed["entities"], json!([]));
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_topic_fails_a_subscription_unless_errors_are_ignored() {
    let simulator = Simulator::start(options()).await.expect("a simulator");
    simulator.control().reject_topics("v2.routing.queues.");
    let api = Api::of(&simulator).await;
    let (channel, _) = api.channel().await;
    let path = format!("/api/v2/notifications/channels/{channel}/subscriptions");
    let good = json!({ "id": "v2.users.1.presence" });
    let refused = json!({ "id": "v2.routing.queues.1.conversations" });
    let (status, body) = api.call(Method::POST, &path, json!([good, refused])).await;
    assert_eq!((status, &body["code"]), (403, &json!("missing.permissions")));
    let (status, body) = api.call(Method::POST, &path, json!([good, { "id": "v2.what" }])).await;
    assert_eq!((status, &body["code"]), (400, &json!("notification.invalid.topic")));
    assert_eq!(api.get(&path).await["entities"], json!([]));
    let body = api.post(&format!("{path}?ignoreErrors=true"), json!([good, refused])).await;
    let states: Vec<&Value> =
        body["entities"].as_array().expect("topics").iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["Permitted", "Rejected"]);
    assert_eq!(body["entities"][1]["missingPermissions"], json!(["conversation:communication:view"]));
    let many: Vec<Value> = (0..1001).map(|n| json!({ "id": format!("v2.users.{n}.presence") })).collect();
    let (status, body) = api.call(Method::PUT, &path, json!(many)).await;
    assert_eq!((status, &body["code"]), (400, &json!("notification.subscription.too.many.subscriptions")));
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_is_gone_is_not_found_by_any_door() {
    let simulator = Simulator::start(options()).await.expect("a simulator");
    let api = Api::of(&simulator).await;
    let (channel, url) = api.channel().await;
    let path = format!("/api/v2/notifications/channels/{channel}");
    assert_eq!(api.send(Method::HEAD, &path, "").await.status(), 200);
    let mut socket = Ws::open(&url).await.expect("a socket");
    simulator.control().remove_channels();
    assert!(socket.next().await.is_none());
    assert_eq!(api.send(Method::HEAD, &path, "").await.status(), 404);
    let Err(Error::Http(response)) = Ws::open(&url).await.map(|_| ()) else { panic!("let in") };
    assert_eq!(response.status(), 404);
    simulator.stop().await;
}
