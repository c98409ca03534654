//! The driver of REST repair: [`Repairs`] decides, this carries out.
//!
//! One task owns the machine. Lists and reads are tasks of their own, so that wishes and requests are taken while a call
//! takes long.

mod list;
mod read;

use crate::context::{Context, or_alarm};
use crate::listening::{Elapsed, LOOK_EVERY, Millis};
use crate::past::Past;
use crate::repairing::{Effect, Ended, Listed, Read, Repairs, Request};
use crate::sink::Sink;
use engine::{FeedEvent, FeedNote, Id};
pub(crate) use list::{details_query, live_query};
use pipeline::{Outcome, Wish};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

/// Takes the requests of feeds: at most one waits for each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds(Arc<Waiting>);

/// What the engine wants read again, for whoever repairs at present.
pub(crate) type Wishes = Arc<tokio::sync::Mutex<mpsc::Receiver<Wish>>>;

/// Counts the times of listening of a feed.
type Times = Arc<AtomicU64>;

#[derive(Debug, Default)]
struct Waiting {
    requests: Mutex<BTreeMap<u16, (Request, Times)>>,
    some: Notify,
}

impl Rounds {
    /// Asks for a repair, about the present time of listening; returns at once.
    pub fn request(&self, feed: u16, since: Option<Past>, times: Times) {
        let request = Request { feed, since, time: times.load(Ordering::Acquire) };
        let mut requests = self.0.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = requests.remove(&feed).map(|(earlier, _)| earlier);
        requests.insert(feed, (request.merged_with(earlier), times));
        self.0.some.notify_one();
    }

    fn take(&self) -> BTreeMap<u16, (Request, Times)> {
        std::mem::take(&mut *self.0.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Driver<S> {
    context: Arc<Context<S>>,
    repairs: Repairs,
    elapsed: Elapsed,
    times: HashMap<u16, Times>,
    listing: JoinSet<Listed>,
    reads: JoinSet<(Id, Read)>,
}

/// Serves requests and wishes until the source is cancelled.
pub(crate) async fn run<S: Sink>(context: Arc<Context<S>>, rounds: Rounds, wishes: Wishes) {
    let mut wishes = wishes.lock().await;
    let mut driver = Driver {
        repairs: Repairs::new(context.settings.timing, fastrand::Rng::new()),
        elapsed: Elapsed::new(context.clock.moment(), 0),
        times: HashMap::new(),
        listing: JoinSet::new(),
        reads: JoinSet::new(),
        context: context.clone(),
    };
    loop {
        driver.act();
        let wait = driver.wait();
        tokio::select! {
            () = context.cancel.cancelled() => return,
            () = rounds.0.some.notified() => rounds.take().into_values().for_each(|asked| driver.request(asked)),
            Some(wish) = wishes.recv(), if driver.repairs.has_room() => driver.wish(wish),
            Some(Ok(listed)) = driver.listing.join_next() => {
                // The round must know of all that was wished for by now, whether there is room or not.
                while let Ok(wish) = wishes.try_recv() {
                    driver.wish(wish);
                }
                let now = driver.now();
                driver.repairs.handle_listed(now, listed);
            }
            Some(Ok((id, read))) = driver.reads.join_next() => driver.read(&id, &read),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

impl<S: Sink> Driver<S> {
    fn now(&mut self) -> Millis {
        self.elapsed.advance(self.context.clock.moment())
    }

    fn request(&mut self, (request, times): (Request, Times)) {
        self.times.insert(request.feed, times);
        self.repairs.request(request);
    }

    /// A wish names an instant of our clock, which may be set before it comes.
    fn wish(&mut self, wish: Wish) {
        let wait = wish.not_before.saturating_sub(self.context.clock.now());
        let wait = Duration::from_nanos(u64::try_from(wait).unwrap_or(0));
        let not_before = self.now().saturating_add(crate::listening::millis(wait));
        self.repairs.wish(wish.conversation, not_before);
    }

    fn read(&mut self, id: &Id, read: &Read) {
        let now = self.now();
        if self.repairs.handle_read(now, id, read) {
            let result = read::label(read);
            self.context.telemetry.repairs.get_or_create(&Outcome { result }).inc();
        }
    }

    fn act(&mut self) {
        let (now, times) = (self.now(), &self.times);
        let present = |feed| times.get(&feed).map_or(0, |times| times.load(Ordering::Acquire));
        self.repairs.handle_timeout(now, present);
        while let Some(effect) = self.repairs.poll_effect() {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        let context = self.context.clone();
        let alarm = context.alarm.clone();
        match effect {
            Effect::List(since) => {
                self.listing.spawn(or_alarm(alarm, async move {
                    context.sink.settled().await;
                    list::list(&context, since.as_ref()).await
                }));
            }
            Effect::Read(id) => {
                self.reads.spawn(or_alarm(alarm, async move {
                    let read = read::read(&context, &id).await;
                    (id, read)
                }));
            }
            Effect::Tell(feed, event) => self.tell(feed, event),
            Effect::Ended(ended) => self.ended(&ended),
        }
    }

    fn tell(&self, feed: u16, event: FeedEvent) {
        self.context.sink.note(FeedNote { feed, at: self.context.clock.now(), event });
    }

    fn ended(&self, ended: &Ended) {
        let retry_in_s = ended.retry_in.map_or(0.0, outward::in_seconds);
        let unread = ended.unread.as_ref().map(|(count, why)| {
            format!("{count} conversations cannot be read, and alone lack something; the first: {why}")
        });
        match (&ended.problem, &unread) {
            (Some(problem), _) => {
                tracing::warn!(retry_in_s, "a hole could not be closed: {problem}");
            }
            (None, Some(unread)) => tracing::warn!("repair read all but some: {unread}"),
            (None, None) => {
                let took_s = outward::in_seconds(ended.took);
                tracing::info!(took_s, "repair read what may have been missed");
            }
        }
        self.context.board.problem("repair", ended.problem.clone().or(unread));
    }

    /// How long nothing is due. A pause of the machine's is looked for all the same: no timer tells of it.
    fn wait(&mut self) -> Duration {
        let (due, now) = (self.repairs.poll_timeout(), self.now());
        // One more, since the machine counts whole milliseconds.
        let due = due.map(|at| Duration::from_millis(at.saturating_add(1).saturating_sub(now)));
        due.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)
    }
}

/// Takes wishes and lets them go, where there is no REST to grant them with (the `events` dialect).
pub(crate) async fn ignore<S: Sink>(context: Arc<Context<S>>, wishes: Wishes) {
    let mut wishes = wishes.lock().await;
    let until_closed = async { while wishes.recv().await.is_some() {} };
    context.cancel.run_until_cancelled(until_closed).await;
}
