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
    /// Some of its topics were refused, so that what they carry is not heard; none: all of them are.
    Limited {
        /// Which, and what is missing, in words for a person.
        reason: Option<String>,
    },
    /// Every hole it had when it began to listen last is closed by REST reads.
    Repaired,
    /// A hole could not be closed; why, in words for a person.
    RepairFailed {
        /// Why.
        reason: String,
    },
    /// Frames were refused while it listened: what they said is not known.
    Refused {
        /// Why, out of a closed list.
        reason: String,
    },
    /// The platform does not know a conversation any more that it was asked for.
    Gone {
        /// Which.
        conversation: Id,
    },
}
