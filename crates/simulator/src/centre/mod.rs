//! The contact centre: conversations that begin, go their course and end, decided by the seed alone.
//!
//! The centre is a heap of what comes next. It is asked for the next happening and given the time; it never looks at
//! a clock, a socket or a file, so a test plays hours in a moment and the same seed gives the same decisions. Each
//! conversation has its own generator, drawn in order of arrival: what one does never shifts the dice of another.
//! Arrivals are spaced by what the last one costs in transitions, which keeps the whole to the rate that was asked for.

pub mod causal;
pub mod conversation;
pub mod people;
mod scenario;
pub mod script;
pub mod words;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use fastrand::Rng;
use uuid::Uuid;

use self::conversation::Conversation;
use self::people::{PRESENCES, People};
use self::script::{Leg, Script, Seat, Slot, Step};
use crate::time::Millis;

/// How long an ended conversation can still be read when the whole truth is not kept.
const KEEP_ENDED_MS: Millis = 60_000;

/// How often somebody goes to lunch or comes back.
const PRESENCE_EVERY_MS: Millis = 2_000;

/// What the centre needs to know of the options.
#[derive(Clone, Debug)]
pub struct Settings {
    pub seed: u64,
    /// Transitions a second.
    pub rate: f64,
    /// How many conversations to start; 0 is without limit.
    pub conversations: u32,
    /// How long conversations start; 0 is without limit.
    pub duration_ms: Millis,
    pub users: usize,
    pub queues: usize,
    pub regions: usize,
    pub pace: f64,
    /// The share of conversations that never end.
    pub leave_live: f64,
    /// Only the steps that the events dialect shows count towards the rate.
    pub events_only: bool,
    /// Ended conversations stay, for the truth.
    pub keep_all: bool,
}

/// Something that just became true.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happening {
    Conversation(Change),
    /// A user's presence or routing status; the index of the user.
    Presence(usize),
    Routing(usize),
}

/// One step of one conversation, taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    pub conversation: Uuid,
    pub at: Millis,
    pub kind: ChangeKind,
}

/// Which step. The flags say whether the participant as a whole changed with its communication.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeKind {
    Started,
    Joined(Slot),
    Dialed(Leg),
    Connected { leg: Leg, first: bool },
    Held(Leg),
    Unheld(Leg),
    Muted(Leg),
    Unmuted(Leg),
    Parked(Leg),
    Resumed(Leg),
    Ended { leg: Leg, left: bool },
    WorkStarted(Slot),
    WrappedUp(Slot),
    RoleChanged(Slot),
    Closed,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    Arrival,
    Step(Uuid),
    Presence,
    Forget(Uuid),
}

/// The whole centre.
pub struct Centre {
    pub people: People,
    settings: Settings,
    rng: Rng,
    conversations: HashMap<Uuid, Conversation>,
    heap: BinaryHeap<Reverse<(Millis, u64, Entry)>>,
    sequence: u64,
    /// Entries of the heap other than `Forget`.
    pending: usize,
    closes_at: Option<Millis>,
    started: u32,
    active: u64,
    /// What a step brings with it.
    also: Vec<Happening>,
}

impl Centre {
    /// A centre with its people in place and nobody calling yet.
    pub fn new(settings: Settings, now: Millis) -> Self {
        let mut rng = Rng::with_seed(settings.seed);
        let people = People::draw(&mut rng, settings.users, settings.queues, now);
        Self {
            people,
            settings,
            rng,
            conversations: HashMap::new(),
            heap: BinaryHeap::new(),
            sequence: 0,
            pending: 0,
            closes_at: None,
            started: 0,
            active: 0,
            also: Vec::new(),
        }
    }

    /// Opens the lines.
    pub fn open(&mut self, now: Millis) {
        self.closes_at = (self.settings.duration_ms > 0).then_some(now + self.settings.duration_ms);
        self.schedule(now, Entry::Arrival);
        self.schedule(now + PRESENCE_EVERY_MS, Entry::Presence);
    }

