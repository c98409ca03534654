//! The shard: one thread that drives a [`Keeper`], and shows what it committed.
//!
//! Its turn: take all mail that waits, let the engine decide, commit the outcome in one transaction, publish. While a
//! commit runs, more mail gathers, so that batches grow with the load by themselves (group commit): one sync for one
//! event on a quiet line, one for thousands under load. Questions are answered between turns, from what is committed.

use crate::mailbox::{Mail, Mailbox};
use crate::reader::ReaderBackend;
use crate::telemetry::{FollowerName, Reason};
use crate::{Clock, Keeper, Query, Summary, Telemetry, Wish};
use engine::{Batch, Id};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{OutboxBounds, Progress, StoreError};
use tokio::sync::{mpsc, watch};

/// Facts of one commit. Bounds the time between two syncs, and the memory of a batch.
const BATCH_FACTS_MAX: usize = 8_192;
/// Questions answered in a row before mail is looked at again.
const ANSWERS_MAX: usize = 64;
/// How often gauges and completeness are brought up to date when nothing happens.
const TICK: Duration = Duration::from_secs(1);
/// Of what was submitted, the share in hundredths whose loss is worth a warning of its own.
const LOSS_WARNING_PERCENT: u64 = 5;

/// What the shard did after it was told to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Facts taken and committed.
    pub facts: u64,
    /// Whether all that waited is committed.
    pub complete: bool,
}

pub(crate) struct Shard {
    pub keeper: Keeper,
    pub mailbox: Arc<Mailbox>,
    /// Room for the mail of a turn, used again.
    pub mail: Mail,
    pub backend: ReaderBackend,
    pub wishes: mpsc::Sender<Wish>,
    pub telemetry: Arc<Telemetry>,
    pub clock: Clock,
    pub repair_delay: i64,
    /// Turns to the deadline when it is time to stop.
    pub stop: watch::Receiver<Option<Instant>>,
    pub store_trouble: Option<String>,
    /// What is kept for followers; none: nobody follows.
    pub outbox: Option<OutboxBounds>,
}

impl Shard {
    /// Runs until it is told to stop, then drains until the deadline it was given.
    pub async fn run(mut self) -> Result<Drained, StoreError> {
        let (mailbox, mut stop) = (self.mailbox.clone(), self.stop.clone());
        let mut tick = tokio::time::interval(TICK);
        // What the start itself brings about (holes, released facts) is on the disk before anything new.
        self.keeper.begin(self.clock.now());
        self.commit().await?;
        self.refresh();
        loop {
            let wake = tokio::time::sleep(self.until_wake());
            tokio::select! {
                _ = stop.changed() => break,
                Some(query) = self.backend.queries.recv() => self.answer_all(query),
                () = mailbox.waited() => self.turn().await?,
                () = wake => self.pass_time().await?,
                _ = tick.tick() => self.tick(),
            }
        }
        let deadline = *stop.borrow();
        let drained = self.drain(deadline).await?;
        self.keeper.close()?;
        Ok(drained)
    }

    fn until_wake(&self) -> Duration {
        let wait = self.keeper.wake_at().map_or(i64::MAX, |at| at.saturating_sub(self.clock.now()).max(0));
        Duration::from_nanos(wait.unsigned_abs()).clamp(Duration::from_millis(1), Duration::from_secs(3_600))
    }

