//! Facts that wait for what precedes them.
//!
//! A fact with a clock goes through the reorder buffer. What that releases may belong to another conversation, since the
//! buffer's bytes are shared, and news about what counters count sends everything that waits through it again; both are
//! set aside until the conversation at hand is back in its place.

use crate::conversation::{Conversation, is_counted_at_once};
use crate::engine::{Engine, Facts};
use crate::limits::Limits;
use crate::scope::Scope;
use crate::{Admitted, Arrival, Fact, FactId, Id, Source, Stamp, Word};
use causal::{Bounds, Released, ReorderBuffer, Why};

/// Why a feed is partial when clocks prove that events happened which it never told.
const UNTOLD: &str = "events that others were caused by never came";

/// An empty buffer with the engine's bounds.
pub(crate) fn waiting_room(limits: &Limits) -> ReorderBuffer<Option<Id>, Word, Admitted> {
    ReorderBuffer::new(Bounds {
        age_ns_max: limits.hold_age_ns_max,
        count_max: limits.hold_count_max,
        bytes_max: limits.hold_bytes_max,
    })
}

impl Engine {
    /// Releases what has waited as long as it may: a part of [`Engine::handle_timeout`].
    pub fn expire_held(&mut self, now: i64) {
        let mut released = Vec::new();
        self.held.expire(now, &mut released);
        for (_, release) in released {
            self.publish_released(release, now);
        }
    }

    /// Hands a stamped fact to the reorder buffer; what that releases of this conversation joins `ready`.
    pub(crate) fn offer(&mut self, to: &mut Conversation, item: Admitted, now: i64, ready: &mut Facts) {
        let Some(stamp) = item.fact.stamp.as_deref() else {
            return;
        };
        let (dot, clock, id) = (stamp.dot.clone(), stamp.clock.clone(), item.fact.id);
        let bytes = std::mem::size_of::<Admitted>() + clock.len() * 32;
        let history = self.history(to, stamp);
        let mut released = Vec::new();
        to.hold(id, dot.clone());
        self.held.offer(&history, dot, clock, bytes, item, now, &mut released);
        for release in released {
            if release.item.conversation != to.id {
                self.strays.push(release);
                continue;
            }
            to.release(release.item.fact.id);
            self.note_release(&release, now);
            ready.push(release.item);
        }
    }

    /// The same of a fact that is new: while it waits, the log remembers it.
    pub(crate) fn offer_new(
        &mut self,
        to: &mut Conversation,
        mut item: Admitted,
        now: i64,
        ready: &mut Facts,
    ) {
        let id = item.fact.id;
        item.arrival.waits = true;
        self.offer(to, item, now, ready);
        match ready.iter_mut().find(|admitted| admitted.fact.id == id) {
            Some(admitted) => admitted.arrival.waits = false,
            None => self.log_waiting(to, id),
        }
    }

    /// Whether nothing of a conversation ever waited, and a fact is its next: then the buffer need not hear of it. Most are.
    pub(crate) fn goes_at_once(&self, to: &Conversation, stamp: &Stamp) -> bool {
        self.scopes.scope() != Scope::Feed && to.leads_to(stamp) && !self.held.knows(&Some(to.id.clone()))
    }

    /// Another copy of a fact that waits: what it knows better joins the one that waits, and is kept.
    pub(crate) fn better_held(&mut self, to: &Conversation, copy: &Fact, arrival: Arrival) {
        let happened = copy.at.map(|at| at.nanos);
        self.ledger.heard(arrival.feed, copy.id, arrival.received, happened, false);
        let is = |held: &Admitted| held.fact.id == copy.id && held.conversation == to.id;
        let stream = if self.held.held_mut(&None, is).is_some() { None } else { Some(to.id.clone()) };
        let Some(held) = self.held.held_mut(&stream, is) else { return };
        let minute = |fact: &Fact| fact.at.filter(|_| is_counted_at_once(fact)).map(|at| at.minute());
        let was = minute(&held.fact);
        let learnt = match held.arrival.source {
            Source::Events => held.fact.settle(copy),
            _ => held.fact.join(copy),
        };
        if !learnt {
            self.batch.tally.duplicates += 1;
            return;
        }
        let is = minute(&held.fact);
        was.into_iter().for_each(|minute| self.move_cell(&to.id, minute, -1));
        is.into_iter().for_each(|minute| self.move_cell(&to.id, minute, 1));
        self.log(&to.id, copy.clone(), Arrival { waits: true, ..arrival });
    }

