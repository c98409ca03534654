//! Why a fact stands where it stands: where it came from, what made it one fact, what placed it, what it revised.
//!
//! Everything is worked out anew from the evidence when it is asked for. The order is a function of the set (`order.rs`),
//! so the rule that decided can be read off the result: an entry at its own time was placed by it; one behind its own
//! time was pushed by the entry that ends just in front of it; one in front of its receipt was pulled. Rejected: keeping a
//! reason with every fact (memory for millions of answers that nobody asks for, and a second truth beside the order).

use crate::entry::{Entry, NO_TIME};
use crate::names::Names;
use crate::order;
use crate::show::Shown;
use crate::timeline::{Chains, to_value};
use crate::{Authority, FactId, Id, Source, Time, TimelineEntry, What, Word};

/// Concurrent facts that are named for one; all are counted up to [`COUNTED_MAX`].
const NAMED_MAX: usize = 16;
/// Concurrent facts that are counted for one.
const COUNTED_MAX: usize = 1_000;

/// Entries behind one that are looked at for what it was pulled in front of.
const NEAR: usize = 64;

/// One fact, and all that explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// What it says, as the timeline shows it.
    pub entry: TimelineEntry,
    /// Its place in the timeline, from 0; none: it is not shown there.
    pub place: Option<u32>,
    /// Why the timeline does not show it.
    pub hidden: Option<Hidden>,
    /// The name of the feed that it came through.
    pub feed: Option<String>,
    /// Under which incarnation of ours it was admitted.
    pub incarnation: u32,
    /// How good its time is.
    pub authority: Authority,
    /// What makes two reports the same fact.
    pub identity: Identity,
    /// What placed it.
    pub placed: Placed,
    /// Facts that are neither before nor after it: the first few.
    pub concurrent: Vec<Named>,
    /// How many those are, 1,000 at most.
    pub concurrent_count: u32,
}

/// A fact, as far as another one's explanation names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub fact: FactId,
    /// As in [`TimelineEntry::kind`].
    pub kind: &'static str,
    /// As in [`TimelineEntry::to`].
    pub to: Option<Word>,
    /// Whose.
    pub participant: Option<Id>,
    /// Of which communication.
    pub communication: Option<Id>,
    /// Where it stands in the order.
    pub effective_at: Time,
}

/// What makes two reports the same fact, so that the second is known to be a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Identity {
    /// The event id that its source gave it; the content and the time of an event that has none.
    Event,
    /// It happens once: what it says of whom, whatever time is told.
    Once,
    /// It can come again: what it says, and when that began.
    Beginning,
    /// When the hold began that it begins or ends.
    Hold,
    /// It is the n-th change of a toggle that has no time.
    NthChange,
    /// What it says of whom, and when.
    ContentAndTime,
}

/// Why the timeline does not show a fact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hidden {
    /// A toggle that stood so already, or on a communication that was over.
    NoChange,
    /// It says what a communication is; that shows with the communication's other entries.
    Attributes,
    /// It is about the participant as a whole, whose communications tell better.
    StandsBack,
}

/// Which rule gave an entry its place, and by which other entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The rule.
    pub rule: Rule,
    /// The entry that decided, or the one in front of it; none: it is the first, or nothing else decided.
    pub by: Option<Named>,
}

/// The rules of the order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// The time that its source gave.
    Time,
    /// No time was given, and nothing else is known of its place: when it was received.
    Received,
    /// No time was given: just in front of what is proved to follow.
    InFront,
    /// Its clock has seen the other: behind it, whatever the times say.
    Clock,
    /// The life of a communication runs one way: behind the other, whatever the times say.
    LifeCycle,
    /// A hold cannot end before it began.
    HoldBegan,
    /// The same instant as the other: what comes earlier in a life stands first.
    TieRank,
    /// The same instant and the same rank as the other: the lesser id stands first.
    TieId,
}

impl Shown<'_> {
    /// Every fact in the order, with what explains it; of one participant only, when one is named.
    #[must_use]
    pub fn why(&self, participant: Option<&Id>) -> Vec<Explained> {
        let set = self.set();
        let chains = Chains::of(&set.entries);
        let mut next_place = 0..;
        let mut views = Vec::with_capacity(set.entries.len());
        self.walk(|_| true, |shown, entry| views.push((shown, entry)));
        let mut explained = Vec::new();
        for (at, ((shown, entry), e)) in views.into_iter().zip(&set.entries).enumerate() {
            let place = if shown { next_place.next() } else { None };
            if participant.is_some_and(|wanted| entry.participant.as_ref() != Some(wanted)) {
                continue;
            }
            let placing = Placing { entries: &set.entries, names: &set.names, at, own: e };
            let concurrent: Vec<usize> = chains.concurrent(e).take(COUNTED_MAX).collect();
            explained.push(Explained {
                place,
                hidden: (!shown).then(|| Hidden::of(e)),
                feed: self.feed_name(e.feed),
                incarnation: e.incarnation(&set.names),
                authority: e.authority(),
                identity: Identity::of(e, &set.names),
                placed: placing.explain(),
                concurrent_count: u32::try_from(concurrent.len()).unwrap_or(u32::MAX),
                concurrent: concurrent.iter().take(NAMED_MAX).filter_map(|at| placing.named(*at)).collect(),
                entry,
            });
        }
        explained
    }
}

