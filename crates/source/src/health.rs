//! How a source is doing, for people and for readiness.

use crate::Rejection;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a source is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Every feed, by name.
    pub feeds: Vec<FeedHealth>,
    /// Topics that the platform rejected.
    pub rejected: Vec<Rejection>,
    /// What is wrong apart from a feed, in words for a person: discovery, repair.
    pub problems: Vec<String>,
}

/// How a feed is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedHealth {
    /// Its name.
    pub name: String,
    /// It listens.
    pub connected: bool,
    /// Why not, in words for a person.
    pub problem: Option<String>,
}

impl Health {
    /// True when there is a feed and every one listens.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        !self.feeds.is_empty() && self.feeds.iter().all(|feed| feed.connected)
    }
}

/// Where the parts of a source write down how they are doing.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    feeds: BTreeMap<String, (bool, Option<String>)>,
    rejected: BTreeMap<String, Vec<Rejection>>,
    problems: BTreeMap<&'static str, String>,
}

impl Board {
    /// A feed listens.
    pub fn connected(&self, feed: &str) {
        self.lock().feeds.insert(feed.to_owned(), (true, None));
    }

    /// A feed does not listen, and why.
    pub fn disconnected(&self, feed: &str, problem: String) {
        self.lock().feeds.insert(feed.to_owned(), (false, Some(problem)));
    }

    /// The topics of a feed that are rejected.
    pub fn rejected(&self, feed: &str, rejected: Vec<Rejection>) {
        self.lock().rejected.insert(feed.to_owned(), rejected);
    }

    /// Something apart from a feed is wrong, or right again.
    pub fn problem(&self, of: &'static str, problem: Option<String>) {
        match problem {
            Some(problem) => self.lock().problems.insert(of, problem),
            None => self.lock().problems.remove(of),
        };
    }

    /// As it stands.
    pub fn read(&self) -> Health {
        let state = self.lock();
        let feeds = state.feeds.iter().map(|(name, (connected, problem))| FeedHealth {
            name: name.clone(),
            connected: *connected,
            problem: problem.clone(),
        });
        Health {
            feeds: feeds.collect(),
            rejected: state.rejected.values().flatten().cloned().collect(),
            problems: state.problems.values().cloned().collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