    /// Logs a fact that was just offered and waits: it survives a restart, which publishes it then.
    fn log_waiting(&mut self, of: &Conversation, fact: FactId) {
        let is = |held: &Admitted| held.fact.id == fact && held.conversation == of.id;
        let waiting = self.held.held_mut(&Some(of.id.clone()), is).map(|held| held.clone());
        if let Some(held) = waiting.or_else(|| self.held.held_mut(&None, is).map(|held| held.clone())) {
            self.batch.tally.facts += 1;
            self.batch.admitted.push(held);
        }
    }

    fn log(&mut self, conversation: &Id, fact: Fact, arrival: Arrival) {
        self.batch.admitted.push(Admitted { conversation: conversation.clone(), fact, arrival });
    }

    /// A fact that was known without one turns out to have a stamp: whoever waited for its dot alone waits no longer.
    pub(crate) fn note_stamp(&mut self, of: &Conversation, stamp: &Stamp) {
        let (history, mut released) = (self.history(of, stamp), Vec::new());
        self.held.delivered(&history, &stamp.dot, &mut released);
        self.strays.extend(released);
    }

    /// Releases everything that waits.
    pub fn release_all(&mut self, now: i64) {
        let mut released = Vec::new();
        self.held.drain(&mut released);
        for (_, release) in released {
            self.publish_released(release, now);
        }
    }

    /// The history that a fact waits in. One that the buffer has not heard of yet begins with what was told already.
    fn history(&mut self, of: &Conversation, stamp: &Stamp) -> Option<Id> {
        if self.scopes.scope() == Scope::Feed {
            for told in self.scopes.before_our_time(stamp) {
                self.held.begin_behind(&None, told);
            }
            return None;
        }
        let history = Some(of.id.clone());
        if !self.held.knows(&history) {
            for told in of.told() {
                self.held.begin_behind(&history, told);
            }
        }
        history
    }

    /// Learns from a stamp what counters count. When that is news, whatever waits is offered again.
    pub(crate) fn observe(&mut self, stamp: &Stamp, to: &mut Conversation, borne: bool) {
        let before = self.scopes.scope();
        if before == Scope::Conversation || !self.scopes.observe(stamp, to.counters(), borne) {
            return;
        }
        if (before, self.scopes.scope()) == (Scope::Undecided, Scope::Conversation) {
            return;
        }
        let mut waiting = Vec::new();
        self.held.drain(&mut waiting);
        self.restaged.extend(waiting.into_iter().map(|(_, release)| release.item));
        self.held = waiting_room(&self.limits);
        self.note_lacks_again();
        if self.scopes.scope() == Scope::Feed {
            self.scopes.up_to_now().for_each(|told| self.held.begin_behind(&None, told));
        }
    }

    fn note_release(&mut self, release: &Released<Word, Admitted>, now: i64) {
        if !release.missing.is_empty() {
            // Whether it lacks them to this day is seen when it is put back.
            self.lacking.insert(release.item.conversation.clone());
        }
        if matches!(release.why, Why::Deadline | Why::Capacity) && !release.missing.is_empty() {
            self.wish(&release.item.conversation, "missing_dots");
            self.ledger.untold(release.item.arrival.feed, now, UNTOLD);
        }
    }

    fn publish_released(&mut self, release: Released<Word, Admitted>, now: i64) {
        self.note_release(&release, now);
        let item = release.item;
        let Some(mut conversation) = self.conversations.take(&item.conversation) else {
            return;
        };
        conversation.release(item.fact.id);
        self.take(&mut conversation, vec![item], now);
        self.keep_boxed(conversation, now);
    }

    pub(crate) fn publish_strays(&mut self, now: i64) {
        while !self.strays.is_empty() || !self.restaged.is_empty() {
            for release in std::mem::take(&mut self.strays) {
                self.publish_released(release, now);
            }
            for item in std::mem::take(&mut self.restaged) {
                let Some(mut to) = self.conversations.take(&item.conversation) else { continue };
                to.release(item.fact.id);
                let mut ready = Facts::new();
                self.offer(&mut to, item, now, &mut ready);
                self.take(&mut to, ready, now);
                self.keep_boxed(to, now);
            }
        }
    }
}
