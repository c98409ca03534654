//! One medium of a conversation with the communication folded into its participant:
//! `v2.users.{id}.conversations.calls` and its siblings under users and queues.
//!
//! The shape is that of `ConversationCallEventTopicCallConversation` and its kin. A participant without a
//! communication of the medium is left out. Unlike the nested shape it shows a `startTime`, and states stay in one
//! wide list for all media.

use serde_json::{Map, Value, json};

use super::Setting;
use crate::centre::conversation::{Communication, Conversation, Participant};
use crate::centre::words::Medium;
use crate::time::{Millis, Stamp};

/// Writes the part of a conversation that is carried by `medium`.
pub fn write(setting: Setting<'_>, conversation: &Conversation, medium: Medium) -> String {
    let participants: Vec<Value> = conversation
        .participants
        .iter()
        .filter_map(|one| {
            let leg = one.communications.iter().rfind(|leg| leg.medium == medium)?;
            Some(participant(setting, conversation, one, leg))
        })
        .collect();
    let mut body = json!({
        "id": conversation.id.to_string(),
        "name": conversation.contact.name,
        "address": conversation.contact.ani,
        "participants": participants,
        "otherMediaUris": [],
    });
    if medium == Medium::Voice {
        body["recordingState"] = json!("none");
        body["securePause"] = json!(false);
        body["maxParticipants"] = json!(20);
    }
    body.to_string()
}

fn participant(
    setting: Setting<'_>,
    conversation: &Conversation,
    one: &Participant,
    leg: &Communication,
) -> Value {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            body.insert(name.to_owned(), value);
        }
    };
    let cloud = |at: Option<Millis>| at.map_or(Value::Null, |at| json!(Stamp(at)));
    let provider = |at: Option<Millis>| at.map_or(Value::Null, |at| json!(Stamp(at + setting.skew_ms)));
    let reference = |kind: &str, id: String| json!({ "id": id, "selfUri": format!("/api/v2/{kind}/{id}") });
    put("id", json!(one.id.to_string()));
    put("name", json!(super::name(setting, conversation, one)));
    put("address", json!(conversation.contact.ani));
    put("startTime", cloud(Some(leg.began_at)));
    put("connectedTime", provider(leg.connected_at));
    put("endTime", provider(leg.ended_at));
    put("startHoldTime", cloud(leg.held_since));
    put("parkTime", cloud(leg.parked_at));
    put("resumeTime", cloud(leg.resumed_at));
    put("startAcwTime", cloud(one.work_from));
    put("endAcwTime", cloud(one.work_to));
    put("purpose", json!(one.purpose.word()));
    put("state", json!(leg.state.word(leg.medium)));
    put("initialState", json!(leg.initial.word(leg.medium)));
    put("direction", json!(leg.direction.word()));
    put("disconnectType", leg.reason.map_or(Value::Null, |reason| json!(reason.topic_word())));
    put("held", json!(leg.held_since.is_some()));
    if leg.medium == Medium::Voice {
        put("muted", json!(leg.muted));
        put("ani", json!(conversation.contact.ani));
    }
    if leg.medium == Medium::Email {
        put("subject", json!(conversation.contact.subject));
    }
    put("provider", json!(leg.medium.provider()));
    put("attributes", json!(super::ATTRIBUTES));
    put("mediaRoles", json!(["full"]));
    if let Some(user) = one.user {
        put("user", reference("users", setting.people.users[user].id.to_string()));
    }
    if let Some(queue) = one.queue {
        put("queue", reference("routing/queues", setting.people.queues[queue].id.to_string()));
    }
    put("peer", json!(leg.id.to_string()));
    Value::Object(body)
}
