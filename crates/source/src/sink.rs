//! Where decoded facts go.
//!
//! The pipeline's intake in the program; a recorder in tests, which need no shard and no disk.

use engine::{Delivery, FeedNote, UserFact};
use pipeline::Intake;
use std::future::Future;

/// Takes what a source hears.
pub trait Sink: Clone + Send + Sync + 'static {
    /// Takes what frames or REST reads said; may wait for room.
    fn submit(&self, deliveries: Vec<Delivery>, users: Vec<UserFact>) -> impl Future<Output = ()> + Send;

    /// Takes what became of a feed, in order with the facts handed in before.
    fn note(&self, note: FeedNote);
}

impl Sink for Intake {
    async fn submit(&self, deliveries: Vec<Delivery>, users: Vec<UserFact>) {
        Self::submit(self, deliveries, users).await;
    }

    fn note(&self, note: FeedNote) {
        Self::note(self, note);
    }
}
