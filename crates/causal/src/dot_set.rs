//! Which events are here, with the holes between them.
//!
//! A clock says "all up to here" and cannot tell that the third of five is missing; this set can. It is kept
//! as runs, so that a clock which proves 2⁶⁴ events is answered by one range, and so that a history without
//! holes is one run for each actor however long it gets.
//!
//! Rejected: a clock and a set of exceptions (the exceptions above the clock are runs again, and a hostile
//! counter makes the exceptions below it unbounded), and a set of single dots (the naive model that the tests
//! compare with).

use crate::clock::VectorClock;
use crate::dot::{Dot, DotRange};
use spans::{Span, Spans};

mod spans;
#[cfg(test)]
mod tests;

/// A set of dots. The default is empty.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DotSet<A> {
    /// By actor, ascending, without repetition; nobody's spans are empty.
    actors: Vec<(A, Spans)>,
}

impl<A> Default for DotSet<A> {
    fn default() -> Self {
        Self { actors: Vec::new() }
    }
}

impl<A: Ord + Clone> DotSet<A> {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one dot; true when it was not there.
    pub fn insert(&mut self, dot: Dot<A>) -> bool {
        self.insert_span(&dot.actor, Span { from: dot.counter, to: dot.counter })
    }

    /// Adds all dots of a range; one that ends before it begins holds none.
    pub fn insert_range(&mut self, range: DotRange<A>) {
        if range.from <= range.to {
            self.insert_span(&range.actor, Span { from: range.from, to: range.to });
        }
    }

    /// Takes one dot out; true when it was there.
    pub fn remove(&mut self, dot: &Dot<A>) -> bool {
        let Ok(index) = self.position(&dot.actor) else {
            return false;
        };
        let Some((_, spans)) = self.actors.get_mut(index) else {
            return false;
        };
        let removed = spans.remove(dot.counter);
        if spans.is_empty() {
            self.actors.remove(index);
        }
        removed
    }

    /// Whether the dot is here.
    pub fn contains(&self, dot: &Dot<A>) -> bool {
        self.spans(&dot.actor).is_some_and(|spans| spans.contains(dot.counter))
    }

    /// What `clock` proves to have happened and is not here, `except` set aside; ascending, as few ranges as
    /// can be.
    pub fn missing(&self, clock: &VectorClock<A>, except: Option<&Dot<A>>) -> Vec<DotRange<A>> {
        self.gaps(clock, except).map(|(actor, gap)| gap.of(actor)).collect()
    }

    /// Whether all that `clock` proves is here, `except` set aside. Does not allocate.
    pub fn covers(&self, clock: &VectorClock<A>, except: Option<&Dot<A>>) -> bool {
        self.gaps(clock, except).next().is_none()
    }

    /// The first range of [`missing`](Self::missing), without looking for the others.
    pub(crate) fn first_missing(
        &self,
        clock: &VectorClock<A>,
        except: Option<&Dot<A>>,
    ) -> Option<DotRange<A>> {
        self.gaps(clock, except).next().map(|(actor, gap)| gap.of(actor))
    }

    /// All that is here, ascending, as few ranges as can be.
    pub fn ranges(&self) -> impl Iterator<Item = DotRange<A>> {
        self.actors.iter().flat_map(|(actor, spans)| spans.iter().map(|span| span.of(actor)))
    }

    /// How many dots are here, saturating.
    pub fn len(&self) -> u64 {
        self.actors.iter().fold(0, |sum, (_, spans)| sum.saturating_add(spans.len()))
    }

    /// Whether no dot is here.
    pub fn is_empty(&self) -> bool {
        self.actors.is_empty()
    }

    fn gaps<'a>(
        &'a self,
        clock: &'a VectorClock<A>,
        except: Option<&'a Dot<A>>,
    ) -> impl Iterator<Item = (&'a A, Span)> {
        clock.entries().flat_map(move |(actor, last)| {
            let spared = except.filter(|dot| dot.actor == *actor).map(|dot| dot.counter);
            let spans = self.spans(actor).unwrap_or(Spans::NONE);
            spans.gaps(last).flat_map(move |gap| gap.without(spared)).map(move |gap| (actor, gap))
        })
    }

    fn position(&self, actor: &A) -> Result<usize, usize> {
        self.actors.binary_search_by(|(known, _)| known.cmp(actor))
    }

    fn spans(&self, actor: &A) -> Option<&Spans> {
        let index = self.position(actor).ok()?;
        self.actors.get(index).map(|(_, spans)| spans)
    }

    fn insert_span(&mut self, actor: &A, span: Span) -> bool {
        match self.position(actor) {
            Ok(index) => self.actors.get_mut(index).is_some_and(|(_, spans)| spans.insert(span)),
            Err(index) => {
                self.actors.insert(index, (actor.clone(), Spans::from(span)));
                true
            }
        }
    }
}
