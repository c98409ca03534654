//! One conversation: who is on it, over what, and how that changes step by step.
//!
//! The model holds every instant on the cloud's clock; which of them the platform writes by the provider's clock is
//! the bodies' affair. Participants never disappear and a re-route makes a new one, as on the platform.

use std::collections::VecDeque;

use fastrand::Rng;
use uuid::Uuid;

use super::causal::Causal;
use super::people::draw_id;
use super::script::{Join, Leg, Slot, Step};
use super::words::{Direction, Medium, Purpose, Reason, State};
use crate::time::Millis;
use crate::truth::History;

/// What one stretch of a communication was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stretch {
    System,
    Ivr,
    Delay,
    Alert,
    Dial,
    Interact,
    Hold,
    Park,
}

/// A stretch with its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    pub stretch: Stretch,
    pub from: Millis,
    pub to: Option<Millis>,
}

/// One media leg of one participant.
pub struct Communication {
    pub id: Uuid,
    pub medium: Medium,
    pub direction: Direction,
    pub initial: State,
    pub state: State,
    pub began_at: Millis,
    pub connected_at: Option<Millis>,
    pub ended_at: Option<Millis>,
    pub reason: Option<Reason>,
    /// Since when it is on hold.
    pub held_since: Option<Millis>,
    pub muted: bool,
    pub parked_at: Option<Millis>,
    pub resumed_at: Option<Millis>,
    pub segments: Vec<Segment>,
}

/// Somebody, or something, that takes part.
pub struct Participant {
    pub id: Uuid,
    pub purpose: Purpose,
    /// The role of the events dialect, which may change.
    pub role: &'static str,
    /// The state of the events dialect.
    pub event_state: State,
    /// Index of the user.
    pub user: Option<usize>,
    /// Index of the queue.
    pub queue: Option<usize>,
    pub joined_at: Millis,
    pub connected_at: Option<Millis>,
    pub left_at: Option<Millis>,
    pub monitors: Option<Uuid>,
    pub consults: Option<Uuid>,
    pub work_from: Option<Millis>,
    pub work_to: Option<Millis>,
    pub communications: Vec<Communication>,
}

/// Whom the conversation is with: personal data that the platform sends and a consumer has to leave out.
pub struct Contact {
    pub name: String,
    pub ani: String,
    pub subject: String,
}

/// A whole conversation, its future included.
pub struct Conversation {
    pub id: Uuid,
    pub contact: Contact,
    pub started_at: Millis,
    pub ended_at: Option<Millis>,
    pub participants: Vec<Participant>,
    /// The one `CorrelationId` of all its frames.
    pub correlation: Uuid,
    pub causal: Option<Causal>,
    pub rng: Rng,
    pub history: History,
    /// Some frame of it reached nobody.
    pub lost: bool,
    pub plan: VecDeque<(Millis, Step)>,
}

impl Conversation {
    /// A conversation that starts at `now` and will take the steps of `plan` (offsets from `now`).
    pub fn new(mut rng: Rng, now: Millis, plan: Vec<(Millis, Step)>, regions: usize) -> Self {
        let number = rng.u32(100..=9999);
        Self {
            id: draw_id(&mut rng),
            contact: Contact {
                name: format!("Customer Canary {number}"),
                ani: format!("tel:+1555{number:07}"),
                subject: format!("canary subject: where is order {number}?"),
            },
            started_at: now,
            ended_at: None,
            participants: Vec::new(),
            correlation: draw_id(&mut rng),
            causal: (regions > 0).then(|| Causal::new(&mut rng, regions)),
            rng,
            history: History::default(),
            lost: false,
            plan: plan.into_iter().map(|(offset, step)| (now + offset, step)).collect(),
        }
    }

    /// The media of its communications, each once.
    pub fn media(&self) -> Vec<Medium> {
        let mut media = Vec::new();
        for leg in self.participants.iter().flat_map(|participant| &participant.communications) {
            if !media.contains(&leg.medium) {
                media.push(leg.medium);
            }
        }
        media
    }

