//! Conversations that wait to be read: each once, not before its time.
//!
//! Nothing is ever left out: a conversation that nobody reads, and nobody is told of, would be a hole that counts as closed.
//! It is bounded by whoever fills it: what is listed is bounded as a list, and wishes are taken only while there is room.
//! Rejected: dropping beyond a bound (the round that listed it would not know).

use crate::listening::Millis;
use engine::Id;
use std::collections::{BTreeSet, HashMap};

/// What waits, by time.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    by_time: BTreeSet<(Millis, Id)>,
    times: HashMap<Id, Millis>,
}

impl Queue {
    /// Wants a conversation read, not before that instant; the earlier one counts when it waits already.
    pub fn want(&mut self, id: Id, not_before: Millis) {
        match self.times.get(&id) {
            Some(&at) if at <= not_before => return,
            Some(&at) => {
                self.by_time.remove(&(at, id.clone()));
            }
            None => {}
        }
        self.by_time.insert((not_before, id.clone()));
        self.times.insert(id, not_before);
    }

    /// The one that has waited longest of those whose time has come.
    pub fn take(&mut self, now: Millis) -> Option<Id> {
        if self.next_due()? > now {
            return None;
        }
        let (_, id) = self.by_time.pop_first()?;
        self.times.remove(&id);
        Some(id)
    }

    /// When the next one's time comes.
    pub fn next_due(&self) -> Option<Millis> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Those whose time has come.
    pub fn due(&self, now: Millis) -> impl Iterator<Item = &Id> {
        self.by_time.iter().take_while(move |(at, _)| *at <= now).map(|(_, id)| id)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether it waits.
    pub fn contains(&self, id: &Id) -> bool {
        self.times.contains_key(id)
    }
}

#[cfg(test)]
mod tests;
