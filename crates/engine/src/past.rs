//! What the clocks of a busy conversation have seen, so that one more event with a clock finds its place by halving.
//!
//! An event that nobody has seen pushes nobody; it is pushed by the last event of each region that it has seen itself.
//! That is what `order.rs` finds for it among all others, as long as sums of clocks follow what was seen; where they do
//! not, or somebody has seen it, the whole order has to tell. Rejected: keeping this for every conversation (in tens of
//! facts it is found as fast by looking at each).

use crate::entry::Entry;
use crate::{Source, Stamp, Word};
use causal::{Dot, VectorClock};

/// The events with clocks of one conversation.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// All that any of them has seen, themselves included.
    seen: VectorClock<Word>,
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
        if self.seen.contains(&stamp.dot) {
            return None;
        }
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
        Some(effective)
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
                (known.sum, known.effective) = (known.sum.max(link.sum), known.effective.max(effective));
            }
            None => chain.insert(place, link),
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
