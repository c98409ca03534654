//! Clocks that an earlier history had reached, of which nothing else is left here.
//!
//! After a lost disk a copy elsewhere may still tell how far each conversation's clock had come. Counting goes on from there:
//! the facts of that history are an actor of their own, under an incarnation that nobody ever has. So a clock never runs
//! backwards, though what it counted is gone.

use crate::{Engine, Id, Word};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// The incarnation that stands for them; real ones begin at 1.
pub(crate) const INCARNATION: u32 = 0;

/// How far clocks had come, by conversation.
#[derive(Debug, Default)]
pub(crate) struct Inherited(HashMap<Id, u64, FixedState>);

impl Engine {
    /// Lets a conversation's clock go on from where an earlier history had it.
    pub fn inherit(&mut self, conversation: Id, clock: u64) {
        if clock > 0 {
            self.inherited.0.insert(conversation, clock);
        }
    }
}

impl Inherited {
    /// How many facts of a conversation an earlier history had counted.
    pub fn of(&self, conversation: &Id) -> Option<u64> {
        if self.0.is_empty() { None } else { self.0.get(conversation).copied() }
    }

    /// The same as an entry of a clock.
    pub fn entry(&self, conversation: &Id) -> Option<(Word, u64)> {
        Some((Word::own_actor(INCARNATION), self.of(conversation)?))
    }
}
