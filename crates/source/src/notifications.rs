//! The driver of one notification channel: the session decides, this carries out.
//!
//! One task owns the session and the feed. Calls and sockets are tasks of their own that report back through one bounded
//! channel, so that the watchdog and the overlap go on while a call takes long; a socket's task decodes and submits by
//! itself, so that a full mailbox slows its own socket only.

use crate::api::ApiError;
use crate::channel::{self, Channel, Rejection};
use crate::context::Context;
use crate::feed::Feed;
use crate::frames::Frames;
use crate::past::Past;
use crate::repair::{RepairRequest, Rounds};
use crate::session::{Action, Cause, Session};
use crate::sink::Sink;
use crate::socket::{ConnectError, HeardUntil, Socket};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wire::Control;

/// Reports that may wait for the driver; a socket's task waits when there are more.
const REPORTS_WAITING_MAX: usize = 64;
/// The platform's own health check (Genesys Java SDK NotificationHandler.sendPing).
const PING: &str = r#"{"message":"ping"}"#;

/// What happened elsewhere.
#[derive(Debug)]
enum Report {
    Made(Result<(Channel, Vec<Rejection>, usize), ApiError>),
    Subscribed(Result<Vec<Rejection>, ApiError>, usize),
    Open(u32, Instant),
    OpenFailed(u32, ConnectError),
    Heard(u32, Instant, i64),
    Control(u32, Control),
    Closed(u32, Cause),
}

/// A socket's task, as the driver holds it.
#[derive(Debug)]
struct Line {
    cancel: CancellationToken,
    pings: mpsc::Sender<()>,
}

/// The driver.
struct Driver<S> {
    context: Arc<Context<S>>,
    feed: Feed<S>,
    session: Session,
    started: Instant,
    topics: Vec<String>,
    /// How many of them are on the channel or on their way to it.
    subscribed: usize,
    channel: Option<Channel>,
    lines: HashMap<u32, Line>,
    reports: mpsc::Sender<Report>,
    tasks: JoinSet<()>,
    rounds: Rounds,
    /// Since when something may be missing that no repair was asked for.
    missing_since: Option<Past>,
}

/// Runs the channel number `index` (from 0) until the source is cancelled; `topics` brings what it is to carry.
pub(crate) async fn run<S: Sink>(
    context: Arc<Context<S>>,
    index: u16,
    mut topics: mpsc::Receiver<Vec<String>>,
    rounds: Rounds,
) {
    let (reports, mut reported) = mpsc::channel(REPORTS_WAITING_MAX);
    let Some(first) = topics.recv().await else { return };
    let mut driver = Driver {
        feed: Feed::new(index, format!("notifications-{}", u32::from(index) + 1), context.clone()),
        session: Session::new(context.settings.timing, fastrand::Rng::new()),
        started: Instant::now(),
        topics: first,
        subscribed: 0,
        channel: None,
        lines: HashMap::new(),
        reports,
        tasks: JoinSet::new(),
        rounds,
        missing_since: Some(context.look_back_to),
        context: context.clone(),
    };
    loop {
        driver.act();
        let wake_at = driver.wake_at();
        tokio::select! {
            () = context.cancel.cancelled() => break,
            Some(report) = reported.recv() => driver.report(report),
            Some(more) = topics.recv() => driver.add_topics(more),
            Some(_) = driver.tasks.join_next() => {}
            () = tokio::time::sleep_until(wake_at) => {}
        }
    }
    driver.stop(reported).await;
}

impl<S: Sink> Driver<S> {
    fn now(&self) -> u64 {
        self.at(Instant::now())
    }

