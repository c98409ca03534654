//! The log again, after a restart.
//!
//! What was published is published again as the log says, with the lateness and at the instant that it had: nothing is
//! decided a second time, so that no bound, no clock and nothing learnt since can make it come out otherwise. A fact that
//! waited for its causes is in the log twice, when it came and when it went; one that only came waits still, and goes when
//! the new life begins, since nobody waits for what came before a restart.
//!
//! Rejected: making every decision again (what the buffer holds depends on all that it holds, and on what counters were
//! known to count at the time, so that a conversation which ended since, and comes back whole, changes the outcome).

use crate::batch::Batch;
use crate::conversation::Conversation;
use crate::engine::Engine;
use crate::ledger::RECORDS_LOST;
use crate::{Admitted, FactId, Id, Source};
use std::collections::BTreeMap;

/// Facts that waited, each with its place in the log.
#[derive(Debug, Default)]
pub(crate) struct Unreleased {
    waiting: BTreeMap<(Id, FactId), (u64, Admitted)>,
    next: u64,
}

impl Unreleased {
    /// Keeps a fact, or better evidence for one that is kept. True when it was not known.
    fn keep(&mut self, admitted: Admitted) -> bool {
        self.next += 1;
        let key = (admitted.conversation.clone(), admitted.fact.id);
        let Some((_, known)) = self.waiting.get_mut(&key) else {
            self.waiting.insert(key, (self.next, admitted));
            return true;
        };
        match known.arrival.source {
            Source::Events => known.fact.settle(&admitted.fact),
            _ => known.fact.join(&admitted.fact),
        };
        false
    }

    /// All of them, in the order in which they came.
    fn take(&mut self) -> Vec<Admitted> {
        let mut waiting: Vec<_> = std::mem::take(&mut self.waiting).into_values().collect();
        waiting.sort_unstable_by_key(|(place, _)| *place);
        waiting.into_iter().map(|(_, admitted)| admitted).collect()
    }
}

impl Engine {
    /// A record out of the log, at the instant of the commit that carried it.
    pub fn replay(&mut self, admitted: Admitted, now: i64) {
        let mut conversation = match self.conversations.take(&admitted.conversation) {
            Some(known) => known,
            None => Box::new(Conversation::new(admitted.conversation.clone())),
        };
        conversation.last_received = conversation.last_received.max(admitted.arrival.received);
        self.replay_into(&mut conversation, admitted, now);
        self.keep_boxed(conversation, now);
        self.publish_strays(now);
    }

    fn replay_into(&mut self, to: &mut Conversation, admitted: Admitted, now: i64) {
        if admitted.arrival.waits && to.knows(admitted.fact.id) {
            return;
        }
        let stamp = admitted.fact.stamp.clone();
        let borne = to.overfull || stamp.as_ref().is_some_and(|stamp| to.bears(&stamp.dot));
        let key = (admitted.conversation.clone(), admitted.fact.id);
        let first = if admitted.arrival.waits {
            self.unreleased.keep(admitted)
        } else {
            let waited = self.unreleased.waiting.remove(&key).is_some();
            self.replaying = true;
            self.take(to, vec![admitted], now);
            self.replaying = false;
            !waited
        };
        if let Some(stamp) = stamp.filter(|_| first) {
            self.observe(&stamp, to, borne);
        }
    }

    /// The replay of the log is over: what it moved is in the store already. `damaged`: some of it could not be read.
    pub fn replayed(&mut self, damaged: bool, now: i64) {
        self.batch = Batch::default();
        self.cells.clear();
        if damaged {
            self.ledger.damaged(now, RECORDS_LOST);
        }
    }

    /// Begins anew a conversation whose stored facts cannot be read: it is partial, and a repair is asked for.
    pub fn restore_damaged(&mut self, id: &Id, now: i64) {
        let mut conversation = Conversation::new(id.clone());
        conversation.set_dropped(1);
        self.note_lack(&conversation);
        self.keep(conversation, now);
        self.wish_damaged(id);
    }

    /// Asks for a repair of a conversation whose stored facts cannot be read.
    pub fn wish_damaged(&mut self, id: &Id) {
        self.wish(id, "damaged");
    }

    /// Rows of the ledger were stored and cannot be read. Before [`Engine::replayed`].
    pub fn lose_ledger_rows(&mut self) {
        self.ledger.lose_rows();
    }

    /// Publishes what waited when the life before ended: the first thing that a new life does.
    pub fn release_unreleased(&mut self, now: i64) {
        self.restaged.extend(self.unreleased.take());
        self.publish_strays(now);
        self.release_all(now);
    }
}
