//! Facts: the smallest things that can be known.
//!
//! A frame, whatever its dialect, only carries facts. A fact's identity is its content, or the source's own event id
//! where there is one, so that set union absorbs duplicates, replays and second copies from any topic. A
//! communication connects once and ends once: such a fact's identity leaves its time out, and several surfaces that
//! give it slightly different times (two clocks write them, `genesys/REFERENCE.md` section 5) are several *pieces of
//! evidence* for one fact, joined by [`Fact::join`].
//!
//! Rejected: one identity per reported time (the same end, told by a snapshot and by a detail event 25 ms apart, would
//! count twice), and a first-come-wins value (the answer would depend on the order of arrival).

use crate::{Id, Time, Word};
use causal::{Dot, VectorClock};
use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};
use std::sync::Arc;

/// 128 bits that name a fact within its conversation; the same on every node, run and disk.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FactId(pub u128);

/// What kind of thing a fact says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum What {
    /// The conversation itself: its life-cycle state, or its start when `state` is none.
    LifeCycle = 0,
    /// A participant, or one of its communications, is there; carries what it is (role, user, queue, medium).
    Joined = 1,
    /// A participant or communication is in `state`.
    State = 2,
    /// A participant has `role` from now on.
    Role = 3,
    /// A communication is held (`on`) or no longer held since the hold that began at `since`.
    Held = 4,
    /// A communication is muted (`on`) or no longer.
    Muted = 5,
    /// After-call work began (`on`) or ended.
    AfterCallWork = 6,
    /// A wrap-up code was given.
    WrapUp = 7,
    /// A participant left.
    Left = 8,
}

/// How good a fact's time is; the higher one wins when two pieces of evidence differ.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Authority {
    /// No time was given: it is placed by its neighbours and by when it was received.
    Received = 0,
    /// Worked out from durations.
    Derived = 1,
    /// The time of a detail event about it.
    Reported = 2,
    /// The field that records this very thing.
    Recorded = 3,
}

/// Through which surface a fact came.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Source {
    /// A frame of the `events` dialect.
    Events = 0,
    /// A whole-conversation snapshot on a notification socket.
    Snapshot = 1,
    /// A flat per-media snapshot on a notification socket.
    MediaSnapshot = 2,
    /// A detail event.
    Detail = 3,
    /// A REST read of a conversation.
    Rest = 4,
}

/// The causal stamp a gateway put on an event: its own dot and all that the emitter had seen, itself included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// The emitting region and its own counter.
    pub dot: Dot<Word>,
    /// The whole clock, the dot's entry included.
    pub clock: VectorClock<Word>,
}

/// One fact about a conversation, as decoded. Absent attributes are `None`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// Its identity within the conversation.
    pub id: FactId,
    /// What it says.
    pub what: What,
    /// Of whom; none: of the conversation itself.
    pub participant: Option<Id>,
    /// Of which communication of that participant.
    pub communication: Option<Id>,
    /// When it happened, by the source.
    pub at: Option<Time>,
    /// How good `at` is.
    pub authority: Authority,
    /// The beginning of the hold that a `Held` fact is about.
    pub since: Option<Time>,
    /// Of a toggle: on or off.
    pub on: bool,
    /// The state, lower case.
    pub state: Option<Word>,
    /// The role (the platform's "purpose"), lower case.
    pub role: Option<Word>,
    /// The user.
    pub user: Option<Id>,
    /// The queue.
    pub queue: Option<Id>,
    /// The medium, in the API's spelling.
    pub medium: Option<Word>,
    /// `inbound` or `outbound`.
    pub direction: Option<Word>,
    /// End reason (the API's spelling) or wrap-up code.
    pub reason: Option<Word>,
    /// The causal stamp.
    pub stamp: Option<Arc<Stamp>>,
}

