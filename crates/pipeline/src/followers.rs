//! Followers: whoever takes the history elsewhere, at its own pace, from a durable position.
//!
//! A follower reads the outbox from where it stands, asks what its conversations are now, hands that to its sink, and moves
//! its position when the sink has acknowledged. It is told what changed and not how, so that what it sends may be sent
//! twice, and an outage costs one message a conversation and not one a change. What was no longer kept for it is counted and
//! named, and stays named until the program ends. Nothing of this holds up a commit: the outbox is read through a
//! connection of its own, and the position lies in a file of its own.

use crate::telemetry::FollowerName;
use crate::{NoAnswer, Reader, Telemetry};
use engine::{Id, TimelineEntry};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use store::{OpenError, Outbox, OutboxRow, Progress, Sent, StoreError};
use tokio::sync::watch;

/// Conversations asked for at once: what the shard answers between two commits.
const ASKED_MAX: usize = 64;

/// All followers of a program, and how far the store is.
#[derive(Debug)]
pub struct Followers {
    newest: watch::Sender<Progress>,
    list: Mutex<Vec<Arc<State>>>,
}

#[derive(Debug)]
struct State {
    name: &'static str,
    position: AtomicU64,
    seq: AtomicU64,
    told: Mutex<Told>,
}

#[derive(Clone, Debug, Default)]
struct Told {
    trouble: Option<String>,
    missed: u64,
    gap: Option<String>,
}

/// How a follower stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowerStatus {
    /// Its name.
    pub name: &'static str,
    /// Changes it is behind.
    pub lag_changes: u64,
    /// Why it cannot go on at the moment.
    pub trouble: Option<String>,
    /// Changes that it will never get, since this program started.
    pub missed_changes: u64,
    /// Which changes these are; of several gaps the newest.
    pub gap: Option<String>,
}

impl Default for Followers {
    fn default() -> Self {
        Self { newest: watch::channel(Progress::default()).0, list: Mutex::default() }
    }
}

impl Followers {
    /// How each of them stands.
    #[must_use]
    pub fn status(&self) -> Vec<FollowerStatus> {
        let newest = self.newest.borrow().seq;
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().map(|state| state.status(newest)).collect()
    }

    /// The row of the outbox that all of them have passed; 0 before any is there.
    pub(crate) fn passed(&self) -> u64 {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().map(|state| state.position.load(Ordering::Acquire)).min().unwrap_or(0)
    }

    /// Something was committed.
    pub(crate) fn publish(&self, newest: Progress) {
        self.newest.send_replace(newest);
    }
}

impl State {
    fn status(&self, newest: u64) -> FollowerStatus {
        let Told { trouble, missed, gap } = self.told().clone();
        let lag_changes = newest.saturating_sub(self.seq.load(Ordering::Acquire));
        FollowerStatus { name: self.name, lag_changes, trouble, missed_changes: missed, gap }
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stand(&self, at: Progress) {
        self.seq.store(at.seq, Ordering::Release);
        self.position.store(at.position, Ordering::Release);
    }
}

/// One follower: its position, what its sink holds, and where to read on. It belongs to one task.
#[derive(Debug)]
pub struct Follower {
    state: Arc<State>,
    newest: watch::Receiver<Progress>,
    looked: u64,
    at: Progress,
    outbox: Outbox,
    sent: Sent,
    reader: Reader,
    telemetry: Arc<Telemetry>,
}

/// What is to be sent next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Portion {
    /// Conversations that changed, each once.
    pub conversations: Vec<Id>,
    /// Minutes whose cells moved, ascending, each once.
    pub minutes: Vec<i64>,
    upto: Progress,
    missed: u64,
}

impl Portion {
    /// Of so many of its conversations nothing is known any more: a change of each, at least, never gets to the sink. It is
    /// told when the portion is acknowledged.
    pub fn miss(&mut self, conversations: usize) {
        self.missed += conversations as u64;
    }

    /// Minutes before one since 1970 are kept no longer: what moved in them never gets to the sink.
    fn miss_minutes_before(&mut self, from: i64) {
        let named = self.minutes.len();
        self.minutes.retain(|minute| *minute >= from);
        self.missed += (named - self.minutes.len()) as u64;
    }
}

