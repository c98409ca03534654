//! Closes holes by REST.
//!
//! Nothing is replayed, so after every connect the conversations that are live, and those of the hole that have ended
//! since, are read one by one and submitted like frames: facts are a set, so no order between the two is needed. One task
//! serves all feeds, since the rate limit is the client's: feeds that come back together share one *round*. A round
//! ends when all it listed, and what the engine had wished for by then, was read; then the feeds are told repaired, or
//! why not, and a failed round is tried again. It lists only once the engine knows that the feeds listen again, and its
//! wishes about that have come: what began days ago and ended in the hole is in no list. A feed that was lost during its round is not told: what the round proves is
//! about an earlier time of listening, and the hole is carried to the next round. Rejected: one round for each feed (20
//! channels would read the same conversations 20 times).

mod list;
mod queue;
mod read;

use crate::context::{Context, or_alarm};
use crate::past::Past;
use crate::sink::Sink;
use engine::{FeedEvent, FeedNote, Id};
pub(crate) use list::{details_query, live_query};
use outward::Backoff;

use list::Listed;
use pipeline::Wish;
use queue::Queue;
use read::Read;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// When a conversation that could not be read is read again: after as long as an outage of the platform's REST may last,
/// without adding to it. Each time in a row that it fails again the wait doubles.
const READ_AGAIN_NS: i64 = 60 * engine::SECOND;
/// One that may not be read, or that nobody can read: a missing permission takes a person.
const LASTING_AGAIN_NS: i64 = 600 * engine::SECOND;
/// The longest wait.
const READ_AGAIN_NS_MAX: i64 = 86_400 * engine::SECOND;

/// When a round is tried again that asked for more than can be listed, or met what nobody can read, unless a feed asks for
/// another: what could be read is read, and reading it all again every few minutes would take the rate limit from others.
const LASTING_ROUND_AGAIN: Duration = Duration::from_secs(86_400);

/// A feed that wants its holes closed.
#[derive(Clone, Debug)]
pub(crate) struct RepairRequest {
    pub feed: u16,
    /// Since when something may be missing; none: read the live conversations only.
    pub since: Option<Past>,
    /// Which time of listening this is about.
    pub time: u64,
    /// The present one.
    pub times: Arc<AtomicU64>,
}

/// Takes the requests of feeds: at most one waits for each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds(Arc<Waiting>);

/// What the engine wants read again, for whoever repairs at present.
pub(crate) type Wishes = Arc<tokio::sync::Mutex<mpsc::Receiver<Wish>>>;

#[derive(Debug, Default)]
struct Waiting {
    requests: Mutex<BTreeMap<u16, RepairRequest>>,
    some: Notify,
}

/// What is being repaired together.
#[derive(Debug)]
struct Round {
    requests: Vec<RepairRequest>,
    left: HashSet<Id>,
    listing: bool,
    problem: Option<String>,
    /// The problem will last.
    lasts: bool,
    began: Instant,
}

struct Repairer<S> {
    context: Arc<Context<S>>,
    rounds: Rounds,
    queue: Queue,
    round: Option<Round>,
    listing: JoinSet<Listed>,
    reads: JoinSet<(Id, Read)>,
    /// The conversations that are being read, and whether each is wanted once more.
    reading: HashMap<Id, bool>,
    /// Of those that wait or are being read, the ones whose last reads failed, and how many in a row.
    unread: HashMap<Id, u32>,
    /// Holes of feeds whose rounds proved nothing.
    carried: BTreeMap<u16, Past>,
    retry: Option<(Instant, Vec<RepairRequest>)>,
    waits: Backoff,
}

impl RepairRequest {
    fn is_current(&self) -> bool {
        self.times.load(Ordering::Acquire) == self.time
    }

    fn merged_with(mut self, earlier: Option<Self>) -> Self {
        self.since = Past::earliest(self.since, earlier.and_then(|earlier| earlier.since));
        self
    }
}

impl Rounds {
    /// Asks for a repair; returns at once.
    pub fn request(&self, request: RepairRequest) {
        let mut requests = self.0.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = requests.remove(&request.feed);
        requests.insert(request.feed, request.merged_with(earlier));
        self.0.some.notify_one();
    }

