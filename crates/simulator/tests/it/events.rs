//! The events dialect, against the truth.

use std::collections::HashMap;
use std::pin::pin;

use serde_json::Value;
use simulator::{Dialect, Options, Simulator, Truth};
use tokio_tungstenite::tungstenite::Error;

use crate::client::{Api, Ws, quick};

fn options() -> Options {
    Options { dialect: Dialect::Events, conversations: 60, regions: 3, ..quick() }
}

/// What the truth says was sent, by event id, in the shape of the wire.
fn expected(truth: &Truth) -> HashMap<String, Value> {
    let mut events = HashMap::new();
    for conversation in &truth.conversations {
        for event in &conversation.events {
            let mut data = serde_json::json!({
                "interactionId": conversation.id, "state": event.state,
                "region": event.region, "vectorClock": event.clock,
            });
            if let (Some(participant), Some(role)) = (event.participant_id, event.role) {
                data["participantId"] = serde_json::json!(participant);
                data["role"] = serde_json::json!(role);
            }
            let frame = serde_json::json!({
                "eventId": event.event_id, "eventType": event.event_type, "timestamp": event.at, "data": data,
            });
            events.insert(event.event_id.to_string(), frame);
        }
    }
    events
}

/// Listens until every event of the run has come, coming back whenever the socket is cut. Gives the frames by id,
/// their number, and how often it had to connect.
async fn listen(simulator: &Simulator) -> (HashMap<String, Value>, usize, usize) {
    let api = Api::of(simulator).await;
    let (mut heard, mut frames, mut connected) = (HashMap::new(), 0, 0);
    let all = async {
        simulator.finished().await;
        expected(&simulator.truth()).len()
    };
    let mut all = pin!(all);
    let mut wanted = usize::MAX;
    while heard.len() < wanted {
        let (mut socket, confirmation) = Ws::events(simulator, &api).await;
        assert_eq!(confirmation["eventType"], "subscription");
        assert!(confirmation["data"]["subscriptionId"].is_string());
        connected += 1;
        while heard.len() < wanted {
            tokio::select! {
                frame = socket.next() => {
                    let Some(frame) = frame else { break };
                    frames += 1;
                    heard.insert(frame["eventId"].as_str().expect("an id").to_owned(), frame);
                }
                count = &mut all, if wanted == usize::MAX => wanted = count,
            }
        }
    }
    (heard, frames, connected)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_faults_every_event_comes_once_and_as_the_truth_has_it() {
    let simulator = Simulator::start(options()).await.expect("a simulator");
    let (heard, frames, connected) = listen(&simulator).await;
    let truth = simulator.truth();
    assert_eq!(truth.conversations.len(), 60);
    assert_eq!((heard.len(), connected), (frames, 1));
    assert!(heard == expected(&truth));
    assert!(truth.conversations.iter().all(|one| !one.lost));
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_doubled_and_cut_every_event_still_comes() {
    let drop_socket_every = Some(std::time::Duration::from_millis(700));
    let faults = Options { duplicates: 0.2, reorder_ms: 400, drop_socket_every, ..options() };
    let simulator = Simulator::start(faults).await.expect("a simulator");
    let (heard, frames, connected) = listen(&simulator).await;
    assert!(connected > 1, "the socket was cut");
    assert!(frames > heard.len(), "some came twice");
    assert!(heard == expected(&simulator.truth()));
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_resend_what_was_missed_is_known_to_be_lost() {
    let simulator = Simulator::start(Options { no_resend: true, ..options() }).await.expect("a simulator");
    let api = Api::of(&simulator).await;
    let (mut socket, _) = Ws::events(&simulator, &api).await;
    socket.next().await.expect("an event");
    drop(socket);
    simulator.finished().await;
    let truth = simulator.truth();
    assert!(truth.conversations.iter().any(|one| one.lost));
    simulator.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_not_let_in() {
    let simulator = Simulator::start(options()).await.expect("a simulator");
    for url in ["?access_token=wrong", ""] {
        let url = format!("{}{url}", simulator.urls().events);
        let Err(Error::Http(response)) = Ws::open(&url).await.map(|_| ()) else { panic!("{url} was let in") };
        assert_eq!(response.status(), 401);
    }
    simulator.stop().await;
}
