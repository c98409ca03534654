//! The published payloads of the platform, against what a reader of each would list.
//!
//! They lie beside the workspace and are not part of it; where they are absent the test says so and passes.

use crate::support::{check, lines};
use std::path::PathBuf;
use wire::{Batch, Ignored, Limits, Origin, Outcome, decode_conversation, decode_notification, parse_time};

/// A sample's text; none, with a message, when the folder is absent.
fn sample(name: &str) -> Option<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/genesys/samples");
    if !folder.is_dir() {
        eprintln!("skipped: no ../shared/genesys/samples beside the workspace");
        return None;
    }
    Some(std::fs::read_to_string(folder.join(name)).unwrap())
}

/// What the bus wraps a notification into.
fn event_bridge(name: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        detail: &'a serde_json::value::RawValue,
    }
    let text = sample(name)?;
    let envelope: Envelope = serde_json::from_str(&text).unwrap();
    Some(envelope.detail.get().to_owned())
}

#[track_caller]
fn ignored(frame: &str) {
    let origin = Origin { feed: 0, received: i64::MAX, sent_by: i64::MAX };
    let outcome = decode_notification(frame.as_bytes(), origin, &Limits::default(), &mut Batch::default());
    assert_eq!(outcome, Outcome::Ignored(Ignored::Topic));
}

#[test]
fn user_topics() {
    if let Some(frame) = sample("ws-users-presence.json") {
        check(decode_notification, &frame, &["Presence 9ed7d9f6-0c59-4360-ac54-40dd35eb9c2f available"]);
    }
    if let Some(frame) = sample("ws-users-activity.json") {
        let user = "e40f28ea-fa86-493f-a5b8-d559c8533c96";
        check(
            decode_notification,
            &frame,
            &[
                &format!("Presence {user} available @2021-05-14T09:03:17.047Z"),
                &format!("RoutingStatus {user} off_queue @2021-05-14T09:03:17.067Z"),
            ],
        );
    }
}

#[test]
fn customer_start_and_end() {
    const PARTICIPANT: &str = "9fb2ca78-8389-4758-b76a-9b0300de1fce";
    const WHO: &str = "9fb2ca78-8389-4758-b76a-9b0300de1fce/c03d300e-fa79-4353-9695-b97a71322785";
    if let Some(frame) = event_bridge("eventbridge-customer-start.json") {
        let joined = format!("joined {WHO} role=customer chat inbound @2022-04-06T09:30:44.949Z reported");
        let who = format!("joined {PARTICIPANT} role=customer @2022-04-06T09:30:44.949Z reported");
        check(decode_notification, &frame, &[&who, &joined]);
    }
    for name in ["eventbridge-customer-end.json", "eventbridge-customer-end-without-contact.json"] {
        if let Some(frame) = event_bridge(name) {
            let joined = format!("joined {WHO} role=customer chat inbound");
            let ended = format!("state {WHO} disconnected @2022-04-06T09:31:44.949Z reported");
            let who = format!("joined {PARTICIPANT} role=customer");
            check(decode_notification, &frame, &[&who, &joined, &ended]);
        }
    }
}

#[test]
fn families_that_are_not_ours() {
    for name in ["ws-conversations-chats-members-legacy.json", "ws-conversations-chats-messages-legacy.json"]
    {
        if let Some(frame) = sample(name) {
            ignored(&frame);
        }
    }
    if let Some(frame) = event_bridge("eventbridge-audit-user-presence.json") {
        ignored(&frame);
    }
}

