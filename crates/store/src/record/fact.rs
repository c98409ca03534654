//! One fact and how it came, as bytes.
//!
//! Read in a row: what one fact says of the batch (its incarnation, when it was received) is said of the next as a
//! difference, and what a fact does not have takes no byte. A fact of the `events` dialect whose ids were named before
//! takes some 32 bytes, half of them its identity.
//!
//! ```text
//! byte      what (4 bits) · authority (2) · on · late
//! varint    which of the fields marked ? follow, lowest bit first in the order below; then the incarnation, whether
//!           published follows, and whether the fact waits for its causes
//! varint    feed << 3 | source
//! signed    received, since the fact before, ns
//! 16 bytes  identity, lowest first
//! varint ?  incarnation
//! signed ?  published, since received: whole microseconds << 1, else nanoseconds << 1 | 1; none: the same instant
//! participant? at? state? role? stamp? communication? medium? user? queue? direction? reason? since?
//! stamp     the dot's actor and counter, the number of entries, each entry's actor and counter
//! ```
//!
//! Rejected: columns of a batch (they compress no better where random ids dominate, and cost a second pass), and
//! leaving out identities that follow from content (both sides would have to hash every fact).

use super::bytes::{Malformed, Reader, put_signed, put_varint};
use super::dictionary::{Mentioned, Mentions};
use super::ordinals::{AUTHORITIES, SOURCES, WHATS, of_ordinal};
use super::time::{put_time, take_time};
use causal::{Dot, VectorClock};
use engine::{Arrival, Fact, FactId, Id, Stamp, Time, Word};
use std::sync::Arc;

const PARTICIPANT: u16 = 1;
const AT: u16 = 1 << 1;
const STATE: u16 = 1 << 2;
const ROLE: u16 = 1 << 3;
const STAMP: u16 = 1 << 4;
const COMMUNICATION: u16 = 1 << 5;
const MEDIUM: u16 = 1 << 6;
const USER: u16 = 1 << 7;
const QUEUE: u16 = 1 << 8;
const DIRECTION: u16 = 1 << 9;
const REASON: u16 = 1 << 10;
const SINCE: u16 = 1 << 11;
const INCARNATION: u16 = 1 << 12;
const PUBLISHED: u16 = 1 << 13;
const WAITS: u16 = 1 << 14;
const ALL: u16 = (1 << 15) - 1;

const ON: u8 = 1 << 6;
const LATE: u8 = 1 << 7;

/// The least that a fact takes: what bounds the room made for a count that is read.
pub(crate) const FACT_BYTES_MIN: usize = 20;
/// The least that an entry of a clock takes.
const ENTRY_BYTES_MIN: usize = 2;

/// What the fact before said. Both sides begin with the same.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Before {
    /// When it was received, in nanoseconds since the epoch.
    pub received: i64,
    /// Its incarnation.
    pub incarnation: u32,
}

/// Writes facts one after another.
#[derive(Debug)]
pub(crate) struct FactWriter<'a> {
    pub out: &'a mut Vec<u8>,
    pub mentions: &'a mut Mentions,
    pub before: Before,
}

