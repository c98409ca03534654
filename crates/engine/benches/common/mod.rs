//! Streams of facts for the benchmarks, the same in every run, and how a driver hands them to an engine.

use causal::{Dot, VectorClock};
use engine::*;
use std::io::Write;
use std::num::NonZeroU64;
use std::sync::Arc;

/// Noon of some day, in nanoseconds since the epoch.
pub const NOON: i64 = 1_767_268_800 * SECOND;
/// From one fact of a stream to the next, in nanoseconds.
#[allow(dead_code, reason = "each benchmark uses some")]
pub const STEP_NS: i64 = 20_000;
/// Deliveries that a driver hands in before it commits.
pub const BATCH: usize = 4_096;

/// Splitmix64: small, and the same everywhere.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(z ^ (z >> 31)) * u128::from(n)) >> 64) as u64
    }
}

/// What kind of facts a conversation is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(dead_code, reason = "each benchmark uses some")]
pub enum Dialect {
    /// Events: of participants, each with a time.
    Events,
    /// Events with a causal stamp each, counted per conversation by two regions.
    Stamped,
    /// Snapshots: participants with users and queues, and their legs.
    Snapshots,
}

/// The `step`-th fact of a conversation of `participants`, at an instant.
pub fn fact(dialect: Dialect, conversation: u32, participants: u32, step: u32, at: i64) -> Fact {
    let (round, who) = (step / participants, step % participants);
    let participant = uuid(1, u64::from(conversation) << 8 | u64::from(who));
    match dialect {
        Dialect::Events => event(conversation, participant, (round, who), step, at),
        Dialect::Stamped => stamped(event(conversation, participant, (round, who), step, at), step),
        Dialect::Snapshots => snapshot(participant, round, at),
    }
}

/// A delivery of one fact, received a little after it happened.
pub fn deliver(dialect: Dialect, conversation: u32, fact: Fact, received: i64) -> Delivery {
    let source = if dialect == Dialect::Snapshots { Source::Snapshot } else { Source::Events };
    Delivery {
        conversation: conversation_id(conversation),
        feed: 0,
        source,
        topic: 1,
        received,
        facts: smallvec::smallvec![fact],
        toggles: Vec::new(),
    }
}

pub fn conversation_id(conversation: u32) -> Id {
    uuid(0, u64::from(conversation))
}

/// An engine that hears feed 0.
pub fn engine() -> Engine {
    let mut engine = Engine::new(Limits::default(), 1, 0);
    let named = FeedEvent::Named { name: "feed".to_owned(), resends: false };
    engine.handle_feed(FeedNote { feed: 0, at: NOON, event: named });
    engine.handle_feed(FeedNote { feed: 0, at: NOON, event: FeedEvent::Listening });
    engine
}

/// Nanoseconds of CPU time that this thread has used: on a shared machine the wall clock measures the neighbours too.
#[allow(dead_code, reason = "each benchmark uses some")]
pub fn cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// Prints a line; nobody to read it is no failure.
pub fn say(line: std::fmt::Arguments<'_>) {
    let _nobody_reads = writeln!(std::io::stdout(), "{line}");
}

/// A random-looking UUID: ids of the platform have no order either.
fn uuid(kind: u8, number: u64) -> Id {
    let mut dice = Dice(number << 3 | u64::from(kind));
    let (high, low) = (dice.below(u64::MAX), dice.below(u64::MAX));
    Id::from_uuid((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
}

/// A participant joins, changes state and role, leaves, and comes back; the first one stays, so that its conversation
/// lives on.
fn event(conversation: u32, participant: Id, (round, who): (u32, u32), step: u32, at: i64) -> Fact {
    let (what, state, role) = match round % 5 {
        0 => (What::Joined, "connected", "agent"),
        1 => (What::State, "alerting", ""),
        2 => (What::State, "connected", ""),
        3 => (What::Role, "connected", "supervisor"),
        _ if round == 4 || who == 0 => (What::State, "held", ""),
        _ => (What::Left, "disconnected", ""),
    };
    let mut fact = Fact::new(what);
    (fact.participant, fact.at) = (Some(participant), Some(Time::from_nanos(at)));
    (fact.state, fact.role, fact.authority) = (Word::lower(state), Word::lower(role), Authority::Recorded);
    fact.id = FactId::of_content(&[b"event", &conversation.to_le_bytes(), &step.to_le_bytes()]);
    fact
}

fn stamped(mut fact: Fact, step: u32) -> Fact {
    let (east, west) = (Word::new("eu-west-1"), Word::new("us-east-1"));
    let (Some(east), Some(west)) = (east, west) else { return fact };
    let own = u64::from(step / 2) + 1;
    let actor = if step.is_multiple_of(2) { east.clone() } else { west.clone() };
    let clock: VectorClock<Word> =
        [(east, own), (west, own - u64::from(step.is_multiple_of(2)))].into_iter().collect();
    let counter = NonZeroU64::new(own).unwrap_or(NonZeroU64::MIN);
    fact.stamp = Some(Arc::new(Stamp { dot: Dot { actor, counter }, clock }));
    fact
}

/// A participant is there, with a user; its leg is there, rings, connects, and is parked and resumed from then on.
fn snapshot(participant: Id, round: u32, at: i64) -> Fact {
    let what = if round < 2 { What::Joined } else { What::State };
    let mut fact = Fact::new(what);
    let leg = participant.as_uuid().map(|bytes| Id::from_uuid(bytes.map(|b| b ^ 0x55)));
    let user = participant.as_uuid().map(|bytes| Id::from_uuid(bytes.map(|b| b ^ 0xAA)));
    fact.participant = Some(participant);
    let time = Some(Time { nanos: at / 1_000_000 * 1_000_000, digits: 3 });
    (fact.at, fact.authority) = (time, Authority::Recorded);
    match round {
        0 => (fact.user, fact.role) = (user, Word::new("agent")),
        1 => {
            (fact.communication, fact.medium, fact.direction) =
                (leg, Word::new("voice"), Word::new("inbound"))
        }
        2 => (fact.communication, fact.state) = (leg, Word::new("alerting")),
        3 => (fact.communication, fact.state) = (leg, Word::new("connected")),
        _ => (fact.communication, fact.state, fact.since) = (leg, Word::new("parked"), time),
    }
    fact.identified()
}
