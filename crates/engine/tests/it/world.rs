//! Short ways to say facts, and an engine to hand them to.

use causal::{Dot, VectorClock};
use engine::*;
use std::num::NonZeroU64;
use std::sync::Arc;

/// Noon of some day, in nanoseconds since the epoch.
pub const NOON: i64 = 1_767_268_800 * SECOND;

pub fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

pub fn engine() -> Engine {
    Engine::new(Limits::default(), 1, 0)
}

/// Milliseconds after noon.
pub fn ms(n: i64) -> Time {
    Time::from_millis(NOON / 1_000_000 + n)
}

/// One event of the `events` dialect.
pub fn event(event_id: &str, what: What, participant: &str, state: &str, role: &str, at: i64) -> Fact {
    let mut fact = Fact::new(what);
    fact.participant = Id::new(participant).ok();
    fact.state = Word::lower(state);
    fact.role = Word::lower(role);
    fact.at = Some(ms(at));
    fact.authority = Authority::Recorded;
    fact.id = FactId::of_event(event_id);
    fact
}

/// The same with a causal stamp.
pub fn stamped(mut fact: Fact, region: &str, clock: &[(&str, u64)]) -> Fact {
    let clock: VectorClock<Word> = clock.iter().map(|(r, n)| (Word::new(r).unwrap(), *n)).collect();
    let actor = Word::new(region).unwrap();
    let counter = NonZeroU64::new(clock.get(&actor)).unwrap();
    fact.stamp = Some(Arc::new(Stamp { dot: Dot { actor, counter }, clock }));
    fact
}

/// A state of a communication, as a snapshot tells it.
pub fn leg(participant: &str, communication: &str, state: &str, at: Option<i64>) -> Fact {
    let mut fact = Fact::new(What::State);
    fact.participant = Id::new(participant).ok();
    fact.communication = Id::new(communication).ok();
    fact.state = Word::new(state);
    fact.at = at.map(ms);
    if at.is_some() {
        fact.authority = Authority::Recorded;
    }
    fact.identified()
}

/// What a snapshot says a participant, or one of its legs, is.
pub fn there(participant: &str, communication: Option<&str>, role: &str) -> Fact {
    let mut fact = Fact::new(What::Joined);
    fact.participant = Id::new(participant).ok();
    fact.communication = communication.and_then(|c| Id::new(c).ok());
    match communication {
        Some(_) => fact.medium = Word::new("voice"),
        None => fact.role = Word::new(role),
    }
    fact.identified()
}

pub fn held(participant: &str, communication: &str, since: Option<i64>) -> Toggle {
    Toggle {
        what: What::Held,
        participant: id(participant),
        communication: id(communication),
        on: since.is_some(),
        since: since.map(ms),
    }
}

pub fn deliver(source: Source, facts: Vec<Fact>) -> Delivery {
    Delivery {
        conversation: id("call"),
        feed: 0,
        source,
        topic: 1,
        received: NOON + 60 * SECOND,
        facts: facts.into(),
        toggles: Vec::new(),
    }
}

/// Everything about the conversation `call` that must not depend on the order of arrival.
pub fn essence(engine: &Engine) -> (ConversationView, Vec<TimelineEntry>, Vec<SpellView>, Activity, u64) {
    let shown = engine.show(&id("call"), NOON).unwrap();
    let mut timeline = shown.timeline();
    timeline.iter_mut().for_each(|entry| entry.late = false);
    (shown.conversation(), timeline, shown.spells(), engine.activity(), engine.active_count())
}

/// So many facts, all dropped at one instant.
pub fn dropped(facts: u64, at: i64) -> Dropped {
    Dropped { facts, since: at, until: at }
}