    fn at(&self, instant: Instant) -> u64 {
        u64::try_from(instant.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }

    fn wake_at(&self) -> Instant {
        const IDLE: Duration = Duration::from_secs(3_600);
        // One more, since the session counts whole milliseconds.
        let due = self.session.poll_timeout().map(|at| Duration::from_millis(at.saturating_add(1)));
        self.started + due.unwrap_or_else(|| self.started.elapsed() + IDLE)
    }

    fn report(&mut self, report: Report) {
        let now = self.now();
        match report {
            Report::Made(Ok((channel, rejected, topics))) => {
                self.channel = Some(channel);
                self.subscribed = topics;
                self.rejected(rejected, true);
                self.session.handle_channel_made(now);
                self.subscribe_rest();
            }
            Report::Made(Err(error)) => {
                let retry_in = u64::try_from(error.retry_in().as_millis()).unwrap_or(u64::MAX);
                self.session.handle_channel_failed(now, retry_in);
                self.failing(&format!("no notification channel could be made: {error}"));
            }
            Report::Subscribed(Ok(rejected), _) => {
                self.rejected(rejected, false);
                self.request_repair();
            }
            Report::Subscribed(Err(error), topics) => {
                // Another try comes with the next discovery, or the next channel.
                self.subscribed = self.subscribed.saturating_sub(topics);
                tracing::warn!(feed = self.feed.name, "{topics} new topics could not be subscribed: {error}");
            }
            Report::Open(socket, at) => self.session.handle_open(self.at(at), socket),
            Report::OpenFailed(socket, error) => {
                self.lines.remove(&socket);
                let refused = matches!(error, ConnectError::Status(401 | 403 | 404 | 410));
                self.session.handle_open_failed(now, socket, refused);
                self.failing(&format!("the notification socket could not be opened: {error}"));
            }
            Report::Heard(socket, at, wall) => {
                self.feed.heard(wall);
                self.session.handle_heard(self.at(at), socket);
            }
            Report::Control(socket, control) => self.session.handle_control(now, socket, &control),
            Report::Closed(socket, cause) => {
                self.lines.remove(&socket);
                self.session.handle_closed(now, socket, cause);
            }
        }
    }

    fn act(&mut self) {
        self.session.handle_timeout(self.now());
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::MakeChannel { fresh_token } => self.make_channel(fresh_token),
                Action::Open { socket } => self.open(socket),
                Action::Close { socket } => {
                    if let Some(line) = self.lines.remove(&socket) {
                        line.cancel.cancel();
                    }
                }
                Action::Ping { socket } => {
                    if let Some(line) = self.lines.get(&socket) {
                        let _one_is_waiting = line.pings.try_send(());
                    }
                }
                Action::Listening => self.feed.listening(),
                Action::Lost(cause) => self.missing(|feed| feed.lost(cause)),
                Action::Replaced(cause) => self.missing(|feed| feed.replaced(cause)),
                Action::Repair => self.request_repair(),
            }
        }
    }

    fn missing(&mut self, since: impl FnOnce(&mut Feed<S>) -> Past) {
        let since = since(&mut self.feed);
        self.missing_since = Past::earliest(self.missing_since, Some(since));
    }

    fn make_channel(&mut self, fresh_token: bool) {
        let (context, reports, topics) = (self.context.clone(), self.reports.clone(), self.topics.clone());
        self.tasks.spawn(async move {
            let made = make_channel(&context, &topics, fresh_token).await;
            let _driver_stopped = reports.send(Report::Made(made)).await;
        });
    }

    fn open(&mut self, id: u32) {
        let Some(channel) = self.channel.clone() else { return };
        let (pings, pinged) = mpsc::channel(1);
        let cancel = self.context.cancel.child_token();
        self.lines.insert(id, Line { cancel: cancel.clone(), pings });
        let frames = self.context.frames(self.feed.index, &self.feed.name);
        let (context, reports) = (self.context.clone(), self.reports.clone());
        self.tasks.spawn(async move {
            let opened = tokio::select! {
                () = cancel.cancelled() => return,
                opened = context.connector.connect(channel.connect_uri()) => opened,
            };
            let report = match opened {
                Ok(socket) => carry(id, socket, frames, &reports, pinged, cancel).await,
                Err(error) => Some(Report::OpenFailed(id, error)),
            };
            if let Some(report) = report {
                let _driver_stopped = reports.send(report).await;
            }
        });
    }

    fn add_topics(&mut self, more: Vec<String>) {
        self.topics.extend(more);
        if self.channel.is_some() {
            self.subscribe_rest();
        }
    }

    /// Subscribes to what is not on the channel yet.
    fn subscribe_rest(&mut self) {
        let rest = self.topics.get(self.subscribed..).unwrap_or_default().to_vec();
        let Some(channel) = self.channel.clone().filter(|_| !rest.is_empty()) else { return };
        self.subscribed = self.topics.len();
        let (context, reports) = (self.context.clone(), self.reports.clone());
        self.tasks.spawn(async move {
            let subscribing = channel.subscribe(&context.api, &rest);
            let outcome =
                context.cancel.run_until_cancelled(subscribing).await.unwrap_or(Err(ApiError::Cancelled));
            let _driver_stopped = reports.send(Report::Subscribed(outcome, rest.len())).await;
        });
    }

    fn rejected(&self, rejected: Vec<Rejection>, fresh: bool) {
        channel::report(&self.feed.name, &rejected);
        self.feed.limited(self.context.board.rejected(&self.feed.name, rejected, fresh));
    }

    fn request_repair(&mut self) {
        self.rounds.request(RepairRequest {
            feed: self.feed.index,
            since: self.missing_since.take(),
            time: self.feed.times().load(Ordering::Acquire),
            times: self.feed.times().clone(),
        });
    }

    fn failing(&self, problem: &str) {
        self.feed.failing(problem, self.wake_at().saturating_duration_since(Instant::now()));
    }

    /// Lets the sockets say good-bye, and waits for their last batches.
    async fn stop(mut self, mut reported: mpsc::Receiver<Report>) {
        reported.close();
        while self.tasks.join_next().await.is_some() {}
        drop(reported);
    }
}