/// A toggle as a snapshot shows it, before it is known whether it changed anything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Toggle {
    /// [`What::Held`] or [`What::Muted`].
    pub what: What,
    /// Whose.
    pub participant: Id,
    /// Which communication.
    pub communication: Id,
    /// Its value.
    pub on: bool,
    /// When it turned on, where the vendor says so (`startHoldTime`).
    pub since: Option<Time>,
}

/// What one frame, or one REST read, said about one conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// The conversation.
    pub conversation: Id,
    /// The feed it came through: an index into the ledger's feeds.
    pub feed: u16,
    /// The surface.
    pub source: Source,
    /// A stable hash of the topic: with the feed and the conversation it names a *lane*, the unit in which arrival
    /// order means something.
    pub topic: u64,
    /// When it was received, by our clock, in nanoseconds since the epoch.
    pub received: i64,
    /// The facts.
    pub facts: smallvec::SmallVec<[Fact; 1]>,
    /// The toggles it shows.
    pub toggles: Vec<Toggle>,
}

/// What is told of a user, apart from conversations.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum UserWhat {
    /// The system presence, lower case.
    Presence = 0,
    /// The routing status, lower case.
    RoutingStatus = 1,
}

/// One fact about a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserFact {
    /// The user.
    pub user: Id,
    /// What it says.
    pub what: UserWhat,
    /// The value.
    pub value: Word,
    /// Since when, by the source.
    pub at: Option<Time>,
    /// When it was received, in nanoseconds since the epoch.
    pub received: i64,
}

/// States that end what is in them. Everything else, known or not, is before the end (`genesys/enums.json`; `ended`
/// is the tutorial dialect's).
#[must_use]
pub fn is_end(state: &Word) -> bool {
    state.ordinal().is_some_and(Word::ends)
}

impl FactId {
    /// The identity of an event that carries its own id.
    #[must_use]
    pub fn of_event(event_id: &str) -> Self {
        Self::hash(&[b"event", event_id.as_bytes()])
    }

    /// The identity of content: all parts matter, their borders too.
    #[must_use]
    pub fn of_content(parts: &[&[u8]]) -> Self {
        Self::hash(parts)
    }

    fn hash(parts: &[&[u8]]) -> Self {
        const LOW: RapidSecrets = RapidSecrets::seed(0x6865_6164_636f_756e);
        const HIGH: RapidSecrets = RapidSecrets::seed(0x746e_756f_6364_6165);
        let mut buffer: smallvec::SmallVec<[u8; 160]> = smallvec::SmallVec::new();
        for part in parts {
            buffer.extend_from_slice(&(part.len() as u32).to_le_bytes());
            buffer.extend_from_slice(part);
        }
        let low = rapidhash_v3_seeded(&buffer, &LOW);
        let high = rapidhash_v3_seeded(&buffer, &HIGH);
        Self(u128::from(high) << 64 | u128::from(low))
    }
}

impl Fact {
    /// An empty fact of a kind; fill in the attributes, then give it its identity with [`Fact::identified`].
    #[must_use]
    pub fn new(what: What) -> Self {
        Self {
            id: FactId(0),
            what,
            participant: None,
            communication: None,
            at: None,
            authority: Authority::Received,
            since: None,
            on: false,
            state: None,
            role: None,
            user: None,
            queue: None,
            medium: None,
            direction: None,
            reason: None,
            stamp: None,
        }
    }

