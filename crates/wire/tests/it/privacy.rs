//! What must never come out: names, numbers, addresses, attributes, subjects, notes.

use crate::support::{decode, frame};
use wire::{Outcome, decode_conversation, decode_event, decode_notification};

const CANARY: &str = "canary-7f3a";

/// Fields of a person, as the vendor spells them, each with the canary.
fn personal() -> String {
    let texts = [
        "name",
        "address",
        "ani",
        "aniName",
        "dnis",
        "subject",
        "message",
        "notes",
        "previewText",
        "callbackUserName",
        "roomId",
        "documentId",
        "uuiData",
        "publicIpAddress",
        "externalTag",
        "queueName",
        "addressTo",
        "addressFrom",
        "wrapupNotes",
        "socialUserName",
    ];
    let mut fields: String = texts.iter().map(|name| format!(r#","{name}":"{CANARY}""#)).collect();
    fields += &format!(r#","attributes":{{"{CANARY}":"{CANARY}"}},"self":{{"nameRaw":"{CANARY}"}}"#);
    fields += &format!(r#","callbackNumbers":["{CANARY}"],"errorInfo":{{"message":"{CANARY}"}}"#);
    fields
}

#[test]
fn no_personal_field_comes_out() {
    let personal = personal();
    let nested = format!(
        r#"{{"id":"c1"{personal},"participants":[{{"id":"p1"{personal},"wrapup":{{"code":"sold"{personal}}},
            "calls":[{{"id":"k1","state":"connected"{personal}}}]}}]}}"#
    );
    let flat = format!(
        r#"{{"id":"c1"{personal},"participants":[{{"id":"p1"{personal},"user":{{"id":"u1"{personal}}},"state":"alerting"}}]}}"#
    );
    let detail = format!(
        r#"{{"conversationId":"c1","participantId":"p1","eventTime":1795428000000,"wrapupCode":"sold"{personal}}}"#
    );
    let presence = format!(r#"{{"presenceDefinition":{{"systemPresence":"BUSY"{personal}}}{personal}}}"#);
    let event = format!(
        r#"{{"eventId":"e","eventType":"interaction.participant.joined","timestamp":"2026-11-23T10:00:00Z"{personal},
            "data":{{"interactionId":"c1","participantId":"p1","state":"connected"{personal}}}}}"#
    );
    let decoded = [
        decode(decode_notification, &frame("v2.users.u1.conversations", &nested)),
        decode(decode_notification, &frame("v2.users.u1.conversations.calls", &flat)),
        decode(decode_notification, &frame("v2.detail.events.conversation.c1.user.end", &detail)),
        decode(decode_notification, &frame("v2.detail.events.conversation.c1.wrapup", &detail)),
        decode(decode_notification, &frame("v2.users.u1.presence", &presence)),
        decode(decode_conversation, &nested),
        decode(decode_event, &event),
    ];
    for (outcome, batch) in decoded {
        assert!(matches!(outcome, Outcome::Facts(_)), "{outcome:?}");
        let shown = format!("{outcome:?} {batch:?}");
        assert!(!shown.contains(CANARY), "{shown}");
    }
}

#[test]
fn a_channels_id_does_not_come_out() {
    for topic in [format!("v2.system.{CANARY}.{CANARY}"), format!("v2.system.maintenance.{CANARY}")] {
        let (outcome, _) =
            decode(decode_notification, &frame(&topic, &format!(r#"{{"channelId":"{CANARY}"}}"#)));
        assert!(!format!("{outcome:?}").contains(CANARY), "{outcome:?}");
    }
}
