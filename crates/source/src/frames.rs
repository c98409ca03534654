//! From frames to facts: decoded as a batch, counted one by one, submitted once.
//!
//! Every frame is counted as received and, where it has no facts, by its reason; a refused one is also said, by its reason
//! and size and never by its content. What a refused frame said is not known, so the ledger
//! is told too, once a batch for each reason and conversation: where a frame tells whose it is, that one is read again.

use crate::sink::Sink;
use crate::{Dialect, Settings};
use engine::{FeedEvent, FeedNote, Id};
use pipeline::{Clock, FeedLabels, Moment, Reason, Telemetry};
use std::sync::Arc;
use wire::{Batch, CloudTime, Control, Limits, Origin, Outcome, Refused};

/// Nanoseconds between two looks at what events say of the time.
const WITNESS_EVERY: i64 = 60 * engine::SECOND;

/// Decodes the frames of one feed.
#[derive(Clone, Debug)]
pub(crate) struct Frames<S> {
    feed: u16,
    name: String,
    labels: FeedLabels,
    dialect: Dialect,
    limits: Limits,
    sink: S,
    telemetry: Arc<Telemetry>,
    clock: Clock,
    cloud: CloudTime,
    /// When an event last bore witness to our clock, by that.
    witnessed_at: Option<i64>,
}

/// What a batch of frames said.
#[derive(Debug)]
pub(crate) struct Heard {
    pub controls: Vec<Control>,
    /// When they were taken.
    pub at: Moment,
    batch: Batch,
}

impl<S: Sink> Frames<S> {
    /// Frames of the feed with this index and name.
    pub fn new(
        (feed, name): (u16, &str),
        settings: &Settings,
        sink: S,
        telemetry: Arc<Telemetry>,
        (clock, cloud): (Clock, CloudTime),
    ) -> Self {
        Self {
            feed,
            name: name.to_owned(),
            labels: FeedLabels {
                organisation: settings.organisation.clone(),
                feed: name.to_owned(),
                dialect: settings.dialect.as_str(),
            },
            dialect: settings.dialect,
            limits: settings.limits,
            sink,
            telemetry,
            clock,
            cloud,
            witnessed_at: None,
        }
    }

    /// Decodes frames that came together.
    pub fn decode(&mut self, frames: &[impl AsRef<[u8]>]) -> Heard {
        let moment = self.clock.moment();
        let at = moment.wall;
        self.cloud.reads(at, moment.boot);
        let mut heard = Heard { controls: Vec::new(), at: moment, batch: Batch::default() };
        let mut lost: Vec<(Refused, Option<Id>)> = Vec::new();
        for (received, frame) in (at..).zip(frames.iter().map(AsRef::as_ref)) {
            // A nanosecond apart: what has no time of its own keeps the order in which it came.
            let origin = Origin { feed: self.feed, received, sent_by: self.cloud.at(received) };
            let outcome = match self.dialect {
                Dialect::Notifications => {
                    wire::decode_notification(frame, origin, &self.limits, &mut heard.batch)
                }
                Dialect::Events => wire::decode_event(frame, origin, &self.limits, &mut heard.batch),
            };
            match outcome {
                Outcome::Facts(_) => {}
                Outcome::Control(control) => heard.controls.push(control),
                Outcome::Ignored(why) => {
                    self.telemetry.ignored_frames.get_or_create(&Reason { reason: why.as_str() }).inc();
                }
                Outcome::Refused(why) => {
                    self.refuse(why, frame.len());
                    let of = (why, wire::whose(frame));
                    if why.is_loss() && !lost.contains(&of) {
                        lost.push(of);
                    }
                }
            }
        }
        for (why, conversation) in lost {
            let event = FeedEvent::Refused { reason: why.as_str().to_owned(), conversation };
            self.sink.note(FeedNote { feed: self.feed, at, event });
        }
        self.bear_witness(&heard.batch, at);
        self.telemetry.heard(&self.name, at);
        self.telemetry.events_received.get_or_create(&self.labels).inc_by(frames.len() as u64);
        heard
    }

    /// What time it is.
    pub fn moment(&self) -> Moment {
        self.clock.moment()
    }

    /// Hands over what was decoded; waits for room. What the mailbox drops of it is told to the ledger by the engine.
    pub async fn submit(&self, heard: Heard) {
        if !heard.batch.deliveries.is_empty() || !heard.batch.users.is_empty() {
            self.sink.submit(heard.batch.deliveries, heard.batch.users).await;
        }
    }

    /// What has just happened says what time it is: asked of one batch a minute.
    fn bear_witness(&mut self, batch: &Batch, now: i64) {
        if self.witnessed_at.is_some_and(|at| (0..WITNESS_EVERY).contains(&now.saturating_sub(at))) {
            return;
        }
        let times = batch.deliveries.iter().flat_map(|delivery| &delivery.facts).filter_map(|fact| fact.at);
        if let Some(newest) = times.map(|at| at.nanos).max() {
            self.witnessed_at = Some(now);
            self.clock.witness(newest);
        }
    }

    fn refuse(&self, why: Refused, bytes: usize) {
        let reason = why.as_str();
        self.telemetry.refused_frames.get_or_create(&Reason { reason }).inc();
        tracing::warn!(feed = self.name, reason, bytes, "a frame was refused");
    }
}
