//! The engine: admit, order, state, ledger, in one place with one owner.
//!
//! The driver asks [`Engine::knows`] before it hands in a conversation's facts, and [`Engine::restore`]s what the store
//! has; then [`Engine::handle`] decides, and [`Engine::take_batch`] hands out all that must be committed together.
//! Whatever time it is comes in as an argument.

use crate::activity::Cells;
use crate::beginnings::Beginnings;
use crate::conversation::{Conversation, Met, is_counted_at_once, is_toggle, is_undated_resume};
use crate::entry::Entry;
use crate::ghosts::Ghosts;
use crate::inherited::Inherited;
use crate::ledger::Ledger;
use crate::limits::Limits;
use crate::remembered::Memories;
use crate::replay::Unreleased;
use crate::residents::{Residents, TakenUp};
use crate::revision::Before;
use crate::scope::{Scope, Scopes};
use crate::toggles;
use crate::users::Users;
use crate::waiting::waiting_room;
use crate::{
    Activity, Admitted, Arrival, Batch, Completeness, Delivery, Fact, FeedEvent, FeedNote, FeedView, Id,
    LedgerRow, SECOND, Source, StoredConversation, UserFact, UserRow, Word,
};
use causal::{Released, ReorderBuffer};
use std::collections::{BTreeSet, VecDeque};

/// Nanoseconds of the window that the summary's completeness speaks of.
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// Facts for which room is kept.
const ROOM_FACTS_MAX: usize = 64;

/// Facts at hand, of one conversation.
pub(crate) type Facts = Vec<Admitted>;

/// All that is known, and what follows from it.
#[derive(Debug)]
pub struct Engine {
    pub(crate) limits: Limits,
    incarnation: u32,
    pub(crate) conversations: Residents,
    /// The ids of active conversations, in order, for pages: the count is this set's size.
    pub(crate) active: BTreeSet<Id>,
    /// The ids of the others that are in memory.
    pub(crate) ended: BTreeSet<Id>,
    /// The ids of those in memory that lack something known by name.
    pub(crate) lacking: BTreeSet<Id>,
    pub(crate) ghosts: Ghosts,
    /// Facts that wait, by the history that orders them: a conversation's own, or none for that of all.
    pub(crate) held: ReorderBuffer<Option<Id>, Word, Admitted>,
    /// What counters count decides which history that is.
    pub(crate) scopes: Scopes,
    /// Facts of other conversations that went when one was offered.
    pub(crate) strays: Vec<Released<Word, Admitted>>,
    /// Facts that waited in another kind of history, to be offered again.
    pub(crate) restaged: Vec<Admitted>,
    /// Facts of a log under replay that waited, and whose publication did not come yet.
    pub(crate) unreleased: Unreleased,
    /// Ended conversations by when they may leave memory.
    leaving: VecDeque<(i64, Id)>,
    pub(crate) cells: Cells,
    pub(crate) ledger: Ledger,
    pub(crate) users: Users,
    pub(crate) inherited: Inherited,
    pub(crate) remembered: Memories,
    pub(crate) batch: Batch,
    spare: Batch,
    /// Room for the facts at hand, kept from one delivery to the next.
    room: Facts,
    /// The log is replayed: what is published was as late as it says.
    pub(crate) replaying: bool,
    /// Whether gateways tell when conversations begin.
    pub(crate) beginnings: Beginnings,
    /// Somebody follows the changes: effects are worked out.
    followed: bool,
    pub(crate) seq: u64,
    /// Conversations that ended before this instant were removed.
    pub(crate) removed_before: Option<i64>,
}

impl Engine {
    /// An engine that knows nothing. `seq`: the newest change number ever published.
    #[must_use]
    pub fn new(limits: Limits, incarnation: u32, seq: u64) -> Self {
        Self {
            limits,
            incarnation,
            conversations: Residents::default(),
            active: BTreeSet::new(),
            ended: BTreeSet::new(),
            lacking: BTreeSet::new(),
            ghosts: Ghosts::default(),
            held: waiting_room(&limits),
            scopes: Scopes::default(),
            strays: Vec::new(),
            restaged: Vec::new(),
            unreleased: Unreleased::default(),
            leaving: VecDeque::new(),
            cells: Cells::default(),
            ledger: Ledger::default(),
            users: Users::default(),
            inherited: Inherited::default(),
            remembered: Memories::default(),
            batch: Batch::default(),
            spare: Batch::default(),
            room: Facts::new(),
            replaying: false,
            beginnings: Beginnings::default(),
            followed: false,
            seq,
            removed_before: None,
        }
    }

