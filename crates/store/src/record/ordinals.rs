//! The closed lists of the engine as they stand on disk.
//!
//! A stored number must mean the same in every version: the engine's discriminants are pinned here, by tests, and a
//! number that no version has written is refused. Rejected: casting back and forth, where reordering an enum would
//! silently rewrite history.

use super::bytes::Malformed;
use engine::{Authority, Completeness, Source, UserWhat, What};

/// By ordinal: see [`What`].
pub(crate) const WHATS: [What; 9] = [
    What::LifeCycle,
    What::Joined,
    What::State,
    What::Role,
    What::Held,
    What::Muted,
    What::AfterCallWork,
    What::WrapUp,
    What::Left,
];
/// By ordinal: see [`Authority`].
pub(crate) const AUTHORITIES: [Authority; 4] =
    [Authority::Received, Authority::Derived, Authority::Reported, Authority::Recorded];
/// By ordinal: see [`Source`].
pub(crate) const SOURCES: [Source; 5] =
    [Source::Events, Source::Snapshot, Source::MediaSnapshot, Source::Detail, Source::Rest];
/// As written in the ledger.
const COMPLETENESSES: [Completeness; 4] =
    [Completeness::Complete, Completeness::Repaired, Completeness::Partial, Completeness::Unknown];
/// As written in the table of users.
const USER_WHATS: [UserWhat; 2] = [UserWhat::Presence, UserWhat::RoutingStatus];

/// The entry of an ordinal.
pub(crate) fn of_ordinal<T: Copy>(list: &[T], ordinal: u8) -> Result<T, Malformed> {
    list.get(usize::from(ordinal)).copied().ok_or(Malformed("a value of a newer version"))
}

/// The completeness of its word.
pub(crate) fn completeness(word: &str) -> Result<Completeness, Malformed> {
    let found = COMPLETENESSES.into_iter().find(|c| c.as_str() == word);
    found.ok_or(Malformed("an unknown completeness"))
}

/// The word of what is told of a user.
pub(crate) fn user_what_word(what: UserWhat) -> &'static str {
    match what {
        UserWhat::Presence => "presence",
        UserWhat::RoutingStatus => "routingStatus",
    }
}

/// What is told of a user, of its word.
pub(crate) fn user_what(word: &str) -> Result<UserWhat, Malformed> {
    let found = USER_WHATS.into_iter().find(|what| user_what_word(*what) == word);
    found.ok_or(Malformed("an unknown value of users"))
}

#[cfg(test)]
mod tests;
