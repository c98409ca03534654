//! What decides which conversations are read by REST, and which holes that closes, without any I/O.
//!
//! Nothing is replayed, so after every connect the conversations that are live, and those of the hole that have ended
//! since, are read one by one and submitted like frames: facts are a set, so no order between the two is needed. One
//! machine serves all feeds, since the rate limit is the client's: feeds that come back together share one *round*. A round
//! ends when all it listed, and what the engine had wished for by then, was read; then the feeds are told repaired, or
//! why not, and a failed round is tried again. A feed that was lost during its round is not told: what the round proves is
//! about an earlier time of listening, and the hole is carried to the next round. A conversation that nobody can read is no
//! failure of the round: the feeds are told which, and it is asked for ever more rarely.
//!
//! Outcomes go in with the time (milliseconds on a clock that only goes forward), effects come out; the driver is
//! `repair.rs`, and the simulation's is in virtual time. Rejected: one round for each feed (20 channels would read the same
//! conversations 20 times).

mod queue;
mod round;

use crate::Timing;
use crate::listening::{Millis, millis};
use crate::past::Past;
use engine::{FeedEvent, Id};
use outward::Backoff;
use queue::Queue;
use round::Round;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// REST reads come through no socket; they are told under the first feed.
pub const FEED: u16 = 0;
/// How often a read is tried before it counts as failed.
const TRIES_MAX: u32 = 3;
/// A feed that wants its holes closed.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Its number.
    pub feed: u16,
    /// Since when something may be missing; `None`: read the live conversations only.
    pub since: Option<Past>,
    /// Which time of listening this is about.
    pub time: u64,
}

/// What a list of conversations to read says.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// Which are to be read.
    pub conversations: Vec<Id>,
    /// Why these may not be all, in words for a person.
    pub problem: Option<String>,
    /// The hole began too long ago: another attempt finds no more.
    pub too_old: bool,
}

/// How an attempt to read a conversation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Its facts are submitted.
    Done,
    /// The platform does not know it any more.
    Gone,
    /// A permission is missing; why.
    Forbidden(String),
    /// It could not be read.
    Failed {
        /// Why.
        problem: String,
        /// How long another try is of no use.
        retry_in: Duration,
    },
    /// What came cannot be understood, now and most likely ever; why.
    Unreadable(String),
}

/// What the driver is to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// List what is live and, with an instant, what may have ended unheard from then on. What was heard before, and that the
    /// feeds listen again, is with the engine first: what it wishes for then is of this round too, since what began days ago
    /// and ended in the hole is in no list.
    List(Option<Past>),
    /// Read a conversation once.
    Read(Id),
    /// Tell the ledger of a feed.
    Tell(u16, FeedEvent),
    /// A round ended.
    Ended(Ended),
}

/// How a round ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why holes could not be closed, in words for a person; `None` when they are.
    pub problem: Option<String>,
    /// How many conversations nobody could read, and why the first of them.
    pub unread: Option<(usize, String)>,
    /// How long it took.
    pub took: Duration,
    /// When it is tried again; `None` when all is done.
    pub retry_in: Option<Duration>,
}

/// The machine.
#[derive(Debug)]
pub struct Repairs {
    timing: Timing,
    random: fastrand::Rng,
    requests: BTreeMap<u16, Request>,
    /// Holes of feeds whose rounds proved nothing.
    carried: BTreeMap<u16, Past>,
    round: Option<Round>,
    retry: Option<Retry>,
    waits: Backoff,
    queue: Queue,
    /// The conversations that are being read. Each once at a time: two answers about one may overtake one another, and
    /// nothing in them tells which is older.
    reading: BTreeMap<Id, Reading>,
    /// Of those that wait or are being read, the ones whose last reads failed, and how many in a row.
    unread: HashMap<Id, u32>,
    effects: VecDeque<Effect>,
}

#[derive(Debug)]
struct Reading {
    tries: u32,
    waits: Backoff,
    /// When it is tried again; `None` while it is under way.
    due: Option<Millis>,
    /// It was wanted again meanwhile.
    again: bool,
}

/// A round that is tried again.
#[derive(Debug)]
struct Retry {
    at: Millis,
    requests: Vec<Request>,
    /// It waits for conversations that nobody could read.
    for_unread: bool,
}