    fn take(&self) -> BTreeMap<u16, RepairRequest> {
        std::mem::take(&mut *self.0.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Serves requests and wishes until the source is cancelled.
pub(crate) async fn run<S: Sink>(context: Arc<Context<S>>, rounds: Rounds, wishes: Wishes) {
    let mut wishes = wishes.lock().await;
    let timing = context.settings.timing;
    let mut repairer = Repairer {
        rounds,
        queue: Queue::default(),
        round: None,
        listing: JoinSet::new(),
        reads: JoinSet::new(),
        reading: HashMap::new(),
        unread: HashMap::new(),
        carried: BTreeMap::new(),
        retry: None,
        waits: Backoff::new(timing.repair_retry_min, timing.repair_retry_max, fastrand::Rng::new()),
        context: context.clone(),
    };
    loop {
        repairer.finish_round();
        repairer.begin_round();
        repairer.launch_reads();
        let wait = repairer.wait();
        tokio::select! {
            () = context.cancel.cancelled() => return,
            () = repairer.rounds.0.some.notified() => {}
            Some(wish) = wishes.recv(), if repairer.queue.len() < timing.repair_waiting_max => {
                repairer.queue.want(wish.conversation, wish.not_before);
            }
            Some(Ok(listed)) = repairer.listing.join_next() => {
                // The round must know of all that was wished for by now, whether there is room or not.
                while let Ok(wish) = wishes.try_recv() {
                    repairer.queue.want(wish.conversation, wish.not_before);
                }
                repairer.listed(listed);
            }
            Some(Ok((id, outcome))) = repairer.reads.join_next() => repairer.read(&id, outcome),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

impl<S: Sink> Repairer<S> {
    fn begin_round(&mut self) {
        if self.round.is_some() {
            return;
        }
        let mut requests = self.rounds.take();
        if requests.is_empty() && self.retry.as_ref().is_none_or(|(at, _)| Instant::now() < *at) {
            return;
        }
        for again in self.retry.take().into_iter().flat_map(|(_, requests)| requests) {
            let request = match requests.remove(&again.feed) {
                Some(newer) => newer.merged_with(Some(again)),
                None => again,
            };
            requests.insert(request.feed, request);
        }
        for request in requests.values_mut() {
            request.since = Past::earliest(request.since, self.carried.remove(&request.feed));
        }
        let (requests, outdated): (Vec<_>, Vec<_>) =
            requests.into_values().partition(RepairRequest::is_current);
        outdated.iter().for_each(|request| self.carry(request));
        if requests.is_empty() {
            return;
        }
        let since = requests.iter().filter_map(|request| request.since).reduce(Past::earlier);
        let context = self.context.clone();
        self.listing.spawn(or_alarm(context.alarm.clone(), async move {
            // What feeds heard before and that they listen again is with the engine first: what it wishes for then is of
            // this round too.
            context.sink.settled().await;
            list::list(&context, since.as_ref()).await
        }));
        let (left, began) = (HashSet::new(), Instant::now());
        self.round = Some(Round { requests, left, listing: true, problem: None, lasts: false, began });
    }

    fn listed(&mut self, listed: Listed) {
        let now = self.context.clock.now();
        let Some(round) = &mut self.round else { return };
        for id in listed.conversations.into_iter().chain(self.unread.keys().cloned()) {
            self.queue.want(id, now);
        }
        round.left.extend(self.queue.due(now).chain(self.reading.keys()).cloned());
        round.listing = false;
        (round.problem, round.lasts) = (listed.problem, listed.too_old);
        tracing::debug!(
            conversations = round.left.len(),
            "repair reads what is live and what the hole may hide"
        );
    }

    fn launch_reads(&mut self) {
        let now = self.context.clock.now();
        while self.reads.len() < self.context.settings.timing.repair_concurrency.max(1) {
            let Some(id) = self.queue.take(now) else { return };
            // Two answers about one conversation may overtake one another, and nothing in them tells which is older.
            if let Some(wanted_again) = self.reading.get_mut(&id) {
                *wanted_again = true;
                continue;
            }
            self.reading.insert(id.clone(), false);
            let context = self.context.clone();
            self.reads.spawn(or_alarm(context.alarm.clone(), async move {
                let outcome = read::read(&context, &id).await;
                (id, outcome)
            }));
        }
    }

    fn read(&mut self, id: &Id, outcome: Read) {
        let again_in = match outcome {
            Read::Done | Read::Gone => None,
            Read::Failed(_) => Some(READ_AGAIN_NS),
            Read::Forbidden(_) | Read::Unreadable(_) => Some(LASTING_AGAIN_NS),
        };
        let lasts = matches!(outcome, Read::Unreadable(_));
        if self.reading.remove(id) == Some(true) {
            self.queue.want(id.clone(), self.context.clock.now());
        }
        // A read that was under way when the round listed the conversation again may have been too early.
        if !self.queue.contains(id)
            && let Some(round) = &mut self.round
            && round.left.remove(id)
        {
            round.problem = round.problem.take().or(outcome.problem());
            round.lasts |= lasts;
        }
        // Something is known to be missing of it, and that stays so until it is read.
        if let Some(wait) = again_in {
            let failures = self.unread.entry(id.clone()).or_default();
            let wait = wait.saturating_mul(1 << (*failures).min(16)).min(READ_AGAIN_NS_MAX);
            *failures += 1;
            self.queue.want(id.clone(), self.context.clock.now().saturating_add(wait));
        } else {
            self.unread.remove(id);
        }
    }

    fn finish_round(&mut self) {
        let is_done = |round: &mut Round| !round.listing && round.left.is_empty();
        let Some(round) = self.round.take_if(is_done) else { return };
        self.context.board.problem("repair", round.problem.clone());
        for request in &round.requests {
            if !request.is_current() {
                self.carry(request);
                continue;
            }
            let event = match &round.problem {
                None => FeedEvent::Repaired,
                Some(reason) => FeedEvent::RepairFailed { reason: reason.clone() },
            };
            self.context.sink.note(FeedNote { feed: request.feed, at: self.context.clock.now(), event });
        }
        let took = round.began.elapsed().as_secs_f32();
        match round.problem {
            None => {
                self.waits.reset();
                tracing::info!("repair read what may have been missed, in {took:.1} s");
            }
            Some(problem) => {
                let soonest = self.context.settings.timing.repair_retry_min;
                let wait = self.waits.wait().max(if round.lasts { LASTING_ROUND_AGAIN } else { soonest });
                tracing::warn!(
                    "a hole could not be closed: {problem}; next attempt in {:.0} s",
                    wait.as_secs_f32()
                );
                self.retry = Some((Instant::now() + wait, round.requests));
            }
        }
    }

    fn carry(&mut self, request: &RepairRequest) {
        if let Some(since) = Past::earliest(request.since, self.carried.get(&request.feed).copied()) {
            self.carried.insert(request.feed, since);
        }
    }

    /// How long nothing can be done.
    fn wait(&self) -> Duration {
        const IDLE: Duration = Duration::from_secs(3_600);
        let can_read = self.reads.len() < self.context.settings.timing.repair_concurrency.max(1);
        let now = self.context.clock.now();
        let read = self
            .queue
            .next_due()
            .filter(|_| can_read)
            .map(|at| Duration::from_nanos(u64::try_from(at.saturating_sub(now)).unwrap_or(0)));
        let retry = self.retry.as_ref().filter(|_| self.round.is_none());
        let retry = retry.map(|(at, _)| at.saturating_duration_since(Instant::now()));
        read.into_iter().chain(retry).min().unwrap_or(IDLE).min(IDLE)
    }
}

/// Takes wishes and lets them go, where there is no REST to grant them with (the `events` dialect).
pub(crate) async fn ignore<S: Sink>(context: Arc<Context<S>>, wishes: Wishes) {
    let mut wishes = wishes.lock().await;
    let until_closed = async { while wishes.recv().await.is_some() {} };
    context.cancel.run_until_cancelled(until_closed).await;
}
