//! What is said of one feed, in one place: to the ledger, the metrics, the health board and the log.
//!
//! Both dialects say the same things in the same order: named once, then listening and lost in turn.

use crate::Dialect;
use crate::context::Context;
use crate::listening::Cause;
use crate::past::Past;
use crate::sink::Sink;
use engine::{FeedEvent, FeedNote, Limit};
use pipeline::{FeedName, Reason};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a task may have in hand for so long before it hands it in, in nanoseconds.
const IN_HAND_NS: i64 = 60 * engine::SECOND;

/// One feed, as the rest of the program knows it.
#[derive(Debug)]
pub(crate) struct Feed<S: Sink> {
    pub index: u16,
    pub name: String,
    context: Arc<Context<S>>,
    last_heard: Past,
    listening: bool,
    /// Counts its times of listening; a repair of an earlier one proves nothing about a later one.
    times: Arc<AtomicU64>,
}

impl<S: Sink> Feed<S> {
    /// Names a feed to the ledger.
    pub fn new(index: u16, name: String, context: Arc<Context<S>>) -> Self {
        let resends = context.settings.dialect == Dialect::Events;
        let now = context.clock.moment();
        let feed = Self {
            index,
            name,
            last_heard: Past::new(now.wall, now),
            listening: false,
            times: Arc::default(),
            context,
        };
        feed.note(now.wall, FeedEvent::Named { name: feed.name.clone(), resends });
        feed.gauge(0);
        feed.context.board.disconnected(&feed.name, "not connected yet".to_owned());
        feed
    }

    /// It listens from now on.
    pub fn listening(&mut self) {
        let now = self.context.clock.moment();
        self.listening = true;
        self.last_heard = Past::new(now.wall, now);
        self.times.fetch_add(1, Ordering::AcqRel);
        self.note(now.wall, FeedEvent::Listening);
        self.gauge(1);
        self.context.telemetry.heard(&self.name, now.wall);
        self.context.board.connected(&self.name);
        tracing::info!(feed = self.name, "the feed listens");
    }

    /// Something was heard. Two sockets of a feed may report out of turn, and our clock may be set before a report is taken.
    pub fn heard(&mut self, at: Past) {
        self.last_heard = self.last_heard.later(at);
    }

    /// It listens no longer; the instant after which something may be missing.
    pub fn lost(&mut self, cause: Cause) -> Past {
        if std::mem::take(&mut self.listening) {
            self.times.fetch_add(1, Ordering::AcqRel);
            let now = self.context.clock.moment();
            let last_heard = self.last_heard.by(now);
            self.note(now.wall, FeedEvent::Lost { reason: cause.sentence().to_owned(), last_heard });
            self.gauge(0);
            self.count(cause);
            self.context.board.disconnected(&self.name, cause.sentence().to_owned());
            tracing::warn!(feed = self.name, "the feed is lost: {}; connecting again", cause.sentence());
        }
        self.last_heard
    }

    /// A socket was replaced without a gap; the instant from which repair should look all the same.
    pub fn replaced(&self, cause: Cause) -> Past {
        self.count(cause);
        tracing::info!(feed = self.name, "the socket was replaced without a gap: {}", cause.sentence());
        self.last_heard
    }

    /// It cannot be connected at present.
    pub fn failing(&self, problem: &str, retry_in: std::time::Duration) {
        if !self.listening {
            self.context.board.disconnected(&self.name, problem.to_owned());
            self.note(self.context.clock.now(), FeedEvent::Failing { reason: problem.to_owned() });
        }
        let retry_in_s = outward::in_seconds(retry_in);
        tracing::warn!(feed = self.name, retry_in_s, "{problem}");
    }

    /// What it does not hear although it should, in words for a person, and since when; `None` when it hears everything.
    pub fn limited(&mut self, limited: Option<(String, Past)>) {
        let now = self.context.clock.moment();
        let Some((reason, since)) = limited else {
            // A repair that began before proves nothing about what was not heard until now.
            self.times.fetch_add(1, Ordering::AcqRel);
            return self.note(now.wall, FeedEvent::Limited { limit: None });
        };
        let since = since.by(now).min(now.wall);
        self.note(now.wall, FeedEvent::Limited { limit: Some(Limit { reason, since }) });
    }

    /// Whether it listens.
    pub fn is_listening(&self) -> bool {
        self.listening
    }

    /// Counts its times of listening, for others to compare.
    pub fn times(&self) -> &Arc<AtomicU64> {
        &self.times
    }

    /// A part of the source panicked, and what it had in hand is lost.
    fn panicked(&mut self) {
        let now = self.context.clock.moment();
        self.last_heard = Past::new(self.last_heard.by(now).saturating_sub(IN_HAND_NS), now);
        self.lost(Cause::Panicked);
        self.note(now.wall, FeedEvent::Limited { limit: None });
        self.context.board.disconnected(&self.name, Cause::Panicked.sentence().to_owned());
    }

    fn note(&self, at: i64, event: FeedEvent) {
        self.context.sink.note(FeedNote { feed: self.index, at, event });
    }

    fn gauge(&self, connected: i64) {
        self.context
            .telemetry
            .feed_connected
            .get_or_create(&FeedName { feed: self.name.clone() })
            .set(connected);
    }

    fn count(&self, cause: Cause) {
        self.context.telemetry.reconnects.get_or_create(&Reason { reason: cause.as_str() }).inc();
    }
}

impl<S: Sink> Drop for Feed<S> {
    /// In an orderly end the next start knows what was missed; in a panic somebody must say it now.
    fn drop(&mut self) {
        if std::thread::panicking() || self.context.alarm.is_cancelled() {
            self.panicked();
        }
    }
}
