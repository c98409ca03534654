//! Detail events: one transition each, under `v2.detail.events.conversation.{id}.*`.
//!
//! An agent is a `user` here and an IVR a `flow`; `user.start` comes when the leg begins to ring, and no event says
//! that it was answered. Times are epoch milliseconds. The conversation's id has to be subscribed, so most of these
//! are never sent; the caller asks for the kind first and for the body only when somebody listens.

use serde_json::{Value, json};

use super::Setting;
use crate::centre::conversation::{Communication, Conversation, Participant};
use crate::centre::script::{Leg, Slot};
use crate::centre::words::{Purpose, State};
use crate::centre::{Change, ChangeKind};
use crate::time::Millis;

/// The kind of detail event that a change makes, and of which leg.
pub fn kind(conversation: &Conversation, change: &Change) -> Option<(String, Leg)> {
    let first = |participant: Slot| Leg { participant, communication: 0 };
    let family = |leg: Leg| conversation.participants[leg.participant].purpose.detail();
    match change.kind {
        ChangeKind::Joined(slot) => Some((format!("{}.start", family(first(slot))), first(slot))),
        ChangeKind::Dialed(leg) => Some((format!("{}.start", family(leg)), leg)),
        ChangeKind::Ended { leg, .. } => Some((format!("{}.end", family(leg)), leg)),
        ChangeKind::WrappedUp(slot) => Some(("acw".to_owned(), first(slot))),
        _ => None,
    }
}

/// Writes the event of `kind`.
pub fn write(
    setting: Setting<'_>,
    conversation: &Conversation,
    change: &Change,
    kind: &str,
    leg: Leg,
) -> String {
    let one = &conversation.participants[leg.participant];
    let call = &one.communications[leg.communication];
    let ended = matches!(change.kind, ChangeKind::Ended { .. });
    let mut body = json!({
        "eventTime": if ended { change.at + setting.skew_ms } else { change.at },
        "conversationId": conversation.id.to_string(),
        "participantId": one.id.to_string(),
        "sessionId": call.id.to_string(),
        "mediaType": call.medium.detail(),
        "provider": call.medium.provider(),
        "direction": call.direction.detail(),
        "ani": conversation.contact.ani,
        "addressFrom": conversation.contact.ani,
        "divisionId": setting.people.division.to_string(),
    });
    if let Some(user) = one.user {
        body["userId"] = json!(setting.people.users[user].id.to_string());
    }
    if let Some(queue) = one.queue {
        body["queueId"] = json!(setting.people.queues[queue].id.to_string());
    }
    if let Some(reason) = call.reason.filter(|_| ended) {
        body["disconnectType"] = json!(reason.detail_word());
        end(setting, conversation, one, call, &mut body);
    }
    if kind == "acw" {
        body["wrapupCode"] = json!("a4d5e6f7-0000-4000-8000-000000000001");
        body["wrapupNotes"] = json!("canary note: customer sounded tired");
        body["wrapupDurationMs"] = json!(one.work_to.zip(one.work_from).map_or(0, |(to, from)| to - from));
    }
    body.to_string()
}

/// What an end adds, by family.
fn end(
    setting: Setting<'_>,
    conversation: &Conversation,
    one: &Participant,
    call: &Communication,
    body: &mut Value,
) {
    let talked_ms = lasted(call.connected_at, call.ended_at);
    match one.purpose {
        Purpose::Customer => body["interactingDurationMs"] = json!(talked_ms),
        Purpose::Ivr => {
            body["connectedDurationMs"] = json!(talked_ms);
            body["flowType"] = json!("INBOUNDCALL");
            body["exitReason"] = json!("TRANSFER");
        }
        Purpose::Acd => {
            let answered = conversation
                .participants
                .iter()
                .rfind(|other| other.purpose == Purpose::Agent && other.event_state == State::Connected);
            body["connectedDurationMs"] = json!(talked_ms);
            body["acdOutcome"] = json!(if answered.is_some() { "ANSWERED" } else { "ABANDON" });
            if let Some(user) = answered.and_then(|other| other.user) {
                body["answeredUserId"] = json!(setting.people.users[user].id.to_string());
            }
        }
        Purpose::Agent | Purpose::User => {
            let rang_to = call.connected_at.or(call.ended_at);
            body["interactingDurationMs"] = json!(talked_ms);
            body["alertingDurationMs"] = json!(lasted(Some(call.began_at), rang_to));
        }
    }
}

fn lasted(from: Option<Millis>, to: Option<Millis>) -> Millis {
    from.zip(to).map_or(0, |(from, to)| to - from)
}
