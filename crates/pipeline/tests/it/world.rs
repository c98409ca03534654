//! A pipeline on a folder of its own, and short ways to hand it facts.

use engine::*;
use pipeline::*;
use prometheus_client::registry::Registry;
use std::path::Path;
use std::sync::Arc;

pub const NOON: i64 = 1_767_268_800 * SECOND;

pub struct World {
    pub pipeline: Pipeline,
    pub telemetry: Arc<Telemetry>,
    pub clock: Clock,
}

pub fn world(folder: &Path, mailbox: MailboxSettings) -> World {
    let telemetry = Telemetry::new(&mut Registry::default());
    let clock = Clock::manual(NOON);
    let settings = Settings { mailbox, ..Settings::default() };
    let pipeline = Pipeline::start(folder, settings, telemetry.clone(), clock.clone(), 7).unwrap();
    World { pipeline, telemetry, clock }
}

pub fn event(conversation: &str, n: u64, what: What, state: &str) -> Delivery {
    let mut fact = Fact::new(what);
    fact.participant = (what != What::LifeCycle).then(|| Id::new("p").unwrap());
    fact.state = Word::new(state);
    fact.at = Some(Time::from_millis(NOON / 1_000_000 + n as i64));
    fact.authority = Authority::Recorded;
    fact.id = FactId::of_event(&format!("{conversation}-{n}"));
    Delivery {
        conversation: Id::new(conversation).unwrap(),
        feed: 0,
        source: Source::Events,
        topic: 0,
        received: NOON,
        facts: std::iter::once(fact).collect(),
        toggles: Vec::new(),
    }
}

/// Waits until the summary passes.
pub async fn until(reader: &Reader, pass: impl Fn(&Summary) -> bool) -> Arc<Summary> {
    let found = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        loop {
            let summary = reader.summary();
            if pass(&summary) {
                return summary;
            }
            tokio::task::yield_now().await;
        }
    });
    found.await.expect("the summary never passed")
}

pub fn events_in(summary: &Summary) -> u64 {
    summary.activity.counts.iter().sum()
}
