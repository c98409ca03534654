//! What a node wants to read by REST, and which holes that closes.
//!
//! The same contract as the program's own repair: after each connect all that is live, and all that the hole may hide, is
//! read; only when every read succeeded, and the feed still listens as it did when the round began, is its hole told to
//! be repaired. The program's is a set of tasks around sockets; this one is told when things happen.

use engine::Id;
use std::collections::{BTreeMap, BTreeSet};

/// A feed that wants its holes closed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub feed: u16,
    /// Since when something may be missing, by the node's clock in nanoseconds.
    pub since: i64,
    /// Which time of listening this is about.
    pub time: u64,
}

#[derive(Debug)]
pub(crate) struct Round {
    pub requests: Vec<Request>,
    pub left: BTreeSet<Id>,
    pub failed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Repairer {
    requests: BTreeMap<u16, Request>,
    /// Holes whose rounds proved nothing.
    carried: BTreeMap<u16, i64>,
    pub round: Option<Round>,
    /// Conversations that were wished for and wait to be asked for.
    pub wished: BTreeSet<Id>,
    /// Conversations that are being read, each once at a time: two answers about one may overtake one another.
    pub reading: BTreeSet<Id>,
}

impl Repairer {
    pub fn ask(&mut self, mut request: Request) {
        if let Some(earlier) = self.requests.get(&request.feed) {
            request.since = request.since.min(earlier.since);
        }
        self.requests.insert(request.feed, request);
    }

    /// Nothing is asked for or under way.
    pub fn is_idle(&self) -> bool {
        self.requests.is_empty() && self.round.is_none() && self.wished.is_empty() && self.reading.is_empty()
    }

    /// The requests of a new round, when there may be one; `times`: how each feed listens now.
    pub fn begin(&mut self, times: impl Fn(u16) -> u64) -> Option<Vec<Request>> {
        if self.round.is_some() {
            return None;
        }
        for request in std::mem::take(&mut self.requests).into_values() {
            let carried = self.carried.remove(&request.feed);
            let since = carried.map_or(request.since, |carried| carried.min(request.since));
            if times(request.feed) == request.time {
                self.requests.insert(request.feed, Request { since, ..request });
            } else {
                self.carried.insert(request.feed, since);
            }
        }
        let requests: Vec<Request> = std::mem::take(&mut self.requests).into_values().collect();
        (!requests.is_empty()).then_some(requests)
    }

    /// A read of a round ended; the round when it was the last of it.
    pub fn done(&mut self, id: &Id, failed: bool) -> Option<Round> {
        if let Some(round) = &mut self.round
            && round.left.remove(id)
        {
            round.failed |= failed;
        }
        self.finished()
    }

    /// The round when nothing is left of it.
    pub fn finished(&mut self) -> Option<Round> {
        self.round.take_if(|round| round.left.is_empty())
    }

    /// The wall clock was set back by so much: what it read before is earlier by it now.
    pub fn clock_was_set(&mut self, back: i64) {
        let asked = self.requests.values_mut().map(|request| &mut request.since);
        let rounds = self.round.iter_mut().flat_map(|round| &mut round.requests);
        asked.chain(rounds.map(|request| &mut request.since)).for_each(|since| *since += back);
        self.carried.values_mut().for_each(|since| *since += back);
    }

    pub fn carry(&mut self, request: &Request) {
        let since = self.carried.get(&request.feed).map_or(request.since, |known| *known.min(&request.since));
        self.carried.insert(request.feed, since);
    }
}
