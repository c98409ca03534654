//! A pipeline on a folder of its own, with the follower behind it.

use engine::*;
use influx::{Running, Settings, Timing};
use pipeline::*;
use prometheus_client::registry::Registry;
use secrecy::SecretString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::OutboxBounds;
use tokio_util::sync::CancellationToken;

pub const NOON: i64 = 1_767_268_800 * SECOND;
pub const LIMIT: Duration = Duration::from_secs(30);

pub struct World {
    pub pipeline: Pipeline,
    pub telemetry: Arc<Telemetry>,
    pub clock: Clock,
    running: Running,
    cancel: CancellationToken,
}

/// How to write to a server of these tests: impatient.
pub fn settings(url: &str, bucket: &str) -> Settings {
    let mut settings = Settings::new(influx::read_url(url, &outward::PlainHosts::default()).unwrap(), bucket);
    settings.batch_wait = Duration::from_millis(20);
    settings.timing = Timing {
        request_timeout: Duration::from_secs(10),
        backoff_min: Duration::from_millis(5),
        backoff_max: Duration::from_millis(50),
        ..Timing::default()
    };
    settings
}

pub fn with_token(mut settings: Settings, token: &str) -> Settings {
    settings.token = Some(SecretString::from(token.to_owned()));
    settings
}

impl World {
    pub fn start(folder: &Path, settings: Settings) -> Self {
        Self::with(folder, settings, OutboxBounds::default())
    }

    pub fn with(folder: &Path, settings: Settings, outbox: OutboxBounds) -> Self {
        let telemetry = Telemetry::new(&mut Registry::default());
        let clock = Clock::manual(NOON);
        let with = pipeline::Settings { outbox: Some(outbox), ..pipeline::Settings::default() };
        let pipeline = Pipeline::start(folder, with, telemetry.clone(), clock.clone(), 7).unwrap();
        let follower = Follower::open(folder, influx::NAME, &pipeline.reader(), telemetry.clone()).unwrap();
        let cancel = CancellationToken::new();
        let running =
            influx::start(settings, follower, telemetry.clone(), clock.clone(), cancel.clone()).unwrap();
        Self { pipeline, telemetry, clock, running, cancel }
    }

    pub async fn submit(&self, deliveries: Vec<Delivery>) {
        self.pipeline.intake().submit(deliveries, Vec::new()).await;
    }

    /// Waits until `pass` holds.
    pub async fn until(&self, what: &str, pass: impl Fn() -> bool) {
        let waited = tokio::time::timeout(LIMIT, async {
            while !pass() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        assert!(waited.await.is_ok(), "never: {what}; {:?}", self.status());
    }

    pub fn status(&self) -> FollowerStatus {
        self.pipeline.reader().followers().status().remove(0)
    }

    pub fn seq(&self) -> u64 {
        self.pipeline.reader().summary().position.seq
    }

    /// Waits until `events` events are counted and the server has all of it.
    pub async fn settled(&self, events: u64) {
        let reader = self.pipeline.reader();
        self.until("all events are committed", || {
            reader.summary().activity.counts.iter().sum::<u64>() == events
        })
        .await;
        self.until("the server has all", || self.status().lag_changes == 0).await;
    }

    /// How many entries each conversation's timeline has.
    pub async fn entries(&self) -> Vec<(Id, Vec<TimelineEntry>)> {
        let reader = self.pipeline.reader();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = reader.list(Filter::default(), after, 1_000, When::default()).await.unwrap().value;
            for view in page.items {
                let timeline = reader.timeline(view.id.clone(), None).await.unwrap().value.unwrap();
                found.push((view.id, timeline));
            }
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    }

    /// Stops the follower first, as the program does.
    pub async fn stop(self) {
        self.cancel.cancel();
        self.running.ended().await;
        self.pipeline.drain(Duration::from_secs(10)).await.unwrap();
    }
}

/// What happens to a participant: `n` tells events apart, `ms` is when.
pub fn event(conversation: &str, n: u64, ms: i64, state: &str) -> Delivery {
    let mut fact = Fact::new(What::State);
    fact.participant = Id::new(&format!("{conversation}-p{}", n % 2)).ok();
    fact.state = Word::new(state);
    fact.role = Word::new(if n.is_multiple_of(2) { "agent" } else { "customer" });
    fact.at = Some(Time::from_millis(NOON / 1_000_000 + ms));
    fact.authority = Authority::Recorded;
    fact.id = FactId::of_event(&format!("{conversation}-{n}"));
    let facts = std::iter::once(fact).collect();
    let conversation = Id::new(conversation).unwrap();
    Delivery {
        conversation,
        feed: 0,
        source: Source::Events,
        topic: 0,
        received: NOON,
        facts,
        toggles: Vec::new(),
    }
}

/// `conversations` conversations with `events` events each, of which many share an instant.
pub fn history(conversations: u64, events: u64) -> Vec<Delivery> {
    let states = ["alerting", "connected", "held", "connected", "disconnected"];
    let mut all = Vec::new();
    for n in 0..events {
        for c in 0..conversations {
            let ms = (n / 2 * 7 + c % 3).cast_signed();
            all.push(event(&format!("c{c}"), n, ms, states[(n as usize) % states.len()]));
        }
    }
    all
}
