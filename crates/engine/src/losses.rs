//! What never came: facts that were dropped, facts that found no room, and the times in which nobody listened or in which
//! our clock said what was not so.
//!
//! The set of facts cannot show what is not in it, and no log remembers what never came: so a conversation that lost facts
//! is laid down with the commit that says so, and its feed's ledger notes from when to when.

use crate::conversation::{Conversation, is_counted_at_once};
use crate::{Arrival, Dropped, Engine, Fact, FeedEvent, FeedNote, Id};

impl Engine {
    /// Facts of a conversation were dropped before they came here. It is laid down, since no log remembers what never came.
    pub fn handle_dropped(&mut self, feed: u16, conversation: &Id, dropped: Dropped) {
        if let Some(known) = self.conversations.get_mut(conversation) {
            known.set_dropped(known.dropped().saturating_add(dropped.facts));
            self.lacking.insert(conversation.clone());
            self.batch.laid_down.push(known.lay_down(true));
        }
        let Dropped { since, until, .. } = dropped;
        self.ledger.dropped(feed, since, until, "facts were dropped because the mailbox was full");
        self.wish(conversation, "dropped");
    }

    /// A frame about a conversation was refused, and it is asked for. True when it is known, so that it alone lacks something
    /// until it is read; of an unknown one the moment does.
    pub(crate) fn lacks_alone(&mut self, conversation: &Id) -> bool {
        self.wish(conversation, "refused");
        let Some(known) = self.conversations.get_mut(conversation) else { return false };
        known.set_dropped(known.dropped().saturating_add(1));
        self.lacking.insert(conversation.clone());
        self.batch.laid_down.push(known.lay_down(true));
        true
    }

    /// What a repair that could not read some conversations says of its feed: it is made good where they are known, so that
    /// they alone lack something until they are read. They are not asked for: whoever could not read them tries again.
    pub(crate) fn but_for_unread(&mut self, note: FeedNote) -> FeedNote {
        let FeedEvent::RepairedBut { unread, reason } = note.event else { return note };
        let unknown = unread.iter().filter(|id| !self.lacks_unread(id)).count();
        let event = match unknown {
            0 => FeedEvent::Repaired,
            _ => FeedEvent::RepairFailed { reason },
        };
        FeedNote { event, ..note }
    }

    /// True when it is known.
    fn lacks_unread(&mut self, conversation: &Id) -> bool {
        let Some(known) = self.conversations.get_mut(conversation).filter(|c| !c.entries.is_empty()) else {
            return false;
        };
        if known.dropped() == 0 {
            known.set_dropped(1);
            self.lacking.insert(conversation.clone());
            self.batch.laid_down.push(known.lay_down(true));
        }
        true
    }

    /// Ends recovery at `now`: numbers continue behind `seq`, and every feed has a hole since `last_heard`.
    pub fn resumed(&mut self, seq: u64, last_heard: i64, now: i64) {
        self.seq = seq;
        self.ledger.resumed(last_heard.min(now));
        if last_heard > now {
            self.ledger.set_back_unseen(last_heard, now);
        }
    }

    /// How far back the first round of repair must look, in nanoseconds since the epoch, when nothing was heard since
    /// `last_heard`: to the beginning of the oldest hole that it is to close, ten minutes at least, some more than a day at
    /// most.
    #[must_use]
    pub fn look_back_to(&self, last_heard: i64) -> i64 {
        self.ledger.look_back_to(last_heard)
    }

    /// Our clock was set back from one instant to `now`: what waits until an instant of the old time waits no longer.
    pub fn clock_set_back(&mut self, from: i64, now: i64) {
        self.ledger.set_back(from, now);
        self.release_all(now);
    }

    /// A conversation has no room for a fact: it is missing, and said to be.
    pub(crate) fn refuse(&mut self, of: &Conversation, fact: &Fact, arrival: Arrival) {
        self.batch.tally.overfull += 1;
        self.lacking.insert(of.id.clone());
        // What is in the set is counted there: it is only no better known.
        if let Some(at) = fact.at.filter(|_| is_counted_at_once(fact) && !of.knows(fact.id)) {
            self.move_cell(&of.id, at.minute(), -1);
        }
        let (at, reason) = (arrival.received, "a conversation had more facts than it may have");
        self.ledger.dropped(arrival.feed, at, at, reason);
    }
}
