//! What comes next, on the one virtual clock.
//!
//! Two things due in the same millisecond happen in the order in which they were put down, so that a seed decides
//! everything and no hash map, thread or machine has a say.

use simulator::Millis;
use std::collections::BTreeMap;

/// What was put down, by when it is due.
#[derive(Debug)]
pub(crate) struct Agenda<T> {
    items: BTreeMap<(Millis, u64), T>,
    next: u64,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), next: 0 }
    }
}

impl<T> Agenda<T> {
    /// Puts something down.
    pub fn put(&mut self, at: Millis, item: T) {
        self.next += 1;
        self.items.insert((at, self.next), item);
    }

    /// Takes what is due first, and when.
    pub fn take(&mut self) -> Option<(Millis, T)> {
        self.items.pop_first().map(|((at, _), item)| (at, item))
    }
}
