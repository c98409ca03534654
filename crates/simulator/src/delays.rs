//! Faults on the way to a socket: each frame late by its own amount, and some sent twice.
//!
//! Frames wait here, ordered by when they are due, and are handed out to whoever is connected at that moment; a frame
//! that is due while nobody is there is lost, as on the platform. Without faults a frame is due at once and comes out
//! in the order in which it went in. Rejected: delays inside each socket (frames on their way would die with it, and
//! the events gateway could not send them again).

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use fastrand::Rng;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use crate::time::Millis;

#[cfg(test)]
mod tests;

/// Frames that may wait; beyond, they are due at once.
const WAITING_MAX: usize = 400_000;

/// A second copy comes within this time even without reordering.
const DUPLICATE_WITHIN_MS: u64 = 1_000;

/// Whom a frame is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    Channel(Uuid),
    /// Whoever listens to events of this type.
    Gateway {
        type_bit: u8,
    },
}

/// A frame on its way.
pub struct Delayed {
    due: Millis,
    sequence: u64,
    pub target: Target,
    /// What it is about, if it is about a conversation.
    pub conversation: Option<Uuid>,
    pub text: Utf8Bytes,
}

impl PartialEq for Delayed {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl Eq for Delayed {}

impl PartialOrd for Delayed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Delayed {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due, self.sequence).cmp(&(other.due, other.sequence))
    }
}

/// The frames on their way, and the dice that delay them.
pub struct Delays {
    rng: Rng,
    duplicates: f64,
    reorder_ms: u64,
    sequence: u64,
    waiting: BinaryHeap<Reverse<Delayed>>,
}

impl Delays {
    /// Nothing on its way.
    pub fn new(seed: u64, duplicates: f64, reorder_ms: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed ^ 0x0ddb_a115_de1a_7ed0),
            duplicates,
            reorder_ms,
            sequence: 0,
            waiting: BinaryHeap::new(),
        }
    }

    /// Sends a frame on its way at `now`.
    pub fn send(&mut self, now: Millis, target: Target, conversation: Option<Uuid>, text: Utf8Bytes) {
        let due = now + self.within(self.reorder_ms);
        if self.duplicates > 0.0 && self.rng.f64() < self.duplicates {
            let again = due + self.within(self.reorder_ms.max(DUPLICATE_WITHIN_MS));
            self.push(now, again, target, conversation, text.clone());
        }
        self.push(now, due, target, conversation, text);
    }

    /// When the next frame is due.
    pub fn due(&self) -> Option<Millis> {
        self.waiting.peek().map(|Reverse(frame)| frame.due)
    }

    /// Takes the next frame that is due at `now`.
    pub fn next(&mut self, now: Millis) -> Option<Delayed> {
        if self.due()? > now {
            return None;
        }
        self.waiting.pop().map(|Reverse(frame)| frame)
    }

    fn push(
        &mut self,
        now: Millis,
        due: Millis,
        target: Target,
        conversation: Option<Uuid>,
        text: Utf8Bytes,
    ) {
        self.sequence += 1;
        let due = if self.waiting.len() < WAITING_MAX { due } else { now };
        self.waiting.push(Reverse(Delayed { due, sequence: self.sequence, target, conversation, text }));
    }

    fn within(&mut self, ms: u64) -> Millis {
        self.rng.u64(0..=ms) as Millis
    }
}
