//! A fact as a conversation keeps it: ids and words as numbers of its [`Names`].

use crate::names::{Name, Names, Sym};
use crate::{Arrival, Authority, Fact, FactId, Source, Stamp, Time, What};

/// No time.
pub(crate) const NO_TIME: i64 = i64::MIN;

/// One fact of a conversation.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    id: [u64; 2],
    /// Source time; `NO_TIME` when none was given.
    pub at: i64,
    pub since: i64,
    pub received: i64,
    /// When it became visible.
    pub published: i64,
    /// Its place in the order, see `order.rs`.
    pub effective: i64,
    pub stamp: Option<Box<Stamp>>,
    /// The pieces of evidence that this one joins; none while there is but one.
    pub pieces: Option<Box<Pieces>>,
    pub incarnation: u32,
    pub feed: u16,
    pub participant: Name,
    pub communication: Name,
    pub user: Name,
    pub queue: Name,
    pub state: Sym,
    pub role: Sym,
    pub medium: Sym,
    pub direction: Sym,
    pub reason: Sym,
    pub what: What,
    pub authority: Authority,
    pub source: Source,
    at_digits: u8,
    since_digits: u8,
    pub on: bool,
    pub late: bool,
    /// Tie-breaker of the order, see `order.rs`.
    pub rank: u8,
    /// Counted in the cell of its own minute; decided by the fold.
    pub counted: bool,
    /// Shown in the timeline; decided by the fold.
    pub shown: bool,
    /// Not settled yet.
    pub fresh: bool,
}

/// Pieces of evidence for one fact, in the order in which they came.
#[derive(Clone, Debug)]
pub(crate) struct Pieces(pub Vec<Entry>);

impl Entry {
    /// Packs a fact; none when the conversation's tables are full.
    pub fn pack(fact: &Fact, arrival: Arrival, names: &mut Names) -> Option<Self> {
        Some(Self {
            id: split(fact.id),
            at: fact.at.map_or(NO_TIME, |t| t.nanos),
            since: fact.since.map_or(NO_TIME, |t| t.nanos),
            received: arrival.received,
            published: arrival.published,
            effective: 0,
            stamp: fact.stamp.clone(),
            pieces: None,
            incarnation: arrival.incarnation,
            feed: arrival.feed,
            participant: names.id(fact.participant.as_ref())?,
            communication: names.id(fact.communication.as_ref())?,
            user: names.id(fact.user.as_ref())?,
            queue: names.id(fact.queue.as_ref())?,
            state: names.word(fact.state.as_ref())?,
            role: names.word(fact.role.as_ref())?,
            medium: names.word(fact.medium.as_ref())?,
            direction: names.word(fact.direction.as_ref())?,
            reason: names.word(fact.reason.as_ref())?,
            what: fact.what,
            authority: fact.authority,
            source: arrival.source,
            at_digits: fact.at.map_or(0, |t| t.digits),
            since_digits: fact.since.map_or(0, |t| t.digits),
            on: fact.on,
            late: arrival.late,
            rank: 0,
            counted: false,
            shown: false,
            fresh: false,
        })
    }

    /// The fact again, as it would have been decoded.
    pub fn unpack(&self, names: &Names) -> Fact {
        Fact {
            id: self.id(),
            what: self.what,
            participant: names.get_id(self.participant),
            communication: names.get_id(self.communication),
            at: self.at(),
            authority: self.authority,
            since: (self.since != NO_TIME).then_some(Time { nanos: self.since, digits: self.since_digits }),
            on: self.on,
            state: names.get_word(self.state),
            role: names.get_word(self.role),
            user: names.get_id(self.user),
            queue: names.get_id(self.queue),
            medium: names.get_word(self.medium),
            direction: names.get_word(self.direction),
            reason: names.get_word(self.reason),
            stamp: self.stamp.clone(),
        }
    }

    pub fn arrival(&self) -> Arrival {
        Arrival {
            received: self.received,
            feed: self.feed,
            source: self.source,
            incarnation: self.incarnation,
            late: self.late,
            published: self.published,
            waits: false,
        }
    }

    /// Takes over what settling and folding decided about an entry that this one replaces.
    pub fn flagged_as(&mut self, other: &Self) {
        (self.effective, self.rank) = (other.effective, other.rank);
        (self.counted, self.shown, self.fresh) = (other.counted, other.shown, other.fresh);
    }

    /// The same, as one piece of evidence of that instant.
    pub fn published_at(&self, published: i64) -> Self {
        let mut piece = self.clone();
        (piece.published, piece.pieces) = (published, None);
        piece
    }

    /// Every piece of evidence in it, in the order in which they came.
    pub fn evidence(&self) -> impl Iterator<Item = &Entry> {
        let pieces = self.pieces.as_deref().map(|pieces| pieces.0.as_slice());
        pieces.unwrap_or(std::slice::from_ref(self)).iter()
    }

    pub fn id(&self) -> FactId {
        let [low, high] = self.id;
        FactId(u128::from(high) << 64 | u128::from(low))
    }

    pub fn is(&self, id: FactId) -> bool {
        self.id == split(id)
    }

    pub fn at(&self) -> Option<Time> {
        (self.at != NO_TIME).then_some(Time { nanos: self.at, digits: self.at_digits })
    }

    /// The instant it is shown at: the source's own, else its place in the order in whole milliseconds, rounded up so
    /// that what was placed just before an instant is shown at it.
    pub fn instant(&self) -> Time {
        self.at().unwrap_or_else(|| Time::from_nanos(self.effective.saturating_add(999_999)).to_millis())
    }

    /// Whether another copy of the same fact could tell anything new. Of an event, what is absent tells as well: one of two
    /// that differ stands whole.
    pub fn may_learn(&self, copy: &Fact, names: &Names) -> bool {
        let joins = self.source != Source::Events;
        let word = |sym, word: &Option<_>| joins && word.is_none() || names.same_word(sym, word.as_ref());
        let id = |name, id: &Option<_>| joins && id.is_none() || names.same_id(name, id.as_ref());
        let time = match copy.at {
            None => true,
            Some(at) => {
                (copy.authority, at.nanos) == (self.authority, self.at) || copy.authority < self.authority
            }
        };
        let same = time
            && word(self.state, &copy.state)
            && word(self.role, &copy.role)
            && word(self.medium, &copy.medium)
            && word(self.direction, &copy.direction)
            && word(self.reason, &copy.reason)
            && id(self.participant, &copy.participant)
            && id(self.communication, &copy.communication)
            && id(self.user, &copy.user)
            && id(self.queue, &copy.queue)
            && self.what == copy.what
            && (self.on || !copy.on)
            && (copy.stamp.is_none() || copy.stamp == self.stamp);
        !same
    }
}

fn split(id: FactId) -> [u64; 2] {
    [id.0 as u64, (id.0 >> 64) as u64]
}
