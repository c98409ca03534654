//! The driver of notification channels: the [`Listener`] decides, this carries out.
//!
//! One task owns the machine and the feeds. Calls and sockets are tasks of their own that report back through one bounded
//! channel, so that watchdogs and overlaps go on while a call takes long; a socket's task decodes and submits by itself, so
//! that a full mailbox slows its own socket only.

mod line;

use crate::api::ApiError;
use crate::channel::{self, Channel};
use crate::context::{Context, or_alarm};
use crate::discovery;
use crate::feed::Feed;
use crate::listening::{
    Answer, Cause, Effect, Elapsed, Failure, LOOK_EVERY, ListKind, Listener, Millis, Page, millis,
};
use crate::past::Past;
use crate::repair::Rounds;
use crate::sink::Sink;
use crate::socket::ConnectError;
use line::Lines;
use pipeline::Moment;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use wire::Control;

/// Reports that may wait for the driver; a socket's task waits when there are more.
const REPORTS_WAITING_MAX: usize = 256;
/// Nanoseconds of a millisecond.
const MILLI: i64 = 1_000_000;

/// What happened elsewhere; channels and sockets by number.
#[derive(Debug)]
enum Report {
    Page(ListKind, Result<Page, ApiError>),
    Made(usize, Result<Channel, ApiError>),
    Subscribed(usize, u32, Result<Answer, ApiError>),
    Open(usize, u32, Moment),
    OpenFailed(usize, u32, ConnectError),
    Heard(usize, u32, Moment, i64),
    Control(usize, u32, Control),
    Closed(usize, u32, Cause),
}

/// What the driver keeps of one channel.
#[derive(Debug)]
struct Held<S: Sink> {
    feed: Feed<S>,
    /// The channel that sockets are opened to, and the newest, each with its number among those made.
    made: Vec<(u32, Channel)>,
    /// How many were made.
    count: u32,
    /// Since when something may be missing that no repair was asked for.
    missing_since: Option<Past>,
    /// Since when not all is heard that should be.
    limited_since: Option<Past>,
}

struct Driver<S: Sink> {
    context: Arc<Context<S>>,
    listener: Listener,
    /// How much went by since the machine's beginning: that lies before our start, as far back as it answers for.
    elapsed: Elapsed,
    channels: Vec<Held<S>>,
    lines: Lines,
    reports: mpsc::Sender<Report>,
    tasks: JoinSet<()>,
    rounds: Rounds,
}

