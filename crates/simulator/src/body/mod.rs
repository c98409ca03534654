//! The JSON that leaves the simulator.
//!
//! Bodies are written by hand from the platform's published shapes and share nothing with the decoder that will read
//! them, or both could make the same mistake and agree. The hot ones (events and snapshots) are typed and serialised
//! straight from the model, once for all who get them; the ones that are read now and then are plain JSON values.
//! Personal data is in them wherever the platform sends it, each value with the word canary in it.

pub mod analytics;
pub mod detail;
pub mod events;
pub mod flat;
pub mod nested;
pub mod people;

use serde::Serialize;

use crate::centre::conversation::{Conversation, Participant};
use crate::centre::people::People;
use crate::centre::words::Purpose;
use crate::time::Millis;

/// What a body needs besides the conversation.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    pub people: &'a People,
    /// Provider clock minus cloud clock.
    pub skew_ms: Millis,
}

/// Personal data that integrations attach to a participant.
#[derive(Serialize)]
pub struct Attributes {
    #[serde(rename = "crm.note")]
    note: &'static str,
    #[serde(rename = "crm.birthday")]
    birthday: &'static str,
}

/// The attributes of every participant.
pub const ATTRIBUTES: Attributes =
    Attributes { note: "canary attribute: prefers mornings", birthday: "1979-canary-03" };

/// The name that a participant goes by.
pub fn name<'a>(
    setting: Setting<'a>,
    conversation: &'a Conversation,
    participant: &'a Participant,
) -> &'a str {
    match (participant.purpose, participant.user, participant.queue) {
        (Purpose::Customer, ..) => &conversation.contact.name,
        (_, Some(user), _) => &setting.people.users[user].name,
        (_, None, Some(queue)) => &setting.people.queues[queue].name,
        _ => "Front Door Flow",
    }
}
