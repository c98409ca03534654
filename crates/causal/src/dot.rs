//! One event of one actor, and a run of them.
//!
//! An actor counts its events 1, 2, 3, …, without holes; so `(actor, counter)` names an event for ever, and a
//! counter of `n` is evidence of all those before it. That evidence may be of 2⁶⁴ events, hence ranges.
//!
//! Rejected: a counter that may be zero. It would name no event, and would give one meaning two
//! representations.

use std::num::NonZeroU64;

#[cfg(test)]
mod tests;

/// The `counter`-th event of `actor`. Ordered by actor, then counter: a total order that says nothing about
/// time.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Dot<A> {
    /// Who did it.
    pub actor: A,
    /// Which of the actor's events it is, from 1.
    pub counter: NonZeroU64,
}

/// The events `from..=to` of one actor. Empty when `from > to`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct DotRange<A> {
    /// Who did them.
    pub actor: A,
    /// The first, from 1.
    pub from: NonZeroU64,
    /// The last, inclusive.
    pub to: NonZeroU64,
}

impl<A: PartialEq> DotRange<A> {
    /// Whether `dot` is one of these.
    pub fn contains(&self, dot: &Dot<A>) -> bool {
        self.actor == dot.actor && (self.from..=self.to).contains(&dot.counter)
    }
}
