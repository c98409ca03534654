//! Which topic is on which channel.
//!
//! A topic stays on the channel that it was put on: moving one would open a hole. Rejected: one channel for each kind of
//! topic (a small organisation would hold two sockets for nothing).

use crate::TopicTarget;
use std::collections::HashSet;

/// Topics that a channel takes (Genesys notification limits).
pub(crate) const TOPICS_OF_CHANNEL_MAX: usize = 1_000;
/// Channels that a client may have; one more evicts the one used longest ago.
pub(crate) const CHANNELS_MAX: usize = 20;

/// Which topic is on which channel.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    planned: HashSet<String>,
    /// Those that no channel is left for.
    left_over: HashSet<String>,
    /// Topics on each channel so far.
    sizes: Vec<usize>,
}

/// What a channel gets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// The channel, from 0.
    pub channel: usize,
    /// Its new topics.
    pub topics: Vec<String>,
}

impl Plan {
    /// Puts what is new on channels with room, then on new ones.
    pub fn add(&mut self, targets: impl IntoIterator<Item = TopicTarget>) -> Vec<Share> {
        let mut shares: Vec<Share> = Vec::new();
        for topic in targets.into_iter().map(|target| target.topic()) {
            if self.planned.contains(&topic) {
                continue;
            }
            let Some(channel) = self.room() else {
                self.left_over.insert(topic);
                continue;
            };
            self.sizes[channel] += 1;
            self.planned.insert(topic.clone());
            match shares.iter_mut().find(|share| share.channel == channel) {
                Some(share) => share.topics.push(topic),
                None => shares.push(Share { channel, topics: vec![topic] }),
            }
        }
        shares
    }

    /// How many topics are on channels.
    pub fn len(&self) -> usize {
        self.planned.len()
    }

    /// How many topics no channel is left for.
    pub fn left_over(&self) -> usize {
        self.left_over.len()
    }

    fn room(&mut self) -> Option<usize> {
        if let Some(channel) = self.sizes.iter().position(|&size| size < TOPICS_OF_CHANNEL_MAX) {
            return Some(channel);
        }
        if self.sizes.len() == CHANNELS_MAX {
            return None;
        }
        self.sizes.push(0);
        Some(self.sizes.len() - 1)
    }
}

#[cfg(test)]
mod tests;
