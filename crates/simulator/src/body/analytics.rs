//! The two analytics answers that tell which conversations there are.
//!
//! `activity/query` lists what rings, waits or is talked about now, one entry a leg: the way to learn the ids of live
//! conversations without a user. `details/query` finds conversations by interval, ended ones too. Shapes:
//! `ConversationActivityResponse` and `AnalyticsConversationQueryResponse` of the platform's SDK.

use serde_json::{Value, json};

use super::Setting;
use crate::centre::conversation::{Communication, Conversation, Participant, Segment, Stretch};
use crate::centre::words::{Purpose, State};
use crate::time::{Millis, Stamp};

/// The live legs of queues and users; null for a leg that is in no queue.
pub fn activity<'a>(
    setting: Setting<'a>,
    conversation: &'a Conversation,
) -> impl Iterator<Item = Value> + 'a {
    let legs = |one: &'a Participant| one.communications.iter().map(move |leg| (one, leg));
    conversation.participants.iter().flat_map(legs).filter_map(move |(one, leg)| {
        let metric = match (one.purpose, leg.state) {
            (_, State::Ended) => return None,
            (Purpose::Acd, _) => "oWaiting",
            (Purpose::Agent | Purpose::User, State::Alerting | State::Dialing) => "oAlerting",
            (Purpose::Agent | Purpose::User, _) => "oInteracting",
            (Purpose::Customer | Purpose::Ivr, _) => return None,
        };
        let mut entity = json!({
            "metric": metric,
            "activityDate": Stamp(leg.connected_at.unwrap_or(leg.began_at)),
            "conversationId": conversation.id.to_string(),
            "sessionId": leg.id.to_string(),
            "mediaType": leg.medium.word(),
            "direction": leg.direction.word(),
            "participantName": conversation.contact.name,
            "ani": conversation.contact.ani,
        });
        if let Some(user) = one.user {
            entity["userId"] = json!(setting.people.users[user].id.to_string());
        }
        if let Some(queue) = one.queue {
            entity["queueId"] = json!(setting.people.queues[queue].id.to_string());
        }
        Some(entity)
    })
}

/// A conversation with its sessions and their segments.
pub fn details(setting: Setting<'_>, conversation: &Conversation) -> Value {
    let direction = conversation.participants.first().map(|one| one.communications[0].direction.word());
    let participants = conversation.participants.iter();
    let mut body = json!({
        "conversationId": conversation.id.to_string(),
        "conversationStart": Stamp(conversation.started_at),
        "originatingDirection": direction.unwrap_or("inbound"),
        "divisionIds": [setting.people.division.to_string()],
        "participants": participants.map(|one| participant(setting, conversation, one)).collect::<Vec<_>>(),
    });
    if let Some(ended_at) = conversation.ended_at {
        body["conversationEnd"] = json!(Stamp(ended_at));
    }
    body
}

fn participant(setting: Setting<'_>, conversation: &Conversation, one: &Participant) -> Value {
    let queue = one.queue.map(|queue| setting.people.queues[queue].id.to_string());
    let sessions = one.communications.iter().map(|leg| session(setting, leg, queue.as_deref()));
    let mut body = json!({
        "participantId": one.id.to_string(),
        "participantName": super::name(setting, conversation, one),
        "purpose": one.purpose.word(),
        "sessions": sessions.collect::<Vec<_>>(),
    });
    if let Some(user) = one.user {
        body["userId"] = json!(setting.people.users[user].id.to_string());
    }
    body
}

fn session(setting: Setting<'_>, leg: &Communication, queue: Option<&str>) -> Value {
    let last = leg.segments.len().saturating_sub(1);
    let segments = leg.segments.iter().enumerate().map(|(index, segment)| {
        let ends_leg = index == last && leg.ended_at.is_some();
        let mut body = json!({
            "segmentStart": Stamp(segment.from),
            "segmentType": segment_type(segment),
            "conference": false,
        });
        if let Some(to) = segment.to {
            let skew_ms: Millis = if ends_leg { setting.skew_ms } else { 0 };
            body["segmentEnd"] = json!(Stamp(to + skew_ms));
        }
        if let Some(queue) = queue {
            body["queueId"] = json!(queue);
        }
        if let Some(reason) = leg.reason.filter(|_| ends_leg) {
            body["disconnectType"] = json!(reason.word());
        }
        body
    });
    json!({
        "mediaType": leg.medium.word(),
        "sessionId": leg.id.to_string(),
        "direction": leg.direction.word(),
        "provider": leg.medium.provider(),
        "segments": segments.collect::<Vec<_>>(),
    })
}

fn segment_type(segment: &Segment) -> &'static str {
    match segment.stretch {
        Stretch::System => "system",
        Stretch::Ivr => "ivr",
        Stretch::Delay => "delay",
        Stretch::Alert => "alert",
        Stretch::Dial => "dialing",
        Stretch::Interact => "interact",
        Stretch::Hold => "hold",
        Stretch::Park => "parked",
    }
}
