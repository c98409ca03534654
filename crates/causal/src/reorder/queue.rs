//! What waits in all the streams together, by deadline.
//!
//! Age and bytes are bounded over all streams, so somebody has to know the oldest of all without asking each.
//! Times may repeat and even go backwards; the ticket's number makes every place in the queue one of its own.
//!
//! Rejected: a heap (an item may leave from the middle at any moment, when its gap is filled).

use std::collections::BTreeMap;

/// A place in the queue: by deadline, then by arrival.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Ticket {
    /// When its holder waits no longer, in nanoseconds.
    pub(super) due: i64,
    /// The how many-th that ever waited.
    number: u64,
}

impl Ticket {
    /// Before all others.
    pub(super) const FIRST: Self = Self { due: i64::MIN, number: 0 };
    /// Behind all others.
    pub(super) const LAST: Self = Self { due: i64::MAX, number: u64::MAX };
}

/// The tickets of all that waits, with the stream of each.
pub(super) struct Queue<S> {
    places: BTreeMap<Ticket, S>,
    /// Wide enough not to overflow, whatever sizes are claimed.
    bytes: u128,
    given: u64,
}

impl<S> Default for Queue<S> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), bytes: 0, given: 0 }
    }
}

impl<S: Clone> Queue<S> {
    pub(super) fn enter(&mut self, stream: &S, due: i64, bytes: usize) -> Ticket {
        self.given += 1;
        let ticket = Ticket { due, number: self.given };
        self.places.insert(ticket, stream.clone());
        self.bytes += bytes as u128;
        ticket
    }

    pub(super) fn leave(&mut self, ticket: Ticket, bytes: usize) {
        if self.places.remove(&ticket).is_some() {
            self.bytes -= bytes as u128;
        }
    }

    pub(super) fn oldest(&self) -> Option<(Ticket, S)> {
        self.places.first_key_value().map(|(ticket, stream)| (*ticket, stream.clone()))
    }

    pub(super) fn deadline(&self) -> Option<i64> {
        self.places.first_key_value().map(|(ticket, _)| ticket.due)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn bytes(&self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX)
    }
}
