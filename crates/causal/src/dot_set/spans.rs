//! The counters of one actor, as runs.
//!
//! Runs are ascending, disjoint and never adjacent, so a set has one representation and a history without
//! holes has one run. Counters reach `u64::MAX`: what is "one further" is asked of `NonZeroU64`, which says
//! when there is none.
//!
//! Rejected: half-open runs (the one that ends with `u64::MAX` could not be written).

use std::num::NonZeroU64;

use crate::dot::DotRange;

/// The counters `from..=to`, never empty.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Span {
    pub(super) from: NonZeroU64,
    pub(super) to: NonZeroU64,
}

/// A set of counters: spans ascending, with at least one counter between any two.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Spans(Vec<Span>);

impl Span {
    fn new(from: NonZeroU64, to: NonZeroU64) -> Option<Self> {
        (from <= to).then_some(Self { from, to })
    }

    pub(super) fn of<A: Clone>(self, actor: &A) -> DotRange<A> {
        DotRange { actor: actor.clone(), from: self.from, to: self.to }
    }

    /// What is left when `point` is taken out: up to two spans, ascending.
    pub(super) fn without(self, point: Option<NonZeroU64>) -> impl Iterator<Item = Span> {
        let parts = match point.filter(|point| self.contains(*point)) {
            None => [Some(self), None],
            Some(point) => [
                before(point).and_then(|to| Span::new(self.from, to)),
                point.checked_add(1).and_then(|from| Span::new(from, self.to)),
            ],
        };
        parts.into_iter().flatten()
    }

    fn contains(self, point: NonZeroU64) -> bool {
        self.from <= point && point <= self.to
    }

    fn len(self) -> u64 {
        (self.to.get() - self.from.get()).saturating_add(1)
    }
}

impl From<Span> for Spans {
    fn from(span: Span) -> Self {
        Self(vec![span])
    }
}

impl Spans {
    pub(super) const NONE: &'static Self = &Self(Vec::new());

    /// Adds a span, joining all that it touches; true when anything in it is new.
    pub(super) fn insert(&mut self, new: Span) -> bool {
        let start = self.0.partition_point(|span| span.to.saturating_add(1) < new.from);
        let end = self.0.partition_point(|span| span.from <= new.to.saturating_add(1));
        let mut joined = new;
        for span in self.0.get(start..end).unwrap_or_default() {
            if span.contains(new.from) && span.contains(new.to) {
                return false;
            }
            joined.from = joined.from.min(span.from);
            joined.to = joined.to.max(span.to);
        }
        self.0.splice(start..end, [joined]);
        true
    }

    /// Takes one counter out; true when it was there.
    pub(super) fn remove(&mut self, point: NonZeroU64) -> bool {
        match self.around(point) {
            Some((index, span)) => {
                self.0.splice(index..=index, span.without(Some(point)));
                true
            }
            None => false,
        }
    }

    pub(super) fn contains(&self, point: NonZeroU64) -> bool {
        self.around(point).is_some()
    }

    /// What of `1..=last` is not here, ascending.
    pub(super) fn gaps(&self, last: NonZeroU64) -> impl Iterator<Item = Span> {
        let mut spans = self.0.iter();
        let mut next = Some(NonZeroU64::MIN);
        std::iter::from_fn(move || {
            loop {
                let from = next.filter(|from| *from <= last)?;
                let Some(span) = spans.next() else {
                    next = None;
                    return Some(Span { from, to: last });
                };
                next = span.to.checked_add(1);
                let gap = before(span.from).and_then(|to| Span::new(from, to.min(last)));
                if gap.is_some() {
                    return gap;
                }
            }
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Span> {
        self.0.iter().copied()
    }

    pub(super) fn len(&self) -> u64 {
        self.0.iter().fold(0, |sum, span| sum.saturating_add(span.len()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn around(&self, point: NonZeroU64) -> Option<(usize, Span)> {
        let index = self.0.partition_point(|span| span.to < point);
        let span = self.0.get(index).copied()?;
        span.contains(point).then_some((index, span))
    }
}

fn before(counter: NonZeroU64) -> Option<NonZeroU64> {
    NonZeroU64::new(counter.get() - 1)
}
