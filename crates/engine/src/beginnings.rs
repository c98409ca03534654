//! Whether the gateways of the `events` dialect tell when a conversation begins.
//!
//! Most do, by a change of the conversation's own life cycle; then one whose beginning did not come may have begun at any
//! time before it was first heard of, and what happened since is missing. Some never do, and of theirs nothing better can
//! be known than that the first thing heard was the first. Nothing in a frame says which, so it is learnt: once a beginning
//! was heard, they are told.
//!
//! Rejected: taking the first thing heard for the beginning (after a cut, boards would call half a conversation whole).

use crate::{Fact, What, is_end};

/// What was heard so far.
#[derive(Debug, Default)]
pub(crate) struct Beginnings {
    /// A beginning was heard.
    pub told: bool,
}

impl Beginnings {
    /// Takes a fact that an event told.
    pub fn heard(&mut self, fact: &Fact) {
        self.told |= fact.what == What::LifeCycle && fact.state.as_ref().is_some_and(|state| !is_end(state));
    }
}
