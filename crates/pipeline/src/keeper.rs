//! The turn of a shard, without its thread: the one owner of engine, store and log, told what time it is.
//!
//! A driver takes mail, hands it to [`Keeper::take`], lets time pass with [`Keeper::pass_time`], and calls
//! [`Keeper::commit`]; only what that gives back may be shown to anybody. All of a turn happens at one instant: the engine
//! decides at it, facts are published at it, and the commit carries it, so that recovery can make every decision again at
//! the instant it was made. While the clock goes forward no two commits share an instant, so that what was known at an
//! instant is one answer. Nothing here waits, asks the time or draws lots; the shard's thread drives it in the program,
//! and a simulation drives it on one thread with a clock and a disk of its own.

use crate::Position;
use crate::mailbox::Mail;
use crate::trail::Trail;
use engine::{Batch, Change, Engine, Id, Publish, StoredConversation, Time};
use std::collections::HashSet;
use store::{Commit, Gone, Inherited, OutboxBounds, Outgoing, Store, StoreError};

/// The engine, the store behind it, and what the log still has to remember.
#[derive(Debug)]
pub struct Keeper {
    pub(crate) engine: Engine,
    pub(crate) store: Store,
    trail: Trail,
    epoch: u64,
    incarnation: u32,
    last_updated: Option<Time>,
    /// What the clock said at the last turn.
    last_asked: i64,
    /// The instant of the last turn.
    last_turn: i64,
    /// The instant of the last commit since the clock was set back; none before the first.
    last_commit: Option<i64>,
    /// When the oldest fact was received that the last turn left waiting.
    left_since: Option<i64>,
    /// The instant and the last change number of the last commit.
    pub(crate) committed_at: i64,
    committed_seq: u64,
    /// How many conversations were active by the last commit.
    committed_active: u64,
    /// What was decided and is not on the disk yet.
    pub(crate) pending: Option<Pending>,
    /// What is kept for followers; none: nobody follows.
    outbox: Option<OutboxBounds>,
    /// Every follower has passed the rows of the outbox up to here.
    passed: u64,
    /// Removed conversations that are told of again, since the last commit.
    told_again: Vec<Inherited>,
}

/// What a keeper begins with, besides engine and store.
#[derive(Debug)]
pub(crate) struct Beginning {
    pub trail: Trail,
    pub epoch: u64,
    pub incarnation: u32,
    pub last_updated: Option<Time>,
    /// The instant of the last commit of the lives before; none before the first.
    pub last_commit: Option<i64>,
    pub now: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Pending {
    pub batch: Batch,
    pub laid_down: Vec<StoredConversation>,
    forget_below: Option<u64>,
    left_since: Option<i64>,
    pub at: i64,
    /// Clocks of removed conversations that are told of again.
    inherited: Vec<Inherited>,
    /// The conversations of the changes, each once, when somebody follows.
    changed: Vec<Id>,
}

impl Keeper {
    pub(crate) fn new(engine: Engine, store: Store, with: Beginning) -> Self {
        Self {
            committed_at: with.last_commit.unwrap_or(with.now),
            committed_seq: engine.seq(),
            committed_active: active(&engine),
            outbox: None,
            passed: 0,
            told_again: Vec::new(),
            engine,
            store,
            trail: with.trail,
            epoch: with.epoch,
            incarnation: with.incarnation,
            last_updated: with.last_updated,
            last_asked: with.now,
            last_turn: with.now,
            last_commit: with.last_commit.filter(|at| *at <= with.now),
            left_since: None,
            pending: None,
        }
    }

    /// Begins a new life at `now`: publishes what waited for its causes when the last one ended. Once, before the first
    /// commit.
    pub fn begin(&mut self, now: i64) {
        let now = self.begin_turn(now);
        self.engine.release_unreleased(now);
    }

    /// Hands the engine all mail, at `now` (nanoseconds since the epoch); how many facts that were. The mail is empty
    /// afterwards, its room serves again.
    ///
    /// # Errors
    /// When the store cannot be read. What could not be handed in is left in the mail; commit what was, then try again.
    pub fn take(&mut self, mail: &mut Mail, now: i64) -> Result<u64, StoreError> {
        let now = self.begin_turn(now);
        self.left_since = mail.left_since.take();
        let taken = self.take_deliveries(mail, now).and_then(|facts| {
            mail.users.drain(..).for_each(|fact| self.engine.handle_user(fact));
            self.take_dropped(mail, now).map(|()| facts)
        });
        if taken.is_err() {
            mail.left_since = self.left_since;
            self.pending = Some(self.prepare());
        }
        taken
    }

