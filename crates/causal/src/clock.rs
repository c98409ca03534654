//! Who has seen how much of whom.
//!
//! A vector clock maps each actor to the last of its events that is known; an event is known when its counter
//! is not above the entry. Clocks are ordered by inclusion: `a` is before `b` when `b` knows all that `a`
//! knows and more, and two that each know something the other does not are concurrent. Merging is the least
//! upper bound, so it may be done in any order and as often as one likes.
//!
//! The entries are a sorted vector: actors are a few dozen, and comparing is one walk over both. An entry of
//! zero cannot be represented, or `{}` and `{a: 0}` would be equal and compare as different.
//!
//! Rejected: a hash map (its order leaks into whatever iterates it, and comparing costs a look-up an entry).

use std::cmp::Ordering;
use std::num::NonZeroU64;

use crate::dot::Dot;

#[cfg(test)]
mod tests;

/// How far each actor's events are known. The default knows nothing.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct VectorClock<A> {
    /// By actor, ascending, without repetition.
    entries: Vec<(A, NonZeroU64)>,
}

/// How one clock stands to another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Causality {
    /// The first knows less: all of it is known to the second.
    Before,
    /// The first knows all that the second knows, and more.
    After,
    /// Both know the same.
    Equal,
    /// Each knows something that the other does not.
    Concurrent,
}

impl<A> Default for VectorClock<A> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<A: Ord + Clone> VectorClock<A> {
    /// A clock that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The last known event of `actor`; 0 when none is.
    pub fn get(&self, actor: &A) -> u64 {
        self.last(actor).map_or(0, NonZeroU64::get)
    }

    /// Counts one more event of `actor` and names it. At `u64::MAX` the counter stays where it is.
    pub fn increment(&mut self, actor: A) -> Dot<A> {
        let counter = self.last(&actor).map_or(NonZeroU64::MIN, |last| last.saturating_add(1));
        self.raise(&actor, counter);
        Dot { actor, counter }
    }

    /// Takes note of an event and, with it, of all that its actor did before; true when it was news.
    pub fn observe(&mut self, dot: &Dot<A>) -> bool {
        self.raise(&dot.actor, dot.counter)
    }

    /// The least clock that knows what either knows; true when anything grew.
    pub fn merge(&mut self, other: &Self) -> bool {
        let mut grew = false;
        for (actor, counter) in &other.entries {
            grew |= self.raise(actor, *counter);
        }
        grew
    }

    /// Whether an event whose writer had seen `clock`, the event itself included, follows what is known here and nothing else.
    pub fn leads_to(&self, dot: &Dot<A>, clock: &Self) -> bool {
        let own = |(actor, counter): (&A, u64)| *actor == dot.actor && counter == dot.counter.get();
        clock.iter().any(own)
            && clock.iter().all(|(actor, n)| self.get(actor) >= n - u64::from(*actor == dot.actor))
    }

    /// How this clock stands to `other`. A partial order: `Before` and `After` mirror each other.
    pub fn compare(&self, other: &Self) -> Causality {
        match (self.knows(other), other.knows(self)) {
            (true, true) => Causality::Equal,
            (true, false) => Causality::After,
            (false, true) => Causality::Before,
            (false, false) => Causality::Concurrent,
        }
    }

    /// Whether the event is known: its counter is not above its actor's entry.
    pub fn contains(&self, dot: &Dot<A>) -> bool {
        self.last(&dot.actor).is_some_and(|last| dot.counter <= last)
    }

    /// How many events are known in all. Strictly greater for a clock that comes after, so that sorting by it never
    /// contradicts [`compare`](Self::compare).
    pub fn sum(&self) -> u128 {
        self.entries.iter().map(|(_, counter)| u128::from(counter.get())).sum()
    }

    /// The entries by actor, ascending; none is zero.
    pub fn iter(&self) -> impl Iterator<Item = (&A, u64)> {
        self.entries().map(|(actor, counter)| (actor, counter.get()))
    }

    /// How many actors are known.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// [`iter`](Self::iter), with the counters' proof that they are not zero.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&A, NonZeroU64)> {
        self.entries.iter().map(|(actor, counter)| (actor, *counter))
    }

    fn position(&self, actor: &A) -> Result<usize, usize> {
        self.entries.binary_search_by(|(known, _)| known.cmp(actor))
    }

    fn last(&self, actor: &A) -> Option<NonZeroU64> {
        let index = self.position(actor).ok()?;
        self.entries.get(index).map(|(_, counter)| *counter)
    }

    fn raise(&mut self, actor: &A, counter: NonZeroU64) -> bool {
        match self.position(actor) {
            Ok(index) => match self.entries.get_mut(index) {
                Some((_, known)) if *known < counter => {
                    *known = counter;
                    true
                }
                _ => false,
            },
            Err(index) => {
                self.entries.insert(index, (actor.clone(), counter));
                true
            }
        }
    }

    /// Whether all that `other` knows is known here: one walk over both.
    fn knows(&self, other: &Self) -> bool {
        let mut ours = self.entries.iter();
        other.entries.iter().all(|(actor, counter)| {
            ours.find_map(|(known, last)| match known.cmp(actor) {
                Ordering::Less => None,
                Ordering::Equal => Some(counter <= last),
                Ordering::Greater => Some(false),
            })
            .unwrap_or(false)
        })
    }
}

/// Zeros are skipped, since they cannot be represented; of a repeated actor the greatest counter stands.
impl<A: Ord + Clone> FromIterator<(A, u64)> for VectorClock<A> {
    fn from_iter<I: IntoIterator<Item = (A, u64)>>(entries: I) -> Self {
        let mut clock = Self::new();
        for (actor, counter) in entries {
            if let Some(counter) = NonZeroU64::new(counter) {
                clock.raise(&actor, counter);
            }
        }
        clock
    }
}
