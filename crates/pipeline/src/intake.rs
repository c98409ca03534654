//! The write side's handle: what sources hand in.

use crate::mailbox::Mailbox;
use engine::{Delivery, FeedNote, Id, UserFact};
use std::sync::Arc;

/// A wish of the engine that only a source can grant: read this conversation again by REST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Which conversation.
    pub conversation: Id,
    /// Why, out of a closed list.
    pub reason: &'static str,
    /// Not before this instant (nanoseconds since the epoch), so that the dust has settled.
    pub not_before: i64,
}

/// Where sources hand in what they decoded. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Intake {
    pub(crate) mailbox: Arc<Mailbox>,
}

impl Intake {
    /// The handle to a mailbox.
    #[must_use]
    pub fn new(mailbox: Arc<Mailbox>) -> Self {
        Self { mailbox }
    }

    /// Hands in what frames or REST reads said. Waits for room under the policy `block`; under `drop` it returns at
    /// once, and what had to go is counted and named to the ledger. False when something of this had to go.
    pub async fn submit(&self, deliveries: Vec<Delivery>, users: Vec<UserFact>) -> bool {
        self.mailbox.submit(deliveries, users).await
    }

    /// Says what became of a feed. Never waits, never dropped, and taken only after all facts handed in before it.
    pub fn note(&self, note: FeedNote) {
        self.mailbox.note(note);
    }

    /// Waits until the engine has taken all that was handed in before, it is committed, and what a gap in it makes the
    /// engine wish for is on its way to the source. Whoever waits must go on taking wishes meanwhile.
    pub async fn settled(&self) {
        self.mailbox.settled().await;
    }
}