    /// Whether a conversation is in memory. When it is not, the driver looks into the store first.
    #[must_use]
    pub fn knows(&self, conversation: &Id) -> bool {
        self.conversations.contains(conversation)
    }

    /// Takes up a conversation that was laid down.
    pub fn restore(&mut self, stored: &StoredConversation, now: i64) {
        self.admit_taken_up(TakenUp::of(stored), now);
    }

    /// The same of one that was taken up beforehand.
    pub fn admit_taken_up(&mut self, TakenUp(mut conversation): TakenUp, now: i64) {
        self.beginnings.told |= conversation.tells_beginning();
        for at in 0..conversation.entries.len() {
            let stamp = conversation.entries.get(at).and_then(Entry::stamp).cloned();
            if let Some(stamp) = stamp {
                self.observe(&stamp, &mut conversation, true);
            }
        }
        self.note_lack(&conversation);
        self.keep_boxed(conversation, now);
    }

    /// Facts in: what one frame or REST read said about one conversation.
    pub fn handle(&mut self, mut delivery: Delivery, now: i64) {
        let mut conversation = match self.conversations.take(&delivery.conversation) {
            Some(known) => known,
            None => Box::new(Conversation::new(delivery.conversation.clone())),
        };
        if delivery.source == Source::Rest {
            conversation.set_dropped(0);
        }
        let minted = toggles::mint(&mut conversation, &delivery, &self.limits);
        // What order of arrival alone places stands behind all that came before, also when our clock was set back.
        let in_turn = delivery.received.max(conversation.last_received.saturating_add(1));
        conversation.last_received = in_turn;
        if minted.doubtful {
            self.wish(&conversation.id, "toggle_order");
        }
        let (source, known) = (delivery.source, self.batch.tally.facts);
        let arrival = Arrival {
            received: delivery.received,
            feed: delivery.feed,
            source,
            incarnation: self.incarnation,
            late: false,
            published: delivery.received,
            waits: false,
        };
        let id = delivery.conversation.clone();
        let turned = Arrival { received: in_turn, ..arrival };
        let told = delivery.facts.drain(..).map(|fact| (fact, arrival));
        let facts = told.chain(minted.facts.into_iter().map(|fact| (fact, turned)));
        let facts = facts.map(|(fact, arrival)| Admitted { conversation: id.clone(), fact, arrival });
        self.admit(&mut conversation, facts, now);
        if source == Source::Rest || self.batch.tally.facts > known {
            self.prove_live(&mut conversation, arrival.received);
        }
        self.keep_boxed(conversation, now);
        self.publish_strays(now);
    }

    /// Facts about users.
    pub fn handle_user(&mut self, fact: UserFact) {
        if let Some(row) = self.users.take(fact) {
            self.batch.users.push(row);
        }
    }

    /// What became of a feed.
    pub fn handle_feed(&mut self, note: FeedNote) {
        if let FeedEvent::Gone { conversation } = &note.event {
            return self.gone(conversation, note.at);
        }
        if let FeedEvent::Refused { conversation: Some(conversation), .. } = &note.event
            && self.lacks_alone(&conversation.clone())
            && self.ledger.can_be_read(note.feed)
        {
            return;
        }
        let note = self.but_for_unread(note);
        if self.ledger.note(note) {
            let active: Vec<Id> = self.active.iter().cloned().collect();
            for id in active {
                self.wish(&id, "gap");
            }
        }
    }

    /// Time passed: facts that waited too long are released, ended conversations leave memory, those that last too long
    /// become suspects.
    pub fn handle_timeout(&mut self, now: i64) {
        self.expire_held(now);
        self.let_ended_go(now);
        self.look_for_ghosts(now);
        self.look_for_remembered(now);
    }

    /// When [`Engine::handle_timeout`] has something to do next.
    #[must_use]
    pub fn wake_at(&self) -> Option<i64> {
        let leaving = self.leaving.front().map(|(at, _)| *at);
        [self.held.deadline(), leaving, self.ghosts_due(), self.remembered.due()].into_iter().flatten().min()
    }

    /// All that happened since the last call. Hand it back with [`Engine::reuse`], so that its room serves again.
    pub fn take_batch(&mut self) -> Batch {
        let mut batch = std::mem::replace(&mut self.batch, std::mem::take(&mut self.spare));
        batch.cells = self.cells.take_moved();
        batch.ledger = self.ledger.take_changed();
        batch
    }

