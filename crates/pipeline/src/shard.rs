//! The shard: one thread that owns the engine and the store.
//!
//! Its turn: take all mail that waits, let the engine decide, commit the outcome in one transaction, publish. While a
//! commit runs, more mail gathers, so that batches grow with the load by themselves (group commit): one sync for one
//! event on a quiet line, one for thousands under load. Questions are answered between turns, from what is committed.

use crate::mailbox::{Mail, Mailbox};
use crate::reader::ReaderBackend;
use crate::telemetry::Reason;
use crate::trail::Trail;
use crate::{Answer, Clock, Page, Position, Query, Summary, Telemetry, Wish};
use engine::{Batch, Completeness, Engine, Filter, Id, Shown, StoredConversation, Time};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Commit, Store, StoreError};
use tokio::sync::{mpsc, watch};

/// Facts of one commit. Bounds the time between two syncs, and the memory of a batch.
const BATCH_FACTS_MAX: usize = 8_192;
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
    pub engine: Engine,
    pub store: Store,
    pub trail: Trail,
    pub mailbox: Arc<Mailbox>,
    /// Room for the mail of a turn, used again.
    pub mail: Mail,
    pub backend: ReaderBackend,
    pub wishes: mpsc::Sender<Wish>,
    pub telemetry: Arc<Telemetry>,
    pub clock: Clock,
    pub epoch: u64,
    pub incarnation: u32,
    pub repair_delay: i64,
    pub last_updated: Option<Time>,
    pub store_trouble: Option<String>,
}

impl Shard {
    /// Runs until `stop` turns true, then drains for as long as `stop`'s sender gives it.
    pub async fn run(mut self, mut stop: watch::Receiver<Option<Instant>>) -> Result<Drained, StoreError> {
        let mailbox = self.mailbox.clone();
        let mut tick = tokio::time::interval(TICK);
        self.refresh();
        loop {
            let wake = tokio::time::sleep(self.until_wake());
            tokio::select! {
                _ = stop.changed() => break,
                Some(query) = self.backend.queries.recv() => self.answer(query),
                () = mailbox.waited() => self.turn().await?,
                () = wake => self.pass_time().await?,
                _ = tick.tick() => self.tick(),
            }
        }
        let deadline = *stop.borrow();
        let drained = self.drain(deadline).await?;
        self.store.close()?;
        Ok(drained)
    }

    fn until_wake(&self) -> Duration {
        let wait = self.engine.wake_at().map_or(i64::MAX, |at| at.saturating_sub(self.clock.now()).max(0));
        Duration::from_nanos(wait.unsigned_abs()).clamp(Duration::from_millis(1), Duration::from_secs(3_600))
    }

    async fn turn(&mut self) -> Result<(), StoreError> {
        self.take_mail()?;
        self.engine.handle_timeout(self.clock.now());
        self.commit().await
    }

    /// Hands the engine what waits; how many facts that were, and whether more is left behind.
    fn take_mail(&mut self) -> Result<(u64, bool), StoreError> {
        let mut mail = std::mem::take(&mut self.mail);
        let more = self.mailbox.take(BATCH_FACTS_MAX, &mut mail);
        let (now, mut facts) = (self.clock.now(), 0);
        for (conversation, dropped) in mail.dropped.drain(..) {
            self.engine.handle_dropped(&conversation, dropped, now);
        }
        for delivery in mail.deliveries.drain(..) {
            facts += delivery.facts.len() as u64;
            self.hydrate(&delivery.conversation, now)?;
            self.engine.handle(delivery, now);
        }
        mail.users.drain(..).for_each(|fact| self.engine.handle_user(fact));
        mail.notes.drain(..).for_each(|note| self.engine.handle_feed(note));
        self.mail = mail;
        Ok((facts, more))
    }

    async fn pass_time(&mut self) -> Result<(), StoreError> {
        self.engine.handle_timeout(self.clock.now());
        self.commit().await
    }