    fn take_deliveries(&mut self, mail: &mut Mail, now: i64) -> Result<u64, StoreError> {
        let mut facts = 0;
        let mut deliveries = mail.deliveries.drain(..);
        let mut notes = mail.notes.drain(..).peekable();
        let refused = loop {
            let next = deliveries.as_slice().first().map_or(u64::MAX, |(number, _)| *number);
            if let Some((_, note)) = notes.peek().filter(|(noted, _)| *noted < next) {
                if let Err(error) = note.event.lacking().try_for_each(|id| self.hydrate(id, now)) {
                    break error;
                }
                if let Some((_, note)) = notes.next() {
                    self.engine.handle_feed(note);
                }
                continue;
            }
            let Some((_, delivery)) = deliveries.as_slice().first() else { return Ok(facts) };
            if let Err(error) = self.hydrate(&delivery.conversation, now) {
                break error;
            }
            if let Some((_, delivery)) = deliveries.next() {
                facts += delivery.facts.len() as u64;
                self.engine.handle(delivery, now);
            }
        };
        (mail.notes, mail.deliveries) = (notes.collect(), deliveries.collect());
        Err(refused)
    }

    fn take_dropped(&mut self, mail: &mut Mail, now: i64) -> Result<(), StoreError> {
        let mut all = mail.dropped.drain(..);
        while let Some(((feed, conversation), dropped)) = all.next() {
            if let Err(error) = self.hydrate(&conversation, now) {
                mail.dropped = std::iter::once(((feed, conversation), dropped)).chain(all).collect();
                return Err(error);
            }
            self.engine.handle_dropped(feed, &conversation, dropped);
        }
        Ok(())
    }

    /// Lets what is due at `now` happen: facts that waited too long go, ended conversations leave memory.
    pub fn pass_time(&mut self, now: i64) {
        let now = self.begin_turn(now);
        self.engine.handle_timeout(now);
    }

    /// Says whether somebody follows the changes: only then is it worked out what each of them changed.
    pub fn follow(&mut self, followed: bool) {
        self.engine.follow(followed);
    }

    /// When [`Keeper::pass_time`] has something to do next, in nanoseconds since the epoch.
    #[must_use]
    pub fn wake_at(&self) -> Option<i64> {
        self.engine.wake_at()
    }

    /// Makes durable at `now` all that was decided since the last commit, and gives it back to be shown; hand it to
    /// [`Keeper::reuse`] then.
    ///
    /// # Errors
    /// Nothing of it may be shown. Where the error [may pass](StoreError::may_pass) the same commit may be tried again, before
    /// any other call that decides: the file is opened anew where its state is in doubt, and the batch lands exactly once.
    /// Until it does, [`Keeper::answer`] tells what was committed before.
    pub fn commit(&mut self, now: i64) -> Result<Batch, StoreError> {
        if self.store.is_poisoned() {
            self.store.reopen()?;
        }
        let pending = match self.pending.take() {
            Some(pending) => self.postpone(pending, now),
            None => self.prepare(),
        };
        if pending.is_empty() {
            self.committed_active = active(&self.engine);
            return Ok(pending.batch);
        }
        let log = match self.store.commit(&self.as_commit(&pending)) {
            Ok(log) => log,
            Err(error) => {
                self.pending = Some(pending);
                return Err(error);
            }
        };
        self.last_commit = Some(pending.at);
        (self.committed_at, self.committed_seq) = (pending.at, self.engine.seq());
        self.committed_active = active(&self.engine);
        self.trail.note(log, &pending.batch, &pending.laid_down);
        let stay = pending.laid_down.iter().filter(|stored| stored.resident);
        self.engine.laid_down(stay.map(|stored| &stored.id));
        if !pending.batch.changes.is_empty() {
            self.last_updated = Some(Time::from_nanos(pending.at).to_millis());
        }
        Ok(pending.batch)
    }

    /// Says whether followers are to find what is committed in the outbox, and the row that all of them have passed.
    pub fn hand_out(&mut self, outbox: Option<OutboxBounds>, passed: u64) {
        (self.outbox, self.passed) = (outbox, passed);
    }

    /// Takes back a batch that is done with, so that its room serves again.
    pub fn reuse(&mut self, done: Batch) {
        self.engine.reuse(done);
    }

    /// What readers see of a change that was committed; none when its conversation has left memory.
    #[must_use]
    pub fn change(&self, publish: &Publish) -> Option<Change> {
        self.engine.change(publish)
    }

    /// The same of many, each conversation gone through once.
    #[must_use]
    pub fn changes(&self, publish: &[Publish]) -> Vec<Change> {
        self.engine.changes(publish)
    }

    /// Where the newest change that is committed stands.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, seq: self.committed_seq }
    }

    /// How many conversations are active, by what is committed, those among them that are only remembered.
    pub(crate) fn active(&self) -> u64 {
        if self.pending.is_some() { self.committed_active } else { active(&self.engine) }
    }

    /// When the newest change was committed; none before the first.
    #[must_use]
    pub fn last_updated(&self) -> Option<Time> {
        self.last_updated
    }

    /// The instant that the last commit carries, in nanoseconds since the epoch; none before the first since our clock was
    /// set back.
    #[must_use]
    pub fn last_commit(&self) -> Option<i64> {
        self.last_commit
    }

    /// What is known, to look at: it may be ahead of the disk while a commit fails.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What is on the disk, to look at.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Sees to it that the store keeps room for the moment when the disk is full, where the disk has any to spare.
    pub fn keep_reserve(&mut self) -> bool {
        self.store.keep_reserve()
    }