impl Request {
    /// This one, and what an earlier one of the same feed asked for.
    #[must_use]
    pub fn merged_with(mut self, earlier: Option<Self>) -> Self {
        self.since = Past::earliest(self.since, earlier.and_then(|earlier| earlier.since));
        self
    }
}

impl Read {
    /// Why something may be missing still.
    fn problem(&self) -> Option<String> {
        match self {
            Self::Done | Self::Gone => None,
            Self::Forbidden(why) | Self::Failed { problem: why, .. } | Self::Unreadable(why) => {
                Some(format!("a conversation cannot be read: {why}"))
            }
        }
    }
}

impl Repairs {
    /// A machine with nothing to do.
    #[must_use]
    pub fn new(timing: Timing, mut random: fastrand::Rng) -> Self {
        Self {
            waits: Backoff::new(timing.repair_retry_min, timing.repair_retry_max, random.fork()),
            timing,
            random,
            requests: BTreeMap::new(),
            carried: BTreeMap::new(),
            round: None,
            retry: None,
            queue: Queue::default(),
            reading: BTreeMap::new(),
            unread: HashMap::new(),
            effects: VecDeque::new(),
        }
    }

    /// A feed wants its holes closed.
    pub fn request(&mut self, request: Request) {
        let earlier = self.requests.remove(&request.feed);
        self.requests.insert(request.feed, request.merged_with(earlier));
    }

    /// The engine wants a conversation read, not before that instant.
    pub fn wish(&mut self, conversation: Id, not_before: Millis) {
        self.queue.want(conversation, not_before);
    }