async fn make_channel<S: Sink>(
    context: &Context<S>,
    topics: &[String],
    fresh_token: bool,
) -> Result<(Channel, Vec<Rejection>, usize), ApiError> {
    let work = async {
        if fresh_token {
            let present = context.api.tokens().get().await?;
            context.api.tokens().replace(&present).await?;
        }
        let channel = Channel::make(&context.api).await?;
        let rejected = channel.subscribe(&context.api, topics).await?;
        Ok((channel, rejected, topics.len()))
    };
    context.cancel.run_until_cancelled(work).await.unwrap_or(Err(ApiError::Cancelled))
}

/// Reads a socket until it ends or is no longer wanted; what to report then.
async fn carry<S: Sink>(
    id: u32,
    mut socket: Socket,
    mut frames: Frames<S>,
    reports: &mpsc::Sender<Report>,
    mut pings: mpsc::Receiver<()>,
    cancel: CancellationToken,
) -> Option<Report> {
    reports.send(Report::Open(id, Instant::now())).await.ok()?;
    let mut heard_until = HeardUntil::new(frames.now());
    loop {
        let ready = tokio::select! {
            () = cancel.cancelled() => {
                socket.close().await;
                return None;
            }
            Some(()) = pings.recv() => {
                let sent = tokio::select! {
                    () = cancel.cancelled() => return None,
                    sent = socket.send_text(PING.to_owned()) => sent,
                };
                match sent {
                    true => continue,
                    false => return Some(Report::Closed(id, Cause::Broken)),
                }
            }
            ready = socket.ready() => ready,
        };
        if !ready.frames.is_empty() {
            let mut heard = frames.decode(&ready.frames);
            let until = heard_until.look(&ready, heard.at);
            let _driver_stopped = reports.send(Report::Heard(id, Instant::now(), until)).await;
            let controls = std::mem::take(&mut heard.controls);
            frames.submit(heard).await;
            for control in controls.into_iter().filter(|c| !matches!(c, Control::Heartbeat | Control::Pong)) {
                reports.send(Report::Control(id, control)).await.ok()?;
            }
        }
        if let Some(cause) = ready.end {
            return Some(Report::Closed(id, cause));
        }
    }
}
