//! What a region's counter counts: events of one conversation, or all its events.
//!
//! Gateways do either, and nothing in a frame says which. It matters for waiting alone: counted per conversation, a gap
//! means that a fact of this conversation is on its way; counted over all, that fact is nearly always another
//! conversation's. The counters themselves tell. A dot that two conversations bear proves the first. A counter that
//! continues the region's newest anywhere, and not the conversation's own, speaks for the second; two such in a row, with
//! nothing against them, decide until a proof to the contrary comes. Until then gaps are taken as the conversation's own:
//! waiting too long is safe, telling out of order is not.
//!
//! Rejected: a setting (its user cannot know either, and a wrong one delays or scrambles everything).

use crate::limits::REGIONS_MAX;
use crate::{Stamp, Word};
use causal::{Dot, DotRange, DotSet};
use std::collections::BTreeMap;
use std::num::NonZeroU64;

#[cfg(test)]
mod tests;

/// Votes in a row that decide for [`Scope::Feed`].
const VOTES: u32 = 2;
/// A region heard for the first time had told its earlier events before anybody listened, if they are more than this.
const GAP_MAX: u64 = 1_000;

/// What a counter counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Scope {
    /// Not decided; taken as `Conversation`.
    #[default]
    Undecided,
    /// Events of one conversation: proved.
    Conversation,
    /// All events of the region.
    Feed,
}

/// The evidence so far.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    scope: Scope,
    seen: DotSet<Word>,
    newest: BTreeMap<Word, u64>,
    votes: u32,
}

/// The newest counter of each region within one conversation.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnCounters(Vec<(Word, u64)>);

impl OwnCounters {
    /// The newest counter of a region before this dot, which is then noted; and whether it was borne before.
    fn note(&mut self, dot: &Dot<Word>) -> u64 {
        let counter = dot.counter.get();
        match self.0.iter_mut().find(|(region, _)| *region == dot.actor) {
            Some((_, newest)) => {
                let before = *newest;
                *newest = before.max(counter);
                before
            }
            None => {
                self.0.push((dot.actor.clone(), counter));
                0
            }
        }
    }
}

impl Scopes {
    /// What counters count, as far as is known.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Takes the stamp of a fact that is new. `own` belongs to its conversation; `borne` says that a fact of this very
    /// conversation has the same dot. True when the scope is another now.
    pub fn observe(&mut self, stamp: &Stamp, own: &mut OwnCounters, borne: bool) -> bool {
        let (dot, before) = (&stamp.dot, self.scope);
        if self.newest.len() >= REGIONS_MAX && !self.newest.contains_key(&dot.actor) {
            *self = Self { scope: Scope::Conversation, ..Self::default() };
            return true;
        }
        let counter = dot.counter.get();
        let own_newest = own.note(dot);
        let newest = self.newest.get(&dot.actor).copied().unwrap_or(0);
        if !self.seen.insert(dot.clone()) && !borne {
            self.scope = Scope::Conversation;
        }
        let continues_own = own_newest.checked_add(1) == Some(counter);
        let continues_all = newest.checked_add(1) == Some(counter);
        match (continues_own, continues_all) {
            (false, true) => self.votes += 1,
            (true, false) => self.votes = 0,
            _ => {}
        }
        if self.scope == Scope::Undecided && self.votes >= VOTES {
            self.scope = Scope::Feed;
        }
        self.newest.insert(dot.actor.clone(), newest.max(counter));
        self.scope != before
    }

    /// What was told before anybody listened, by the evidence of a stamp: all that a region counted before its first event
    /// that was heard, when that is more than can be on its way.
    pub fn before_our_time(&self, stamp: &Stamp) -> Vec<DotRange<Word>> {
        let told = |(region, counter): (&Word, u64)| {
            let own = *region == stamp.dot.actor;
            let first_heard =
                self.newest.get(region).is_none_or(|newest| own && *newest == counter && self.alone(region));
            let to = NonZeroU64::new(counter - u64::from(own))?;
            (first_heard && to.get() > GAP_MAX).then(|| DotRange {
                actor: region.clone(),
                from: NonZeroU64::MIN,
                to,
            })
        };
        stamp.clock.iter().filter_map(told).collect()
    }

    /// Whether just one dot of a region was seen.
    fn alone(&self, region: &Word) -> bool {
        let mut of_region = self.seen.ranges().filter(|range| range.actor == *region);
        of_region.next().is_none_or(|only| only.from == only.to) && of_region.next().is_none()
    }

    /// All up to the newest dot of each region that was seen: whoever begins now waits for none of it.
    pub fn up_to_now(&self) -> impl Iterator<Item = DotRange<Word>> + '_ {
        let range = |(region, newest): (&Word, &u64)| {
            NonZeroU64::new(*newest).map(|to| DotRange { actor: region.clone(), from: NonZeroU64::MIN, to })
        };
        self.newest.iter().filter_map(range)
    }
}