    /// Of a batch that could not be committed when it was decided: what was published at `from` is published at `to`.
    pub fn postpone(&mut self, admitted: &[Admitted], from: i64, to: i64) {
        let touched: BTreeSet<&Id> = admitted.iter().map(|admitted| &admitted.conversation).collect();
        for id in touched {
            if let Some(known) = self.conversations.get_mut(id) {
                known.postpone(from, to);
            }
        }
    }

    /// Takes back a batch that is done with: at thousands of facts a batch, fresh memory for each costs more than all
    /// decisions about them.
    pub fn reuse(&mut self, mut done: Batch) {
        done.admitted.clear();
        done.changes.clear();
        self.spare = Batch { admitted: done.admitted, changes: done.changes, ..Batch::default() };
    }

    /// A stored cell.
    pub fn restore_cell(&mut self, minute: i64, count: u64) {
        self.cells.restore(minute, count);
    }

    /// A stored ledger row.
    pub fn restore_ledger(&mut self, row: LedgerRow) {
        self.ledger.restore(row);
    }

    /// A stored user value.
    pub fn restore_user(&mut self, row: UserRow) {
        self.users.restore(row);
    }

    /// Says whether somebody follows the changes: only then is it worked out what each of them changed.
    pub fn follow(&mut self, followed: bool) {
        self.followed = followed;
    }

    /// How many conversations are active.
    #[must_use]
    pub fn active_count(&self) -> u64 {
        self.active.len() as u64
    }

    /// How many conversations are in memory.
    #[must_use]
    pub fn resident_count(&self) -> u64 {
        (self.active.len() + self.ended.len()) as u64
    }

    /// How many facts wait for what precedes them.
    #[must_use]
    pub fn held_count(&self) -> u64 {
        self.held.waiting_in_all() as u64
    }

