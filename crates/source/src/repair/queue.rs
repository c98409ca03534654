//! Conversations that wait to be read: each once, not before its time.

use engine::Id;
use std::collections::{BTreeSet, HashMap};

/// Conversations that may wait. 100,000: a day of a large organisation, some 10 MB.
const WAITING_MAX: usize = 100_000;

/// What waits, by time.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    by_time: BTreeSet<(i64, Id)>,
    times: HashMap<Id, i64>,
}

impl Queue {
    /// Wants a conversation read, not before that instant; the earlier one counts when it waits already. Beyond the
    /// bound it is left out, and said.
    pub fn want(&mut self, id: Id, not_before: i64) {
        match self.times.get(&id) {
            Some(&at) if at <= not_before => return,
            Some(&at) => {
                self.by_time.remove(&(at, id.clone()));
            }
            None if self.times.len() >= WAITING_MAX => {
                tracing::warn!("{WAITING_MAX} conversations wait to be read by REST; one more is left out");
                return;
            }
            None => {}
        }
        self.by_time.insert((not_before, id.clone()));
        self.times.insert(id, not_before);
    }

    /// The one that has waited longest of those whose time has come.
    pub fn take(&mut self, now: i64) -> Option<Id> {
        if self.next_due()? > now {
            return None;
        }
        let (_, id) = self.by_time.pop_first()?;
        self.times.remove(&id);
        Some(id)
    }

    /// When the next one's time comes.
    pub fn next_due(&self) -> Option<i64> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Those whose time has come.
    pub fn due(&self, now: i64) -> impl Iterator<Item = &Id> {
        self.by_time.iter().take_while(move |(at, _)| *at <= now).map(|(_, id)| id)
    }

    /// Whether it waits.
    pub fn contains(&self, id: &Id) -> bool {
        self.times.contains_key(id)
    }
}

#[cfg(test)]
mod tests;
