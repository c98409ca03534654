//! The frames of the events dialect.
//!
//! One small object an event, as tutorials and in-house gateways speak it; a gateway with several regions adds its
//! causal stamp. The confirmation of a subscription has the same envelope.

use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

use crate::time::{Millis, Stamp};
use crate::truth::{Event, Id};

/// The types of events, in the order of their bits in a subscription.
pub const TYPES: [&str; 4] = [
    "interaction.participant.joined",
    "interaction.participant.left",
    "interaction.participant.roleChanged",
    "interaction.lifecycleStateChange",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Frame<'a> {
    event_id: Id,
    event_type: &'a str,
    timestamp: Stamp,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    interaction_id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    participant_id: Option<Id>,
    state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    vector_clock: &'a BTreeMap<&'static str, u64>,
}

/// Writes an event.
pub fn write(conversation: Uuid, event: &Event) -> String {
    let frame = Frame {
        event_id: event.event_id,
        event_type: event.event_type,
        timestamp: event.at,
        data: Data {
            interaction_id: Id(conversation),
            participant_id: event.participant_id,
            state: event.state,
            role: event.role,
            region: event.region,
            vector_clock: &event.clock,
        },
    };
    serde_json::to_string(&frame).unwrap_or_default()
}

/// Writes the confirmation of a subscription.
pub fn confirmation(at: Millis) -> String {
    json!({
        "eventId": Uuid::new_v4().to_string(),
        "eventType": "subscription",
        "timestamp": Stamp(at),
        "data": { "subscriptionId": Uuid::new_v4().to_string() },
    })
    .to_string()
}
