//! Facts: pinned bytes, and any bytes are a fact or refused.

use super::*;
use crate::testing;
use engine::{Authority, Source, What};
use proptest::prelude::*;
use std::num::NonZeroU64;
use std::sync::Arc;

const BEFORE: Before = Before { received: 1_780_000_000_000_000_000, incarnation: 7, lane: 0 };

fn write(fact: &Fact, arrival: &Arrival) -> Vec<u8> {
    write_all(&[(fact.clone(), *arrival)])
}

fn write_all(facts: &[(Fact, Arrival)]) -> Vec<u8> {
    let (mut out, mut mentions, mut clock) = (Vec::new(), Mentions::default(), Vec::new());
    let (out_to, mentions, clock) = (&mut out, &mut mentions, &mut clock);
    let mut writer = FactWriter { out: out_to, mentions, clock, before: BEFORE };
    facts.iter().for_each(|(fact, arrival)| writer.fact(fact, arrival));
    out
}

fn read(bytes: &[u8]) -> Result<(Fact, Arrival), Malformed> {
    read_as(Layout::Chained, bytes)
}

fn read_as(layout: Layout, bytes: &[u8]) -> Result<(Fact, Arrival), Malformed> {
    let mut reader = FactReader::new(Reader::new(bytes), layout, BEFORE);
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
    let mut shared = vec![8, 6, 1];
    shared.extend([0; 15]);
    shared.extend([1, 1, b'p', 3, 0, 10, 17]);
    let mut expected = [&[0x32, 0x9f, 0x80, 0x02], &shared[..]].concat();
    let mut plain = [&[0x32, 0x1f], &shared[..]].concat();
    expected.extend([3, 0, 2, b'e', b'u', 0, 2, b'u', b's', 5, 2, 1]);
    assert_eq!(write(&fact, &arrival), expected);
    assert_eq!(read(&expected), Ok((fact.clone(), arrival)));
    // Up to format 4.
    plain.extend([0, 2, b'e', b'u', 5, 2, 0x81, 0x02, 5, 0, 2, b'u', b's', 2]);
    assert_eq!(read_as(Layout::Plain, &plain), Ok((fact.clone(), arrival)));
    // The next one: of the same actors, a step further, by one that is no entry of it.
    let counter = NonZeroU64::new(9).expect("above zero");
    let clock = [(word("eu"), 6), (word("us"), 1)].into_iter().collect();
    let stamp = Stamp { dot: Dot { actor: word("us"), counter }, clock };
    let next = Fact { stamp: Some(Arc::new(stamp)), ..fact.clone() };
    let both = write_all(&[(fact, arrival), (next, arrival)]);
    assert_eq!(both[both.len() - 7..], [0, 2, 1, 0, 0x82, 0x02, 9]);
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
    let mut expected = vec![0xc4, 0xe0, 0xbf, 0x02, 4, 0];
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
    let written = |tail: &[u8]| [&[0x08, 0x80, 0x40, 0, 2][..], &[0; 15], tail].concat();
    assert_eq!(write(&fact, &after(2_000)), written(&[8]), "whole microseconds");
    assert_eq!(write(&fact, &after(2_001)), written(&[0xc6, 0x3e]), "nanoseconds");
}

#[test]
fn what_a_newer_version_wrote_is_refused() {
    let fact = Fact::new(What::Left);
    let heard = Arrival { incarnation: 7, feed: 2, ..testing::heard(BEFORE.received) };
    let good = write(&fact, &heard);
    assert!(read(&good).is_ok());
    let refused = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        read(&bytes).expect_err("refused").0
    };
    assert_eq!(refused(0, 9), "a value of a newer version");
    assert_eq!(refused(4, 5), "a value of a newer version");
    assert_eq!(read(&[8, 0x80, 0x80, 0x04, 0]), Err(Malformed("a number above its range")));
    let newer = read_as(Layout::Plain, &[8, 0x80, 0x80, 0x02, 0]);
    assert_eq!(newer, Err(Malformed("a field of a newer version")));
}

#[test]
fn a_clock_longer_than_its_bytes_is_refused_before_it_takes_memory() {
    let mut bytes = vec![2, STAMP as u8, 0];
    bytes.extend([0; 16]);
    let long = [0xff, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(read(&[&bytes, &long[..]].concat()), Err(Malformed("cut off")));
    let plain = [&[2, STAMP as u8, 0][..], &bytes[2..], &[1, 1], &long].concat();
    assert_eq!(read_as(Layout::Plain, &plain), Err(Malformed("cut off")));
    let hostile = |tail: &[u8]| read(&[&bytes, tail].concat()).expect_err("refused").0;
    assert_eq!(hostile(&[0, 2, 1]), "the actors of a clock that never was");
    assert_eq!(hostile(&[3, 1, 1, 5, 5, 1]), "a clock that names an actor twice");
    assert_eq!(hostile(&[2, 1, 0, 1]), "a counter of zero");
    assert_eq!(hostile(&[2, 1, 5, 2]), "a dot that no entry is");
}

proptest! {
    #[test]
    fn any_bytes_are_a_fact_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _either = (read(&bytes), read_as(Layout::Plain, &bytes));
    }

    #[test]
    fn no_fact_is_shorter_than_the_least(fact in testing::fact(), arrival in testing::arrival()) {
        prop_assert!(write(&fact, &arrival).len() >= FACT_BYTES_MIN);
    }
}
