//! What became of each topic of one channel.
//!
//! A topic is heard when the platform's answer says so by name, not when a call was made: a call may fail, and an answer
//! may leave topics out. Whatever was neither accepted nor rejected is asked for again, after waits that begin with a
//! second and grow. Calls carry `ignoreErrors=true`, so that a topic without permission takes no other with it.
//!
//! Rejected: counting what was asked for as heard (a queue whose one call failed was skipped by every later look), and
//! reading the channel's topics back (one more call for each answer that was right).

use super::{Failure, Millis, millis};
use crate::Timing;
use outward::Backoff;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

/// Topics in one call: 100 of at most 200 characters are some 20 KiB.
const CHUNK_TOPICS: usize = 100;
/// The scale of the first waits after a failure.
const RETRY_MIN: Duration = Duration::from_secs(1);

/// A topic that the platform did not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The topic.
    pub topic: String,
    /// Permissions that are missing for it.
    pub missing: Vec<String>,
    /// What the platform said.
    pub reason: String,
}

/// What a subscription's answer says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Topics on the channel now, as the platform spells them.
    pub accepted: Vec<String>,
    /// Topics that it refuses.
    pub rejected: Vec<Rejection>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Waiting,
    Asked,
    Accepted,
    Rejected(Rejection),
}

/// The topics of one channel.
#[derive(Debug)]
pub(super) struct Subscriptions {
    /// In the order in which they are asked for.
    topics: Vec<String>,
    standing: HashMap<String, Standing>,
    /// Topics before this one were asked for at least once on the present channel.
    tried: usize,
    /// The present channel, by number; there is none before the first is made.
    channel: Option<u32>,
    /// What was asked for and is not answered.
    asked: Vec<String>,
    /// When what is left is asked for again.
    due: Millis,
    /// Why something is left.
    failure: Option<Failure>,
    waits: Backoff,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.missing.as_slice() {
            [] if self.reason.is_empty() => write!(f, "{}: rejected without a reason", self.topic),
            [] => write!(f, "{}: {}", self.topic, self.reason),
            missing => {
                write!(f, "{}: the OAuth client lacks the permission {}", self.topic, missing.join(", "))
            }
        }
    }
}

impl Subscriptions {
    /// No topic, and no channel to put one on.
    pub fn new(timing: &Timing, random: fastrand::Rng) -> Self {
        let retry_min = timing.backoff_min.max(RETRY_MIN).min(timing.backoff_max);
        Self {
            topics: Vec::new(),
            standing: HashMap::new(),
            tried: 0,
            channel: None,
            asked: Vec::new(),
            due: 0,
            failure: None,
            waits: Backoff::new(retry_min, timing.backoff_max, random),
        }
    }

    /// More topics, none of which was there before.
    pub fn add(&mut self, now: Millis, topics: Vec<String>) {
        self.standing.extend(topics.iter().map(|topic| (topic.clone(), Standing::Waiting)));
        self.topics.extend(topics);
        self.due = self.due.min(now);
    }

    /// A new channel, with nothing on it.
    pub fn begin(&mut self, now: Millis, channel: u32) {
        self.standing.values_mut().for_each(|standing| *standing = Standing::Waiting);
        self.asked.clear();
        (self.channel, self.tried, self.due, self.failure) = (Some(channel), 0, now, None);
        self.waits.reset();
    }

    /// The topics to ask for, and on which channel.
    pub fn poll_ask(&mut self, now: Millis) -> Option<(u32, Vec<String>)> {
        let channel = self.channel.filter(|_| self.asked.is_empty())?;
        if self.tried < self.topics.len() {
            let end = self.topics.len().min(self.tried + CHUNK_TOPICS);
            self.asked = self.topics[std::mem::replace(&mut self.tried, end)..end].to_vec();
        } else if self.due <= now {
            self.asked = self.waiting().take(CHUNK_TOPICS).cloned().collect();
        }
        for topic in &self.asked {
            self.standing.insert(topic.clone(), Standing::Asked);
        }
        (!self.asked.is_empty()).then(|| (channel, self.asked.clone()))
    }

