//! Settings, a running source, and frames to send to it.

use crate::platform::Platform;
use crate::recorder::Recorder;
use pipeline::{Clock, Telemetry, Wish};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use source::{Dialect, Endpoints, Settings, Source, Timing, Topics};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A running source and all that a test looks at.
pub struct Running {
    pub recorder: Recorder,
    pub wishes: mpsc::Sender<Wish>,
    pub source: Source,
    pub cancel: CancellationToken,
    telemetry: Arc<Telemetry>,
    registry: Registry,
}

/// Waits that suit a test: short where the test waits for them, long where it does not.
pub fn timing() -> Timing {
    Timing {
        backoff_min: Duration::from_millis(20),
        backoff_max: Duration::from_millis(100),
        socket_stable_after: Duration::ZERO,
        channel_stable_after: Duration::ZERO,
        overlap: Duration::from_millis(200),
        repair_retry_min: Duration::from_millis(50),
        repair_retry_max: Duration::from_millis(100),
        rate_limit_wait: Duration::from_secs(1),
        ..Timing::default()
    }
}

pub fn settings(platform: &Platform, dialect: Dialect, topics: &str) -> Settings {
    let events = format!("{}/api/v2/events", platform.sockets);
    let region = Endpoints::for_environment("mypurecloud.com").unwrap();
    Settings {
        organisation: "test".to_owned(),
        client_id: "the-client".to_owned(),
        client_secret: "the-secret".to_owned().into(),
        endpoints: region.with_overrides(Some(&platform.http), Some(&platform.http), Some(&events)).unwrap(),
        dialect,
        topics: topics.parse::<Topics>().unwrap(),
        limits: wire::Limits { frame_bytes_max: 64 * 1024, ..wire::Limits::default() },
        timing: timing(),
    }
}

pub fn run(settings: Settings) -> Running {
    run_by(Clock::system(), settings)
}

/// A source whose clock is this one.
pub fn run_by(clock: Clock, settings: Settings) -> Running {
    let mut registry = Registry::default();
    let telemetry: Arc<Telemetry> = Telemetry::new(&mut registry);
    let (recorder, cancel) = (Recorder::default(), CancellationToken::new());
    let (wishes, wished) = mpsc::channel(64);
    let source =
        Source::start(settings, recorder.clone(), wished, telemetry.clone(), clock, cancel.clone()).unwrap();
    Running { recorder, wishes, source, cancel, telemetry, registry }
}

impl Running {
    /// The metrics as they are shown.
    pub fn metrics(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        text
    }

    /// Parts that panicked and do not run.
    pub fn faults(&self) -> Vec<String> {
        self.telemetry.faults.reasons()
    }

    pub async fn stop(self) {
        self.cancel.cancel();
        tokio::time::timeout(Duration::from_secs(10), self.source.stopped()).await.expect("it stops");
    }
}

/// Waits until something holds; fails after a time that no healthy run takes.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), waiting).await.is_ok(), "never came: {what}");
}

/// A notification about a conversation in which one agent is connected.
pub fn snapshot(conversation: &str) -> String {
    let body = body(conversation);
    json!({
        "topicName": "v2.routing.queues.q-1.conversations", "version": "2", "eventBody": body,
        "metadata": { "CorrelationId": "c" },
    })
    .to_string()
}

/// The conversation itself, as REST and notifications show it.
pub fn body(conversation: &str) -> Value {
    json!({
        "id": conversation,
        "participants": [{
            "id": "p-1", "purpose": "agent", "userId": "u-1", "queueId": "q-1",
            "connectedTime": "2026-03-01T12:00:00.000Z",
            "calls": [{
                "id": "k-1", "state": "connected", "direction": "inbound", "connectedTime": "2026-03-01T12:00:00.100Z",
            }],
        }],
    })
}

/// A frame of the `events` dialect.
pub fn event(conversation: &str, id: &str) -> String {
    json!({
        "eventId": id, "eventType": "interaction.participant.joined", "timestamp": "2026-03-01T12:00:00.000Z",
        "data": { "interactionId": conversation, "participantId": "p-1", "state": "connected", "role": "agent" },
    })
    .to_string()
}

/// A notice of the platform about the socket or channel.
pub fn notice(topic: &str) -> String {
    json!({ "topicName": topic, "eventBody": { "message": "notice" } }).to_string()
}
