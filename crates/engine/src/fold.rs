//! State from facts: one pass over a conversation's entries in their order.
//!
//! Nothing is kept between passes. A conversation has tens of facts, a pass over them costs less than keeping a
//! second truth in step with the first, and what is shown cannot drift from what is known. Rejected: applying each
//! fact to a stored state (every late fact needs an undo, which is where boards begin to lie).

mod places;

use crate::entry::{Entry, NO_TIME};
use crate::names::{Name, Names, Sym};
use crate::{Authority, Source, Time, What};
use places::Places;
use std::collections::BTreeSet;

/// A conversation's state after some of its entries.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    pub participants: Vec<Participant>,
    places: Places,
    /// The life-cycle state, once an event named one.
    pub life_cycle: Option<Sym>,
    /// When the life cycle ended.
    life_ended: Option<Time>,
    started: Option<Time>,
}

#[derive(Debug)]
pub(crate) struct Participant {
    pub id: Name,
    pub role: Sym,
    pub user: Name,
    pub queue: Name,
    /// Its own state, told without a communication.
    direct: Sym,
    direct_active: bool,
    /// Its state comes from events about itself, not from communications.
    by_events: bool,
    pub joined: Option<Time>,
    left: Option<Time>,
    reason: Sym,
    pub communications: Vec<Communication>,
    places: Places,
}

#[derive(Debug)]
pub(crate) struct Communication {
    pub id: Name,
    pub medium: Sym,
    pub direction: Sym,
    pub state: Sym,
    /// It was answered, and when, where a source says so.
    answered: bool,
    pub connected: Option<Time>,
    /// Where its end stands in the order, and when it was, where a source says so.
    pub ended: Option<Time>,
    pub ended_at: Option<Time>,
    pub reason: Sym,
    pub held: bool,
    pub muted: bool,
    /// When the hold that lasts began, as the vendor gave it.
    pub held_since: i64,
    /// When the hold began that was told to be over last.
    pub over_since: i64,
    /// How often it was muted or unmuted.
    pub mutes: u32,
    /// How often it was put on hold or taken off it.
    pub holds: u32,
}

/// What one entry changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub from: Sym,
    /// Counted in its minute's cell.
    pub counted: bool,
    /// Shown in the timeline.
    pub shown: bool,
}

impl Folded {
    /// An empty state that knows which participants have communications at all: evidence about such a participant
    /// itself stands back behind its communications'.
    pub fn prepared(entries: &[Entry]) -> Self {
        let mut folded = Self::default();
        for entry in entries.iter().filter(|e| e.communication.is_some()) {
            let communication = entry.communication;
            folded.participant(entry.participant).communication(communication);
        }
        folded
    }

    /// Whether it was prepared for the leg that an entry is about, if it is about one.
    pub fn expects(&self, entry: &Entry) -> bool {
        let leg = entry.communication;
        let mut of_it = self.participants.iter().filter(|p| p.id == entry.participant);
        !leg.is_some() || of_it.any(|p| p.communications.iter().any(|c| c.id == leg))
    }

    /// Leaves out participants and communications that none of these entries is about.
    pub fn keep_those_in(&mut self, entries: &[Entry]) {
        let told: BTreeSet<(Name, Name)> = entries.iter().map(|e| (e.participant, e.communication)).collect();
        let people: BTreeSet<Name> = told.iter().map(|(participant, _)| *participant).collect();
        self.participants.retain(|participant| people.contains(&participant.id));
        for Participant { id, communications, .. } in &mut self.participants {
            communications.retain(|leg| told.contains(&(*id, leg.id)));
        }
    }

    /// Applies the next entry.
    pub fn apply(&mut self, entry: &Entry, names: &Names) -> Step {
        if !entry.participant.is_some() {
            return self.apply_life_cycle(entry, names);
        }
        let over = self.life_ended.and(self.life_cycle);
        let participant = self.participant(entry.participant);
        let role = participant.role;
        participant.learn(entry);
        let step = if entry.communication.is_some() {
            participant.apply_leg(entry, names)
        } else {
            participant.apply_own(entry, names)
        };
        if let Some(state) = over.filter(|_| participant.by_events) {
            // Nobody is on a conversation that has ended, whatever a clock that runs ahead says.
            participant.end_with_all(entry.instant(), state);
        }
        if entry.what == What::Role { Step { from: role, ..step } } else { step }
    }

    fn apply_life_cycle(&mut self, entry: &Entry, names: &Names) -> Step {
        if !entry.state().is_some() {
            self.started = earlier(self.started, entry.at());
            return Step { from: Sym::NONE, counted: false, shown: true };
        }
        let from = self.life_cycle.replace(entry.state()).unwrap_or(Sym::NONE);
        self.life_ended = names.is_end(entry.state()).then(|| entry.instant());
        if let Some(ended) = self.life_ended {
            self.participants
                .iter_mut()
                .filter(|p| p.by_events)
                .for_each(|p| p.end_with_all(ended, entry.state()));
        }
        Step { from, counted: entry.at_ns() != NO_TIME, shown: true }
    }

