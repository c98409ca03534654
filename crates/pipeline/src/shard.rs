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
    /// The time of the last turn.
    pub last_turn: i64,
    /// Turns to the deadline when it is time to stop.
    pub stop: watch::Receiver<Option<Instant>>,
    pub store_trouble: Option<String>,
}

impl Shard {
    /// Runs until it is told to stop, then drains until the deadline it was given.
    pub async fn run(mut self) -> Result<Drained, StoreError> {
        let (mailbox, mut stop) = (self.mailbox.clone(), self.stop.clone());
        let mut tick = tokio::time::interval(TICK);
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
        self.store.close()?;
        Ok(drained)
    }

    fn until_wake(&self) -> Duration {
        let wait = self.engine.wake_at().map_or(i64::MAX, |at| at.saturating_sub(self.clock.now()).max(0));
        Duration::from_nanos(wait.unsigned_abs()).clamp(Duration::from_millis(1), Duration::from_secs(3_600))
    }

    async fn turn(&mut self) -> Result<(), StoreError> {
        self.take_mail()?;
        self.engine.handle_timeout(self.last_turn);
        self.commit().await
    }

    /// Hands the engine what waits; how many facts that were, and whether more is left behind.
    fn take_mail(&mut self) -> Result<(u64, bool), StoreError> {
        let mut mail = std::mem::take(&mut self.mail);
        let more = self.mailbox.take(BATCH_FACTS_MAX, &mut mail);
        let (now, mut facts) = (self.now(), 0);
        let mut notes = mail.notes.drain(..).peekable();
        for (number, delivery) in mail.deliveries.drain(..) {
            while let Some((_, note)) = notes.next_if(|(noted, _)| *noted < number) {
                self.engine.handle_feed(note);
            }
            facts += delivery.facts.len() as u64;
            self.hydrate(&delivery.conversation, now)?;
            self.engine.handle(delivery, now);
        }
        notes.for_each(|(_, note)| self.engine.handle_feed(note));
        mail.users.drain(..).for_each(|fact| self.engine.handle_user(fact));
        for ((feed, conversation), dropped) in mail.dropped.drain(..) {
            self.hydrate(&conversation, now)?;
            self.engine.handle_dropped(feed, &conversation, dropped, now);
        }
        self.mail = mail;
        Ok((facts, more))
    }

    /// The time. When it was set back, facts that wait until an instant of the old time wait no longer.
    fn now(&mut self) -> i64 {
        let now = self.clock.now();
        if now < self.last_turn {
            self.engine.release_all(now);
        }
        self.last_turn = now;
        now
    }

    async fn pass_time(&mut self) -> Result<(), StoreError> {
        let now = self.now();
        self.engine.handle_timeout(now);
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
        let log = loop {
            let begun = Instant::now();
            match self.store.commit(&commit) {
                Ok(log) => {
                    self.telemetry.commit_seconds.observe(begun.elapsed().as_secs_f64());
                    break log;
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

    /// Answers a question and those that wait behind it, as many as do not hold up the rest for long.
    fn answer_all(&mut self, first: Query) {
        self.answer(first);
        for _ in 0..ANSWERS_MAX {
            let Ok(next) = self.backend.queries.try_recv() else { return };
            self.answer(next);
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
            let stored = self.store.stored_after(after, limit).unwrap_or_else(|error| {
                tracing::error!(%error, "conversations could not be read from the store; the list lacks them");
                Vec::new()
            });
            let last = (stored.len() == limit).then(|| stored.last().map(|s| s.id.clone())).flatten();
            let elsewhere = stored.iter().filter(|s| !self.engine.knows(&s.id));
            let views = elsewhere.map(|s| self.engine.show_stored(s, now).conversation());
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
