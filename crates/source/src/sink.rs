//! Where decoded facts go.
//!
//! The pipeline's intake in the program; a recorder in tests, which need no shard and no disk.

use engine::{Delivery, FeedNote, UserFact};
use pipeline::Intake;
use std::future::Future;

/// Takes what a source hears.
pub trait Sink: Clone + Send + Sync + 'static {
    /// Takes what frames or REST reads said; may wait for room. False when something of it had to be dropped.
    fn submit(&self, deliveries: Vec<Delivery>, users: Vec<UserFact>) -> impl Future<Output = bool> + Send;

    /// Takes what became of a feed, in order with the facts handed in before.
    fn note(&self, note: FeedNote);

    /// Waits until all that was handed in before is decided, and what a gap in it makes the engine wish for is on its way.
    fn settled(&self) -> impl Future<Output = ()> + Send;
}

impl Sink for Intake {
    async fn submit(&self, deliveries: Vec<Delivery>, users: Vec<UserFact>) -> bool {
        Self::submit(self, deliveries, users).await
    }

    fn note(&self, note: FeedNote) {
        Self::note(self, note);
    }

    async fn settled(&self) {
        Self::settled(self).await;
    }
}
