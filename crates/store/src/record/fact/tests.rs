//! Facts: pinned bytes, and any bytes are a fact or refused.

use super::*;
use crate::testing;
use engine::{Authority, Source, What};
use proptest::prelude::*;
use std::num::NonZeroU64;
use std::sync::Arc;

const BEFORE: Before = Before { received: 1_780_000_000_000_000_000, incarnation: 7 };

fn write(fact: &Fact, arrival: &Arrival) -> Vec<u8> {
    let (mut out, mut mentions) = (Vec::new(), Mentions::default());
    FactWriter { out: &mut out, mentions: &mut mentions, before: BEFORE }.fact(fact, arrival);
    out
}

fn read(bytes: &[u8]) -> Result<(Fact, Arrival), Malformed> {
    let mut reader = FactReader::new(Reader::new(bytes), BEFORE);
    let fact = reader.fact()?;
    reader.finish().map(|()| fact)
}

fn word(text: &str) -> Word {
    Word::new(text).expect("a word")
}

#[test]
fn golden_of_the_events_dialect() {
    let mut fact = Fact::new(What::State);
    fact.id = FactId(1);
    fact.participant = Id::new("p").ok();
    fact.at = Some(Time::from_millis(1_780_000_000_000));
    fact.authority = Authority::Recorded;
    fact.state = Some(word("connected"));
    fact.role = Some(word("agent"));
    let counter = NonZeroU64::new(5).expect("above zero");
    let clock = [(word("eu"), 5), (word("us"), 2)].into_iter().collect();
    fact.stamp = Some(Arc::new(Stamp { dot: Dot { actor: word("eu"), counter }, clock }));
    let arrival = Arrival {
        received: BEFORE.received + 3,
        feed: 1,
        source: Source::Events,
        incarnation: 7,
        late: false,
        published: BEFORE.received + 3,
        waits: false,
    };
    let mut expected = vec![0x32, 0x1f, 8, 6, 1];
    expected.extend([0; 15]);
    expected.extend([1, 1, b'p', 3, 0, 10, 17]);
    expected.extend([0, 2, b'e', b'u', 5, 2, 0x81, 0x02, 5, 0, 2, b'u', b's', 2]);
    assert_eq!(write(&fact, &arrival), expected);
}

#[test]
fn golden_of_a_toggle() {
    let mut fact = Fact::new(What::Held);
    fact.id = FactId(u128::MAX);
    fact.on = true;
    fact.communication = Id::new("c").ok();
    fact.medium = Some(word("voice"));
    fact.user = Id::new("u").ok();
    fact.queue = Id::new("q").ok();
    fact.direction = Some(word("inbound"));
    fact.reason = Some(word("client"));
    fact.since = Some(Time::from_nanos(BEFORE.received));
    let arrival = Arrival {
        received: BEFORE.received,
        feed: 0,
        source: Source::Rest,
        incarnation: 8,
        late: true,
        published: BEFORE.received,
        waits: false,
    };
    let mut expected = vec![0xc4, 0xe0, 0x3f, 4, 0];
    expected.extend([0xff; 16]);
    expected.extend([8, 1, 1, b'c', 38, 1, 1, b'u', 1, 1, b'q', 26, 52, 9, 0]);
    assert_eq!(write(&fact, &arrival), expected);
}

#[test]
fn golden_of_a_fact_that_was_published_later() {
    let mut fact = Fact::new(What::Left);
    fact.id = FactId(2);
    let heard = testing::heard(BEFORE.received);
    let after = |nanos| Arrival { incarnation: 7, published: BEFORE.received + nanos, ..heard };
    let written = |tail: &[u8]| [&[0x08, 0x80, 0x40, 0, 0, 2][..], &[0; 15], tail].concat();
    assert_eq!(write(&fact, &after(2_000)), written(&[8]), "whole microseconds");
    assert_eq!(write(&fact, &after(2_001)), written(&[0xc6, 0x3e]), "nanoseconds");
}

#[test]
fn what_a_newer_version_wrote_is_refused() {
    let fact = Fact::new(What::Left);
    let good = write(&fact, &Arrival { incarnation: 7, ..testing::heard(BEFORE.received) });
    assert!(read(&good).is_ok());
    let refused = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        read(&bytes).expect_err("refused").0
    };
    assert_eq!(refused(0, 9), "a value of a newer version");
    assert_eq!(refused(2, 5), "a value of a newer version");
    assert_eq!(read(&[8, 0x80, 0x80, 0x02, 0]), Err(Malformed("a field of a newer version")));
}

#[test]
fn a_clock_longer_than_its_bytes_is_refused_before_it_takes_memory() {
    let mut bytes = vec![2, STAMP as u8, 0, 0];
    bytes.extend([0; 16]);
    bytes.extend([1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    assert_eq!(read(&bytes), Err(Malformed("cut off")));
}

proptest! {
    #[test]
    fn any_bytes_are_a_fact_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _either = read(&bytes);
    }

    #[test]
    fn no_fact_is_shorter_than_the_least(fact in testing::fact(), arrival in testing::arrival()) {
        prop_assert!(write(&fact, &arrival).len() >= FACT_BYTES_MIN);
    }
}
