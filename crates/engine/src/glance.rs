//! What one event does to a conversation, where that can be told without folding the whole of it.
//!
//! Nearly every fact is an event that stands behind all others, in a conversation of nothing but events. Whether it is
//! counted and shown is then its own affair, and whether the conversation is active mostly follows from it alone. What
//! does not is folded; debug builds fold in any case, and compare. Rejected: keeping each conversation's state (it is as
//! large as its facts).

use crate::entry::{Entry, NO_TIME};
use crate::fold::Step;
use crate::names::Sym;
use crate::{Source, What};

/// What is known of all entries of a conversation together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Outline {
    /// All are events, of participants themselves or of the conversation.
    plain: bool,
    /// One of them names a life-cycle state, which decides whether the conversation is active.
    by_life_cycle: bool,
}

impl Default for Outline {
    fn default() -> Self {
        Self { plain: true, by_life_cycle: false }
    }
}

impl Outline {
    pub fn add(&mut self, entry: &Entry) {
        self.plain &= entry.source() == Source::Events && !entry.communication.is_some();
        self.by_life_cycle |= !entry.participant.is_some() && entry.state().is_some();
    }

    /// What the last entry changes, and whether the conversation is active then; `active`: whether it was. None: the fold
    /// has to tell.
    pub fn glance(self, last: &Entry, active: bool) -> Option<(Step, bool)> {
        if !self.plain {
            return None;
        }
        let (state, of_participant) = (last.state(), last.participant.is_some());
        let ends = state.ends();
        let step = Step { from: Sym::NONE, counted: state.is_some() && last.at_ns() != NO_TIME, shown: true };
        let active = match (of_participant, self.by_life_cycle) {
            (false, _) if state.is_some() => !ends,
            (false, _) | (true, true) => active,
            (true, false) => {
                let leaves = last.what == What::Left || ends;
                let comes = !leaves && (state.is_some() || last.what == What::Joined);
                let tells = comes || (leaves && !active) || (!leaves && active);
                if !tells {
                    // Somebody left, or somebody unknown was named.
                    return None;
                }
                comes || active
            }
        };
        Some((step, active))
    }
}