    /// The newest change number.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Activity of the 24 hours that end with the newest event.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.cells.activity()
    }

    /// The worst of the last 24 hours.
    #[must_use]
    pub fn completeness(&self, now: i64) -> Completeness {
        self.ledger.worst(now - DAY, now)
    }

    /// From when on the worst of the last 24 hours speaks of every feed: no feed was listened to before it first was. None
    /// before any.
    #[must_use]
    pub fn complete_from(&self, now: i64) -> Option<i64> {
        self.ledger.first_listened().map(|first| first.max(now - DAY))
    }

    /// Every feed as it stands.
    #[must_use]
    pub fn feeds(&self, now: i64) -> Vec<FeedView> {
        self.ledger.views(now - DAY, now)
    }

    /// Whether facts of a conversation wait for what precedes them.
    #[must_use]
    pub fn waits(&self, id: &Id) -> bool {
        self.conversations.get(id).is_some_and(|c| !c.held().is_empty())
    }

    /// Lays down a conversation that stays in memory, so that the log behind its facts is no longer needed.
    #[must_use]
    pub fn lay_down(&self, id: &Id) -> Option<StoredConversation> {
        self.conversations.get(id).map(|c| c.lay_down(true))
    }

    pub(crate) fn admit(&mut self, to: &mut Conversation, facts: impl Iterator<Item = Admitted>, now: i64) {
        let mut ready = std::mem::take(&mut self.room);
        for admitted in facts {
            let fact = &admitted.fact;
            if to.held().iter().any(|(held, _)| *held == fact.id) {
                self.better_held(to, fact, admitted.arrival);
                continue;
            }
            let Some(stamp) = fact.stamp.as_deref().filter(|_| !to.knows(fact.id)) else {
                ready.push(admitted);
                continue;
            };
            if let Some(at) = fact.at.filter(|_| is_counted_at_once(fact)) {
                self.move_cell(&to.id, at.minute(), 1);
            }
            if self.scopes.scope() != Scope::Conversation {
                let borne = to.overfull || to.bears(&stamp.dot);
                self.observe(stamp, to, borne);
            }
            if self.goes_at_once(to, stamp) {
                to.tell(stamp);
                ready.push(admitted);
            } else {
                self.offer_new(to, admitted, now, &mut ready);
            }
        }
        self.take(to, ready, now);
    }

    /// Takes facts into a conversation's set, visible from `now` on, and notes what came of it.
    pub(crate) fn take(&mut self, to: &mut Conversation, mut facts: Facts, now: i64) {
        facts.iter_mut().for_each(|admitted| admitted.arrival.published = now);
        let mut met: smallvec::SmallVec<[Met; 4]> = smallvec::SmallVec::new();
        let (before, was_full) = (self.followed.then(|| Before::of(to)), to.overfull);
        let mut settled = to.take(&facts, &self.limits, self.replaying, |how| met.push(how));
        if to.overfull && !was_full {
            // No log remembers what found no room.
            self.batch.laid_down.push(to.lay_down(true));
        }
        self.batch.tally.late += settled.late.len() as u64;
        for &(minute, difference) in &settled.cells {
            self.move_cell(&to.id, minute, difference);
        }
        self.tell(to, before, &facts, &met, &mut settled);
        for (Admitted { fact, arrival, .. }, &how) in facts.iter_mut().zip(&met) {
            arrival.late |= settled.late.contains(&fact.id);
            arrival.published = arrival.received;
            self.note(to, fact, *arrival, how);
        }
        let mut met = met.into_iter();
        facts.retain_mut(|Admitted { arrival, .. }| {
            let waited = std::mem::take(&mut arrival.waits);
            match met.next() {
                Some(Met::New | Met::Better) => true,
                // It waits no longer, also after a restart.
                Some(Met::Full) => waited,
                Some(Met::Known) | None => false,
            }
        });
        self.batch.admitted.append(&mut facts);
        facts.shrink_to(ROOM_FACTS_MAX);
        self.room = facts;
    }

    /// Notes how a fact that was taken met the set.
    fn note(&mut self, to: &Conversation, fact: &Fact, arrival: Arrival, how: Met) {
        if arrival.source == Source::Events {
            self.beginnings.heard(fact);
        }
        if arrival.source != Source::Rest {
            // A read comes through no socket, and proves nothing about one.
            let happened = fact.at.map(|at| at.nanos);
            self.ledger.heard(arrival.feed, fact.id, arrival.received, happened, how == Met::New);
        }
        match how {
            Met::Known => self.batch.tally.duplicates += u64::from(!is_toggle(fact.what)),
            Met::Full => self.refuse(to, fact, arrival),
            // One that waited was counted when it came.
            Met::New => {
                self.batch.tally.facts += u64::from(!arrival.waits);
                if arrival.source != Source::Rest && is_undated_resume(fact) {
                    // A read tells the platform's time too, and with it whether the plan to resume has come about.
                    self.wish(&to.id, "resume_time");
                }
            }
            Met::Better => fact.stamp.iter().for_each(|stamp| self.note_stamp(to, stamp)),
        }
    }

    pub(crate) fn keep(&mut self, conversation: Conversation, now: i64) {
        self.keep_boxed(Box::new(conversation), now);
    }

    /// Puts a conversation back; the sets that counts are taken from follow only where it changed sides.
    pub(crate) fn keep_boxed(&mut self, mut conversation: Box<Conversation>, now: i64) {
        let (active, was) = (conversation.active, conversation.listed.replace(conversation.active));
        if active && was != Some(true) {
            self.ended.remove(&conversation.id);
            self.active.insert(conversation.id.clone());
            self.ghosts.begin(&mut conversation, now, &self.limits);
        }
        if !conversation.entries.is_empty() {
            self.remembered.forget(&conversation.id);
        }
        if !self.lacking.is_empty() && self.lacking.contains(&conversation.id) {
            self.note_lack(&conversation);
        }
        if !active && was != Some(false) {
            self.active.remove(&conversation.id);
            self.ended.insert(conversation.id.clone());
            self.ghosts.end(&mut conversation);
            self.leaving.push_back((now.saturating_add(self.limits.ended_grace_ns), conversation.id.clone()));
        }
        self.conversations.put(conversation);
    }

    fn let_ended_go(&mut self, now: i64) {
        while let Some((at, _)) = self.leaving.front() {
            // An instant further away than any that is set was set before the clock stepped back.
            if *at > now && *at <= now.saturating_add(self.limits.ended_grace_ns) {
                return;
            }
            let Some((_, id)) = self.leaving.pop_front() else {
                return;
            };
            let Some(conversation) = self.conversations.get(&id) else {
                continue;
            };
            let stays_until = conversation.last_received.min(now).saturating_add(self.limits.ended_grace_ns);
            if conversation.active {
                continue;
            }
            if stays_until > now || !conversation.held().is_empty() {
                self.leaving.push_back((stays_until.max(now + SECOND), id));
                continue;
            }
            self.batch.laid_down.push(conversation.lay_down(false));
            drop(self.conversations.take(&id));
            self.ended.remove(&id);
            self.lacking.remove(&id);
            self.held.forget(&Some(id));
        }
    }

    pub(crate) fn wish(&mut self, conversation: &Id, reason: &'static str) {
        self.batch.wishes.push((conversation.clone(), reason));
    }
}
