//! From the model to the truth.
//!
//! The one place that says which clock writes which time: ends are the provider's (`skew_ms` later), everything else
//! is the cloud's. The bodies follow the same rule by themselves; if the two disagree, a test that compares them fails.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Communication, Conversation, Event, EventParticipant, Fact, Id, Participant};
use crate::centre::causal::CausalStamp;
use crate::centre::conversation as model;
use crate::centre::people::People;
use crate::centre::script::Leg;
use crate::centre::words::State;
use crate::time::{Millis, Stamp};

/// A conversation as the truth tells it.
pub fn conversation(conversation: &model::Conversation, people: &People, skew_ms: Millis) -> Conversation {
    let participants = conversation.participants.iter();
    Conversation {
        id: Id(conversation.id),
        active: conversation.ended_at.is_none(),
        started_at: Stamp(conversation.started_at),
        ended_at: conversation.ended_at.map(Stamp),
        media: conversation.media().into_iter().map(|medium| medium.word()).collect(),
        lost: conversation.lost,
        participants: participants.clone().map(|one| participant(one, people, skew_ms)).collect(),
        event_participants: participants.map(event_participant).collect(),
        events: conversation.history.events.clone(),
        facts: conversation.history.facts.clone(),
    }
}

/// An event as the truth tells it.
pub fn event(
    event_id: Uuid,
    event_type: &'static str,
    (at, happened_at): (Millis, Millis),
    about: Option<(Uuid, &'static str)>,
    state: &'static str,
    stamp: Option<CausalStamp>,
) -> Event {
    let (region, clock) = stamp.map_or((None, BTreeMap::new()), |stamp| (Some(stamp.region), stamp.clock));
    Event {
        event_id: Id(event_id),
        event_type,
        at: Stamp(at),
        happened_at: Stamp(happened_at),
        participant_id: about.map(|(id, _)| Id(id)),
        state,
        role: about.map(|(_, role)| role),
        region,
        clock,
    }
}

/// Writes down what just became true of one communication.
pub fn note_fact_of(conversation: &mut model::Conversation, leg: Leg, kind: &'static str, at: Millis) {
    let participant = &conversation.participants[leg.participant];
    let call = &participant.communications[leg.communication];
    let fact = Fact {
        at: Stamp(at),
        participant_id: Id(participant.id),
        communication_id: Id(call.id),
        kind,
        state: call.state.word(call.medium),
        reason: call.reason.map(|reason| reason.word()),
    };
    conversation.history.facts.push(fact);
}

fn participant(participant: &model::Participant, people: &People, skew_ms: Millis) -> Participant {
    let legs = &participant.communications;
    let liveliest = legs.iter().max_by_key(|leg| liveliness(leg.state));
    let last = legs.iter().max_by_key(|leg| leg.ended_at);
    let active = participant.left_at.is_none();
    Participant {
        id: Id(participant.id),
        role: participant.purpose.word(),
        user_id: participant.user.map(|user| Id(people.users[user].id)),
        queue_id: participant.queue.map(|queue| Id(people.queues[queue].id)),
        active,
        state: liveliest.map_or("none", |leg| leg.state.word(leg.medium)),
        joined_at: Some(Stamp(participant.joined_at)),
        left_at: participant.left_at.map(|at| Stamp(at + skew_ms)),
        end_reason: last.filter(|_| !active).and_then(|leg| leg.reason).map(|reason| reason.word()),
        held: legs.iter().any(|leg| leg.held_since.is_some()),
        muted: legs.iter().any(|leg| leg.muted),
        communications: legs.iter().map(|leg| communication(leg, skew_ms)).collect(),
    }
}

fn communication(leg: &model::Communication, skew_ms: Millis) -> Communication {
    Communication {
        id: Id(leg.id),
        medium: leg.medium.word(),
        direction: leg.direction.word(),
        state: leg.state.word(leg.medium),
        connected_at: leg.connected_at.map(Stamp),
        ended_at: leg.ended_at.map(|at| Stamp(at + skew_ms)),
        end_reason: leg.reason.map(|reason| reason.word()),
        held: leg.held_since.is_some(),
        muted: leg.muted,
    }
}

fn event_participant(participant: &model::Participant) -> EventParticipant {
    EventParticipant {
        id: Id(participant.id),
        role: participant.role,
        state: participant.event_state.event_word(),
        active: participant.left_at.is_none(),
    }
}

fn liveliness(state: State) -> u8 {
    match state {
        State::Ended => 0,
        State::Dialing | State::Offering | State::Alerting => 1,
        State::Parked => 2,
        State::Connected => 3,
    }
}
