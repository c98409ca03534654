//! What the engine hands out: all that must be committed together, and told afterwards.

use crate::{Admitted, Effect, FactId, Id, LedgerRow, Revision, StoredConversation, UserRow};
use std::sync::Arc;

/// Facts of one feed and conversation that were dropped before they came to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// How many.
    pub facts: u64,
    /// When the first of them was received, in nanoseconds since the epoch.
    pub since: i64,
    /// When the last of them was.
    pub until: i64,
}

/// What must be committed together, and told afterwards.
#[derive(Debug, Default)]
pub struct Batch {
    /// Facts that were new, or better evidence, in order of arrival.
    pub admitted: Vec<Admitted>,
    /// What to publish, in causal order.
    pub changes: Vec<Publish>,
    /// Cells that moved: minute and difference.
    pub cells: Vec<(i64, i64)>,
    /// Users' values that are new.
    pub users: Vec<UserRow>,
    /// Ledger rows that changed.
    pub ledger: Vec<LedgerRow>,
    /// Conversations that left memory.
    pub laid_down: Vec<StoredConversation>,
    /// What only a source can do: read these conversations again, and why.
    pub wishes: Vec<(Id, &'static str)>,
    /// What was counted.
    pub tally: Tally,
}

/// A change to publish; [`Engine::change`] builds what readers see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// Its number in the order of publication.
    pub seq: u64,
    /// The conversation.
    pub conversation: Id,
    /// The fact behind it. One that the timeline does not show is told when it changed what is shown all the same.
    pub fact: FactId,
    /// Where it came in, when it came late or was better evidence.
    pub revision: Option<Revision>,
    /// What it changed, when somebody follows.
    pub effect: Option<Arc<Effect>>,
}

/// Counts of one batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Facts that were new.
    pub facts: u64,
    /// Facts that were known.
    pub duplicates: u64,
    /// Facts that came after their place had been published.
    pub late: u64,
    /// Facts that a conversation had no room for.
    pub overfull: u64,
}

impl Batch {
    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.admitted.is_empty()
            && self.changes.is_empty()
            && self.users.is_empty()
            && self.ledger.is_empty()
            && self.laid_down.is_empty()
            && self.cells.is_empty()
    }
}