impl FactWriter<'_> {
    pub fn id(&mut self, id: &Id) {
        self.mentions.put_id(self.out, id);
    }

    pub fn fact(&mut self, fact: &Fact, arrival: &Arrival) {
        let mut fields = fields(fact);
        if arrival.incarnation != self.before.incarnation {
            fields |= INCARNATION;
        }
        let waited = waited(arrival);
        if waited != 0 {
            fields |= PUBLISHED;
        }
        if arrival.waits {
            fields |= WAITS;
        }
        let toggles = if fact.on { ON } else { 0 } | if arrival.late { LATE } else { 0 };
        self.out.push(fact.what as u8 | (fact.authority as u8) << 4 | toggles);
        put_varint(self.out, u64::from(fields));
        put_varint(self.out, u64::from(arrival.feed) << 3 | arrival.source as u64);
        put_signed(self.out, arrival.received.wrapping_sub(self.before.received));
        self.out.extend_from_slice(&fact.id.0.to_le_bytes());
        if fields & INCARNATION != 0 {
            put_varint(self.out, u64::from(arrival.incarnation));
        }
        if fields & PUBLISHED != 0 {
            put_signed(self.out, waited);
        }
        self.before = Before { received: arrival.received, incarnation: arrival.incarnation };
        self.attributes(fact, arrival.received);
    }

    fn attributes(&mut self, fact: &Fact, received: i64) {
        self.id_if(fact.participant.as_ref());
        if let Some(at) = fact.at {
            put_time(self.out, at, received);
        }
        self.word_if(fact.state.as_ref());
        self.word_if(fact.role.as_ref());
        if let Some(stamp) = &fact.stamp {
            self.stamp(stamp);
        }
        self.id_if(fact.communication.as_ref());
        self.word_if(fact.medium.as_ref());
        self.id_if(fact.user.as_ref());
        self.id_if(fact.queue.as_ref());
        self.word_if(fact.direction.as_ref());
        self.word_if(fact.reason.as_ref());
        if let Some(since) = fact.since {
            put_time(self.out, since, received);
        }
    }

    fn id_if(&mut self, id: Option<&Id>) {
        if let Some(id) = id {
            self.mentions.put_id(self.out, id);
        }
    }

    fn word_if(&mut self, word: Option<&Word>) {
        if let Some(word) = word {
            self.mentions.put_word(self.out, word);
        }
    }

    fn stamp(&mut self, stamp: &Stamp) {
        self.mentions.put_word(self.out, &stamp.dot.actor);
        put_varint(self.out, stamp.dot.counter.get());
        put_varint(self.out, stamp.clock.len() as u64);
        for (actor, counter) in stamp.clock.iter() {
            self.mentions.put_word(self.out, actor);
            put_varint(self.out, counter);
        }
    }
}

/// Reads facts one after another.
#[derive(Debug)]
pub(crate) struct FactReader<'a> {
    from: Reader<'a>,
    mentioned: Mentioned,
    before: Before,
}

impl<'a> FactReader<'a> {
    pub fn new(from: Reader<'a>, before: Before) -> Self {
        Self { from, mentioned: Mentioned::default(), before }
    }

    /// A list with room for `count` facts, as far as the bytes that are left can hold so many.
    pub fn room_for<T>(&self, count: u64) -> Vec<T> {
        let most = self.from.remaining() / FACT_BYTES_MIN;
        Vec::with_capacity(usize::try_from(count).unwrap_or(most).min(most))
    }

    pub fn id(&mut self) -> Result<Id, Malformed> {
        self.mentioned.take_id(&mut self.from)
    }

    pub fn finish(self) -> Result<(), Malformed> {
        self.from.finish()
    }

    pub fn fact(&mut self) -> Result<(Fact, Arrival), Malformed> {
        let head = self.from.byte()?;
        let fields: u16 = self.from.small()?;
        if fields & !ALL != 0 {
            return Err(Malformed("a field of a newer version"));
        }
        let lane = self.from.varint()?;
        let received = self.before.received.wrapping_add(self.from.signed()?);
        let id = FactId(u128::from_le_bytes(self.from.array()?));
        if fields & INCARNATION != 0 {
            self.before.incarnation = self.from.small()?;
        }
        self.before.received = received;
        let arrival = Arrival {
            received,
            feed: u16::try_from(lane >> 3).map_err(|_| Malformed("a feed above its range"))?,
            source: of_ordinal(&SOURCES, lane as u8 & 7)?,
            incarnation: self.before.incarnation,
            late: head & LATE != 0,
            published: received.wrapping_add(self.waited(fields)?),
            waits: fields & WAITS != 0,
        };
        let mut fact = Fact::new(of_ordinal(&WHATS, head & 15)?);
        fact.id = id;
        fact.authority = of_ordinal(&AUTHORITIES, head >> 4 & 3)?;
        fact.on = head & ON != 0;
        self.attributes(&mut fact, fields, received)?;
        Ok((fact, arrival))
    }

