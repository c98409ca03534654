//! Which conversations the log still has to remember, so that it stays short.
//!
//! Recovery replays the log, so its length is the time of a restart. When it grows beyond a bound, the conversations
//! with facts in its oldest rows are laid down whole, and those rows are no longer needed. A conversation that was laid
//! down after a row was written needs that row no more, so each is written once per length of the log, however many
//! facts it gets. Rejected: a full checkpoint from time to time (it stops the world).

use engine::{Batch, Id, StoredConversation};
use std::collections::{HashMap, HashSet, VecDeque};

/// Facts the log may hold: replayed in about a second.
const LOG_FACTS_MAX: u64 = 500_000;
/// With so many conversations laid down, a commit takes no further row: one row's conversations go together.
const LAID_DOWN_MAX: usize = 256;

/// The log's rows that are needed, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    rows: VecDeque<Row>,
    facts: u64,
    /// The newest row that was written when a conversation was laid down last.
    laid: HashMap<Id, u64>,
    newest: u64,
}

#[derive(Debug)]
struct Row {
    log: u64,
    facts: u64,
    conversations: Vec<Id>,
}

/// What to lay down with the next commit, and which rows that makes needless.
#[derive(Debug, Default)]
pub(crate) struct Covered {
    pub laid_down: Vec<StoredConversation>,
    pub forget_below: Option<u64>,
}

impl Trail {
    /// A row was written, and conversations were laid down with it.
    pub fn note(&mut self, log: u64, batch: &Batch, laid_down: &[StoredConversation]) {
        self.newest = log;
        for stored in laid_down {
            self.laid.insert(stored.id.clone(), log);
        }
        self.add(log, batch.admitted.iter().map(|a| &a.conversation));
    }

    /// A row with facts of these conversations exists.
    pub fn add<'a>(&mut self, log: u64, conversations: impl Iterator<Item = &'a Id>) {
        let mut facts = 0;
        let mut seen = HashSet::new();
        let mut distinct = Vec::new();
        for id in conversations {
            facts += 1;
            if seen.insert(id) {
                distinct.push(id.clone());
            }
        }
        if facts > 0 {
            self.newest = self.newest.max(log);
            self.facts += facts;
            self.rows.push_back(Row { log, facts, conversations: distinct });
        }
    }

    /// What must be laid down to keep the log within its bound. A conversation with facts that wait (`waits`) is left for
    /// seconds, since its log alone remembers when they came; one that always has some, until the log is twice as long.
    pub fn cover(
        &mut self,
        waits: impl Fn(&Id) -> bool,
        lay_down: impl Fn(&Id) -> Option<StoredConversation>,
    ) -> Covered {
        let mut covered = Covered::default();
        while self.facts > LOG_FACTS_MAX && covered.laid_down.len() < LAID_DOWN_MAX {
            let patient = self.facts <= 2 * LOG_FACTS_MAX;
            if patient && self.rows.front().is_some_and(|row| row.conversations.iter().any(&waits)) {
                break;
            }
            let Some(row) = self.rows.pop_front() else { break };
            self.facts -= row.facts;
            for id in row.conversations {
                if self.laid.get(&id).is_some_and(|&at| at >= row.log) {
                    continue;
                }
                if let Some(stored) = lay_down(&id) {
                    self.laid.insert(id, self.newest);
                    covered.laid_down.push(stored);
                }
            }
            covered.forget_below = Some(self.rows.front().map_or(self.newest, |row| row.log));
        }
        if let Some(below) = covered.forget_below {
            self.laid.retain(|_, at| *at >= below);
        }
        covered
    }
}

#[cfg(test)]
mod tests;
