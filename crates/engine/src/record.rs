//! What crosses the border to the store: facts as they were admitted, and whole conversations laid down.

use crate::ledger::{AGAIN_ROW, STATUS_ROW};
use crate::{Completeness, Fact, Id, Source, Time, UserWhat, Word};

/// A fact that was new, with how it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The conversation.
    pub conversation: Id,
    /// The fact, or further evidence for one that is known (same id, to be joined).
    pub fact: Fact,
    /// How it came.
    pub arrival: Arrival,
}

/// How a fact came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When, in nanoseconds since the epoch.
    pub received: i64,
    /// Through which feed.
    pub feed: u16,
    /// Through which surface.
    pub source: Source,
    /// Under which incarnation of ours.
    pub incarnation: u32,
    /// Whether its place had been published before it came.
    pub late: bool,
    /// When it was taken into the set, and so became visible with that turn's commit: by our clock, in nanoseconds since
    /// the epoch. Later than `received` for a fact that waited for its causes. What is logged says its receipt here; the
    /// commit that carries it says the rest.
    pub published: i64,
    /// Of what is logged: it waits for its causes, and is logged once more when it is published, unless a restart comes
    /// between. Never set of what is in the set.
    pub waits: bool,
}

/// A conversation's whole set, laid down together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredConversation {
    /// Its id.
    pub id: Id,
    /// Whether it is still in the engine's memory: recovery brings those back.
    pub resident: bool,
    /// Whether it is active.
    pub active: bool,
    /// The first instant of it.
    pub started_at: Option<Time>,
    /// The end of it.
    pub ended_at: Option<Time>,
    /// How many facts were dropped before they could be admitted.
    pub dropped: u64,
    /// The evidence for its facts, in timeline order: most facts have one piece, one that was bettered has several in a
    /// row, in the order in which they were taken.
    pub facts: Vec<(Fact, Arrival)>,
}

impl StoredConversation {
    /// The first and the last of all instants that its facts name (when each happened, came, and was shown), in nanoseconds
    /// since the epoch; none when it has none. Before the first nothing of it was, and behind the last nothing changed.
    #[must_use]
    pub fn told_span(&self) -> Option<(i64, i64)> {
        let told = |(fact, Arrival { received, published, .. }): &(Fact, Arrival)| {
            told_at(fact.at.map(|at| at.nanos), *received, *published)
        };
        self.facts.iter().map(told).reduce(widest)
    }
}

/// The first and the last instant that a piece of evidence names: of its source's time, its receipt, and when it was shown.
pub(crate) fn told_at(at: Option<i64>, received: i64, published: i64) -> (i64, i64) {
    let at = at.unwrap_or(received);
    (at.min(received).min(published), at.max(received).max(published))
}

/// The span of two.
pub(crate) fn widest(a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
    (a.0.min(b.0), a.1.max(b.1))
}

/// A user's value, as last known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// The user.
    pub user: Id,
    /// What it is.
    pub what: UserWhat,
    /// The value.
    pub value: Word,
    /// Since when, by the source.
    pub at: Option<Time>,
    /// When it was received.
    pub received: i64,
}

/// One interval of a feed's ledger. Rows with the same feed and `from` replace one another. Two are no holes
/// ([`LedgerRow::is_hole`]): how the feed stands (`from` is 0), and until when a clock that was set back runs through a time
/// again (`from` is 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The feed's index.
    pub feed: u16,
    /// The feed's name.
    pub name: String,
    /// Its first instant, in nanoseconds since the epoch.
    pub from: i64,
    /// The first instant after it; none while it lasts.
    pub to: Option<i64>,
    /// What is known of it.
    pub state: Completeness,
    /// Of the status row (`from` is 0): whether the feed listens. Of any other: whether the hole is one in which nobody
    /// listened, rather than a moment at which facts were dropped.
    pub listening: bool,
    /// Why it is not complete.
    pub reason: String,
}

impl LedgerRow {
    /// Whether it is about a time of which not everything is known.
    #[must_use]
    pub fn is_hole(&self) -> bool {
        self.from != STATUS_ROW && self.from != AGAIN_ROW
    }
}
