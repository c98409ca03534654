//! What a source tells the ledger about a feed.

use crate::Id;

/// Something that became of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedNote {
    /// The feed.
    pub feed: u16,
    /// When, in nanoseconds since the epoch.
    pub at: i64,
    /// What.
    pub event: FeedEvent,
}

/// What can become of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedEvent {
    /// It exists under this name. Must come before all else. `resends`: after a reconnect its peer sends what was
    /// sent last again, and duplicates of what was heard before the cut prove that the hole is closed.
    Named {
        /// Its name, stable over restarts.
        name: String,
        /// Whether its peer re-sends.
        resends: bool,
    },
    /// From now on whatever its topics carry reaches us.
    Listening,
    /// It stopped listening. What came after `last_heard` may be missing.
    Lost {
        /// Why, in words for a person.
        reason: String,
        /// When it was last heard, in nanoseconds since the epoch.
        last_heard: i64,
    },
    /// It cannot listen at present; why, in words for a person. Said until it listens.
    Failing {
        /// Why.
        reason: String,
    },
    /// Although it may listen, not all is heard that should be: a list of topics cannot be read, a topic is refused.
    Limited {
        /// What is missing; `None` when all is heard again.
        limit: Option<Limit>,
    },
    /// Every hole that it had when it began to listen last, or when all was heard again, is closed by REST reads.
    Repaired,
    /// The same, but for some conversations that the platform lists and that cannot be read. They alone lack something where
    /// facts of all of them are known; else the holes are not closed, since nothing else would show them.
    RepairedBut {
        /// Which.
        unread: Vec<Id>,
        /// Why they cannot be read, in words for a person.
        reason: String,
    },
    /// A hole could not be closed; why, in words for a person.
    RepairFailed {
        /// Why.
        reason: String,
    },
    /// A frame was refused while it listened: what it said is not known.
    Refused {
        /// Why, out of a closed list.
        reason: String,
        /// The conversation that it was about, where the frame tells.
        conversation: Option<Id>,
    },
    /// The platform does not know a conversation any more that it was asked for.
    Gone {
        /// Which.
        conversation: Id,
    },
}

impl FeedEvent {
    /// The conversations that lack something by this: they are to be in memory when the engine takes it.
    pub fn lacking(&self) -> impl Iterator<Item = &Id> {
        let (one, more): (Option<&Id>, &[Id]) = match self {
            Self::Refused { conversation, .. } => (conversation.as_ref(), &[]),
            Self::RepairedBut { unread, .. } => (None, unread),
            _ => (None, &[]),
        };
        one.into_iter().chain(more)
    }
}

/// What a feed does not hear although it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Which, and what is missing, in words for a person.
    pub reason: String,
    /// Since when it may be missing, in nanoseconds since the epoch.
    pub since: i64,
}