    /// Gives the fact the identity of its content.
    ///
    /// What happens once to a communication (`connected`, an end, each early state) and what a participant is are
    /// identified without a time; a state that can come again (`since` is set: parked, resumed, a hold) with
    /// `since`; role and after-call work by value and time; what has no communication and is no attribute (an event
    /// of the `events` dialect without an event id) with its time too.
    #[must_use]
    pub fn identified(mut self) -> Self {
        let empty: &[u8] = &[];
        let key = |id: &Option<Id>| id.as_ref().map_or(empty, Id::key).to_vec();
        let text = |word: &Option<Word>| word.as_ref().map_or(empty, |w| w.as_str().as_bytes()).to_vec();
        let time = |time: Option<Time>| time.map_or(i64::MIN, |t| t.nanos).to_le_bytes();
        let phase = match &self.state {
            Some(state) if is_end(state) && self.what != What::LifeCycle => b"end".to_vec(),
            _ => text(&self.state),
        };
        let once = matches!(self.what, What::Joined | What::State | What::Left | What::WrapUp | What::Held);
        let at = if once { time(None) } else { time(self.at) };
        let what = [self.what as u8, u8::from(self.on)];
        let role = if self.what == What::Role { text(&self.role) } else { Vec::new() };
        let reason = if self.what == What::WrapUp { text(&self.reason) } else { Vec::new() };
        let (participant, communication) = (key(&self.participant), key(&self.communication));
        self.id = FactId::of_content(&[
            &what,
            &participant,
            &communication,
            &phase,
            &role,
            &reason,
            &time(self.since),
            &at,
        ]);
        self
    }

    /// Takes the evidence of another copy of the same fact: the better time, and every attribute that either has.
    /// Commutative, associative and idempotent. True when anything changed.
    pub fn join(&mut self, other: &Self) -> bool {
        let mut changed = false;
        let better = match (self.at, other.at) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(a), Some(b)) => {
                (other.authority, std::cmp::Reverse((b, b.digits)))
                    > (self.authority, std::cmp::Reverse((a, a.digits)))
            }
        };
        if better {
            (self.at, self.authority) = (other.at, other.authority);
            changed = true;
        }
        changed |= join_max(&mut self.state, &other.state);
        changed |= join_max(&mut self.role, &other.role);
        changed |= join_max(&mut self.user, &other.user);
        changed |= join_max(&mut self.queue, &other.queue);
        changed |= join_max(&mut self.medium, &other.medium);
        changed |= join_max(&mut self.direction, &other.direction);
        changed |= join_max(&mut self.reason, &other.reason);
        changed |= join_max(&mut self.participant, &other.participant);
        changed |= join_max(&mut self.communication, &other.communication);
        if other.on && !self.on {
            self.on = true;
            changed = true;
        }
        if other.what > self.what {
            self.what = other.what;
            changed = true;
        }
        changed | self.join_stamp(other)
    }

    /// Settles two events that bear one event id. They ought to be copies; where they differ, what one of them says stands
    /// whole, the same whichever came first: the earlier, or else the lesser by content. The stamp is judged by itself:
    /// what any copy had seen stays seen. True when anything changed.
    pub fn settle(&mut self, other: &Self) -> bool {
        let stamped = self.join_stamp(other);
        if other.content() >= self.content() {
            return stamped;
        }
        let stamp = self.stamp.take();
        *self = Self { stamp, ..other.clone() };
        true
    }

    /// What two copies of an event share, in the order by which one of two that differ is chosen.
    fn content(&self) -> impl Ord + '_ {
        let who = (&self.participant, &self.role);
        (self.at, self.what, who, &self.state, &self.reason, &self.user, &self.queue, &self.medium)
    }

    fn join_stamp(&mut self, other: &Self) -> bool {
        let Some(theirs) = &other.stamp else { return false };
        let key = |s: &Stamp| {
            (s.clock.sum(), s.clock.iter().map(|(a, n)| (a.clone(), n)).collect::<Vec<_>>(), s.dot.clone())
        };
        if self.stamp.as_ref().is_some_and(|ours| key(ours) >= key(theirs)) {
            return false;
        }
        self.stamp = Some(theirs.clone());
        true
    }
}

/// The greater of both, where absence is least.
fn join_max<T: Ord + Clone>(ours: &mut Option<T>, theirs: &Option<T>) -> bool {
    if *theirs <= *ours {
        return false;
    }
    ours.clone_from(theirs);
    true
}

#[cfg(test)]
mod tests;