    async fn turn(&mut self) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.take_mail(now)?;
        self.keeper.pass_time(now);
        self.commit().await
    }

    /// Hands the keeper what waits; how many facts that were, and whether more is left behind.
    fn take_mail(&mut self, now: i64) -> Result<(u64, bool), StoreError> {
        self.keeper.follow(self.backend.changes.wanted());
        let more = self.mailbox.take(BATCH_FACTS_MAX, &mut self.mail);
        Ok((self.keeper.take(&mut self.mail, now)?, more))
    }

    async fn pass_time(&mut self) -> Result<(), StoreError> {
        self.keeper.follow(self.backend.changes.wanted());
        self.keeper.pass_time(self.clock.now());
        self.commit().await
    }

    /// Commits, for as long as it takes while the disk is full, then shows what was committed.
    async fn commit(&mut self) -> Result<(), StoreError> {
        if self.outbox.is_some() {
            self.keeper.hand_out(self.outbox, self.backend.followers.passed());
        }
        let mut batch = loop {
            let begun = Instant::now();
            match self.keeper.commit(self.clock.now()) {
                Ok(batch) => {
                    if !batch.is_empty() {
                        self.telemetry.commit_seconds.observe(begun.elapsed().as_secs_f64());
                    }
                    break batch;
                }
                Err(error @ StoreError::Full) => {
                    let outage = Outage { trouble: &mut self.store_trouble, backend: &mut self.backend };
                    outage.wait(error, &mut self.stop).await?;
                }
                Err(error) => return Err(error),
            }
        };
        if self.store_trouble.take().is_some() {
            tracing::info!("the store accepts writes again");
        }
        self.count(&batch);
        self.wish(std::mem::take(&mut batch.wishes));
        if !batch.is_empty() {
            self.publish(&batch);
        }
        self.keeper.reuse(batch);
        Ok(())
    }

    fn publish(&mut self, batch: &Batch) {
        self.refresh();
        if self.outbox.is_some() {
            let (position, seq) = (self.keeper.store().last_position(), self.keeper.position().seq);
            self.backend.followers.publish(Progress { position, seq });
        }
        let changes = match self.backend.changes.wanted() {
            true => self.keeper.changes(&batch.changes),
            false => Vec::new(),
        };
        if !batch.changes.is_empty() {
            self.backend.changes.publish(changes, self.keeper.position().seq);
        }
    }

    fn refresh(&self) {
        let summary = self.keeper.summary(self.clock.now(), self.store_trouble.as_deref());
        self.backend.summary.store(Arc::new(summary));
    }

    fn tick(&mut self) {
        let (submitted, lost) = self.mailbox.tally();
        if lost > 0 {
            tracing::warn!(
                lost,
                submitted,
                "the mailbox was full: facts were dropped, and repairs are asked for"
            );
        }
        if lost * 100 > submitted * LOSS_WARNING_PERCENT {
            tracing::warn!(
                "more than {LOSS_WARNING_PERCENT} % of what was submitted is dropped: use the policy `block`, a larger \
                 mailbox, or a faster disk"
            );
        }
        let (t, engine) = (&self.telemetry, self.keeper.engine());
        t.active_conversations.set(signed(engine.active_count()));
        t.suspect_conversations.set(signed(engine.suspect_count()));
        t.resident_conversations.set(signed(engine.resident_count()));
        t.held_facts.set(signed(engine.held_count()));
        for follower in self.backend.followers.status() {
            let name = FollowerName { follower: follower.name };
            t.follower_lag.get_or_create(&name).set(signed(follower.lag_changes));
        }
        t.outbox_bytes.set(signed(self.keeper.store().outbox_bytes().unwrap_or_default()));
        t.store_bytes.set(signed(self.keeper.store().size_bytes()));
        self.refresh();
    }

    fn count(&self, batch: &Batch) {
        let tally = batch.tally;
        self.telemetry.facts.inc_by(tally.facts);
        self.telemetry.duplicates.inc_by(tally.duplicates);
        self.telemetry.late_facts.inc_by(tally.late);
        if tally.overfull > 0 {
            let reason = Reason { reason: "conversation_full" };
            self.telemetry.dropped_facts.get_or_create(&reason).inc_by(tally.overfull);
        }
    }

    /// A wish that finds no room goes: the round of repair after a hole asks the platform what is live by itself.
    fn wish(&self, wishes: Vec<(Id, &'static str)>) {
        let now = self.clock.now();
        for (conversation, reason) in wishes {
            // A gap is over already; anything else may still be settling.
            let not_before = if reason == "gap" { now } else { now.saturating_add(self.repair_delay) };
            let _no_source_repairs = self.wishes.try_send(Wish { conversation, reason, not_before });
        }
    }

    async fn drain(&mut self, deadline: Option<Instant>) -> Result<Drained, StoreError> {
        let mut drained = Drained { facts: 0, complete: true };
        self.mailbox.close();
        loop {
            let (facts, more) = self.take_mail(self.clock.now())?;
            drained.facts += facts;
            self.commit().await?;
            if !more {
                return Ok(drained);
            }
            if deadline.is_some_and(|at| Instant::now() >= at) {
                drained.complete = false;
                return Ok(drained);
            }
        }
    }

    /// Answers a question and those that wait behind it, as many as do not hold up the rest for long.
    fn answer_all(&mut self, first: Query) {
        self.keeper.answer(first, self.clock.now());
        for _ in 0..ANSWERS_MAX {
            let Ok(next) = self.backend.queries.try_recv() else { return };
            self.keeper.answer(next, self.clock.now());
        }
    }
}

/// A time in which nothing can be committed.
struct Outage<'a> {
    trouble: &'a mut Option<String>,
    backend: &'a mut ReaderBackend,
}

impl Outage<'_> {
    /// Waits a second before the next try; gives up with the error at the deadline of a stop. Until then the summary of
    /// the last commit is served with the reason, and questions are turned away, since the engine is ahead of the disk.
    async fn wait(
        self,
        error: StoreError,
        stop: &mut watch::Receiver<Option<Instant>>,
    ) -> Result<(), StoreError> {
        if stop.borrow().is_some_and(|deadline| Instant::now() + Duration::from_secs(1) >= deadline) {
            return Err(error);
        }
        if self.trouble.is_none() {
            tracing::error!(%error, "nothing can be committed; trying again every second");
        }
        let reason = error.to_string();
        let mut summary = Summary::clone(&self.backend.summary.load());
        summary.not_ready = vec![reason.clone()];
        self.backend.summary.store(Arc::new(summary));
        *self.trouble = Some(reason);
        let again = tokio::time::sleep(Duration::from_secs(1));
        tokio::pin!(again);
        loop {
            tokio::select! {
                () = &mut again => return Ok(()),
                Some(turned_away) = self.backend.queries.recv() => drop(turned_away),
            }
        }
    }
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
