//! The `events` dialect: one event, one fact.
//!
//! `{"eventId","eventType","timestamp","data":{"interactionId","participantId","state","role"}}`, where `data` may carry a
//! causal stamp too: `region` and `vectorClock`.
//! This is the hot path: one pass over the frame, nothing copied but ids, which are packed. An event that names no
//! participant is a fact of the conversation itself. An event's identity is its id; where it has none, its content,
//! time included. Rejected: reading the head before the body, as the other dialect does: nearly every frame here has a
//! body that is kept, and would be scanned twice.

use crate::field::{Moment, Text};
use crate::frame::{admit, parse};
use crate::{Batch, Control, Ignored, Limits, Origin, Outcome, Refused, clock, control};
use engine::{Authority, Delivery, Fact, FactId, Source, What};
use serde::Deserialize;
use serde_json::value::RawValue;
use smallvec::SmallVec;

/// Decodes a frame of the `events` dialect. What it says is appended to `out`; nothing unless it is
/// [`Outcome::Facts`].
pub fn decode_event(frame: &[u8], origin: Origin, limits: &Limits, out: &mut Batch) -> Outcome {
    admit(frame, limits).and_then(|text| event(text, origin, limits, out)).into()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow, default)]
    event_id: Text<'a>,
    #[serde(borrow, default)]
    event_type: Text<'a>,
    #[serde(default)]
    timestamp: Moment,
    #[serde(borrow, default)]
    subscription_id: Text<'a>,
    #[serde(borrow, default)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    #[serde(borrow, default)]
    interaction_id: Text<'a>,
    #[serde(borrow, default)]
    participant_id: Text<'a>,
    #[serde(borrow, default)]
    state: Text<'a>,
    #[serde(borrow, default)]
    role: Text<'a>,
    #[serde(borrow, default)]
    region: Text<'a>,
    #[serde(borrow, default)]
    vector_clock: Option<&'a RawValue>,
    #[serde(borrow, default)]
    subscription_id: Text<'a>,
}

fn event(text: &str, origin: Origin, limits: &Limits, out: &mut Batch) -> Result<Outcome, Refused> {
    let event: Event = parse(text)?;
    let what = match event.event_type.as_str() {
        "interaction.participant.joined" => What::Joined,
        "interaction.participant.left" => What::Left,
        "interaction.participant.roleChanged" => What::Role,
        "interaction.lifecycleStateChange" => What::State,
        other => return about_the_feed(other, &event),
    };
    let data = event.data.as_ref().ok_or(Refused::MissingId)?;
    let conversation = data.interaction_id.needed_id()?;
    let Some(fact) = fact(what, &event, data, origin, limits)? else {
        return Ok(Outcome::Ignored(Ignored::NoState));
    };
    out.deliveries.push(Delivery {
        conversation,
        feed: origin.feed,
        source: Source::Events,
        topic: 0,
        received: origin.received,
        facts: SmallVec::from_buf([fact]),
        toggles: Vec::new(),
    });
    Ok(Outcome::Facts(1))
}

/// The fact of an event; none when it says nothing about a state or a role.
fn fact(
    what: What,
    event: &Event,
    data: &Data,
    origin: Origin,
    limits: &Limits,
) -> Result<Option<Fact>, Refused> {
    let participant = data.participant_id.id()?;
    let at = event.timestamp.needed(origin)?;
    let stamp = clock::stamp(&data.region, data.vector_clock, limits)?;
    let (state, role) = (data.state.lower(), data.role.lower());
    let says_something = match (&participant, what) {
        (None, _) => state.is_some(),
        (Some(_), What::Joined | What::Left) => true,
        (Some(_), _) => state.is_some() || role.is_some(),
    };
    if !says_something {
        return Ok(None);
    }
    let what = if participant.is_some() { what } else { What::LifeCycle };
    let mut fact = Fact {
        participant,
        at: Some(at),
        authority: Authority::Recorded,
        state,
        role,
        stamp,
        ..Fact::new(what)
    };
    fact.id = identity(event, &fact, at.nanos);
    Ok(Some(fact))
}

fn identity(event: &Event, fact: &Fact, nanos: i64) -> FactId {
    if !event.event_id.is_empty() {
        return FactId::of_event(event.event_id.as_str());
    }
    FactId::of_content(&[
        event.event_type.as_str().as_bytes(),
        fact.participant.as_ref().map_or(&[], |participant| participant.key()),
        fact.state.as_ref().map_or(&[], |state| state.as_str().as_bytes()),
        fact.role.as_ref().map_or(&[], |role| role.as_str().as_bytes()),
        &nanos.to_le_bytes(),
    ])
}

/// The event types that are not about conversations.
fn about_the_feed(event_type: &str, event: &Event) -> Result<Outcome, Refused> {
    match event_type {
        "subscription" => {
            let inner = event.data.as_ref().map(|data| &data.subscription_id);
            let id = [Some(&event.subscription_id), inner].into_iter().flatten().find(|id| !id.is_empty());
            let id = id.map(|id| id.bounded(control::TEXT_BYTES_MAX));
            Ok(Outcome::Control(Control::SubscriptionConfirmed { id }))
        }
        "heartbeat" => Ok(Outcome::Control(Control::Heartbeat)),
        "pong" => Ok(Outcome::Control(Control::Pong)),
        "ping" | "channel.metadata" | "error" | "subscription.error" => {
            Ok(Outcome::Ignored(Ignored::EventType))
        }
        _ => Err(Refused::UnknownType),
    }
}