/// Why a follower cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum FollowerError {
    /// A file cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Follower {
    /// Opens a follower on the data folder of a program that runs. One that never was here before begins with what the
    /// outbox holds, or else with the next change.
    ///
    /// # Errors
    /// When its file or the outbox cannot be opened.
    pub fn open(
        folder: &Path,
        name: &'static str,
        reader: &Reader,
        telemetry: Arc<Telemetry>,
    ) -> Result<Self, FollowerError> {
        let (sent, outbox) = (Sent::open(folder, name)?, Outbox::open(folder)?);
        let followers = reader.followers();
        let newest = followers.newest.subscribe();
        let now = *newest.borrow();
        let known = sent.progress()?;
        // Whose position is lost gets all that is kept, some of it once more.
        let new = outbox.before_first()?.unwrap_or(now);
        let at = known.filter(|known| known.seq <= now.seq && known.position <= now.position).unwrap_or(new);
        if known.is_some_and(|known| known != at) {
            tracing::warn!(
                follower = name,
                "its position is ahead of the history, which is older; it begins with what is kept"
            );
        }
        if known != Some(at) {
            sent.acknowledge(at)?;
        }
        let (position, seq) = (AtomicU64::new(at.position), AtomicU64::new(at.seq));
        let state = Arc::new(State { name, position, seq, told: Mutex::default() });
        followers.list.lock().unwrap_or_else(PoisonError::into_inner).push(state.clone());
        telemetry.follower_missed.get_or_create(&FollowerName { follower: name }).inc_by(0);
        let this = Self { state, newest, looked: 0, at, outbox, sent, reader: reader.clone(), telemetry };
        this.show_lag();
        this.say_set_aside();
        Ok(this)
    }

    /// Where pages of its file are damaged, sets the file aside and goes on with a new one; false: it is sound.
    ///
    /// # Errors
    /// When no new file can be made.
    pub fn renew(&mut self) -> Result<bool, FollowerError> {
        let renewed = self.sent.renew(self.at)?;
        if renewed {
            self.say_set_aside();
        }
        Ok(renewed)
    }

    fn say_set_aside(&self) {
        if let Some(aside) = self.sent.damaged() {
            tracing::error!(
                follower = self.state.name,
                "its file was damaged, and is now {}: it goes on with a new one, from change {} on; points that went before \
                 are not corrected any more when a late fact moves them. The history itself is not in that file",
                aside.display(),
                self.at.seq + 1
            );
        }
    }

    /// What the sink holds.
    pub fn sent(&mut self) -> &mut Sent {
        &mut self.sent
    }

    /// Where it stands.
    #[must_use]
    pub fn at(&self) -> Progress {
        self.at
    }

    /// Changes it is behind.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.newest.borrow().seq.saturating_sub(self.at.seq)
    }

    /// Resolves when something was committed that it has not looked at yet; never again once the program stops.
    pub async fn more(&mut self) {
        let looked = self.looked.max(self.at.position);
        if self.newest.wait_for(|newest| newest.position > looked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Resolves when it is at least `changes` behind; never again once the program stops.
    pub async fn behind(&mut self, changes: u64) {
        let seq = self.at.seq;
        if self.newest.wait_for(|newest| newest.seq.saturating_sub(seq) >= changes).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The next portion, of about `changes_max` changes; none when there is nothing to send.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub fn take(&mut self, changes_max: u64) -> Result<Option<Portion>, StoreError> {
        let newest = self.newest.borrow_and_update().position;
        let mut rows = self.outbox.after(self.at.position, changes_max)?;
        // What is on the disk and was not acknowledged is not to be seen by anybody.
        rows.retain(|row| row.position <= newest);
        if rows.is_empty() {
            self.looked = newest;
        }
        let mut portion = portion(self.at, rows);
        if let (Some(portion), Some(from)) = (&mut portion, self.outbox.minutes_from()?) {
            portion.miss_minutes_before(from);
        }
        Ok(portion)
    }

    /// What conversations are now, in the order given, without those that nobody knows any more.
    ///
    /// # Errors
    /// [`NoAnswer`] says why.
    pub async fn timelines(&self, of: &[Id]) -> Result<Vec<(Id, Vec<TimelineEntry>)>, NoAnswer> {
        let mut found = Vec::with_capacity(of.len());
        let mut left = of;
        while !left.is_empty() {
            let answers = self.reader.timelines(left.iter().take(ASKED_MAX).cloned().collect()).await?.value;
            let (told, rest) = left.split_at(answers.len().clamp(1, left.len()));
            let known = told.iter().zip(answers).filter_map(|(id, answer)| Some((id.clone(), answer?)));
            found.extend(known);
            left = rest;
        }
        Ok(found)
    }

    /// The events of minutes, as committed.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn cells(&self, minutes: &[i64]) -> Result<Vec<(i64, u64)>, StoreError> {
        let (Some(first), Some(last)) = (minutes.iter().min(), minutes.iter().max()) else {
            return Ok(Vec::new());
        };
        let wanted: HashSet<&i64> = minutes.iter().collect();
        let mut cells = self.outbox.cells(*first, *last)?;
        cells.retain(|(minute, _)| wanted.contains(minute));
        Ok(cells)
    }

    /// The sink has a portion: the position moves, durably, together with what was noted of the sink.
    ///
    /// # Errors
    /// When the position cannot be written; the portion comes again then.
    pub fn acknowledge(&mut self, portion: &Portion) -> Result<(), StoreError> {
        self.sent.acknowledge(portion.upto)?;
        if portion.missed > 0 {
            self.tell_missed(portion);
        }
        self.at = portion.upto;
        self.state.stand(self.at);
        self.state.told().trouble = None;
        self.show_lag();
        Ok(())
    }

    /// Why it cannot go on at the moment; said in the log when it is new.
    pub fn trouble(&self, why: &str) {
        self.show_lag();
        let mut told = self.state.told();
        if told.trouble.as_deref() != Some(why) {
            tracing::warn!(follower = self.state.name, lag_changes = self.lag(), "{why}");
            told.trouble = Some(why.to_owned());
        }
    }

    /// What its sink had is gone there; said in the log, and named until the program ends.
    pub fn lose(&self, what: &str) {
        tracing::error!(follower = self.state.name, "its sink has lost {what}");
        self.state.told().gap = Some(what.to_owned());
    }

    fn tell_missed(&self, portion: &Portion) {
        let (name, missed) = (self.state.name, portion.missed);
        let (from, to) = (self.at.seq + 1, portion.upto.seq);
        tracing::error!(
            follower = name,
            missed,
            "{missed} of the changes {from} to {to} never reach the follower: they are kept no longer"
        );
        self.telemetry.follower_missed.get_or_create(&FollowerName { follower: name }).inc_by(missed);
        let mut told = self.state.told();
        told.missed += missed;
        told.gap = Some(format!("{missed} of the changes {from} to {to}"));
    }

    fn show_lag(&self) {
        let name = FollowerName { follower: self.state.name };
        self.telemetry.follower_lag.get_or_create(&name).set(i64::try_from(self.lag()).unwrap_or(i64::MAX));
    }
}

/// Rows put together; none of no rows.
fn portion(at: Progress, rows: Vec<OutboxRow>) -> Option<Portion> {
    if rows.is_empty() {
        return None;
    }
    let mut portion = Portion { upto: at, ..Portion::default() };
    let (mut seen, mut minutes) = (HashSet::new(), BTreeSet::new());
    for row in rows {
        portion.missed += row.after_seq.saturating_sub(portion.upto.seq);
        match row.conversations {
            Some(ids) => portion.conversations.extend(ids.into_iter().filter(|id| seen.insert(id.clone()))),
            None => portion.missed += row.seq.saturating_sub(row.after_seq),
        }
        minutes.extend(row.minutes);
        portion.upto = Progress { position: row.position, seq: row.seq.max(portion.upto.seq) };
    }
    portion.minutes = minutes.into_iter().collect();
    Some(portion)
}