    /// When [`Subscriptions::poll_ask`] has something again.
    pub fn poll_timeout(&self) -> Option<Millis> {
        self.channel.filter(|_| self.asked.is_empty())?;
        if self.tried < self.topics.len() {
            return Some(0);
        }
        self.waiting().next().map(|_| self.due)
    }

    /// A call was answered. What the answer does not mention waits again.
    pub fn handle_answer(&mut self, now: Millis, channel: u32, answer: Answer) {
        if self.channel != Some(channel) {
            return;
        }
        let asked = std::mem::take(&mut self.asked);
        let accepted: HashSet<String> =
            answer.accepted.into_iter().map(|topic| topic.to_ascii_lowercase()).collect();
        let mut rejected: HashMap<String, Rejection> =
            answer.rejected.into_iter().map(|one| (one.topic.clone(), one)).collect();
        let mut left_out = 0;
        for topic in asked {
            let standing = match rejected.remove(&topic) {
                Some(rejection) => Standing::Rejected(rejection),
                None if names(&accepted, &topic) => Standing::Accepted,
                None => {
                    left_out += 1;
                    Standing::Waiting
                }
            };
            self.standing.insert(topic, standing);
        }
        if left_out > 0 {
            let problem = format!("the platform's answer left out {left_out} of them");
            self.wait(now, Failure { problem, retry_in: Duration::ZERO, lasting: false });
        } else if self.waiting().next().is_none() {
            self.failure = None;
            self.waits.reset();
        }
    }

    /// A call failed: all that it asked for waits again.
    pub fn handle_failure(&mut self, now: Millis, channel: u32, failure: Failure) {
        if self.channel != Some(channel) {
            return;
        }
        for topic in std::mem::take(&mut self.asked) {
            self.standing.insert(topic, Standing::Waiting);
        }
        self.wait(now, failure);
    }

    /// Whether every topic was asked for once on the present channel, and answered somehow.
    pub fn were_tried(&self) -> bool {
        self.channel.is_some() && self.asked.is_empty() && self.tried == self.topics.len()
    }

    /// Whether any topic was accepted or rejected, so that the channel is of use.
    pub fn any_settled(&self) -> bool {
        let settled = |s: &Standing| matches!(s, Standing::Accepted | Standing::Rejected(_));
        self.standing.values().any(settled)
    }

    /// Why something is left to ask for.
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// What was rejected, in the order of the topics.
    pub fn rejected(&self) -> impl Iterator<Item = &Rejection> {
        self.topics.iter().filter_map(|topic| match self.standing.get(topic) {
            Some(Standing::Rejected(rejection)) => Some(rejection),
            _ => None,
        })
    }

    /// What is not heard, in words for a person; `None` when everything is.
    pub fn unheard(&self) -> Option<String> {
        let rejected = self.rejected().count();
        let open = |s: &&Standing| matches!(s, Standing::Waiting | Standing::Asked);
        let open = self.standing.values().filter(open).count();
        let rejected = self
            .rejected()
            .next()
            .map(|first| format!("{rejected} topics are not heard; the first is {first}"));
        let why = self.failure.as_ref().map(|failure| format!(": {}", failure.problem)).unwrap_or_default();
        let open = (open > 0).then(|| format!("{open} topics are not subscribed yet{why}"));
        let parts: Vec<String> = rejected.into_iter().chain(open).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    fn waiting(&self) -> impl Iterator<Item = &String> {
        self.topics.iter().filter(|topic| self.standing.get(*topic) == Some(&Standing::Waiting))
    }

    fn wait(&mut self, now: Millis, failure: Failure) {
        self.due = now + millis(self.waits.wait().max(failure.retry_in));
        self.failure = Some(failure);
    }
}

/// Whether an answer names a topic: as it was asked for, or by the conversations' part of a combined one.
fn names(accepted: &HashSet<String>, topic: &str) -> bool {
    let topic = topic.to_ascii_lowercase();
    let expanded = topic.split_once('?').map(|(prefix, _)| format!("{prefix}.conversations"));
    accepted.contains(&topic) || expanded.is_some_and(|topic| accepted.contains(&topic))
}

#[cfg(test)]
mod tests;
