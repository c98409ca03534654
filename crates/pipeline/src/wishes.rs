//! Wishes of the engine on their way to the source.
//!
//! The channel to the source is bounded, and REST reads are slow: after a hole in a large organisation more is wished for
//! than finds room. What finds none waits here, each conversation once, and goes as room comes. The wishes of a gap go
//! first and are never lost: a conversation that began days ago and ended in the hole is in no list that a round of repair
//! can ask for, so that only its wish reads it. There are at most as many as active conversations, which are in memory
//! anyway. The others are bounded, and what is lost of them is counted: their conversations are known to lack something,
//! or are asked for again. Rejected: a wider channel (a bound that is never right), and leaving out what finds no room.

use crate::Wish;
use engine::Id;
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// The reason of a wish for a conversation that was active in a hole.
const GAP: &str = "gap";
/// Other wishes that may wait for room: some 10 MB.
const OTHERS_MAX: usize = 100_000;

/// What is wished for and not handed over yet.
#[derive(Debug)]
pub(crate) struct Wishes {
    source: mpsc::Sender<Wish>,
    /// By conversation: not before this instant, in nanoseconds since the epoch.
    gaps: BTreeMap<Id, i64>,
    /// By conversation: why, and not before when.
    others: BTreeMap<Id, (&'static str, i64)>,
}

impl Wishes {
    /// None yet, for whoever reads the other end.
    pub fn new(source: mpsc::Sender<Wish>) -> Self {
        Self { source, gaps: BTreeMap::new(), others: BTreeMap::new() }
    }

    /// Takes a wish that came up at `now`; one that is not about a gap waits `delay` until the dust has settled, both in
    /// nanoseconds. False when there is no room for it, so that it is lost.
    pub fn add(&mut self, conversation: Id, reason: &'static str, now: i64, delay: i64) -> bool {
        if reason == GAP {
            self.others.remove(&conversation);
            self.gaps.entry(conversation).or_insert(now);
            return true;
        }
        if self.gaps.contains_key(&conversation) || self.others.contains_key(&conversation) {
            return true;
        }
        if self.others.len() >= OTHERS_MAX {
            return false;
        }
        self.others.insert(conversation, (reason, now.saturating_add(delay)));
        true
    }

    /// Hands over what there is room for.
    pub fn send(&mut self) {
        while let Some(wish) = self.next() {
            match self.source.try_send(wish) {
                Ok(()) => {}
                Err(TrySendError::Full(wish)) => return self.put_back(wish),
                Err(TrySendError::Closed(_)) => {
                    // No source repairs.
                    self.gaps.clear();
                    self.others.clear();
                }
            }
        }
    }

    /// Whether any waits for room.
    pub fn wait(&self) -> bool {
        !self.gaps.is_empty() || !self.others.is_empty()
    }

    /// Whether any of a gap does.
    pub fn gaps_wait(&self) -> bool {
        !self.gaps.is_empty()
    }

    /// The channel to the source, to wait for room on.
    pub fn source(&self) -> mpsc::Sender<Wish> {
        self.source.clone()
    }

    fn next(&mut self) -> Option<Wish> {
        if let Some((conversation, not_before)) = self.gaps.pop_first() {
            return Some(Wish { conversation, reason: GAP, not_before });
        }
        let (conversation, (reason, not_before)) = self.others.pop_first()?;
        Some(Wish { conversation, reason, not_before })
    }

    fn put_back(&mut self, wish: Wish) {
        if wish.reason == GAP {
            self.gaps.insert(wish.conversation, wish.not_before);
        } else {
            self.others.insert(wish.conversation, (wish.reason, wish.not_before));
        }
    }
}

#[cfg(test)]
mod tests;
