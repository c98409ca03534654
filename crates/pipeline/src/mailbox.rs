//! What waits for the shard, bounded.
//!
//! One queue with two lanes: when not all of it can be taken at once, role and life-cycle changes go before the rest. The bound counts facts. What happens when
//! it is full is chosen at construction: `block` makes the source wait (the socket's own window then slows the peer),
//! `drop` lets the newest chatter go, and chatter already waiting before a role or life-cycle change; but what a REST read
//! brought stays once it is taken, and whoever hands it in is told when it is not. What went is
//! counted by reason, said at most once a second, and its conversations are told to the engine, which marks them
//! partial and wishes for a repair: a drop costs freshness, not truth. Rejected: an unbounded channel (memory), one
//! channel per lane (no common bound), dropping the oldest (it is the one whose successors were already admitted).

use crate::telemetry::{Reason, Telemetry};
use engine::{Delivery, Dropped, FeedNote, Id, Source, UserFact, UserWhat, What};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What a full mailbox does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum WhenFull {
    /// The source waits.
    #[default]
    Block,
    /// Chatter goes; a repair is asked for.
    Drop,
}

/// What became of what was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// All of it was taken.
    Taken,
    /// Some of it was dropped.
    Dropped,
    /// Some of it found no room, and is left with its owner.
    Left,
}

/// Bounds and policy of a mailbox.
#[derive(Clone, Copy, Debug)]
pub struct MailboxSettings {
    /// Facts that may wait.
    pub facts_max: usize,
    /// What happens when they do.
    pub when_full: WhenFull,
}

impl Default for MailboxSettings {
    fn default() -> Self {
        Self { facts_max: 5_000, when_full: WhenFull::Block }
    }
}

/// What waited, taken at once.
#[derive(Debug, Default)]
pub struct Mail {
    /// In order of arrival.
    pub deliveries: Vec<(u64, Delivery)>,
    /// The newest value of each user and kind.
    pub users: Vec<UserFact>,
    /// What became of feeds, in order of arrival among the deliveries; only once all handed in before is taken.
    pub notes: Vec<(u64, FeedNote)>,
    /// Feeds and conversations of which facts were dropped, and how many.
    pub dropped: Vec<((u16, Id), Dropped)>,
    /// When the oldest fact was received that is left behind, in nanoseconds since the epoch; none: nothing is.
    pub left_since: Option<i64>,
    /// What came before and with this number, and was not dropped, is taken; the number stays when the mail is taken out.
    pub taken_to: u64,
}

/// The bounded queue between sources and the shard.
#[derive(Debug)]
pub struct Mailbox {
    settings: MailboxSettings,
    telemetry: Arc<Telemetry>,
    waiting: Mutex<Waiting>,
    room: Notify,
    mail: Notify,
    settlement: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    urgent: VecDeque<(u64, Delivery)>,
    rest: VecDeque<(u64, Delivery)>,
    users: BTreeMap<(Id, UserWhat), UserFact>,
    notes: VecDeque<(u64, FeedNote)>,
    dropped: BTreeMap<(u16, Id), Dropped>,
    /// When the oldest fact was received that found no room and waits outside, since the last look.
    outside_since: Option<i64>,
    /// Numbers deliveries and notes as they come.
    next: u64,
    /// Up to which number all is committed, and what a gap made the engine wish for handed over.
    settled: u64,
    facts: usize,
    submitted: u64,
    lost: u64,
    closed: bool,
}

impl Mailbox {
    /// An empty mailbox.
    #[must_use]
    pub fn new(settings: MailboxSettings, telemetry: Arc<Telemetry>) -> Self {
        Self {
            settings,
            telemetry,
            waiting: Mutex::default(),
            room: Notify::new(),
            mail: Notify::new(),
            settlement: Notify::new(),
        }
    }

    /// See [`crate::Intake::submit`].
    pub async fn submit(&self, deliveries: Vec<Delivery>, users: Vec<UserFact>) -> bool {
        let mut deliveries = VecDeque::from(deliveries);
        self.conflate(users);
        loop {
            // Listening begins before the look, or room made in between would go unheard.
            let mut room = std::pin::pin!(self.room.notified());
            room.as_mut().enable();
            match self.offer(&mut deliveries) {
                Offered::Taken => return true,
                Offered::Dropped => return false,
                Offered::Left => room.await,
            }
        }
    }

