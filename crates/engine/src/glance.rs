//! What one event does to a conversation, where that can be told without folding the whole of it.
//!
//! Nearly every fact is an event that stands behind all others, in a conversation of nothing but events. Whether it is
//! counted and shown is then its own affair, and whether the conversation is active mostly follows from it alone. What
//! does not is folded; debug builds fold in any case, and compare. Rejected: keeping each conversation's state (it is as
//! large as its facts).

use crate::entry::{Entry, NO_TIME};
use crate::fold::{Step, is_counted};
use crate::names::{Names, Sym};
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

    /// What an event changes wherever it stands; none: the fold has to tell.
    pub fn step(self, event: &Entry) -> Option<Step> {
        let counted = event.state().is_some() && event.at_ns() != NO_TIME;
        self.plain.then_some(Step { from: Sym::NONE, counted, shown: true })
    }

    /// What the last entry changes, and whether the conversation is active then; `active`: whether it was. None: the fold
    /// has to tell.
    pub fn glance(self, last: &Entry, active: bool) -> Option<(Step, bool)> {
        let step = self.step(last)?;
        let state = last.state();
        let now = match (last.participant.is_some(), self.by_life_cycle) {
            (false, _) if state.is_some() => !state.ends(),
            (false, _) | (true, true) => active,
            (true, false) => {
                let leaves = last.what == What::Left || state.ends();
                let comes = !leaves && tells(last);
                // When somebody leaves the others tell; so they do when somebody is named who may be gone, or new.
                let decided = if active { !leaves } else { leaves || comes };
                decided.then_some(comes || active)?
            }
        };
        Some((step, now))
    }

    /// Whether all that an event says of its participant is said again by events `behind` it, so that nothing but the first
    /// sight of the participant depends on it. Where a life cycle ends, whoever is seen is ended with it, at an instant
    /// that depends on when it was seen: only a later state says that again.
    pub fn is_overtaken(self, event: &Entry, behind: &[Entry]) -> bool {
        let tells = tells(event) || self.by_life_cycle;
        let mut open = [tells, event.role().is_some(), event.user().is_some(), event.queue().is_some()];
        if !event.participant.is_some() {
            return false;
        }
        for later in behind.iter().rev().filter(|later| later.participant == event.participant) {
            let said = [
                later.state().is_some(),
                later.role().is_some(),
                later.user().is_some(),
                later.queue().is_some(),
            ];
            open.iter_mut().zip(said).for_each(|(open, said)| *open &= !said);
            if open == [false; 4] {
                return true;
            }
        }
        false
    }
}

/// The same of the last entry, where it tells that a communication lives which was known already. An unknown one would
/// change what its participant's own entries show.
pub(crate) fn glance_at_leg(
    upto: &[Entry],
    outline: Outline,
    active: bool,
    names: &Names,
) -> Option<(Step, bool)> {
    let (last, before) = upto.split_last()?;
    let lives = last.what == What::State && last.communication.is_some() && !last.state().ends();
    let leg = (last.participant, last.communication);
    if !lives || !last.participant.is_some() || before.iter().all(|e| (e.participant, e.communication) != leg)
    {
        return None;
    }
    let step = Step { from: Sym::NONE, counted: is_counted(last, names), shown: true };
    Some((step, active || !outline.by_life_cycle))
}

/// Whether an event says that its participant is there, or that it is not.
fn tells(event: &Entry) -> bool {
    event.state().is_some() || matches!(event.what, What::Joined | What::Left)
}