    fn participant(&mut self, id: Name) -> &mut Participant {
        let at = self.places.find(id, self.participants.iter().map(|p| p.id)).unwrap_or_else(|| {
            self.participants.push(Participant::new(id));
            self.places.grew(self.participants.iter().map(|p| p.id));
            self.participants.len() - 1
        });
        // The index was found or just made.
        #[allow(clippy::indexing_slicing)]
        &mut self.participants[at]
    }

    /// Active by its life cycle where one was seen, else by its participants.
    pub fn is_active(&self, names: &Names) -> bool {
        match self.life_cycle {
            Some(state) => !names.is_end(state),
            None => self.participants.iter().any(|p| p.is_active(names)),
        }
    }

    /// The first instant that evidence names.
    pub fn started(&self, entries: &[Entry]) -> Option<Time> {
        let timed = entries.iter().filter_map(Entry::at).min();
        self.started.or(timed).or_else(|| entries.first().map(Entry::instant))
    }

    /// All that it says, for comparison: the order in which participants were first seen says nothing.
    pub fn essence(&self, names: &Names) -> Vec<String> {
        let life = format!("{:?} {:?} {:?}", self.life_cycle, self.life_ended, self.started);
        let participants = self.participants.iter().map(|p| format!("{p:?} {:?}", p.state(names)));
        let mut all: Vec<String> = participants.chain([life]).collect();
        all.sort();
        all
    }

    /// When it ended; none while it is active.
    pub fn ended(&self, names: &Names) -> Option<Time> {
        if self.is_active(names) {
            return None;
        }
        self.life_ended.or_else(|| self.participants.iter().filter_map(|p| p.left(names)).max())
    }
}

impl Participant {
    fn new(id: Name) -> Self {
        Self {
            id,
            role: Sym::NONE,
            user: Name::NONE,
            queue: Name::NONE,
            direct: Sym::NONE,
            direct_active: true,
            by_events: false,
            joined: None,
            left: None,
            reason: Sym::NONE,
            communications: Vec::new(),
            places: Places::default(),
        }
    }

    /// Attributes come with any entry.
    fn learn(&mut self, entry: &Entry) {
        if entry.role().is_some() {
            self.role = entry.role();
        }
        if entry.user().is_some() {
            self.user = entry.user();
        }
        if entry.queue().is_some() {
            self.queue = entry.queue();
        }
        self.joined = earlier(self.joined, Some(entry.instant()));
    }

    fn communication(&mut self, id: Name) -> &mut Communication {
        let at = self.places.find(id, self.communications.iter().map(|c| c.id)).unwrap_or_else(|| {
            self.communications.push(Communication::new(id));
            self.places.grew(self.communications.iter().map(|c| c.id));
            self.communications.len() - 1
        });
        // The index was found or just made.
        #[allow(clippy::indexing_slicing)]
        &mut self.communications[at]
    }

    /// An entry about the participant itself.
    fn apply_own(&mut self, entry: &Entry, names: &Names) -> Step {
        if entry.source() == Source::Events {
            return self.apply_event(entry, names);
        }
        let stands_back = !self.communications.is_empty();
        match entry.what {
            What::State if stands_back => Step { from: Sym::NONE, counted: false, shown: false },
            What::State => {
                let from = std::mem::replace(&mut self.direct, entry.state());
                self.direct_active = !names.is_end(entry.state());
                if !self.direct_active {
                    (self.left, self.reason) = (Some(entry.instant()), entry.reason());
                }
                Step { from, counted: is_counted(entry, names), shown: true }
            }
            What::Left => {
                (self.left, self.direct_active) = (Some(entry.instant()), false);
                if entry.reason().is_some() {
                    self.reason = entry.reason();
                }
                Step { from: self.state(names), counted: false, shown: true }
            }
            _ => Step { from: Sym::NONE, counted: false, shown: true },
        }
    }

    /// An event of the `events` dialect: it may set state and role at once, and may come back after leaving.
    fn apply_event(&mut self, entry: &Entry, names: &Names) -> Step {
        self.by_events = true;
        let from = self.direct;
        if entry.state().is_some() {
            self.direct = entry.state();
        }
        let leaves = entry.what == What::Left || (entry.state().is_some() && names.is_end(entry.state()));
        if leaves && !names.is_end(self.direct) {
            self.direct = Sym::DISCONNECTED;
        }
        let tells = entry.state().is_some() || matches!(entry.what, What::Joined | What::Left);
        if tells {
            self.direct_active = !leaves;
            self.left = leaves.then(|| entry.instant());
            self.reason = if leaves { entry.reason() } else { Sym::NONE };
        }
        Step { from, counted: entry.state().is_some() && entry.at_ns() != NO_TIME, shown: true }
    }