    /// Whether more may be wished for.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.queue.len() < self.timing.repair_waiting_max
    }

    /// What a round asked for was listed. All that was wished for by now is to be known.
    pub fn handle_listed(&mut self, now: Millis, listed: Listed) {
        let Some(round) = &mut self.round else { return };
        for id in listed.conversations.into_iter().chain(self.unread.keys().cloned()) {
            self.queue.want(id, now);
        }
        let left = self.queue.due(now).chain(self.reading.keys()).cloned();
        round.listed(left, listed.problem, listed.too_old);
    }

    /// An attempt to read a conversation ended. True when that is how the read ended: it is not tried again at once.
    pub fn handle_read(&mut self, now: Millis, id: &Id, read: &Read) -> bool {
        let Some(reading) = self.reading.get_mut(id) else { return false };
        if let Read::Failed { retry_in, .. } = read
            && reading.tries < TRIES_MAX
        {
            reading.due = Some(now.saturating_add(millis(reading.waits.wait().max(*retry_in))));
            return false;
        }
        let again = self.reading.remove(id).is_some_and(|reading| reading.again);
        if *read == Read::Gone {
            self.effects.push_back(Effect::Tell(FEED, FeedEvent::Gone { conversation: id.clone() }));
        }
        if again {
            self.queue.want(id.clone(), now);
        }
        // A read that was under way when the round listed the conversation again may have been too early.
        if !self.queue.contains(id)
            && let Some(round) = &mut self.round
        {
            round.read(id, read);
        }
        self.want_again(now, id, read);
        true
    }

    /// Time went by; `times`: which time of listening each feed is at.
    pub fn handle_timeout(&mut self, now: Millis, times: impl Fn(u16) -> u64) {
        self.end_round(now, &times);
        self.begin_round(now, &times);
        self.launch_reads(now);
    }

    /// The next thing to do.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Repairs::handle_timeout`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Millis> {
        let read = self.queue.next_due().filter(|_| self.may_read());
        let again = self.reading.values().filter_map(|reading| reading.due);
        let retry = self.retry.as_ref().filter(|_| self.round.is_none()).map(|retry| retry.at);
        again.chain(read).chain(retry).min()
    }

    /// Whether nothing is asked for, under way, or to be tried again, but what could not be read.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.requests.is_empty()
            && self.round.is_none()
            && self.retry.as_ref().is_none_or(|retry| retry.for_unread)
            && self.reading.is_empty()
            && self.queue.len() <= self.unread.len()
    }

    fn may_read(&self) -> bool {
        self.reading.len() < self.timing.repair_concurrency.max(1)
    }

    /// Something is known to be missing of one that could not be read, and that stays so until it is.
    fn want_again(&mut self, now: Millis, id: &Id, read: &Read) {
        let wait = match read {
            Read::Done | Read::Gone => None,
            Read::Failed { .. } => Some(self.timing.read_again),
            Read::Forbidden(_) | Read::Unreadable(_) => Some(self.timing.read_again_lasting),
        };
        if let Some(wait) = wait {
            let failures = self.unread.entry(id.clone()).or_default();
            let wait = wait.saturating_mul(1 << (*failures).min(16)).min(self.timing.read_again_max);
            *failures += 1;
            return self.queue.want(id.clone(), now.saturating_add(millis(wait)));
        }
        let was_unread = self.unread.remove(id).is_some();
        if let Some(retry) = &mut self.retry
            && retry.for_unread
            && was_unread
            && self.unread.is_empty()
        {
            retry.at = now;
        }
    }

    fn begin_round(&mut self, now: Millis, times: &impl Fn(u16) -> u64) {
        if self.round.is_some() {
            return;
        }
        let mut requests = std::mem::take(&mut self.requests);
        if requests.is_empty() && self.retry.as_ref().is_none_or(|retry| now < retry.at) {
            return;
        }
        for again in self.retry.take().into_iter().flat_map(|retry| retry.requests) {
            let request = match requests.remove(&again.feed) {
                Some(newer) => newer.merged_with(Some(again)),
                None => again,
            };
            requests.insert(request.feed, request);
        }
        for request in requests.values_mut() {
            request.since = Past::earliest(request.since, self.carried.remove(&request.feed));
        }
        let is_current = |request: &Request| times(request.feed) == request.time;
        let (requests, outdated): (Vec<_>, Vec<_>) = requests.into_values().partition(is_current);
        outdated.iter().for_each(|request| self.carry(request));
        if requests.is_empty() {
            return;
        }
        let since = requests.iter().filter_map(|request| request.since).reduce(Past::earlier);
        self.effects.push_back(Effect::List(since));
        self.round = Some(Round::new(now, requests));
    }

    fn end_round(&mut self, now: Millis, times: &impl Fn(u16) -> u64) {
        let Some(round) = self.round.take_if(|round| round.is_done()) else { return };
        let event = round.event();
        for request in &round.requests {
            if times(request.feed) == request.time {
                self.effects.push_back(Effect::Tell(request.feed, event.clone()));
            } else {
                self.carry(request);
            }
        }
        let lasts = round.lasts || round.problem.is_none();
        let is_whole = event == FeedEvent::Repaired;
        let retry_in = (!is_whole).then(|| {
            let soonest = if lasts { self.timing.read_again_max } else { self.timing.repair_retry_min };
            self.waits.wait().max(soonest)
        });
        if is_whole {
            self.waits.reset();
        }
        self.effects.push_back(Effect::Ended(Ended {
            unread: round.unread_because(),
            took: Duration::from_millis(now.saturating_sub(round.began)),
            retry_in,
            problem: round.problem,
        }));
        let at = retry_in.map(|wait| now.saturating_add(millis(wait)));
        self.retry =
            at.map(|at| Retry { at, requests: round.requests, for_unread: !round.unread.is_empty() });
    }

    fn carry(&mut self, request: &Request) {
        if let Some(since) = Past::earliest(request.since, self.carried.get(&request.feed).copied()) {
            self.carried.insert(request.feed, since);
        }
    }

    fn launch_reads(&mut self, now: Millis) {
        for (id, reading) in &mut self.reading {
            if reading.due.take_if(|due| *due <= now).is_some() {
                reading.tries += 1;
                self.effects.push_back(Effect::Read(id.clone()));
            }
        }
        while self.may_read() {
            let Some(id) = self.queue.take(now) else { return };
            if let Some(reading) = self.reading.get_mut(&id) {
                reading.again = true;
                continue;
            }
            let waits = Backoff::new(self.timing.backoff_min, self.timing.backoff_max, self.random.fork());
            self.reading.insert(id.clone(), Reading { tries: 1, waits, due: None, again: false });
            self.effects.push_back(Effect::Read(id));
        }
    }
}

#[cfg(test)]
mod tests;
