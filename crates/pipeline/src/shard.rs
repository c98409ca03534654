//! The shard: one thread that drives a [`Keeper`], and shows what it committed.
//!
//! Its turn: take all mail that waits, let the engine decide, commit the outcome in one transaction, publish. While a
//! commit runs, more mail gathers, so that batches grow with the load by themselves (group commit): one sync for one
//! event on a quiet line, one for thousands under load. Questions are answered between turns, from what is committed.

use crate::mailbox::{Mail, Mailbox};
use crate::merging::Merging;
use crate::reader::ReaderBackend;
use crate::removal::Removing;
use crate::telemetry::{FollowerName, Reason};
use crate::wishes::Wishes;
use crate::{Clock, Keeper, Query, Telemetry};
use engine::{Batch, Id};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{OutboxBounds, Progress, StoreError};
use tokio::sync::watch;

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

/// What a turn took.
struct Taken {
    facts: u64,
    /// More is left behind.
    more: bool,
    /// The turn's instant.
    at: i64,
}

pub(crate) struct Shard {
    pub keeper: Keeper,
    pub mailbox: Arc<Mailbox>,
    /// Room for the mail of a turn, used again.
    pub mail: Mail,
    pub backend: ReaderBackend,
    pub wishes: Wishes,
    pub telemetry: Arc<Telemetry>,
    pub clock: Clock,
    pub repair_delay: i64,
    /// Turns to the deadline when it is time to stop.
    pub stop: watch::Receiver<Option<Instant>>,
    pub store_trouble: Option<String>,
    /// What is kept for followers; none: nobody follows.
    pub outbox: Option<OutboxBounds>,
    /// What is too old to keep.
    pub removing: Removing,
    /// What waits to be merged into pages.
    pub merging: Merging,
}

impl Shard {
    /// Runs until it is told to stop, then drains until the deadline it was given.
    pub async fn run(mut self) -> Result<Drained, StoreError> {
        let (mailbox, mut stop) = (self.mailbox.clone(), self.stop.clone());
        let mut tick = tokio::time::interval(TICK);
        let source = self.wishes.source();
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
                Ok(room) = source.reserve(), if self.wishes.wait() => {
                    drop(room);
                    self.send_wishes();
                }
                () = wake => self.pass_time().await?,
                _ = tick.tick() => {
                    // A clock that was set back makes what was due come later than it is: no timer tells of that.
                    self.pass_time().await?;
                    self.tick()?;
                }
                () = self.removing.steps.next() => self.remove_some(),
                () = self.merging.steps.next() => self.merge_some(),
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
        let taken = self.take_mail().await?;
        self.keeper.pass_time(taken.at);
        self.commit().await
    }

    /// Hands the keeper what waits, for as long as it takes while the disk refuses to be read.
    async fn take_mail(&mut self) -> Result<Taken, StoreError> {
        self.keeper.follow(self.backend.changes.wanted());
        let more = self.mailbox.take(BATCH_FACTS_MAX, &mut self.mail);
        let facts = self.mail.deliveries.iter().map(|(_, delivery)| delivery.facts.len() as u64).sum();
        loop {
            let at = self.clock.now();
            match self.keeper.take(&mut self.mail, at) {
                Ok(_) => {
                    self.outage_is_over();
                    return Ok(Taken { facts, more, at });
                }
                Err(error) => {
                    self.wait_out(error).await?;
                    self.commit().await?;
                }
            }
        }
    }

    async fn pass_time(&mut self) -> Result<(), StoreError> {
        self.keeper.follow(self.backend.changes.wanted());
        self.keeper.pass_time(self.clock.now());
        self.commit().await
    }

    /// Commits, for as long as it takes while the disk refuses, then shows what was committed.
    async fn commit(&mut self) -> Result<(), StoreError> {
        let mut failed = false;
        let mut batch = loop {
            let begun = Instant::now();
            let at = self.hand_out();
            match self.keeper.commit(at) {
                Ok(batch) => {
                    if !batch.is_empty() {
                        self.telemetry.commit_seconds.observe(begun.elapsed().as_secs_f64());
                    }
                    break batch;
                }
                Err(error) => {
                    failed = true;
                    self.wait_out(error).await?;
                }
            }
        };
        if failed || !batch.is_empty() {
            self.outage_is_over();
        }
        self.count(&batch);
        self.wish(std::mem::take(&mut batch.wishes));
        if !batch.is_empty() {
            self.publish(&batch);
        }
        self.keeper.reuse(batch);
        Ok(())
    }

    /// Says what is kept for followers in a commit; the instant of the commit. Nothing goes for its age by a clock that has
    /// not earned it.
    fn hand_out(&mut self) -> i64 {
        let trusted = self.clock.trusted_now();
        let ageless = |bounds| OutboxBounds { age_ns_max: i64::MAX, ..bounds };
        if let Some(bounds) = self.outbox {
            let bounds = if trusted.is_ok() { bounds } else { ageless(bounds) };
            self.keeper.hand_out(Some(bounds), self.backend.followers.passed());
        }
        trusted.unwrap_or_else(|_| self.clock.now())
    }

    fn publish(&mut self, batch: &Batch) {
        // Followers hear of it first: whoever sees it in the summary finds that they can take it.
        if self.outbox.is_some() {
            let (position, seq) = (self.keeper.store().last_position(), self.keeper.position().seq);
            self.backend.followers.publish(Progress { position, seq });
        }
        self.refresh();
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

    fn tick(&mut self) -> Result<(), StoreError> {
        // What lies elsewhere takes every commit, and nobody finds it again.
        self.keeper.store().look_in_place()?;
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
        self.keeper.keep_reserve();
        self.removing.begin_when_due(self.clock.now());
        self.merging.begin_when_due(&self.keeper, self.clock.now());
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
        Ok(())
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

    fn wish(&mut self, wishes: Vec<(Id, &'static str)>) {
        let now = self.clock.now();
        for (conversation, reason) in wishes {
            if !self.wishes.add(conversation, reason, now, self.repair_delay) {
                self.telemetry.lost_wishes.get_or_create(&Reason { reason }).inc();
            }
        }
        self.send_wishes();
    }

    /// Hands the source what there is room for, and says how far all that a gap makes it read is handed over.
    fn send_wishes(&mut self) {
        self.wishes.send();
        if !self.wishes.gaps_wait() {
            self.mailbox.settle(self.mail.taken_to);
        }
    }

    async fn drain(&mut self, deadline: Option<Instant>) -> Result<Drained, StoreError> {
        let mut drained = Drained { facts: 0, complete: true };
        self.mailbox.close();
        loop {
            let taken = self.take_mail().await?;
            drained.facts += taken.facts;
            self.commit().await?;
            if !taken.more {
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

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
