//! How a conversation's course is written down before it is played.
//!
//! A scenario writes steps onto a time line as a screenwriter would: somebody joins, a while passes, somebody
//! answers. The whole course is known when the conversation starts, so its cost in transitions is known too and the
//! centre can keep to a rate. Who takes the call is left open until it rings, since that depends on who is free then.
//! Rejected: an actor for every participant (the order of their decisions would hang on scheduling, not on the seed).

use fastrand::Rng;

use super::words::{Direction, Medium, Purpose, Reason, State};
use crate::time::Millis;

/// The position of a participant in its conversation.
pub type Slot = usize;

/// One communication of one participant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leg {
    pub participant: Slot,
    pub communication: usize,
}

/// Who sits at a new participant's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seat {
    Nobody,
    /// Whoever of the queue is free.
    Agent,
    Supervisor,
    /// The user of an earlier participant: a call that rings again at the same desk.
    SameAs(Slot),
}

/// A participant who comes in, with its first communication.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Join {
    pub purpose: Purpose,
    pub seat: Seat,
    /// Index of the queue, where there is one.
    pub queue: Option<usize>,
    pub medium: Medium,
    pub direction: Direction,
    pub state: State,
    pub monitors: Option<Slot>,
    pub consults: Option<Slot>,
}

/// One thing that happens in a conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Start,
    Join(Join),
    /// A participant gets one more communication, which is still dialing.
    Dial(Slot, Medium, Direction),
    Connect(Leg),
    Hold(Leg),
    Unhold(Leg),
    Mute(Leg),
    Unmute(Leg),
    Park(Leg),
    Resume(Leg),
    End(Leg, Reason),
    StartWork(Slot),
    WrapUp(Slot),
    Role(Slot, &'static str),
    Close,
}

impl Step {
    /// Whether the step may show in the events dialect; the rest shows in notifications only.
    pub fn is_event(&self) -> bool {
        matches!(
            self,
            Self::Start | Self::Join(_) | Self::Connect(_) | Self::End(..) | Self::Role(..) | Self::Close
        )
    }
}

/// A course in the making. `now` is the offset of the next step from the conversation's start.
pub struct Script<'a> {
    pub rng: &'a mut Rng,
    pace: f64,
    now: Millis,
    steps: Vec<(Millis, Step)>,
    joined: Slot,
}

impl<'a> Script<'a> {
    /// An empty course whose waits pass `pace` times faster than in life.
    pub fn new(rng: &'a mut Rng, pace: f64) -> Self {
        Self { rng, pace, now: 0, steps: Vec::new(), joined: 0 }
    }

    /// Lets `from..to` seconds of life pass.
    pub fn wait(&mut self, from: f64, to: f64) {
        self.now += self.life_ms(from, to);
    }

    /// Lets some milliseconds of machine time pass, which no pace shortens.
    pub fn lag(&mut self, from: Millis, to: Millis) {
        self.now += self.rng.i64(from..=to);
    }

    /// Writes the next step.
    pub fn then(&mut self, step: Step) {
        self.steps.push((self.now, step));
    }

    /// Writes a step for `from..to` seconds of life later without waiting for it.
    pub fn meanwhile(&mut self, from: f64, to: f64, step: Step) {
        let at = self.now + self.life_ms(from, to);
        self.steps.push((at, step));
    }

    /// Brings a participant in.
    pub fn join(&mut self, join: Join) -> Leg {
        let participant = self.joined;
        self.joined += 1;
        self.then(Step::Join(join));
        Leg { participant, communication: 0 }
    }

    /// True in `share` of all cases.
    pub fn chance(&mut self, share: f64) -> bool {
        self.rng.f64() < share
    }

    /// The course in order of time, no two steps in the same millisecond.
    pub fn finish(self) -> Vec<(Millis, Step)> {
        let mut steps = self.steps;
        steps.sort_by_key(|(at, _)| *at);
        let mut last = -1;
        for (at, _) in &mut steps {
            *at = (*at).max(last + 1);
            last = *at;
        }
        steps
    }

    fn life_ms(&mut self, from: f64, to: f64) -> Millis {
        let seconds = from + (to - from) * self.rng.f64();
        (seconds * 1000.0 / self.pace) as Millis
    }
}
