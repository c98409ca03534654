//! Lists of the conversations in memory, and of those that are remembered.

use crate::{ConversationView, Engine, Filter, Id};
use std::ops::Bound;

impl Engine {
    /// All in memory, or remembered, that pass, by ascending id behind `after`, as of `now` in nanoseconds since the epoch.
    pub fn list<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<&'a Id>,
        now: i64,
    ) -> impl Iterator<Item = ConversationView> + 'a {
        let view = move |id: &Id| match self.show(id, now) {
            Some(shown) => Some(shown.conversation()),
            None => self.recall(id),
        };
        self.candidates(filter, after).filter_map(view).filter(|view| filter.matches(view))
    }

    /// The ids of all in memory, or remembered, that may pass, by ascending id behind `after`: of the smallest set that is
    /// kept in that order.
    pub fn candidates<'a>(
        &'a self,
        filter: &Filter,
        after: Option<&'a Id>,
    ) -> Box<dyn Iterator<Item = &'a Id> + 'a> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        if filter.suspect == Some(true) {
            return Box::new(self.ghosts.after(from));
        }
        let behind = (from, Bound::Unbounded);
        let (active, ended) = (self.active.range::<Id, _>(behind), self.ended.range::<Id, _>(behind));
        let remembered = self.remembered.after(from);
        match filter.active {
            Some(true) => Box::new(in_order(active, remembered)),
            Some(false) => Box::new(ended),
            None => Box::new(in_order(in_order(active, ended), remembered)),
        }
    }

    /// The id of the first conversation in memory behind one.
    #[must_use]
    pub fn resident_after(&self, after: Option<&Id>) -> Option<&Id> {
        let behind = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let sets = [&self.active, &self.ended];
        sets.into_iter().filter_map(|ids| ids.range::<Id, _>(behind).next()).min()
    }
}

/// Of two ascending runs one, each value once.
pub fn in_order<T: Ord>(a: impl Iterator<Item = T>, b: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    std::iter::from_fn(move || match (a.peek(), b.peek()) {
        (Some(left), Some(right)) if right < left => b.next(),
        (Some(left), Some(right)) if right == left => b.next().and(a.next()),
        (None, Some(_)) => b.next(),
        _ => a.next(),
    })
}
