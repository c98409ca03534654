//! One fact and how it came, as bytes.
//!
//! Read in a row: what one fact says of the batch (its incarnation, when it was received) is said of the next as a
//! difference, and what a fact does not have takes no byte. So it is with clocks: they name the actors of the one before,
//! mostly, and are little ahead of it. A fact of the `events` dialect whose ids were named before takes some 32 bytes, half
//! of them its identity.
//!
//! ```text
//! byte      what (4 bits) · authority (2) · on · late
//! varint    which of the fields marked ? follow, lowest bit first in the order below; then the incarnation, whether
//!           published follows, whether the fact waits for its causes, and whether the lane follows
//! varint ?  the lane: feed << 3 | source; none: that of the fact before
//! signed    received, since the fact before, ns
//! 16 bytes  identity, lowest first
//! varint ?  incarnation
//! signed ?  published, since received: whole microseconds << 1, else nanoseconds << 1 | 1; none: the same instant
//! participant? at? state? role? stamp? communication? medium? user? queue? direction? reason? since?
//! stamp     varint: 0 when the clock names the actors of the one before, in this record, else how many + 1 and each of them;
//!           each entry's counter, since that actor's in the clock before (signed) or, where the actors are named, as it is;
//!           varint: which entry is the dot, from 1; 0 when none is, and the dot's actor and counter
//! ```
//!
//! Up to format 4 ([`Layout::Plain`]) the lane always followed, and a stamp was the dot's actor and counter, the number of
//! entries, each entry's actor and counter.
//!
//! Rejected: columns of a batch (they compress no better where random ids dominate, and cost a second pass), and
//! leaving out identities that follow from content (both sides would have to hash every fact).

use super::bytes::{Malformed, Reader, put_signed, put_varint};
use super::dictionary::{Mentioned, Mentions};
use super::ordinals::{AUTHORITIES, SOURCES, WHATS, of_ordinal};
use super::pack::Layout;
use super::time::{put_time, take_time};
use causal::{Dot, VectorClock};
use engine::{Arrival, Fact, FactId, Id, Stamp, Time, Word};
use std::num::NonZeroU64;
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
const LANE: u16 = 1 << 15;

const ON: u8 = 1 << 6;
const LATE: u8 = 1 << 7;

/// The least that a fact takes: what bounds the room made for a count that is read.
pub(crate) const FACT_BYTES_MIN: usize = 19;
/// The least that an entry of a clock takes whose actor is named.
const ENTRY_BYTES_MIN: usize = 2;
/// In front of a clock that names the actors of the one before.
const SAME_ACTORS: u64 = 0;
/// In front of a dot that is no entry of its clock.
const NO_ENTRY: u64 = 0;

/// What the fact before said. Both sides begin with the same.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Before {
    /// When it was received, in nanoseconds since the epoch.
    pub received: i64,
    /// Its incarnation.
    pub incarnation: u32,
    /// Its feed << 3 | source.
    pub lane: u64,
}

