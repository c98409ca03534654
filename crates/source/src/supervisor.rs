//! Finds out what to listen to and keeps one driver for each channel that it takes.
//!
//! Discovery is repeated, so that a queue or user that is new is heard within minutes; a failure to look up one list
//! leaves the other to work with. Topics that are named need no look-up.

use crate::context::Context;
use crate::repair::Rounds;
use crate::sink::Sink;
use crate::topics::{CHANNELS_MAX, Plan, TOPICS_OF_CHANNEL_MAX};
use crate::{TopicTarget, Topics, discovery, notifications};
use outward::Backoff;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Lists of new topics that may wait for a driver.
const SHARES_WAITING_MAX: usize = 16;

struct Supervisor<S> {
    context: Arc<Context<S>>,
    rounds: Rounds,
    plan: Plan,
    topics_of: Vec<mpsc::Sender<Vec<String>>>,
    drivers: JoinSet<()>,
}

/// Runs every notification channel until the source is cancelled.
pub(crate) async fn run<S: Sink>(context: Arc<Context<S>>, rounds: Rounds) {
    let cancel = context.cancel.clone();
    let mut supervisor =
        Supervisor { context, rounds, plan: Plan::default(), topics_of: Vec::new(), drivers: JoinSet::new() };
    cancel.run_until_cancelled(supervisor.plan_forever()).await;
    supervisor.topics_of.clear();
    while supervisor.drivers.join_next().await.is_some() {}
}

impl<S: Sink> Supervisor<S> {
    async fn plan_forever(&mut self) {
        if let Topics::Named(targets) = &self.context.settings.topics {
            self.spread(targets.clone()).await;
            return self.context.cancel.cancelled().await;
        }
        let timing = self.context.settings.timing;
        let mut waits = Backoff::new(timing.backoff_min, timing.backoff_max, fastrand::Rng::new());
        loop {
            let wait = match self.discover().await {
                Ok(()) => {
                    waits.reset();
                    timing.rediscover_every
                }
                Err(retry_in) => waits.wait().max(retry_in).max(timing.backoff_min),
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// Looks up and subscribes what is new; an error says how long another look is of no use.
    async fn discover(&mut self) -> Result<(), Duration> {
        let found = discovery::discover(&self.context.api).await;
        let problem =
            found.failures.iter().map(|(what, error)| format!("the {what} cannot be looked up: {error}"));
        let problem = problem.collect::<Vec<_>>().join("; ");
        if !problem.is_empty() {
            tracing::warn!("{problem}. They are not heard until this is mended");
        }
        let nothing_there = found.targets.is_empty() && found.failures.is_empty();
        if nothing_there {
            tracing::warn!(
                "the organisation shows no queue and no user to this OAuth client: look at its divisions"
            );
        }
        self.context.board.problem("discovery", Some(problem).filter(|problem| !problem.is_empty()));
        self.spread(found.targets).await;
        match found.failures.iter().map(|(_, error)| error.retry_in()).max() {
            Some(retry_in) if self.plan.len() == 0 => Err(retry_in),
            _ => Ok(()),
        }
    }

    async fn spread(&mut self, targets: Vec<TopicTarget>) {
        let (shares, without_channel) = self.plan.add(targets);
        if without_channel > 0 {
            tracing::warn!(
                "{without_channel} queues and users are not heard: {CHANNELS_MAX} channels of {TOPICS_OF_CHANNEL_MAX} \
                 topics are all that one OAuth client has. Name the topics, or share them between several clients"
            );
        }
        for share in shares {
            while self.topics_of.len() <= share.channel {
                self.add_driver();
            }
            let _driver_stopped = self.topics_of[share.channel].send(share.topics).await;
        }
    }

    fn add_driver(&mut self) {
        let (topics, wanted) = mpsc::channel(SHARES_WAITING_MAX);
        let index = u16::try_from(self.topics_of.len()).unwrap_or(u16::MAX);
        self.topics_of.push(topics);
        self.drivers.spawn(notifications::run(self.context.clone(), index, wanted, self.rounds.clone()));
    }
}
