//! What the clocks of a busy conversation have seen, so that one more event with a clock finds its place by halving.
//!
//! An event is pushed by the last event of each region that it has seen itself, and pushes those that have seen it. Whoever
//! has seen it has a greater sum: where each region's next event by its sum stands behind it already, it moves nobody.
//! That is what `order.rs` finds for it among all others, as long as sums of clocks follow what was seen; where they do
//! not, or somebody would move, the whole order has to tell. Rejected: keeping this for every conversation (in tens of
//! facts it is found as fast by looking at each).

use crate::entry::Entry;
use crate::{Source, Stamp, Word};
use causal::{Dot, VectorClock};

/// The events with clocks of one conversation.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// All that any of them has seen, themselves included.
    seen: VectorClock<Word>,
    /// Along some region's counters, sums or places do not ascend: a gateway counts wrong.
    crooked: bool,
    /// By region; each region's events by counter.
    chains: Vec<(Word, Vec<Link>)>,
}

/// One event of a region, or several that bear one dot.
#[derive(Clone, Copy, Debug)]
struct Link {
    counter: u64,
    sum: u128,
    effective: i64,
}

impl Link {
    /// Whether sums and places ascend along a region's counters with this one among them, and none has its counter.
    fn fits(&self, chain: &[Self]) -> bool {
        let ascends =
            |a: &Self, b: &Self| a.counter < b.counter && a.sum < b.sum && a.effective < b.effective;
        let place = chain.partition_point(|known| known.counter < self.counter);
        let before = place.checked_sub(1).and_then(|at| chain.get(at));
        before.is_none_or(|before| ascends(before, self))
            && chain.get(place).is_none_or(|next| ascends(self, next))
    }
}

impl Past {
    /// The past of entries that are in order; none when more than clocks orders those that have one.
    pub fn of(entries: &[Entry]) -> Option<Self> {
        let mut past = Self::default();
        for entry in entries {
            let Some(stamp) = entry.stamp() else { continue };
            if entry.source() != Source::Events {
                return None;
            }
            past.note(stamp, entry.effective());
        }
        Some(past)
    }

    /// Where one more event stands that its source puts at an instant; none: the whole order has to tell.
    pub fn effective(&self, stamp: &Stamp, at: i64) -> Option<i64> {
        let (sum, mut effective) = (stamp.clock.sum(), at);
        for (region, counter) in stamp.clock.iter() {
            let own = *region == stamp.dot.actor;
            let upto = if own { stamp.dot.counter.get() - 1 } else { counter };
            let Some(link) = self.last(region, upto) else { continue };
            if link.sum >= sum {
                return None;
            }
            effective = causal::effective(effective, [link.effective]);
        }
        let moves = self.seen.contains(&stamp.dot) && !self.moves_none(&stamp.dot, sum, effective);
        (!moves).then_some(effective)
    }

    /// Whether an event that others may have seen leaves all of them where they are. Those with smaller sums are placed
    /// without it, whatever they claim.
    fn moves_none(&self, dot: &Dot<Word>, sum: u128, effective: i64) -> bool {
        let stays = |(_, chain): &(Word, Vec<Link>)| {
            let next = chain.get(chain.partition_point(|link| link.sum < sum));
            next.is_none_or(|next| next.sum > sum && next.effective > effective)
        };
        let link = Link { counter: dot.counter.get(), sum, effective };
        let fits = |(region, chain): &(Word, Vec<Link>)| *region != dot.actor || link.fits(chain);
        !self.crooked && self.chains.iter().all(|chain| stays(chain) && fits(chain))
    }

    /// Whether some event was seen that is not among them.
    pub fn lacks(&self) -> bool {
        let borne = |region: &Word| {
            self.chains.iter().find(|(known, _)| known == region).map_or(0, |(_, chain)| chain.len() as u64)
        };
        // Each counter of a chain was seen, and stands in it once.
        self.seen.iter().any(|(region, seen)| borne(region) < seen)
    }

    /// Notes an event that stands at an instant.
    pub fn note(&mut self, stamp: &Stamp, effective: i64) {
        self.seen.merge(&stamp.clock);
        self.seen.observe(&stamp.dot);
        let link = Link { counter: stamp.dot.counter.get(), sum: stamp.clock.sum(), effective };
        let chain = match self.chains.iter_mut().find(|(region, _)| *region == stamp.dot.actor) {
            Some((_, chain)) => chain,
            None => {
                self.chains.push((stamp.dot.actor.clone(), vec![link]));
                return;
            }
        };
        let place = chain.partition_point(|known| known.counter < link.counter);
        match chain.get_mut(place).filter(|known| known.counter == link.counter) {
            Some(known) => {
                // Two events of one dot: which of them others are held against is for the whole order to say.
                self.crooked = true;
                (known.sum, known.effective) = (known.sum.max(link.sum), known.effective.max(effective));
            }
            None => {
                self.crooked |= !link.fits(chain);
                chain.insert(place, link);
            }
        }
    }

    /// Whether one of the events has this dot.
    pub fn bears(&self, dot: &Dot<Word>) -> bool {
        self.last(&dot.actor, dot.counter.get()).is_some_and(|link| link.counter == dot.counter.get())
    }

    /// The last event of a region up to a counter.
    fn last(&self, region: &Word, upto: u64) -> Option<Link> {
        let (_, chain) = self.chains.iter().find(|(known, _)| known == region)?;
        let behind = chain.partition_point(|link| link.counter <= upto);
        chain.get(behind.checked_sub(1)?).copied()
    }
}