    /// Takes what there is room for. Of the rest, that is dropped under the policy `drop` which has to go; under `block` it
    /// is left where it is, and a caller that does not want to wait offers it again later.
    pub fn offer(&self, deliveries: &mut VecDeque<Delivery>) -> Offered {
        let offered = match self.settings.when_full {
            WhenFull::Drop => self.push_or_drop(std::mem::take(deliveries)),
            WhenFull::Block => self.push_while_room(deliveries),
        };
        self.mail.notify_one();
        offered
    }

    /// A user's values are registers: of two that wait, the newer is enough, so they are bounded by the users.
    fn conflate(&self, users: Vec<UserFact>) {
        let mut waiting = self.lock();
        for fact in users {
            let newest = |f: &UserFact| (f.at.map_or(f.received, |at| at.nanos), f.received, f.value.clone());
            match waiting.users.entry((fact.user.clone(), fact.what)) {
                Entry::Vacant(slot) => drop(slot.insert(fact)),
                Entry::Occupied(mut slot) if newest(slot.get()) < newest(&fact) => drop(slot.insert(fact)),
                Entry::Occupied(_) => {}
            }
        }
    }

    /// See [`crate::Intake::note`].
    pub fn note(&self, note: FeedNote) {
        let mut waiting = self.lock();
        let number = waiting.number();
        waiting.notes.push_back((number, note));
        drop(waiting);
        self.mail.notify_one();
    }

    /// Waits until something waits, or the mailbox is closed.
    pub(crate) async fn waited(&self) {
        loop {
            {
                let waiting = self.lock();
                if !waiting.is_empty() || waiting.closed {
                    return;
                }
            }
            self.mail.notified().await;
        }
    }

    /// Moves what waits into `mail`, which must be empty: at most `facts_max` facts, urgent ones before the rest when that
    /// is not all, and in order of arrival among those taken. True when more is left behind.
    pub fn take(&self, facts_max: usize, mail: &mut Mail) -> bool {
        let mut waiting = self.lock();
        mail.users.extend(std::mem::take(&mut waiting.users).into_values());
        mail.dropped.extend(std::mem::take(&mut waiting.dropped));
        let mut taken = 0;
        while taken < facts_max {
            let Some(next) = waiting.urgent.pop_front().or_else(|| waiting.rest.pop_front()) else { break };
            taken += weight(&next.1);
            mail.deliveries.push(next);
        }
        mail.deliveries.sort_unstable_by_key(|(number, _)| *number);
        waiting.facts = waiting.facts.saturating_sub(taken);
        let oldest = waiting.oldest();
        mail.taken_to = oldest.map_or(waiting.next, |oldest| oldest - 1);
        while waiting.notes.front().is_some_and(|(number, _)| oldest.is_none_or(|oldest| *number < oldest)) {
            mail.notes.extend(waiting.notes.pop_front());
        }
        let more = waiting.facts > 0;
        let outside = waiting.outside_since.take();
        mail.left_since = waiting.left_since().into_iter().chain(outside).min();
        self.telemetry.mailbox_facts.set(i64::try_from(waiting.facts).unwrap_or(i64::MAX));
        drop(waiting);
        self.room.notify_waiters();
        more
    }

    /// Says up to which number all is settled.
    pub(crate) fn settle(&self, to: u64) {
        let mut waiting = self.lock();
        if waiting.settled < to {
            waiting.settled = to;
            drop(waiting);
            self.settlement.notify_waiters();
        }
    }

    /// The number of what came last.
    pub fn newest(&self) -> u64 {
        self.lock().next
    }

    /// See [`crate::Intake::settled`].
    pub async fn settled(&self) {
        let number = self.newest();
        loop {
            let mut settlement = std::pin::pin!(self.settlement.notified());
            settlement.as_mut().enable();
            if self.lock().settled >= number {
                return;
            }
            settlement.await;
        }
    }