    /// When the next thing happens.
    pub fn due(&self) -> Option<Millis> {
        if !self.also.is_empty() {
            return Some(Millis::MIN);
        }
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// Lines are closed and every conversation has gone its course.
    pub fn is_exhausted(&self) -> bool {
        self.pending == 0 && self.also.is_empty()
    }

    /// How many conversations have started and not ended.
    pub fn active(&self) -> u64 {
        self.active
    }

    /// The conversations that are remembered.
    pub fn conversations(&self) -> impl Iterator<Item = &Conversation> {
        self.conversations.values()
    }

    /// A conversation that is remembered.
    pub fn conversation(&self, id: Uuid) -> Option<&Conversation> {
        self.conversations.get(&id)
    }

    /// The same, to write down what became of it.
    pub fn conversation_mut(&mut self, id: Uuid) -> Option<&mut Conversation> {
        self.conversations.get_mut(&id)
    }

    /// The next happening that is due at `now`, if any.
    pub fn next(&mut self, now: Millis) -> Option<Happening> {
        loop {
            if let Some(happening) = self.also.pop() {
                return Some(happening);
            }
            if self.heap.peek().is_none_or(|Reverse((at, ..))| *at > now) {
                return None;
            }
            let Reverse((at, _, entry)) = self.heap.pop()?;
            if !matches!(entry, Entry::Forget(_)) {
                self.pending -= 1;
            }
            match entry {
                Entry::Arrival => self.arrive(at),
                Entry::Presence => return self.change_presence(at),
                Entry::Step(id) => {
                    if let Some(change) = self.step(id) {
                        return Some(Happening::Conversation(change));
                    }
                }
                Entry::Forget(id) => {
                    self.conversations.remove(&id);
                }
            }
        }
    }

    fn schedule(&mut self, at: Millis, entry: Entry) {
        self.sequence += 1;
        if !matches!(entry, Entry::Forget(_)) {
            self.pending += 1;
        }
        self.heap.push(Reverse((at, self.sequence, entry)));
    }

    /// Lines are open: conversations may still start.
    fn is_open(&self, at: Millis) -> bool {
        let limit = self.settings.conversations;
        (limit == 0 || self.started < limit) && self.closes_at.is_none_or(|closes_at| at < closes_at)
    }

    fn arrive(&mut self, at: Millis) {
        if !self.is_open(at) {
            return;
        }
        self.started += 1;
        let mut rng = self.rng.fork();
        let mut script = Script::new(&mut rng, self.settings.pace);
        scenario::write(&mut script, self.settings.queues);
        let mut plan = script.finish();
        if rng.f64() < self.settings.leave_live {
            leave_live(&mut plan, &mut rng);
        }
        let cost = plan.iter().filter(|(_, step)| !self.settings.events_only || step.is_event()).count();
        let gap_ms = cost as f64 * 1000.0 / self.settings.rate * (0.5 + self.rng.f64());
        let conversation = Conversation::new(rng, at, plan, self.settings.regions);
        self.schedule(at, Entry::Step(conversation.id));
        self.conversations.insert(conversation.id, conversation);
        self.schedule(at + gap_ms.max(1.0) as Millis, Entry::Arrival);
    }

    fn step(&mut self, id: Uuid) -> Option<Change> {
        let (at, step) = self.conversations.get_mut(&id)?.plan.pop_front()?;
        let kind = self.take(id, step, at)?;
        let conversation = &self.conversations[&id];
        match conversation.plan.front() {
            Some((next_at, _)) => self.schedule(*next_at, Entry::Step(id)),
            None if conversation.ended_at.is_some() && !self.settings.keep_all => {
                self.schedule(at + KEEP_ENDED_MS, Entry::Forget(id));
            }
            None => {}
        }
        Some(Change { conversation: id, at, kind })
    }

    fn take(&mut self, id: Uuid, step: Step, at: Millis) -> Option<ChangeKind> {
        let seated = match step {
            Step::Join(join) => self.seat(id, join.seat, join.queue),
            _ => None,
        };
        let conversation = self.conversations.get_mut(&id)?;
        let kind = match step {
            Step::Start => {
                self.active += 1;
                ChangeKind::Started
            }
            Step::Join(join) => ChangeKind::Joined(conversation.join(join, seated, at)),
            Step::Dial(slot, medium, direction) => {
                ChangeKind::Dialed(conversation.dial(slot, medium, direction, at))
            }
            Step::Connect(leg) => ChangeKind::Connected { leg, first: conversation.connect(leg, at) },
            Step::Hold(leg) => {
                conversation.leg_mut(leg).hold(true, at);
                ChangeKind::Held(leg)
            }
            Step::Unhold(leg) => {
                conversation.leg_mut(leg).hold(false, at);
                ChangeKind::Unheld(leg)
            }
            Step::Mute(leg) => {
                conversation.leg_mut(leg).muted = true;
                ChangeKind::Muted(leg)
            }
            Step::Unmute(leg) => {
                conversation.leg_mut(leg).muted = false;
                ChangeKind::Unmuted(leg)
            }
            Step::Park(leg) => {
                conversation.leg_mut(leg).park(true, at);
                ChangeKind::Parked(leg)
            }
            Step::Resume(leg) => {
                conversation.leg_mut(leg).park(false, at);
                ChangeKind::Resumed(leg)
            }
            Step::End(leg, reason) => ChangeKind::Ended { leg, left: conversation.end(leg, reason, at) },
            Step::StartWork(slot) => {
                conversation.participants[slot].work_from = Some(at);
                ChangeKind::WorkStarted(slot)
            }
            Step::WrapUp(slot) => {
                conversation.participants[slot].work_to = Some(at);
                ChangeKind::WrappedUp(slot)
            }
            Step::Role(slot, role) => {
                conversation.participants[slot].role = role;
                ChangeKind::RoleChanged(slot)
            }
            Step::Close => {
                conversation.ended_at = Some(at);
                self.active -= 1;
                ChangeKind::Closed
            }
        };
        self.follow(id, kind, at);
        Some(kind)
    }

    fn seat(&mut self, id: Uuid, seat: Seat, queue: Option<usize>) -> Option<usize> {
        let conversation = self.conversations.get_mut(&id)?;
        let user = match seat {
            Seat::Nobody => return None,
            Seat::Agent => self.people.agent_for(&mut conversation.rng, queue.unwrap_or(0)),
            Seat::Supervisor => self.people.supervisor(&mut conversation.rng),
            Seat::SameAs(slot) => conversation.participants[slot].user?,
        };
        self.people.users[user].load += 1;
        Some(user)
    }

    /// What a change means for the user it concerns.
    fn follow(&mut self, id: Uuid, kind: ChangeKind, at: Millis) {
        let (slot, answered) = match kind {
            ChangeKind::Connected { leg, first: true } => (leg.participant, true),
            ChangeKind::Ended { leg, left: true } => (leg.participant, false),
            _ => return,
        };
        let participant = &self.conversations[&id].participants[slot];
        let (Some(index), unanswered) = (participant.user, participant.connected_at.is_none()) else {
            return;
        };
        let user = &mut self.people.users[index];
        if !answered {
            user.load -= 1;
        }
        let status = match (answered, user.load) {
            (true, _) => "INTERACTING",
            (false, 0) if unanswered => "NOT_RESPONDING",
            (false, 0) => "IDLE",
            (false, _) => user.routing,
        };
        if status != user.routing {
            user.routing = status;
            user.routing_since = at;
            self.also.push(Happening::Routing(index));
        }
    }

    fn change_presence(&mut self, at: Millis) -> Option<Happening> {
        if !self.is_open(at) {
            return None;
        }
        self.schedule(at + PRESENCE_EVERY_MS, Entry::Presence);
        let index = self.rng.usize(..self.people.users.len());
        let away = self.rng.usize(1..PRESENCES.len());
        let user = &mut self.people.users[index];
        user.presence = if user.presence == 0 { away } else { 0 };
        user.presence_since = at;
        Some(Happening::Presence(index))
    }
}

/// Cuts a course off while somebody besides the customer is on it, so that the conversation is live for good.
fn leave_live(plan: &mut Vec<(Millis, Step)>, rng: &mut Rng) {
    let mut joined = Vec::new();
    let mut cuts = Vec::new();
    for (index, (_, step)) in plan.iter().enumerate() {
        match step {
            Step::Join(join) => joined.push(join.queue.is_some()),
            Step::End(Leg { participant: 0, communication: 0 }, _) => break,
            Step::End(Leg { participant, communication: 0 }, _) => joined[*participant] = false,
            _ => {}
        }
        if joined.contains(&true) {
            cuts.push(index + 1);
        }
    }
    if let Some(cut) = rng.choice(cuts) {
        plan.truncate(cut);
    }
}