impl Hidden {
    fn of(e: &Entry) -> Self {
        match e.what {
            What::Joined => Self::Attributes,
            What::State => Self::StandsBack,
            _ => Self::NoChange,
        }
    }
}

impl Identity {
    fn of(e: &Entry, names: &Names) -> Self {
        if e.source() == Source::Events {
            return Self::Event;
        }
        let toggle = matches!(e.what, What::Held | What::Muted);
        if toggle && e.unpack(names).identified().id != e.id() {
            return Self::NthChange;
        }
        match e.what {
            What::Held => Self::Hold,
            What::Joined | What::State | What::Left | What::WrapUp if e.since() != NO_TIME => Self::Beginning,
            What::Joined | What::State | What::Left | What::WrapUp => Self::Once,
            _ => Self::ContentAndTime,
        }
    }
}

/// One entry among all.
struct Placing<'a> {
    entries: &'a [Entry],
    names: &'a Names,
    at: usize,
    own: &'a Entry,
}

impl Placing<'_> {
    fn explain(&self) -> Placed {
        let own = self.own;
        let told = if own.at_ns() == NO_TIME { own.received } else { own.at_ns() };
        match own.effective().cmp(&told) {
            std::cmp::Ordering::Less => Placed { rule: Rule::InFront, by: self.pulled_by() },
            std::cmp::Ordering::Greater => self.pushed(),
            std::cmp::Ordering::Equal => self.at_its_time(),
        }
    }

    /// It stands at its own time, or when it was received; at the same instant as another, a tie decides.
    fn at_its_time(&self) -> Placed {
        let own = self.own;
        let before = self.at.checked_sub(1);
        let front = before.and_then(|at| self.entries.get(at));
        let rule = match front.filter(|front| front.effective() == own.effective()) {
            Some(front) if order::rank(front) != order::rank(own) => Rule::TieRank,
            Some(_) => Rule::TieId,
            None if own.at_ns() == NO_TIME => Rule::Received,
            None => Rule::Time,
        };
        Placed { rule, by: before.and_then(|at| self.named(at)) }
    }

    /// It stands behind its own time, just behind what pushed it.
    fn pushed(&self) -> Placed {
        let before = self.own.effective().checked_sub(1);
        let by_clock = self.find(before, |o| self.has_seen(o));
        if by_clock.is_some() {
            return Placed { rule: Rule::Clock, by: by_clock };
        }
        if self.own.what == What::Held && Some(self.own.since()) == before {
            let began = |o: &Entry| o.what == What::Held && o.on() && o.since() == self.own.since();
            return Placed { rule: Rule::HoldBegan, by: self.find(before, |o| began(o) && self.same_leg(o)) };
        }
        let earlier = |o: &Entry| {
            order::rank(o) < order::rank(self.own) && (self.same_leg(o) || !o.communication.is_some())
        };
        let by = self.find(before, |o| o.participant == self.own.participant && earlier(o));
        Placed { rule: Rule::LifeCycle, by }
    }

    /// The first entry that stands at an instant and is as wanted.
    fn find(&self, at: Option<i64>, is: impl Fn(&Entry) -> bool) -> Option<Named> {
        let instant = at?;
        let first = self.entries.partition_point(|e| e.effective() < instant);
        let there = self.entries.iter().enumerate().skip(first).take_while(|(_, e)| e.effective() == instant);
        let mut wanted = there.filter(|(at, e)| *at != self.at && is(e));
        wanted.next().and_then(|(at, _)| self.named(at))
    }

    /// What it was pulled in front of: what stands just behind it, or was told to be there and was pushed on.
    fn pulled_by(&self) -> Option<Named> {
        let of_it =
            |o: &Entry| o.participant == self.own.participant && order::rank(o) >= order::rank(self.own);
        let next = self.own.effective().checked_add(1);
        self.find(next, of_it).or_else(|| {
            let near = self.entries.iter().enumerate().skip(self.at + 1).take(NEAR);
            let mut told = near.filter(|(_, o)| of_it(o) && Some(o.at_ns()) == next);
            told.next().and_then(|(at, _)| self.named(at))
        })
    }

    fn same_leg(&self, other: &Entry) -> bool {
        (other.participant, other.communication) == (self.own.participant, self.own.communication)
    }

    fn has_seen(&self, other: &Entry) -> bool {
        let (own, other) = (self.own.stamp(), other.stamp());
        own.zip(other).is_some_and(|(own, other)| own.dot != other.dot && own.clock.contains(&other.dot))
    }

    fn named(&self, at: usize) -> Option<Named> {
        let e = self.entries.get(at)?;
        Some(Named {
            fact: e.id(),
            kind: e.what.as_str(),
            to: to_value(e, self.names),
            participant: self.names.get_id(e.participant),
            communication: self.names.get_id(e.communication),
            effective_at: Time::from_nanos(e.effective()),
        })
    }
}