    fn attributes(&mut self, fact: &mut Fact, fields: u16, received: i64) -> Result<(), Malformed> {
        fact.participant = self.id_if(fields & PARTICIPANT)?;
        fact.at = self.time_if(fields & AT, received)?;
        fact.state = self.word_if(fields & STATE)?;
        fact.role = self.word_if(fields & ROLE)?;
        if fields & STAMP != 0 {
            fact.stamp = Some(Arc::new(self.stamp()?));
        }
        fact.communication = self.id_if(fields & COMMUNICATION)?;
        fact.medium = self.word_if(fields & MEDIUM)?;
        fact.user = self.id_if(fields & USER)?;
        fact.queue = self.id_if(fields & QUEUE)?;
        fact.direction = self.word_if(fields & DIRECTION)?;
        fact.reason = self.word_if(fields & REASON)?;
        fact.since = self.time_if(fields & SINCE, received)?;
        Ok(())
    }

    /// How long after its receipt it was published, in nanoseconds.
    fn waited(&mut self, fields: u16) -> Result<i64, Malformed> {
        if fields & PUBLISHED == 0 {
            return Ok(0);
        }
        let waited = self.from.signed()?;
        Ok(if waited & 1 == 0 { (waited >> 1).wrapping_mul(1_000) } else { waited >> 1 })
    }

    fn id_if(&mut self, present: u16) -> Result<Option<Id>, Malformed> {
        (present != 0).then(|| self.id()).transpose()
    }

    fn word_if(&mut self, present: u16) -> Result<Option<Word>, Malformed> {
        (present != 0).then(|| self.mentioned.take_word(&mut self.from)).transpose()
    }

    fn time_if(&mut self, present: u16, base: i64) -> Result<Option<Time>, Malformed> {
        (present != 0).then(|| take_time(&mut self.from, base)).transpose()
    }

    fn stamp(&mut self) -> Result<Stamp, Malformed> {
        let actor = self.mentioned.take_word(&mut self.from)?;
        let dot = Dot { actor, counter: self.from.counter()? };
        let count: usize = self.from.small()?;
        if count > self.from.remaining() / ENTRY_BYTES_MIN {
            return Err(Malformed("cut off"));
        }
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            let actor = self.mentioned.take_word(&mut self.from)?;
            entries.push((actor, self.from.counter()?.get()));
        }
        let clock: VectorClock<Word> = entries.into_iter().collect();
        if clock.len() != count {
            return Err(Malformed("a clock that names an actor twice"));
        }
        Ok(Stamp { dot, clock })
    }
}

/// How long after its receipt a fact was published, as it is written. What does not fit (centuries, one way or the other)
/// is cut off.
fn waited(arrival: &Arrival) -> i64 {
    const MOST: i64 = i64::MAX >> 2;
    let nanos = arrival.published.saturating_sub(arrival.received).clamp(-MOST, MOST);
    if nanos % 1_000 == 0 { (nanos / 1_000) << 1 } else { nanos << 1 | 1 }
}

fn fields(fact: &Fact) -> u16 {
    let bit = |present: bool, bit: u16| if present { bit } else { 0 };
    bit(fact.participant.is_some(), PARTICIPANT)
        | bit(fact.at.is_some(), AT)
        | bit(fact.state.is_some(), STATE)
        | bit(fact.role.is_some(), ROLE)
        | bit(fact.stamp.is_some(), STAMP)
        | bit(fact.communication.is_some(), COMMUNICATION)
        | bit(fact.medium.is_some(), MEDIUM)
        | bit(fact.user.is_some(), USER)
        | bit(fact.queue.is_some(), QUEUE)
        | bit(fact.direction.is_some(), DIRECTION)
        | bit(fact.reason.is_some(), REASON)
        | bit(fact.since.is_some(), SINCE)
}

#[cfg(test)]
mod tests;