#[test]
fn a_whole_call_by_rest() {
    const CUSTOMER: &str = "04f65819-53ce-4a13-a964-3f63516d0b90";
    const CUSTOMER_CALL: &str = "04f65819-53ce-4a13-a964-3f63516d0b90/647f93e0-5bae-3530-9cf9-e4855f3a909b";
    const IVR: &str = "98c25fa3-c925-4c14-9612-d17dbb847670";
    const IVR_CALL: &str = "98c25fa3-c925-4c14-9612-d17dbb847670/9dfba46d-4fde-37f3-b85e-44baaad9ac93";
    const ACD: &str = "89e5f240-7af0-4a36-8a26-592a79a56c17";
    const ACD_CALL: &str = "89e5f240-7af0-4a36-8a26-592a79a56c17/1990337a-9873-30bb-82ea-4518ec0da47b";
    const AGENT: &str = "ac384d46-55c5-48da-bdb5-a2ca3419c202";
    const AGENT_CALL: &str = "ac384d46-55c5-48da-bdb5-a2ca3419c202/1fef3992-bade-3006-b440-ca3c904218f8";
    let Some(body) = sample("rest-get-conversation-call.json") else {
        return;
    };
    let expected = [
        "lifeCycle @2025-04-10T13:31:49.570Z recorded".to_owned(),
        format!(
            "joined {CUSTOMER} role=customer queue=155200d1-dead-beef-bead-2ae576232893 @2025-04-10T13:31:49.570Z recorded"
        ),
        format!("joined {CUSTOMER_CALL} voice inbound"),
        format!("state {CUSTOMER_CALL} connected @2025-04-10T13:31:49.722Z recorded"),
        format!("state {CUSTOMER_CALL} terminated reason=peer @2025-04-10T13:32:40.944Z recorded"),
        format!("left {CUSTOMER} @2025-04-10T13:32:40.944Z recorded"),
        format!("joined {IVR} role=ivr @2025-04-10T13:31:49.604Z recorded"),
        format!("joined {IVR_CALL} voice inbound"),
        format!("state {IVR_CALL} connected @2025-04-10T13:31:49.683Z recorded"),
        format!("state {IVR_CALL} terminated reason=transfer @2025-04-10T13:31:57.787Z recorded"),
        format!("left {IVR} @2025-04-10T13:31:57.787Z recorded"),
        format!(
            "joined {ACD} role=acd queue=155200d1-258d-4a64-a7e7-2ae576232893 @2025-04-10T13:31:57.811Z recorded"
        ),
        format!("joined {ACD_CALL} voice inbound"),
        format!("state {ACD_CALL} connected @2025-04-10T13:31:57.837Z recorded"),
        format!("state {ACD_CALL} terminated reason=transfer @2025-04-10T13:32:02.487Z recorded"),
        format!("left {ACD} @2025-04-10T13:32:02.487Z recorded"),
        format!(
            "joined {AGENT} role=agent user=bf8f5ba6-a928-4d3c-be86-4e760b9974d9 \
             queue=155200d1-258d-4a64-a7e7-2ae576232893 @2025-04-10T13:31:58.072Z recorded"
        ),
        format!("joined {AGENT_CALL} voice inbound"),
        format!("state {AGENT_CALL} alerting @2025-04-10T13:31:58.072Z recorded"),
        format!("state {AGENT_CALL} connected @2025-04-10T13:32:02.464Z recorded"),
        format!("state {AGENT_CALL} terminated reason=client @2025-04-10T13:32:40.942Z recorded"),
        format!("acw {AGENT} on @2025-04-10T13:32:40.942Z recorded"),
        format!("acw {AGENT} off @2025-04-10T13:32:40.942Z recorded"),
        format!("left {AGENT} @2025-04-10T13:32:40.942Z recorded"),
    ];
    check(decode_conversation, &body, &expected.each_ref().map(String::as_str));
}

#[test]
fn a_sample_is_refused_by_a_clock_that_is_behind() {
    let Some(body) = sample("rest-get-conversation-call.json") else {
        return;
    };
    let received = parse_time("2025-04-09T13:31:00Z").unwrap().nanos;
    let origin = Origin { feed: 0, received, sent_by: received };
    let mut batch = Batch::default();
    let outcome = decode_conversation(body.as_bytes(), origin, &Limits::default(), &mut batch);
    assert_eq!(outcome, Outcome::Refused(wire::Refused::FutureTime));
    assert_eq!(lines(&batch), [] as [String; 0]);
}