/// Writes facts one after another.
#[derive(Debug)]
pub(crate) struct FactWriter<'a> {
    pub out: &'a mut Vec<u8>,
    pub mentions: &'a mut Mentions,
    /// The clock that was written last.
    pub clock: &'a mut Vec<(Word, u64)>,
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
        let lane = u64::from(arrival.feed) << 3 | arrival.source as u64;
        if lane != self.before.lane {
            fields |= LANE;
        }
        let toggles = if fact.on { ON } else { 0 } | if arrival.late { LATE } else { 0 };
        self.out.push(fact.what as u8 | (fact.authority as u8) << 4 | toggles);
        put_varint(self.out, u64::from(fields));
        if fields & LANE != 0 {
            put_varint(self.out, lane);
        }
        put_signed(self.out, arrival.received.wrapping_sub(self.before.received));
        self.out.extend_from_slice(&fact.id.0.to_le_bytes());
        if fields & INCARNATION != 0 {
            put_varint(self.out, u64::from(arrival.incarnation));
        }
        if fields & PUBLISHED != 0 {
            put_signed(self.out, waited);
        }
        self.before = Before { received: arrival.received, incarnation: arrival.incarnation, lane };
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

    fn stamp(&mut self, Stamp { dot, clock }: &Stamp) {
        let named = self.clock.iter().map(|(actor, _)| actor);
        if !clock.is_empty() && clock.iter().map(|(actor, _)| actor).eq(named) {
            put_varint(self.out, SAME_ACTORS);
            for ((_, last), (_, counter)) in self.clock.iter_mut().zip(clock.iter()) {
                put_signed(self.out, counter.wrapping_sub(*last).cast_signed());
                *last = counter;
            }
        } else {
            put_varint(self.out, clock.len() as u64 + 1);
            clock.iter().for_each(|(actor, _)| self.mentions.put_word(self.out, actor));
            clock.iter().for_each(|(_, counter)| put_varint(self.out, counter));
            self.clock.clear();
            self.clock.extend(clock.iter().map(|(actor, counter)| (actor.clone(), counter)));
        }
        let is_dot = |(actor, counter): (&Word, u64)| *actor == dot.actor && counter == dot.counter.get();
        let place = clock.iter().position(is_dot).map_or(NO_ENTRY, |at| at as u64 + 1);
        put_varint(self.out, place);
        if place == NO_ENTRY {
            self.mentions.put_word(self.out, &dot.actor);
            put_varint(self.out, dot.counter.get());
        }
    }
}

/// Reads facts one after another.
#[derive(Debug)]
pub(crate) struct FactReader<'a> {
    from: Reader<'a>,
    layout: Layout,
    mentioned: Mentioned,
    /// The clock that was read last.
    clock: Vec<(Word, u64)>,
    before: Before,
}

impl<'a> FactReader<'a> {
    pub fn new(from: Reader<'a>, layout: Layout, before: Before) -> Self {
        Self { from, layout, mentioned: Mentioned::default(), clock: Vec::new(), before }
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
        let always = match self.layout {
            Layout::Plain if fields & LANE != 0 => return Err(Malformed("a field of a newer version")),
            Layout::Plain => LANE,
            Layout::Chained => 0,
        };
        if (fields | always) & LANE != 0 {
            self.before.lane = self.from.varint()?;
        }
        let lane = self.before.lane;
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
        match self.layout {
            Layout::Plain => self.plain_stamp(),
            Layout::Chained => self.chained_stamp(),
        }
    }

    fn chained_stamp(&mut self) -> Result<Stamp, Malformed> {
        match self.from.varint()? {
            SAME_ACTORS if self.clock.is_empty() => {
                return Err(Malformed("the actors of a clock that never was"));
            }
            SAME_ACTORS => {
                for (_, counter) in &mut self.clock {
                    *counter = counter.wrapping_add_signed(self.from.signed()?);
                }
            }
            count => self.name_actors(count - 1)?,
        }
        if self.clock.iter().any(|(_, counter)| *counter == 0) {
            return Err(Malformed("a counter of zero"));
        }
        let dot = match self.from.small::<usize>()?.checked_sub(1) {
            None => Dot { actor: self.mentioned.take_word(&mut self.from)?, counter: self.from.counter()? },
            Some(at) => {
                let (actor, counter) = self.clock.get(at).ok_or(Malformed("a dot that no entry is"))?;
                let counter = NonZeroU64::new(*counter).ok_or(Malformed("a counter of zero"))?;
                Dot { actor: actor.clone(), counter }
            }
        };
        let clock: VectorClock<Word> = self.clock.iter().cloned().collect();
        Ok(Stamp { dot, clock })
    }

    /// A clock whose actors are named.
    fn name_actors(&mut self, count: u64) -> Result<(), Malformed> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > self.from.remaining() / ENTRY_BYTES_MIN {
            return Err(Malformed("cut off"));
        }
        self.clock.clear();
        for _ in 0..count {
            self.clock.push((self.mentioned.take_word(&mut self.from)?, 0));
        }
        for (_, counter) in &mut self.clock {
            *counter = self.from.varint()?;
        }
        if !self.clock.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(Malformed("a clock that names an actor twice"));
        }
        Ok(())
    }

    fn plain_stamp(&mut self) -> Result<Stamp, Malformed> {
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