    /// The whole conversation ended: nobody is on it any longer.
    fn end_with_all(&mut self, at: Time, state: Sym) {
        if self.direct_active {
            (self.direct_active, self.left, self.direct) = (false, Some(at), state);
        }
    }

    /// An entry about one of its communications.
    fn apply_leg(&mut self, entry: &Entry, names: &Names) -> Step {
        let leg = self.communication(entry.communication);
        if entry.medium().is_some() {
            leg.medium = entry.medium();
        }
        if entry.direction().is_some() {
            leg.direction = entry.direction();
        }
        let hidden = Step { from: Sym::NONE, counted: false, shown: false };
        match entry.what {
            What::State => {
                let step = leg.apply_state(entry, names);
                if !names.is_end(entry.state()) {
                    // Who has a live leg is there, whatever was said of an earlier one.
                    (self.direct_active, self.left) = (true, None);
                }
                step
            }
            What::Held => {
                let was = std::mem::replace(&mut leg.held, entry.on() && leg.ended.is_none());
                leg.holds += 1;
                leg.over_since = if entry.on() { leg.over_since } else { entry.since() };
                leg.held_since = if leg.held { entry.since() } else { NO_TIME };
                // What was told twice, or told wrongly and mended, changes nothing.
                Step { shown: leg.held != was, ..hidden }
            }
            What::Muted => {
                let was = std::mem::replace(&mut leg.muted, entry.on() && leg.ended.is_none());
                leg.mutes += 1;
                Step { shown: leg.muted != was, ..hidden }
            }
            What::Joined => hidden,
            _ => Step { shown: true, ..hidden },
        }
    }

    /// Whether it is there.
    pub fn is_active(&self, names: &Names) -> bool {
        if self.by_events || self.communications.is_empty() || !self.direct_active {
            return self.direct_active;
        }
        self.communications.iter().any(|c| !names.is_end(c.state))
    }

    /// Its state: its own by events, else that of its liveliest communication. Whoever left without a word on it is
    /// disconnected.
    pub fn state(&self, names: &Names) -> Sym {
        let state = self.told_state(names);
        let over = !self.is_active(names) && state.is_some() && !names.is_end(state);
        if over { Sym::DISCONNECTED } else { state }
    }

    fn told_state(&self, names: &Names) -> Sym {
        if self.by_events || self.communications.is_empty() {
            return self.direct;
        }
        let lively = |c: &&Communication| (!names.is_end(c.state), c.answered, c.ended);
        self.communications.iter().max_by_key(lively).map_or(Sym::NONE, |c| c.state)
    }

    /// When it left; none while it is there.
    pub fn left(&self, names: &Names) -> Option<Time> {
        if self.is_active(names) {
            return None;
        }
        self.left.or_else(|| self.communications.iter().filter_map(|c| c.ended).max())
    }

    /// Why it left: the reason of its last communication's end, else its own.
    pub fn end_reason(&self, names: &Names) -> Sym {
        if self.is_active(names) {
            return Sym::NONE;
        }
        let last = self.communications.iter().filter(|c| c.reason.is_some()).max_by_key(|c| c.ended);
        last.map_or(self.reason, |c| c.reason)
    }
}

impl Communication {
    fn new(id: Name) -> Self {
        Self {
            id,
            medium: Sym::NONE,
            direction: Sym::NONE,
            state: Sym::NONE,
            answered: false,
            connected: None,
            ended: None,
            ended_at: None,
            reason: Sym::NONE,
            held: false,
            muted: false,
            held_since: NO_TIME,
            over_since: NO_TIME,
            mutes: 0,
            holds: 0,
        }
    }

    fn apply_state(&mut self, entry: &Entry, names: &Names) -> Step {
        let from = std::mem::replace(&mut self.state, entry.state());
        if names.is_end(entry.state()) {
            (self.ended, self.ended_at, self.reason) = (Some(entry.instant()), entry.at(), entry.reason());
            (self.held, self.muted, self.held_since) = (false, false, NO_TIME);
        } else if is_connected(entry) {
            self.answered = true;
            self.connected = self.connected.or(entry.at());
        }
        Step { from, counted: is_counted(entry, names), shown: true }
    }
}

/// Connecting, ending, parking and resuming count: the transitions that every surface puts a time on. When a leg began
/// to ring is told by some surfaces only, so that counting it would make a cell depend on who told.
pub(crate) fn is_counted(entry: &Entry, names: &Names) -> bool {
    entry.at_ns() != NO_TIME
        && entry.authority() >= Authority::Reported
        && (is_connected(entry) || names.is_end(entry.state()) || entry.since() != NO_TIME)
}

fn is_connected(entry: &Entry) -> bool {
    entry.state() == Sym::CONNECTED
}

/// The earlier of two times, whichever is named first; of one instant the one with fewer digits.
pub(crate) fn earlier(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    match (a, b) {
        (Some(a), Some(b)) => Some(std::cmp::min_by_key(a, b, |time| (time.nanos, time.digits))),
        (a, b) => a.or(b),
    }
}