    /// Closes the store.
    ///
    /// # Errors
    /// When the disk refuses. Everything that was committed is durable all the same.
    pub fn close(self) -> Result<(), StoreError> {
        self.store.close()
    }

    /// The instant of a turn: now, or just after the last commit. When our clock was set back, facts that wait until an
    /// instant of the old time wait no longer.
    fn begin_turn(&mut self, now: i64) -> i64 {
        let set_back = now < self.last_asked;
        if set_back {
            self.last_commit = None;
            self.engine.clock_set_back(self.last_asked.max(self.last_turn), now);
        }
        self.last_asked = now;
        self.last_turn = self.last_commit.map_or(now, |last| now.max(last.saturating_add(1)));
        self.last_turn
    }

    /// The instant as of which a question is answered that is asked now: not before what the last turn decided.
    pub(crate) fn instant(&self, now: i64) -> i64 {
        if now < self.last_asked { now } else { now.max(self.last_turn) }
    }

    /// Brings a conversation back from the store before facts of it are handed in.
    fn hydrate(&mut self, id: &Id, now: i64) -> Result<(), StoreError> {
        if self.engine.knows(id) {
            return Ok(());
        }
        match self.store.load(id) {
            Ok(Some(stored)) => self.engine.restore(&stored, now),
            Ok(None) => self.begin_anew(id, now)?,
            Err(StoreError::Damaged(_)) => self.engine.restore_damaged(id, now),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// A conversation that is not stored: one that was removed goes on from where its clock stood, and stays partial.
    fn begin_anew(&mut self, id: &Id, now: i64) -> Result<(), StoreError> {
        if self.engine.horizon().is_none() {
            return Ok(());
        }
        let Gone { clock, until, .. } = match self.store.removed(id) {
            Ok(Some(gone)) => gone,
            Ok(None) => return Ok(()),
            Err(StoreError::Damaged(what)) => {
                tracing::error!(%what, "what is left of a removed conversation cannot be read; it is partial");
                self.engine.restore_damaged(id, now);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if !self.engine.was_removed(id) {
            let conversation = id.clone();
            self.told_again.push(Inherited {
                conversation,
                clock,
                removed_until: Some(until),
                remembered: None,
            });
        }
        self.engine.inherit_removed(id.clone(), clock, until);
        Ok(())
    }

    /// What could not be committed when it was decided is shown, and published, at a later instant.
    fn postpone(&mut self, mut pending: Pending, now: i64) -> Pending {
        let at = now.max(pending.at);
        self.last_asked = self.last_asked.max(now);
        self.engine.postpone(&pending.batch.admitted, pending.at, at);
        let facts = pending.laid_down.iter_mut().flat_map(|stored| &mut stored.facts);
        facts
            .filter(|(_, arrival)| arrival.published == pending.at)
            .for_each(|(_, arrival)| arrival.published = at);
        Pending { at, ..pending }
    }

    /// The engine's decisions since the last commit, and what keeps the log short.
    fn prepare(&mut self) -> Pending {
        let mut batch = self.engine.take_batch();
        let mut laid_down = std::mem::take(&mut batch.laid_down);
        if batch.is_empty() && laid_down.is_empty() {
            return Pending { batch, laid_down, at: self.last_turn, ..Pending::default() };
        }
        let engine = &self.engine;
        let covered = self.trail.cover(|id| engine.waits(id), |id| engine.lay_down(id));
        laid_down.extend(covered.laid_down);
        let (forget_below, left_since) = (covered.forget_below, self.left_since);
        let changed = if self.outbox.is_some() { changed(&batch.changes) } else { Vec::new() };
        let (at, inherited) = (self.last_turn, std::mem::take(&mut self.told_again));
        Pending { batch, laid_down, forget_below, left_since, at, inherited, changed }
    }

    fn as_commit<'a>(&self, pending: &'a Pending) -> Commit<'a> {
        Commit {
            committed_at: pending.at,
            incarnation: self.incarnation,
            seq: self.engine.seq(),
            admitted: &pending.batch.admitted,
            cells: &pending.batch.cells,
            users: &pending.batch.users,
            ledger: &pending.batch.ledger,
            laid_down: &pending.laid_down,
            inherited: &pending.inherited,
            heard_until: pending.left_since,
            forget_log_below: pending.forget_below,
            outgoing: self.outbox.map(|bounds| Outgoing {
                after_seq: self.committed_seq,
                conversations: &pending.changed,
                passed: self.passed,
                bounds,
            }),
        }
    }
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.laid_down.is_empty()
    }
}

/// The conversations of changes, each once.
fn changed(changes: &[Publish]) -> Vec<Id> {
    let mut seen = HashSet::new();
    changes.iter().map(|change| &change.conversation).filter(|id| seen.insert(*id)).cloned().collect()
}

/// How many conversations an engine knows to be active, those among them that are only remembered.
fn active(engine: &Engine) -> u64 {
    engine.active_count() + engine.remembered_count()
}
