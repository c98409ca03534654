//! A time in which nothing can be committed: the disk is full, or does not do what it is told.
//!
//! The shard takes nothing more, so that the mailbox and then the sources' sockets hold back what comes. What was committed
//! before stays on show, with the reason beside it, and questions are answered from it. Every second the same commit is
//! tried again; once it is through, everything goes on from there. Rejected: ending the program (whoever starts it again
//! finds the same disk, and until then nobody answers), and going on in memory (what was shown would be lost with it). Only
//! where another file lies in the place of the data does the program end: what is shown is not on the disk any more, and
//! waiting does not bring it back.

use crate::Summary;
use crate::shard::Shard;
use engine::Completeness;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::StoreError;

/// How long until what failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

impl Shard {
    /// Answers questions until it is time to try again; gives up with the error when it will not pass, and at the deadline
    /// of a stop.
    pub(crate) async fn wait_out(&mut self, error: StoreError) -> Result<(), StoreError> {
        let too_late = |deadline| Instant::now() + AGAIN >= deadline;
        if !error.may_pass() || self.stop.borrow().is_some_and(too_late) {
            return Err(error);
        }
        self.say_trouble(&error);
        let again = tokio::time::sleep(AGAIN);
        tokio::pin!(again);
        loop {
            tokio::select! {
                () = &mut again => return Ok(()),
                Some(query) = self.backend.queries.recv() => self.keeper.answer(query, self.clock.now()),
            }
        }
    }

    /// What was tried again is through: something was stored, or could be looked up. That nothing had to be stored proves
    /// nothing.
    pub(crate) fn outage_is_over(&mut self) {
        if self.store_trouble.take().is_some() {
            self.telemetry.store_accepts.set(1);
            tracing::info!("the store accepts writes again; nothing that was received is lost");
        }
    }

    fn say_trouble(&mut self, error: &StoreError) {
        let reason = format!("nothing new can be stored: {error}");
        if self.store_trouble.as_ref() == Some(&reason) {
            return;
        }
        match self.store_trouble {
            None => tracing::error!(
                "{reason}; what was stored before is served, and it is tried again every second"
            ),
            Some(_) => tracing::error!("{reason}"),
        }
        self.telemetry.store_accepts.set(0);
        let mut summary = Summary::clone(&self.backend.summary.load());
        (summary.not_ready, summary.store_trouble) = (vec![reason.clone()], Some(reason.clone()));
        summary.completeness = summary.completeness.max(Completeness::Partial);
        self.backend.summary.store(Arc::new(summary));
        self.store_trouble = Some(reason);
    }
}
