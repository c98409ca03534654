//! Clocks that an earlier history had reached, of which nothing else is left here.
//!
//! After a lost disk a copy elsewhere may still tell how far each conversation's clock had come. Counting goes on from there:
//! the facts of that history are an actor of their own, under an incarnation that nobody ever has. So a clock never runs
//! backwards, though what it counted is gone.
//!
//! The same holds of a conversation that retention removed and that is told of again. What it counted is gone on purpose
//! then, and it can never be whole again, whatever a REST read tells: it stays partial. Its facts from before the removal
//! move no cell, since the cells of that time hold them already.

use crate::{Engine, Id, MINUTE, Word};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// The incarnation that stands for them; real ones begin at 1.
pub(crate) const INCARNATION: u32 = 0;

/// How far clocks had come, by conversation.
#[derive(Debug, Default)]
pub(crate) struct Inherited(HashMap<Id, Before, FixedState>);

#[derive(Clone, Copy, Debug)]
struct Before {
    clock: u64,
    /// All that was removed of it happened before this instant; none: nothing was removed, a disk was lost.
    removed_until: Option<i64>,
}

impl Engine {
    /// Lets a conversation's clock go on from where an earlier history had it.
    pub fn inherit(&mut self, conversation: Id, clock: u64) {
        if clock > 0 {
            self.inherited.0.insert(conversation, Before { clock, removed_until: None });
        }
    }

    /// A conversation is told of again whose facts, all from before `until` in nanoseconds since the epoch, were removed when
    /// its clock stood at `clock`: it begins anew, and stays partial. Before anything of it is handed in.
    pub fn inherit_removed(&mut self, conversation: Id, clock: u64, until: i64) {
        self.inherited.0.insert(conversation, Before { clock, removed_until: Some(until) });
    }

    /// Whether facts of a conversation were removed before it was told of again.
    #[must_use]
    pub fn was_removed(&self, conversation: &Id) -> bool {
        self.inherited.removed_until(conversation).is_some()
    }

    /// Moves the cell of a minute, unless it holds already what is told again of a conversation that was removed.
    pub(crate) fn move_cell(&mut self, of: &Id, minute: i64, difference: i64) {
        if is_told_first(self.inherited.removed_until(of), minute) {
            self.cells.add(minute, difference);
        }
    }
}

/// Whether no cell holds an event of a minute yet: it is none of those that were removed until an instant.
pub(crate) fn is_told_first(removed_until: Option<i64>, minute: i64) -> bool {
    removed_until.is_none_or(|until| minute.saturating_mul(MINUTE) >= until)
}

impl Inherited {
    /// How many facts of a conversation an earlier history had counted.
    pub fn of(&self, conversation: &Id) -> Option<u64> {
        self.get(conversation).map(|before| before.clock)
    }

    /// Before when all happened that was removed of a conversation; none when nothing was.
    pub fn removed_until(&self, conversation: &Id) -> Option<i64> {
        self.get(conversation)?.removed_until
    }

    fn get(&self, conversation: &Id) -> Option<&Before> {
        if self.0.is_empty() { None } else { self.0.get(conversation) }
    }

    /// The same as an entry of a clock.
    pub fn entry(&self, conversation: &Id) -> Option<(Word, u64)> {
        Some((Word::own_actor(INCARNATION), self.of(conversation)?))
    }
}
