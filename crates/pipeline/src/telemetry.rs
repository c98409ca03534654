//! Everything that is counted, by name, in one place.
//!
//! Each field is one metric of `/metrics`; whoever sees a thing happen counts it here. "Dropped" is said only of what
//! is gone from memory for good. No global registry: two worlds fit one test process.

use crate::Faults;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;

/// Labels of what a feed received.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct FeedLabels {
    /// The organisation the feed belongs to.
    pub organisation: String,
    /// The feed's name.
    pub feed: String,
    /// `events` or `notifications`.
    pub dialect: &'static str,
}

/// Labels of a state of a feed.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct FeedName {
    /// The feed's name.
    pub feed: String,
}

/// A reason out of a closed list.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Reason {
    /// The reason, in snake case.
    pub reason: &'static str,
}

/// How an attempt ended.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Outcome {
    /// `ok`, `gone`, `forbidden` or `failed`.
    pub result: &'static str,
}

/// A follower of the log.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct FollowerName {
    /// Its name.
    pub follower: &'static str,
}

/// The program's metrics. Cheap to clone through the [`Arc`] that [`Telemetry::new`] returns.
#[derive(Debug)]
pub struct Telemetry {
    /// Frames received.
    pub events_received: Family<FeedLabels, Counter>,
    /// Facts admitted as new.
    pub facts: Counter,
    /// Facts that were known already.
    pub duplicates: Counter,
    /// Facts that arrived after their place had been published.
    pub late_facts: Counter,
    /// Facts that wait for what precedes them.
    pub held_facts: Gauge,
    /// Frames refused, by reason.
    pub refused_frames: Family<Reason, Counter>,
    /// Frames that say nothing of participants, by reason.
    pub ignored_frames: Family<Reason, Counter>,
    /// Facts dropped before they were admitted, by reason.
    pub dropped_facts: Family<Reason, Counter>,
    /// Wishes for a REST read that found no room, by reason.
    pub lost_wishes: Family<Reason, Counter>,
    /// 1 while a feed listens.
    pub feed_connected: Family<FeedName, Gauge>,
    /// Seconds since the Unix epoch of the last frame of a feed; shown as an age.
    pub feed_last_heard_at: Family<FeedName, Gauge>,
    /// Seconds since a feed's last frame: filled when the metrics are read.
    pub feed_last_heard: Family<FeedName, Gauge>,
    /// Reconnects, by reason.
    pub reconnects: Family<Reason, Counter>,
    /// REST reads that repair, by result.
    pub repairs: Family<Outcome, Counter>,
    /// Time of a group commit, in seconds.
    pub commit_seconds: Histogram,
    /// Conversations that are active.
    pub active_conversations: Gauge,
    /// Active conversations whose end may have been missed.
    pub suspect_conversations: Gauge,
    /// Conversations in memory.
    pub resident_conversations: Gauge,
    /// Facts that wait in the mailbox.
    pub mailbox_facts: Gauge,
    /// 1 while the store accepts what comes, 0 while the disk refuses it.
    pub store_accepts: Gauge,
    /// Bytes on disk.
    pub store_bytes: Gauge,
    /// Conversations that retention removed, by reason.
    pub removed_conversations: Family<Reason, Counter>,
    /// Pages of cells that retention removed, by reason.
    pub removed_cell_pages: Family<Reason, Counter>,
    /// Seconds since the Unix epoch before which conversations that had ended were removed; 0: none ever was.
    pub removed_before: Gauge,
    /// 1 while nothing may be removed, since our clock has not earned it.
    pub retention_waits: Gauge,
    /// Changes a follower is behind.
    pub follower_lag: Family<FollowerName, Gauge>,
    /// Changes that a follower never gets, since they were not kept for it for so long.
    pub follower_missed: Family<FollowerName, Counter>,
    /// Points or records that a follower's sink has taken.
    pub follower_points: Family<FollowerName, Counter>,
    /// Points that a sink refuses for good, and that are set aside.
    pub follower_refused: Family<FollowerName, Counter>,
    /// Points that no longer stand, in a sink that cannot delete them.
    pub follower_left_behind: Family<FollowerName, Counter>,
    /// Bytes that wait for followers.
    pub outbox_bytes: Gauge,
    /// Parts that panicked and do not run at present.
    pub faults: Faults,
}