/// Runs every notification channel until the source is cancelled.
pub(crate) async fn run<S: Sink>(context: Arc<Context<S>>, rounds: Rounds) {
    let (reports, mut reported) = mpsc::channel(REPORTS_WAITING_MAX);
    let settings = &context.settings;
    let mut driver = Driver {
        listener: Listener::new(&settings.topics, settings.timing, fastrand::Rng::new()),
        elapsed: Elapsed::new(context.clock.moment(), millis(settings.timing.look_back_first)),
        channels: Vec::new(),
        lines: Lines::default(),
        reports,
        tasks: JoinSet::new(),
        rounds,
        context: context.clone(),
    };
    loop {
        // What was heard is taken before anything is judged by its silence.
        for _ in 0..REPORTS_WAITING_MAX {
            let Ok(report) = reported.try_recv() else { break };
            driver.report(report);
        }
        driver.act();
        let wait = driver.wait();
        tokio::select! {
            () = context.cancel.cancelled() => break,
            Some(report) = reported.recv() => driver.report(report),
            Some(_) = driver.tasks.join_next() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    driver.stop(reported).await;
}

impl<S: Sink> Driver<S> {
    fn now(&mut self) -> Millis {
        self.elapsed.advance(self.context.clock.moment())
    }

    /// An instant of the machine's that has passed, by our clock.
    fn past(&mut self, at: Millis) -> Past {
        let ago = i64::try_from(self.now().saturating_sub(at)).unwrap_or(i64::MAX).saturating_mul(MILLI);
        let now = self.context.clock.moment();
        Past::new(now.wall.saturating_sub(ago), now)
    }

    /// How long nothing is due. A pause of the machine's is looked for all the same: no timer tells of it.
    fn wait(&mut self) -> Duration {
        let (due, now) = (self.listener.poll_timeout(), self.now());
        // One more, since the machine counts whole milliseconds.
        let due = due.map(|at| Duration::from_millis(at.saturating_add(1).saturating_sub(now)));
        due.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)
    }

    fn report(&mut self, report: Report) {
        let now = self.now();
        let listener = &mut self.listener;
        match report {
            Report::Page(list, page) => listener.handle_page(now, list, page.map_err(Failure::from)),
            Report::Made(at, Ok(channel)) => {
                if let Some(held) = self.channels.get_mut(at) {
                    held.add(channel);
                }
                listener.handle_channel(now, at, Ok(()));
            }
            Report::Made(at, Err(error)) => listener.handle_channel(now, at, Err(error.into())),
            Report::Subscribed(at, made, answer) => {
                listener.handle_subscribed(now, at, made, answer.map_err(Failure::from));
            }
            Report::Open(at, socket, opened) => {
                let opened = self.elapsed.read(opened);
                self.listener.handle_open(opened, at, socket);
            }
            Report::OpenFailed(at, socket, error) => {
                self.lines.remove(at, socket);
                let refused = matches!(error, ConnectError::Status(401 | 403 | 404 | 410));
                let problem = format!("the notification socket could not be opened: {error}");
                listener.handle_open_failed(now, at, socket, refused, problem);
            }
            Report::Heard(at, socket, heard, until) => {
                if let Some(held) = self.channels.get_mut(at) {
                    held.feed.heard(Past::new(until, heard));
                }
                let silent = heard.wall.saturating_sub(until).max(0);
                let heard = self.elapsed.read(heard);
                let proved = heard.saturating_sub(silent.unsigned_abs().div_ceil(MILLI.unsigned_abs()));
                self.listener.handle_heard(heard, at, socket, proved);
            }
            Report::Control(at, socket, control) => listener.handle_control(now, at, socket, &control),
            Report::Closed(at, socket, cause) => {
                self.lines.remove(at, socket);
                listener.handle_closed(now, at, socket, cause);
            }
        }
    }

    fn act(&mut self) {
        let now = self.now();
        self.listener.handle_timeout(now);
        while self.channels.len() < self.listener.channels() {
            self.add_channel();
        }
        while let Some(effect) = self.listener.poll_effect() {
            self.carry_out(effect);
        }
    }

    fn add_channel(&mut self) {
        let at = self.channels.len();
        let index = u16::try_from(at).unwrap_or(u16::MAX);
        self.channels.push(Held {
            feed: Feed::new(index, format!("notifications-{}", at + 1), self.context.clone()),
            made: Vec::new(),
            count: 0,
            missing_since: Some(self.context.look_back_to),
            limited_since: None,
        });
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::ReadPage(list, number) => self.read_page(list, number),
            Effect::MakeChannel { channel, fresh_token } => self.make_channel(channel, fresh_token),
            Effect::Subscribe { channel, made, topics } => self.subscribe(channel, made, topics),
            Effect::Open { channel, made, socket } => self.open(channel, made, socket),
            Effect::Close(at, socket) => self.lines.close(at, socket),
            Effect::Ping(at, socket) => self.lines.ping(at, socket),
            Effect::Lookup(problem) => {
                // Where nobody is known, the feed says why.
                if let Some(problem) = problem.as_ref().filter(|_| self.listener.knows_anybody()) {
                    tracing::warn!("{problem}. Who is in no list is not heard until this is mended");
                }
                self.context.board.problem("discovery", problem);
            }
            Effect::Listening(at) => self.with(at, |held| held.feed.listening()),
            Effect::Lost(at, cause) => self.with(at, |held| held.misses(|feed| feed.lost(cause))),
            Effect::Replaced(at, cause) => self.with(at, |held| held.misses(|feed| feed.replaced(cause))),
            Effect::Failing { channel, problem, retry_in } => {
                self.with(channel, |held| held.feed.failing(&problem, retry_in));
            }
            Effect::Limited(at, limited) => {
                let limited = limited.map(|(reason, since)| (reason, self.past(since)));
                self.with(at, |held| held.limit(limited));
            }
            Effect::Rejected(at, rejected) => {
                self.with(at, |held| channel::warn(&held.feed.name, &rejected));
                if let Some(held) = self.channels.get(at) {
                    self.context.board.rejected(&held.feed.name, rejected);
                }
            }
            Effect::Repair(at) => self.request_repair(at),
        }
    }

    fn with(&mut self, at: usize, act: impl FnOnce(&mut Held<S>)) {
        if let Some(held) = self.channels.get_mut(at) {
            act(held);
        }
    }

    fn read_page(&mut self, list: ListKind, number: u32) {
        let context = self.context.clone();
        let read = async move { discovery::page(&context.api, list, number).await };
        self.call(read, move |page| Report::Page(list, page));
    }

    fn make_channel(&mut self, at: usize, fresh_token: bool) {
        let context = self.context.clone();
        let make = async move {
            if fresh_token {
                let present = context.api.tokens().get().await?;
                context.api.tokens().replace(&present).await?;
            }
            Channel::make(&context.api).await
        };
        self.call(make, move |made| Report::Made(at, made));
    }

    fn subscribe(&mut self, at: usize, made: u32, topics: Vec<String>) {
        let Some(channel) = self.channels.get(at).and_then(|held| held.made(made)) else { return };
        let context = self.context.clone();
        let subscribe = async move { channel.subscribe(&context.api, &topics).await };
        self.call(subscribe, move |answer| Report::Subscribed(at, made, answer));
    }

    /// Makes a call in a task of its own, and reports what came of it.
    fn call<T: Send + 'static>(
        &mut self,
        call: impl Future<Output = Result<T, ApiError>> + Send + 'static,
        report: impl FnOnce(Result<T, ApiError>) -> Report + Send + 'static,
    ) {
        let (cancel, reports) = (self.context.cancel.clone(), self.reports.clone());
        self.tasks.spawn(or_alarm(self.context.alarm.clone(), async move {
            let outcome = cancel.run_until_cancelled(call).await.unwrap_or(Err(ApiError::Cancelled));
            let _driver_stopped = reports.send(report(outcome)).await;
        }));
    }

    fn open(&mut self, at: usize, made: u32, socket: u32) {
        let Some(held) = self.channels.get_mut(at) else { return };
        let Some(channel) = held.made(made) else { return };
        held.made.retain(|(number, _)| *number >= made);
        let frames = self.context.frames(held.feed.index, &held.feed.name);
        let ends = self.lines.add(at, socket, &self.context.cancel);
        let (context, reports) = (self.context.clone(), self.reports.clone());
        let alarm = self.context.alarm.clone();
        self.tasks.spawn(or_alarm(alarm, line::run(context, (at, socket), channel, frames, reports, ends)));
    }

    fn request_repair(&mut self, at: usize) {
        let Some(held) = self.channels.get_mut(at) else { return };
        let since = held.missing_since.take();
        self.rounds.request(held.feed.index, since, held.feed.times().clone());
    }

    /// Lets the sockets say good-bye, and waits for their last batches.
    async fn stop(mut self, mut reported: mpsc::Receiver<Report>) {
        reported.close();
        while self.tasks.join_next().await.is_some() {}
        drop(reported);
    }
}

impl<S: Sink> Held<S> {
    /// A channel was made; one before it that no socket was opened to is of no use any more.
    fn add(&mut self, channel: Channel) {
        self.count += 1;
        self.made.truncate(1);
        self.made.push((self.count, channel));
    }

    fn made(&self, number: u32) -> Option<Channel> {
        self.made.iter().find(|(made, _)| *made == number).map(|(_, channel)| channel.clone())
    }

    fn misses(&mut self, since: impl FnOnce(&mut Feed<S>) -> Past) {
        let since = since(&mut self.feed);
        self.missing_since = Past::earliest(self.missing_since, Some(since));
    }

    /// What is not heard, and since when; once all is heard, a repair looks back to that.
    fn limit(&mut self, limited: Option<(String, Past)>) {
        match limited {
            Some((reason, since)) => {
                self.limited_since = Past::earliest(self.limited_since, Some(since));
                self.feed.limited(Some((reason, since)));
            }
            None => {
                self.missing_since = Past::earliest(self.missing_since, self.limited_since.take());
                self.feed.limited(None);
            }
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let lasting = matches!(error, ApiError::Forbidden { .. });
        Self { problem: error.to_string(), retry_in: error.retry_in(), lasting }
    }
}
