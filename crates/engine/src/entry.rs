//! A fact as a conversation keeps it: 56 bytes, since there are millions.
//!
//! Ids and words are numbers of the conversation's [`Names`]. What nearly every fact has stands here; what few have stands
//! in a box of its own ([`More`]). A source's time is nearly always the fact's place in the order too, and then it is
//! written once. Rejected: one plain field for each attribute (140 bytes, most of them empty), and columns for the whole
//! conversation (the order inserts in the middle, in each of twenty columns).

use crate::names::{Name, Names, Sym};
use crate::{Arrival, Fact, FactId, Source, Time, What};

mod bits;
mod more;

use bits::{Bits, When};
use more::More;

/// No time.
pub(crate) const NO_TIME: i64 = i64::MIN;

/// One fact of a conversation.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    id: [u64; 2],
    /// Its place in the order, see `order.rs`.
    effective: i64,
    pub received: i64,
    more: Option<Box<More>>,
    /// From its receipt until it became visible; [`ELSEWHERE_NS`]: see `Rare`.
    published_after_ns: u32,
    pub participant: Name,
    pub communication: Name,
    pub feed: u16,
    /// Counted from the conversation's first one; [`ELSEWHERE`]: see `Rare`.
    life: u8,
    state: u8,
    role: u8,
    pub what: What,
    bits: Bits,
}

const _: () = assert!(std::mem::size_of::<Entry>() == 56);

/// Stands for a number that does not fit and is in `Rare`.
const ELSEWHERE: u8 = u8::MAX - 1;
/// The same of nanoseconds.
const ELSEWHERE_NS: u32 = u32::MAX;
/// No word.
const NO_WORD: u8 = u8::MAX;

/// Pieces of evidence for one fact, in the order in which they came.
#[derive(Clone, Debug)]
pub(crate) struct Pieces(pub Vec<Entry>);

impl Entry {
    /// Packs a fact; none when the conversation's tables are full.
    pub fn pack(fact: &Fact, arrival: Arrival, names: &mut Names) -> Option<Self> {
        let (state, role) = (names.word(fact.state.as_ref())?, names.word(fact.role.as_ref())?);
        let more = More {
            since: fact.since.map_or(NO_TIME, |t| t.nanos),
            since_digits: fact.since.map_or(0, |t| t.digits),
            user: names.id(fact.user.as_ref())?,
            queue: names.id(fact.queue.as_ref())?,
            medium: names.word(fact.medium.as_ref())?,
            direction: names.word(fact.direction.as_ref())?,
            reason: names.word(fact.reason.as_ref())?,
            ..More::default()
        };
        let when = if fact.at.is_some() { When::Effective } else { When::Never };
        let digits = fact.at.map_or(0, |t| t.digits);
        let mut entry = Self {
            id: split(fact.id),
            effective: fact.at.map_or(arrival.received, |t| t.nanos),
            received: arrival.received,
            more: (!more.is_blank()).then(|| Box::new(more)),
            published_after_ns: 0,
            participant: names.id(fact.participant.as_ref())?,
            communication: names.id(fact.communication.as_ref())?,
            feed: arrival.feed,
            life: 0,
            state: 0,
            role: 0,
            what: fact.what,
            bits: Bits::new(fact.authority, arrival.source, when, digits),
        };
        entry.bits.set(Bits::ON, fact.on);
        entry.bits.set(Bits::LATE, arrival.late);
        if fact.stamp.is_some() {
            entry.rare_mut().stamp.clone_from(&fact.stamp);
        }
        entry.be_told(state, role);
        entry.be_published(arrival.published);
        entry.be_of(arrival.incarnation, names);
        Some(entry)
    }

    fn be_told(&mut self, state: Sym, role: Sym) {
        (self.state, self.role) = (small(state), small(role));
        if self.state == ELSEWHERE || self.role == ELSEWHERE {
            let rare = self.rare_mut();
            (rare.state, rare.role) = (state, role);
        }
    }

    fn be_published(&mut self, at: i64) {
        let after = at.checked_sub(self.received).and_then(|after| u32::try_from(after).ok());
        self.published_after_ns = after.unwrap_or(ELSEWHERE_NS);
        if self.published_after_ns == ELSEWHERE_NS {
            self.rare_mut().published = at;
        }
    }

    fn be_of(&mut self, incarnation: u32, names: &mut Names) {
        let lives = incarnation.checked_sub(names.first_incarnation(incarnation));
        self.life = lives.and_then(|lives| u8::try_from(lives).ok()).map_or(ELSEWHERE, |n| n.min(ELSEWHERE));
        if self.life == ELSEWHERE {
            self.rare_mut().incarnation = incarnation;
        }
    }

    /// The fact again, as it would have been decoded.
    pub fn unpack(&self, names: &Names) -> Fact {
        let since = Time { nanos: self.since(), digits: self.more().map_or(0, |m| m.since_digits) };
        Fact {
            id: self.id(),
            what: self.what,
            participant: names.get_id(self.participant),
            communication: names.get_id(self.communication),
            at: self.at(),
            authority: self.authority(),
            since: (since.nanos != NO_TIME).then_some(since),
            on: self.on(),
            state: names.get_word(self.state()),
            role: names.get_word(self.role()),
            user: names.get_id(self.user()),
            queue: names.get_id(self.queue()),
            medium: names.get_word(self.medium()),
            direction: names.get_word(self.direction()),
            reason: names.get_word(self.reason()),
            stamp: self.rare().and_then(|r| r.stamp.clone()),
        }
    }