impl Telemetry {
    /// Makes the metrics and registers them under `headcount_`.
    pub fn new(registry: &mut Registry) -> Arc<Self> {
        let this = Self {
            events_received: Family::default(),
            facts: Counter::default(),
            duplicates: Counter::default(),
            late_facts: Counter::default(),
            held_facts: Gauge::default(),
            refused_frames: Family::default(),
            ignored_frames: Family::default(),
            dropped_facts: Family::default(),
            feed_connected: Family::default(),
            feed_last_heard_at: Family::default(),
            feed_last_heard: Family::default(),
            reconnects: Family::default(),
            repairs: Family::default(),
            lost_wishes: Family::default(),
            commit_seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 16)),
            active_conversations: Gauge::default(),
            suspect_conversations: Gauge::default(),
            resident_conversations: Gauge::default(),
            mailbox_facts: Gauge::default(),
            store_accepts: Gauge::default(),
            store_bytes: Gauge::default(),
            removed_conversations: Family::default(),
            removed_cell_pages: Family::default(),
            removed_before: Gauge::default(),
            retention_waits: Gauge::default(),
            follower_lag: Family::default(),
            follower_missed: Family::default(),
            follower_points: Family::default(),
            follower_refused: Family::default(),
            follower_left_behind: Family::default(),
            outbox_bytes: Gauge::default(),
            faults: Faults::default(),
        };
        this.register(registry.sub_registry_with_prefix("headcount"));
        this.begin_at_zero();
        Arc::new(this)
    }

    fn register(&self, to: &mut Registry) {
        to.register("events_received", "Frames received", self.events_received.clone());
        to.register("facts", "Facts admitted as new", self.facts.clone());
        to.register("duplicates", "Facts that were known already", self.duplicates.clone());
        to.register("late_facts", "Facts that came after their place was published", self.late_facts.clone());
        to.register("held_facts", "Facts that wait for what precedes them", self.held_facts.clone());
        to.register("refused_frames", "Frames refused", self.refused_frames.clone());
        to.register("ignored_frames", "Frames that say nothing of participants", self.ignored_frames.clone());
        to.register("dropped_facts", "Facts dropped before they were admitted", self.dropped_facts.clone());
        to.register("lost_wishes", "Wishes for a REST read that found no room", self.lost_wishes.clone());
        to.register("feed_connected", "1 while a feed listens", self.feed_connected.clone());
        to.register_with_unit(
            "feed_last_heard",
            "Time since the last frame",
            Unit::Seconds,
            self.feed_last_heard.clone(),
        );
        to.register("reconnects", "Reconnects", self.reconnects.clone());
        to.register("repairs", "REST reads that repair", self.repairs.clone());
        to.register_with_unit("commit", "Time of a group commit", Unit::Seconds, self.commit_seconds.clone());
        to.register("active_conversations", "Active conversations", self.active_conversations.clone());
        let suspects = self.suspect_conversations.clone();
        to.register("suspect_conversations", "Active conversations whose end may have been missed", suspects);
        to.register("resident_conversations", "Conversations in memory", self.resident_conversations.clone());
        to.register("mailbox_facts", "Facts that wait in the mailbox", self.mailbox_facts.clone());
        to.register("store_accepts", "1 while the store accepts what comes", self.store_accepts.clone());
        to.register_with_unit("store", "Size on disk", Unit::Bytes, self.store_bytes.clone());
        let removed = self.removed_conversations.clone();
        to.register("removed_conversations", "Conversations that retention removed", removed);
        let removed = self.removed_cell_pages.clone();
        to.register("removed_cell_pages", "Pages of cells that retention removed", removed);
        to.register_with_unit(
            "removed_before_timestamp",
            "Before when conversations that had ended were removed, since 1970; 0: none ever was",
            Unit::Seconds,
            self.removed_before.clone(),
        );
        let help =
            "1 while retention waits for a clock that was in step for an hour and is confirmed by others";
        to.register("retention_waits", help, self.retention_waits.clone());
        self.register_followers(to);
    }

    fn register_followers(&self, to: &mut Registry) {
        to.register("follower_lag_changes", "Changes a follower is behind", self.follower_lag.clone());
        let counters = [
            ("follower_missed_changes", "Changes that a follower never gets", &self.follower_missed),
            ("follower_points", "Points that a follower's sink has taken", &self.follower_points),
            ("follower_refused_points", "Points that a sink refuses for good", &self.follower_refused),
            (
                "follower_left_behind_points",
                "Points that no longer stand, in a sink that cannot delete them",
                &self.follower_left_behind,
            ),
        ];
        for (name, help, counter) in counters {
            to.register(name, help, counter.clone());
        }
        to.register_with_unit("outbox", "What waits for followers", Unit::Bytes, self.outbox_bytes.clone());
    }

    /// Series that exist from the start, so that a rule on them can tell "none" from "not measured".
    fn begin_at_zero(&self) {
        self.store_accepts.set(1);
        for reason in ["mailbox_full", "mailbox_full_urgent", "conversation_full"] {
            self.dropped_facts.get_or_create(&Reason { reason }).inc_by(0);
        }
        for reason in ["age", "size"] {
            self.removed_conversations.get_or_create(&Reason { reason }).inc_by(0);
            self.removed_cell_pages.get_or_create(&Reason { reason }).inc_by(0);
        }
        for reason in ["suspect", "dropped"] {
            self.lost_wishes.get_or_create(&Reason { reason }).inc_by(0);
        }
        for result in ["ok", "gone", "forbidden", "failed"] {
            self.repairs.get_or_create(&Outcome { result }).inc_by(0);
        }
        self.refused_frames.get_or_create(&Reason { reason: "not_json" }).inc_by(0);
        self.reconnects.get_or_create(&Reason { reason: "closed" }).inc_by(0);
        self.follower_lag.get_or_create(&FollowerName { follower: "change_stream" }).set(0);
    }

    /// Notes that a feed was heard at `now` (nanoseconds since the epoch).
    pub fn heard(&self, feed: &str, now: i64) {
        self.feed_last_heard_at.get_or_create(&FeedName { feed: feed.to_owned() }).set(now / engine::SECOND);
    }

    /// Brings the ages up to date for the feeds named, before the metrics are shown.
    pub fn refresh(&self, feeds: &[String], now: i64) {
        for feed in feeds {
            let name = FeedName { feed: feed.clone() };
            let heard = self.feed_last_heard_at.get_or_create(&name).get();
            if heard > 0 {
                self.feed_last_heard.get_or_create(&name).set((now / engine::SECOND - heard).max(0));
            }
        }
    }
}