    /// Nothing more will come: wakes whoever waits.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.mail.notify_one();
        self.room.notify_waiters();
    }

    /// Whether anything waits.
    pub fn waits(&self) -> bool {
        !self.lock().is_empty()
    }

    /// Facts submitted, and of those dropped, since the last call.
    pub fn tally(&self) -> (u64, u64) {
        let mut waiting = self.lock();
        (std::mem::take(&mut waiting.submitted), std::mem::take(&mut waiting.lost))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves in what fits. One delivery always fits an empty mailbox, whatever its size.
    fn push_while_room(&self, deliveries: &mut VecDeque<Delivery>) -> Offered {
        let mut waiting = self.lock();
        while let Some(next) = deliveries.pop_front() {
            let facts = weight(&next);
            if waiting.facts > 0 && waiting.facts + facts > self.settings.facts_max && !waiting.closed {
                let since = waiting.outside_since.get_or_insert(next.received);
                *since = (*since).min(next.received);
                deliveries.push_front(next);
                return Offered::Left;
            }
            waiting.push(next, facts);
        }
        Offered::Taken
    }

    fn push_or_drop(&self, deliveries: VecDeque<Delivery>) -> Offered {
        let mut waiting = self.lock();
        let mut offered = Offered::Taken;
        for next in deliveries {
            let facts = weight(&next);
            while waiting.facts > 0 && waiting.facts + facts > self.settings.facts_max {
                let victim = if is_urgent(&next) { waiting.newest_chatter() } else { None };
                let Some(victim) = victim else { break };
                waiting.facts = waiting.facts.saturating_sub(weight(&victim));
                self.count_lost(&mut waiting, &victim);
            }
            if waiting.facts > 0 && waiting.facts + facts > self.settings.facts_max {
                waiting.submitted += facts as u64;
                self.count_lost(&mut waiting, &next);
                offered = Offered::Dropped;
            } else {
                waiting.push(next, facts);
            }
        }
        offered
    }

    fn count_lost(&self, waiting: &mut Waiting, lost: &Delivery) {
        let reason = if is_urgent(lost) { "mailbox_full_urgent" } else { "mailbox_full" };
        let facts = weight(lost) as u64;
        self.telemetry.dropped_facts.get_or_create(&Reason { reason }).inc_by(facts);
        waiting.lost += facts;
        let (since, until) = (lost.received, lost.received);
        let known = waiting.dropped.entry((lost.feed, lost.conversation.clone()));
        let known = known.or_insert(Dropped { facts: 0, since, until });
        *known = Dropped {
            facts: known.facts + facts,
            since: known.since.min(since),
            until: known.until.max(until),
        };
    }
}

impl Waiting {
    fn push(&mut self, delivery: Delivery, facts: usize) {
        self.facts += facts;
        self.submitted += facts as u64;
        let numbered = (self.number(), delivery);
        if is_urgent(&numbered.1) {
            self.urgent.push_back(numbered);
        } else {
            self.rest.push_back(numbered);
        }
    }

    /// Takes out what goes when there is no room for what matters more. What a REST read brought stays once it was taken:
    /// the repair that asked for it counts on it.
    fn newest_chatter(&mut self) -> Option<Delivery> {
        let at = self.rest.iter().rposition(|(_, delivery)| delivery.source != Source::Rest)?;
        self.rest.remove(at).map(|(_, delivery)| delivery)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The number of the oldest delivery that waits.
    fn oldest(&self) -> Option<u64> {
        let front = |lane: &VecDeque<(u64, Delivery)>| lane.front().map(|(number, _)| *number);
        front(&self.urgent).into_iter().chain(front(&self.rest)).min()
    }

    /// When the oldest delivery that waits was received.
    fn left_since(&self) -> Option<i64> {
        let front = |lane: &VecDeque<(u64, Delivery)>| lane.front().map(|(_, delivery)| delivery.received);
        front(&self.urgent).into_iter().chain(front(&self.rest)).min()
    }

    fn is_empty(&self) -> bool {
        self.facts == 0 && self.users.is_empty() && self.notes.is_empty() && self.dropped.is_empty()
    }
}

/// How many facts a delivery counts for; an empty one still takes a place.
fn weight(delivery: &Delivery) -> usize {
    (delivery.facts.len() + delivery.toggles.len()).max(1)
}

/// Role and life-cycle changes go before the rest.
fn is_urgent(delivery: &Delivery) -> bool {
    let urgent = |fact: &engine::Fact| {
        fact.what == What::Role || (fact.what == What::LifeCycle && fact.state.is_some())
    };
    delivery.facts.iter().any(urgent)
}