    /// Brings a conversation back from the store before facts of it are handed in.
    fn hydrate(&mut self, id: &Id, now: i64) -> Result<(), StoreError> {
        if self.engine.knows(id) {
            return Ok(());
        }
        match self.store.load(id) {
            Ok(Some(stored)) => self.engine.restore(&stored, now),
            Ok(None) => {}
            Err(StoreError::Damaged(_)) => self.engine.restore_damaged(id, now),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        let mut batch = self.engine.take_batch();
        self.count(&batch);
        self.wish(std::mem::take(&mut batch.wishes));
        if batch.is_empty() {
            self.engine.reuse(batch);
            return Ok(());
        }
        let committed_at = self.clock.now();
        let engine = &self.engine;
        let covered = self.trail.cover(|id| engine.lay_down(id));
        let mut laid_down = std::mem::take(&mut batch.laid_down);
        laid_down.extend(covered.laid_down);
        let commit = Commit {
            committed_at,
            incarnation: self.incarnation,
            seq: self.engine.seq(),
            admitted: &batch.admitted,
            cells: &batch.cells,
            users: &batch.users,
            ledger: &batch.ledger,
            laid_down: &laid_down,
            forget_log_below: covered.forget_below,
        };
        let log =
            write(&mut self.store, &commit, &mut self.store_trouble, &self.backend, &self.telemetry).await?;
        self.trail.note(log, &batch, &laid_down);
        self.publish(&batch, committed_at);
        self.engine.reuse(batch);
        Ok(())
    }

    fn publish(&mut self, batch: &Batch, committed_at: i64) {
        if !batch.changes.is_empty() {
            self.last_updated = Some(Time::from_nanos(committed_at).to_millis());
        }
        self.refresh();
        let changes = match self.backend.changes.wanted() {
            true => batch.changes.iter().filter_map(|publish| self.engine.change(publish)).collect(),
            false => Vec::new(),
        };
        if !batch.changes.is_empty() {
            self.backend.changes.publish(changes, self.engine.seq());
        }
    }

    fn refresh(&self) {
        self.backend.summary.store(Arc::new(self.summary()));
    }

    fn summary(&self) -> Summary {
        let now = self.clock.now();
        let feeds = self.engine.feeds(now);
        let mut not_ready: Vec<String> = self.store_trouble.iter().cloned().collect();
        if feeds.is_empty() {
            not_ready.push("no feed has connected yet".to_owned());
        }
        for feed in feeds.iter().filter(|f| !f.connected) {
            let reason = feed.reason.as_deref().unwrap_or("not connected");
            not_ready.push(format!("feed {}: {reason}", feed.name));
        }
        Summary {
            position: self.position(),
            active: self.engine.active_count(),
            activity: self.engine.activity(),
            last_updated: self.last_updated,
            completeness: self.engine.completeness(now),
            feeds,
            not_ready,
        }
    }

    fn position(&self) -> Position {
        Position { epoch: self.epoch, seq: self.engine.seq() }
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
        let t = &self.telemetry;
        t.active_conversations.set(signed(self.engine.active_count()));
        t.resident_conversations.set(signed(self.engine.resident_count()));
        t.held_facts.set(signed(self.engine.held_count()));
        t.store_bytes.set(signed(self.store.size_bytes()));
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

    /// A wish that finds no room is made again when its cause comes again.
    fn wish(&self, wishes: Vec<(Id, &'static str)>) {
        let not_before = self.clock.now().saturating_add(self.repair_delay);
        for (conversation, reason) in wishes {
            let _no_source_repairs = self.wishes.try_send(Wish { conversation, reason, not_before });
        }
    }

    async fn drain(&mut self, deadline: Option<Instant>) -> Result<Drained, StoreError> {
        let mut drained = Drained { facts: 0, complete: true };
        self.mailbox.close();
        loop {
            let (facts, more) = self.take_mail()?;
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

    fn answer(&self, query: Query) {
        match query {
            Query::Conversation(id, to) => drop(to.send(self.about(&id, |shown| shown.conversation()))),
            Query::Timeline(id, to) => drop(to.send(self.about(&id, |shown| shown.timeline()))),
            Query::Spells(id, to) => drop(to.send(self.about(&id, |shown| shown.spells()))),
            Query::User(id, to) => {
                drop(to.send(self.stand(self.engine.user(&id), self.engine.completeness(self.clock.now()))))
            }
            Query::List { filter, after, limit, to } => {
                let page = self.page(&filter, after.as_ref(), limit);
                drop(to.send(self.stand(page, self.engine.completeness(self.clock.now()))));
            }
        }
    }

    fn about<T>(&self, id: &Id, tell: impl FnOnce(&Shown<'_>) -> T) -> Answer<Option<T>> {
        let now = self.clock.now();
        if let Some(shown) = self.engine.show(id, now) {
            return self.stand(Some(tell(&shown)), shown.completeness());
        }
        match self.load(id) {
            Some(stored) => {
                let shown = self.engine.show_stored(&stored, now);
                self.stand(Some(tell(&shown)), shown.completeness())
            }
            None => self.stand(None, self.engine.completeness(now)),
        }
    }

    fn load(&self, id: &Id) -> Option<StoredConversation> {
        self.store.load(id).unwrap_or_else(|error| {
            tracing::error!(%error, "a conversation could not be read from the store");
            None
        })
    }

    fn stand<T>(&self, value: T, completeness: Completeness) -> Answer<T> {
        Answer { value, position: self.position(), completeness }
    }

    /// A page out of memory and store together, by ascending id.
    fn page(&self, filter: &Filter, after: Option<&Id>, limit: usize) -> Page {
        let now = self.clock.now();
        let (mut items, mut next) = self.engine.list(filter, after, limit, now);
        if filter.active != Some(true) {
            let stored = self.store.stored_after(after, limit).unwrap_or_default();
            let last = (stored.len() == limit).then(|| stored.last().map(|s| s.id.clone())).flatten();
            let views = stored.iter().map(|s| self.engine.show_stored(s, now).conversation());
            items.extend(views.filter(|view| filter.matches(view)));
            next = match (next, last) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            items.sort_by(|a, b| a.id.cmp(&b.id));
        }
        if let Some(bound) = &next {
            items.retain(|view| view.id <= *bound);
        }
        if items.len() > limit {
            items.truncate(limit);
            next = items.last().map(|view| view.id.clone());
        }
        Page { items, next }
    }
}

/// Writes a commit. A full disk is waited out: nothing more is taken until there is room, and `/readyz` says why.
async fn write(
    store: &mut Store,
    commit: &Commit<'_>,
    trouble: &mut Option<String>,
    backend: &ReaderBackend,
    telemetry: &Telemetry,
) -> Result<u64, StoreError> {
    loop {
        let begun = Instant::now();
        match store.commit(commit) {
            Ok(log) => {
                telemetry.commit_seconds.observe(begun.elapsed().as_secs_f64());
                if trouble.take().is_some() {
                    tracing::info!("the store accepts writes again");
                }
                return Ok(log);
            }
            Err(error @ StoreError::Full) => {
                tracing::error!(%error, "nothing can be committed; trying again every second");
                let reason = error.to_string();
                let mut summary = Summary::clone(&backend.summary.load());
                summary.not_ready = vec![reason.clone()];
                backend.summary.store(Arc::new(summary));
                *trouble = Some(reason);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
