//! What is being repaired together, and what that proves.

use super::{Read, Request};
use crate::listening::Millis;
use engine::{FeedEvent, Id};
use std::collections::HashSet;

/// Conversations of a round that nobody can read: where there are more, it is no matter of single ones.
const UNREAD_MAX: usize = 100;

/// A round.
#[derive(Debug)]
pub(super) struct Round {
    pub requests: Vec<Request>,
    pub began: Millis,
    left: HashSet<Id>,
    listing: bool,
    pub problem: Option<String>,
    /// The problem will last.
    pub lasts: bool,
    /// What nobody can read.
    pub unread: Vec<Id>,
    unread_because: String,
}

impl Round {
    /// One that begins with its list.
    pub fn new(now: Millis, requests: Vec<Request>) -> Self {
        Self {
            requests,
            began: now,
            left: HashSet::new(),
            listing: true,
            problem: None,
            lasts: false,
            unread: Vec::new(),
            unread_because: String::new(),
        }
    }

    /// All that is to be read is known.
    pub fn listed(&mut self, left: impl Iterator<Item = Id>, problem: Option<String>, too_old: bool) {
        self.left.extend(left);
        self.listing = false;
        (self.problem, self.lasts) = (problem, too_old);
    }

    /// A read ended.
    pub fn read(&mut self, id: &Id, read: &Read) {
        let Some(problem) = read.problem().filter(|_| self.left.contains(id)) else {
            self.left.remove(id);
            return;
        };
        self.left.remove(id);
        let alone = matches!(read, Read::Unreadable(_));
        if alone && self.unread.len() < UNREAD_MAX {
            if self.unread.is_empty() {
                self.unread_because = problem;
            }
            return self.unread.push(id.clone());
        }
        self.lasts |= alone;
        self.problem.get_or_insert(problem);
    }

    /// Nothing is left of it.
    pub fn is_done(&self) -> bool {
        !self.listing && self.left.is_empty()
    }

    /// What it says of its feeds.
    pub fn event(&self) -> FeedEvent {
        match &self.problem {
            Some(problem) => FeedEvent::RepairFailed { reason: problem.clone() },
            None if self.unread.is_empty() => FeedEvent::Repaired,
            None => {
                FeedEvent::RepairedBut { unread: self.unread.clone(), reason: self.unread_because.clone() }
            }
        }
    }

    /// How many nobody can read, and why the first of them.
    pub fn unread_because(&self) -> Option<(usize, String)> {
        (!self.unread.is_empty()).then(|| (self.unread.len(), self.unread_because.clone()))
    }
}
