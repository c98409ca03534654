//! Facts of every shape, for round trips.

use causal::{Dot, VectorClock};
use engine::{
    Admitted, Arrival, Authority, Fact, FactId, Id, Source, Stamp, StoredConversation, Time, What, Word,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::num::NonZeroU64;

use crate::record::ordinals::{AUTHORITIES, SOURCES, WHATS};

/// Ids of both kinds; some come again.
pub(crate) fn id() -> impl Strategy<Value = Id> {
    prop_oneof![
        any::<[u8; 16]>().prop_map(Id::from_uuid),
        (0..3u8).prop_map(|n| Id::from_uuid([n; 16])),
        "[a-zA-Z0-9ä€ -]{1,12}".prop_map(|text| Id::new(&text).expect("an id")),
        (0..3u8).prop_map(|n| Id::new(&format!("call-{n}")).expect("an id")),
    ]
}

/// Known words and others; some come again.
pub(crate) fn word() -> impl Strategy<Value = Word> {
    let text = prop_oneof![
        prop::sample::select(vec!["connected", "agent", "interact", "eu-west-1", "us-east-1"])
            .prop_map(str::to_owned),
        "[a-z€-]{1,12}",
    ];
    text.prop_map(|text| Word::new(&text).expect("a word"))
}

/// Times of every precision, near and far.
pub(crate) fn time() -> impl Strategy<Value = Time> {
    let nanos = prop_oneof![
        any::<i64>(),
        (1_700_000_000_000..1_900_000_000_000_i64).prop_map(|millis| millis * 1_000_000),
    ];
    (nanos, 0..=9_u8).prop_map(|(nanos, digits)| Time { nanos, digits })
}

fn stamp() -> impl Strategy<Value = Stamp> {
    let counter = prop_oneof![1..200_u64, any::<u64>().prop_map(|n| n.max(1))];
    let entries = vec((word(), counter.clone()), 0..4);
    (word(), counter, entries).prop_map(|(actor, counter, entries)| Stamp {
        dot: Dot { actor, counter: NonZeroU64::new(counter).expect("above zero") },
        clock: entries.into_iter().collect::<VectorClock<Word>>(),
    })
}

/// Facts with any fields.
pub(crate) fn fact() -> impl Strategy<Value = Fact> {
    let kind = (
        prop::sample::select(WHATS.to_vec()),
        prop::sample::select(AUTHORITIES.to_vec()),
        any::<bool>(),
        any::<u128>(),
    );
    let ids = (option::of(id()), option::of(id()), option::of(id()), option::of(id()));
    let times = (option::of(time()), option::of(time()));
    let words =
        (option::of(word()), option::of(word()), option::of(word()), option::of(word()), option::of(word()));
    (kind, ids, times, words, option::of(stamp())).prop_map(|(kind, ids, times, words, stamp)| Fact {
        id: FactId(kind.3),
        what: kind.0,
        authority: kind.1,
        on: kind.2,
        participant: ids.0,
        communication: ids.1,
        user: ids.2,
        queue: ids.3,
        at: times.0,
        since: times.1,
        state: words.0,
        role: words.1,
        medium: words.2,
        direction: words.3,
        reason: words.4,
        stamp: stamp.map(std::sync::Arc::new),
    })
}

/// Arrivals of any feed and incarnation.
pub(crate) fn arrival() -> impl Strategy<Value = Arrival> {
    let source = prop::sample::select(SOURCES.to_vec());
    let incarnation = prop_oneof![Just(7_u32), any::<u32>()];
    let waited =
        prop_oneof![Just(0), (0..1_000_000_i64).prop_map(|micros| micros * 1_000), -5_000..5_000_i64];
    (any::<i64>(), any::<u16>(), source, incarnation, any::<[bool; 2]>(), waited).prop_map(
        |(received, feed, source, incarnation, [late, waits], waited)| {
            let published = received.saturating_add(waited);
            Arrival { received, feed, source, incarnation, late, published, waits }
        },
    )
}

/// Batches.
pub(crate) fn admitted() -> impl Strategy<Value = Vec<Admitted>> {
    let one = (id(), fact(), arrival());
    vec(one.prop_map(|(conversation, fact, arrival)| Admitted { conversation, fact, arrival }), 0..12)
}

/// Conversations.
pub(crate) fn conversation() -> impl Strategy<Value = StoredConversation> {
    let flags = (any::<bool>(), any::<bool>(), any::<u64>());
    (id(), flags, option::of(time()), option::of(time()), vec((fact(), arrival()), 0..12)).prop_map(
        |(id, (resident, active, dropped), started_at, ended_at, facts)| StoredConversation {
            id,
            resident,
            active,
            started_at,
            ended_at,
            dropped,
            facts,
        },
    )
}

/// A fact of the `events` dialect, as most are.
pub(crate) fn event(number: u64, participant: Id, at: Time) -> Fact {
    let mut fact = Fact::new(What::State);
    fact.id = FactId::of_event(&format!("event-{number}"));
    fact.participant = Some(participant);
    fact.at = Some(at);
    fact.authority = Authority::Recorded;
    fact.state = Word::new("connected");
    fact.role = Word::new("agent");
    fact
}

/// How an event came, at that time.
pub(crate) fn heard(received: i64) -> Arrival {
    Arrival {
        received,
        feed: 0,
        source: Source::Events,
        incarnation: 1,
        late: false,
        published: received,
        waits: false,
    }
}