    pub fn arrival(&self, names: &Names) -> Arrival {
        Arrival {
            received: self.received,
            feed: self.feed,
            source: self.source(),
            incarnation: self.incarnation(names),
            late: self.late(),
            published: self.published(),
            waits: false,
        }
    }

    /// Takes over what settling and folding decided about an entry that this one replaces.
    pub fn flagged_as(&mut self, other: &Self) {
        self.place_at(other.effective);
        for flag in [Bits::COUNTED, Bits::SHOWN, Bits::FRESH] {
            self.bits.set(flag, other.bits.has(flag));
        }
    }

    /// The same, as one piece of evidence of that instant.
    pub fn published_at(&self, published: i64) -> Self {
        let mut piece = self.clone();
        piece.be_published(published);
        piece.join(None);
        piece
    }

    /// What was published of it at `from` was published at `to`.
    pub fn postpone(&mut self, from: i64, to: i64) {
        if self.published() == from {
            self.be_published(to);
        }
        let pieces = self.more.as_mut().and_then(|m| m.rare.as_mut()).and_then(|r| r.pieces.as_mut());
        pieces.into_iter().flat_map(|pieces| &mut pieces.0).for_each(|piece| piece.postpone(from, to));
    }

    /// Every piece of evidence in it, in the order in which they came.
    pub fn evidence(&self) -> impl Iterator<Item = &Entry> {
        let pieces = self.rare().and_then(|r| r.pieces.as_deref()).map(|pieces| pieces.0.as_slice());
        pieces.unwrap_or(std::slice::from_ref(self)).iter()
    }

    /// The pieces of evidence that it joins, taken out; none while there is but one.
    pub fn take_pieces(&mut self) -> Option<Box<Pieces>> {
        self.more.as_mut().and_then(|m| m.rare.as_mut()).and_then(|r| r.pieces.take())
    }

    /// Says of which pieces of evidence it is made.
    pub fn join(&mut self, pieces: Option<Box<Pieces>>) {
        if pieces.is_some() || self.rare().is_some() {
            self.rare_mut().pieces = pieces;
        }
    }

    pub fn id(&self) -> FactId {
        let [low, high] = self.id;
        FactId(u128::from(high) << 64 | u128::from(low))
    }

    pub fn is(&self, id: FactId) -> bool {
        self.id == split(id)
    }

    /// Its place in the order, see `order.rs`.
    pub fn effective(&self) -> i64 {
        self.effective
    }

    /// Gives it a place in the order; the source's time stays what it is.
    pub fn place_at(&mut self, effective: i64) {
        let at = self.at_ns();
        self.effective = effective;
        if at == NO_TIME {
            return;
        }
        let apart = at != effective;
        self.bits.set_when(if apart { When::Apart } else { When::Effective });
        if apart {
            self.rare_mut().at = at;
        }
    }

    /// Source time in nanoseconds; `NO_TIME` when none was given.
    pub fn at_ns(&self) -> i64 {
        match self.bits.when() {
            When::Effective => self.effective,
            When::Apart => self.rare().map_or(NO_TIME, |r| r.at),
            When::Never => NO_TIME,
        }
    }

    pub fn at(&self) -> Option<Time> {
        let at = self.at_ns();
        (at != NO_TIME).then_some(Time { nanos: at, digits: self.bits.digits() })
    }

    /// The instant it is shown at: the source's own, else its place in the order in whole milliseconds, rounded up so
    /// that what was placed just before an instant is shown at it.
    pub fn instant(&self) -> Time {
        self.at().unwrap_or_else(|| Time::from_nanos(self.effective.saturating_add(999_999)).to_millis())
    }

    /// Whether another copy of the same fact could tell anything new. Of an event, what is absent tells as well: one of two
    /// that differ stands whole.
    pub fn may_learn(&self, copy: &Fact, names: &Names) -> bool {
        let joins = self.source() != Source::Events;
        let word = |sym, word: &Option<_>| joins && word.is_none() || names.same_word(sym, word.as_ref());
        let id = |name, id: &Option<_>| joins && id.is_none() || names.same_id(name, id.as_ref());
        let time = match copy.at {
            None => true,
            Some(at) => {
                let authority = self.authority();
                (copy.authority, at.nanos) == (authority, self.at_ns()) || copy.authority < authority
            }
        };
        let same = time
            && word(self.state(), &copy.state)
            && word(self.role(), &copy.role)
            && word(self.medium(), &copy.medium)
            && word(self.direction(), &copy.direction)
            && word(self.reason(), &copy.reason)
            && id(self.participant, &copy.participant)
            && id(self.communication, &copy.communication)
            && id(self.user(), &copy.user)
            && id(self.queue(), &copy.queue)
            && self.what == copy.what
            && (self.on() || !copy.on)
            && (copy.stamp.is_none() || copy.stamp.as_deref() == self.stamp());
        !same
    }
}

fn split(id: FactId) -> [u64; 2] {
    [id.0 as u64, (id.0 >> 64) as u64]
}

/// A word's number in one byte, where it fits: all words of the platform's own do.
fn small(sym: Sym) -> u8 {
    if !sym.is_some() {
        return NO_WORD;
    }
    u8::try_from(sym.number()).map_or(ELSEWHERE, |ordinal| ordinal.min(ELSEWHERE))
}