    /// Brings a participant in; `user` is whoever was found for its seat.
    pub fn join(&mut self, join: Join, user: Option<usize>, at: Millis) -> Slot {
        let earlier = |slot: Option<Slot>| slot.map(|slot| self.participants[slot].id);
        let (monitors, consults) = (earlier(join.monitors), earlier(join.consults));
        let connected_at = (join.state == State::Connected).then_some(at);
        let leg =
            Communication::new(&mut self.rng, join.purpose, join.medium, join.direction, join.state, at);
        self.participants.push(Participant {
            id: draw_id(&mut self.rng),
            purpose: join.purpose,
            role: join.purpose.role(),
            event_state: join.state,
            user,
            queue: join.queue,
            joined_at: at,
            connected_at,
            left_at: None,
            monitors,
            consults,
            work_from: None,
            work_to: None,
            communications: vec![leg],
        });
        self.participants.len() - 1
    }

    /// Gives a participant one more communication.
    pub fn dial(&mut self, slot: Slot, medium: Medium, direction: Direction, at: Millis) -> Leg {
        let participant = &mut self.participants[slot];
        let leg =
            Communication::new(&mut self.rng, participant.purpose, medium, direction, State::Dialing, at);
        participant.communications.push(leg);
        Leg { participant: slot, communication: participant.communications.len() - 1 }
    }

    /// The communication answers. True when its participant was not connected before.
    pub fn connect(&mut self, leg: Leg, at: Millis) -> bool {
        let participant = &mut self.participants[leg.participant];
        let first = participant.connected_at.is_none();
        participant.connected_at.get_or_insert(at);
        participant.event_state = State::Connected;
        let call = &mut participant.communications[leg.communication];
        call.state = State::Connected;
        call.connected_at = Some(at);
        call.turn_to(Stretch::Interact, at);
        first
    }

    /// Changes one communication in place.
    pub fn leg_mut(&mut self, leg: Leg) -> &mut Communication {
        &mut self.participants[leg.participant].communications[leg.communication]
    }

    /// The communication ends. True when it was its participant's last.
    pub fn end(&mut self, leg: Leg, reason: Reason, at: Millis) -> bool {
        let participant = &mut self.participants[leg.participant];
        participant.communications[leg.communication].end(reason, at);
        let last = participant.communications.iter().all(|call| call.ended_at.is_some());
        if last {
            participant.left_at = Some(at);
            participant.event_state = State::Ended;
        }
        last
    }
}

impl Communication {
    fn new(
        rng: &mut Rng,
        purpose: Purpose,
        medium: Medium,
        direction: Direction,
        state: State,
        at: Millis,
    ) -> Self {
        let stretch = match (state, purpose) {
            (State::Connected, Purpose::Ivr) => Stretch::Ivr,
            (State::Connected, Purpose::Acd) => Stretch::Delay,
            (State::Connected, _) => Stretch::Interact,
            (State::Alerting, _) => Stretch::Alert,
            (State::Dialing, _) => Stretch::Dial,
            _ => Stretch::System,
        };
        Self {
            id: draw_id(rng),
            medium,
            direction,
            initial: state,
            state,
            began_at: at,
            connected_at: (state == State::Connected).then_some(at),
            ended_at: None,
            reason: None,
            held_since: None,
            muted: false,
            parked_at: None,
            resumed_at: None,
            segments: vec![Segment { stretch, from: at, to: None }],
        }
    }

    /// Puts it on hold, or takes it off.
    pub fn hold(&mut self, held: bool, at: Millis) {
        self.held_since = held.then_some(at);
        self.turn_to(if held { Stretch::Hold } else { Stretch::Interact }, at);
    }

    /// Lays it aside, or takes it up again.
    pub fn park(&mut self, parked: bool, at: Millis) {
        if parked {
            self.state = State::Parked;
            self.parked_at = Some(at);
            self.turn_to(Stretch::Park, at);
        } else {
            self.state = State::Connected;
            self.resumed_at = Some(at);
            self.turn_to(Stretch::Interact, at);
        }
    }

    fn end(&mut self, reason: Reason, at: Millis) {
        self.close_segment(at);
        self.state = State::Ended;
        self.ended_at = Some(at);
        self.reason = Some(reason);
        self.held_since = None;
    }

    fn turn_to(&mut self, stretch: Stretch, at: Millis) {
        self.close_segment(at);
        self.segments.push(Segment { stretch, from: at, to: None });
    }

    fn close_segment(&mut self, at: Millis) {
        if let Some(segment) = self.segments.last_mut() {
            segment.to = Some(at);
        }
    }
}
