//! The whole history at one instant, to be gone through from end to end beside whoever writes.
//!
//! A snapshot of the store holds the conversations that ended as they were laid down, and those in memory as far as they
//! were laid down plus the log behind. So the log is replayed into an engine of its own, exactly as a start does it, and
//! everything is told by ascending id: one that is in the engine from there, any other from the store, one at a time. What
//! that costs in memory is what the conversations cost that were in the service's memory, however long the history is.
//!
//! Rejected: asking the shard for the conversations in its memory (it would be held up, and the answers would be of as
//! many instants as there are questions).

use crate::recovery::{BroughtBack, brought_back};
use crate::{PipelineError, Position};
use engine::{
    Completeness, Engine, FeedIntervals, Id, Interval, Limits, MINUTE, RangeView, Shown, UNNOTICED_NS_MAX,
};
use std::ops::ControlFlow;
use std::path::Path;
use store::{Damaged, Each, Snapshot, Store, StoreError};

/// Why nothing is claimed of the newest time.
const NOT_YET: &str =
    "when this was read it had not been committed, or that a feed had died was not noticed yet";
/// Why nothing is known of old minutes.
const FORGOTTEN: &str = "minutes so old are kept no longer";
/// Why nothing is known at all.
const NOBODY: &str = "no feed ever listened";

/// A data folder's history.
#[derive(Debug)]
pub struct Past {
    engine: Engine,
    store: Store,
    position: Position,
    /// Up to when the ledger speaks.
    as_of: i64,
    running: bool,
    damaged: u64,
    /// Conversations that were in memory and cannot be read: of no known time.
    damaged_in_memory: Vec<Damaged>,
    /// From when on minutes of cells are kept, in nanoseconds since the epoch; none: all are.
    minutes_from: Option<i64>,
}

/// What is met on the way.
#[derive(Debug)]
pub enum Found<'a> {
    /// A conversation.
    Conversation(&'a Shown<'a>),
    /// A record that cannot be read, and whose conversation is missing therefore.
    Damaged(&'a Damaged),
}

impl Past {
    /// Reads a folder as it is committed now, at `now` in nanoseconds since the epoch, whether a service runs on it or not.
    /// Nothing in it is changed.
    ///
    /// # Errors
    /// When it cannot be read; the message names the cause and the way out.
    pub fn open(folder: &Path, now: i64) -> Result<Self, PipelineError> {
        Ok(Self::of(Store::snapshot(folder)?, now)?)
    }

    fn of(snapshot: Snapshot, now: i64) -> Result<Self, StoreError> {
        let Snapshot { opened, running } = snapshot;
        let position = Position { epoch: opened.epoch, seq: opened.seq };
        let back = brought_back(opened, Limits::default(), now)?;
        let BroughtBack { mut engine, store, seq, heard_until, last_committed_at, .. } = back;
        if !running {
            // As the next start would: what waited for its causes is shown, and nobody listens since the last commit.
            engine.resumed(seq, heard_until, now);
            engine.release_unreleased(now);
        }
        let as_of = if running { last_committed_at.unwrap_or(now).min(now) } else { now };
        let minutes_from = store.cells_kept()?.minutes.map(|minute| minute.saturating_mul(MINUTE));
        let (damaged, damaged_in_memory) = (back.damaged_elsewhere, back.damaged_in_memory);
        Ok(Self { engine, store, position, as_of, running, damaged, damaged_in_memory, minutes_from })
    }

    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Up to when it reaches, in nanoseconds since the epoch: the last commit while a service runs, else when it was read.
    #[must_use]
    pub fn as_of(&self) -> i64 {
        self.as_of
    }

    /// Whether a service runs on the folder.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// Records besides those of conversations that could not be read: whose facts they held is not known.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// How many conversations [`Past::each`] tells: about, since some may stand in the log alone.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn conversation_count(&self, range: Option<(i64, i64)>) -> Result<u64, StoreError> {
        let laid_down = match range {
            Some(range) => self.store.count_meeting(range)?.saturating_add(self.engine.resident_count()),
            None => self.store.laid_down_count()?,
        };
        Ok(laid_down.max(self.engine.resident_count()))
    }

    /// What is known of `[from, to)` of each feed. Of the time behind [`Past::as_of`] nothing is known; nor of the minute
    /// before while a service runs, since a feed may have died in it that was not noticed yet.
    #[must_use]
    pub fn range(&self, from: i64, to: i64) -> RangeView {
        let sure = if self.running { self.as_of.saturating_sub(UNNOTICED_NS_MAX) } else { self.as_of };
        let mut range = self.engine.range(from, to.max(from), sure);
        let behind = from.max(sure);
        if behind < to {
            let reason = Some(NOT_YET.to_owned());
            let unknown = Interval { from: behind, to, completeness: Completeness::Unknown, reason };
            for feed in range.feeds.iter_mut().filter(|feed| !feed.truncated) {
                feed.completeness = Completeness::Unknown;
                feed.intervals.push(unknown.clone());
            }
            (range.to, range.completeness) = (to, Completeness::Unknown);
        }
        range
    }

    /// The minutes from `from_minute` to `to_minute`, both included, that have events, ascending, with how many.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn cells(&self, from_minute: i64, to_minute: i64) -> Result<Vec<(i64, u64)>, StoreError> {
        self.store.cells(from_minute, to_minute)
    }

    /// The first of those minutes.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn first_cell(&self, from_minute: i64, to_minute: i64) -> Result<Option<i64>, StoreError> {
        self.store.first_cell(from_minute, to_minute)
    }

    /// The conversation of an id, as it is told on the way through all.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn one(&self, id: &Id, tell: impl FnOnce(Found<'_>)) -> Result<(), StoreError> {
        if let Some(shown) = self.engine.show(id, self.as_of) {
            tell(Found::Conversation(&shown));
            return Ok(());
        }
        match self.store.load(id) {
            Ok(Some(stored)) => tell(Found::Conversation(&self.engine.show_stored(&stored, self.as_of))),
            Ok(None) => {}
            Err(StoreError::Damaged(what)) => tell(Found::Damaged(&what)),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Goes through all conversations by ascending id behind `after`, one at a time, until `tell` breaks off. With a range, in
    /// nanoseconds since the epoch, both ends included: those that were told of or went on in it, and a few others.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn each(
        &self,
        range: Option<(i64, i64)>,
        after: Option<&Id>,
        mut tell: impl FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut residents = Residents { engine: &self.engine, after: after.cloned(), as_of: self.as_of };
        let mut flow = ControlFlow::Continue(());
        let mut meet = |met: Each| {
            flow = match &met {
                Each::Damaged(what) => tell(Found::Damaged(what)),
                Each::Conversation(stored) => residents.tell_before(Some(&stored.id), &mut tell),
            };
            if let (ControlFlow::Continue(()), Each::Conversation(stored)) = (flow, &met)
                && !self.engine.knows(&stored.id)
            {
                flow = tell(Found::Conversation(&self.engine.show_stored(stored, self.as_of)));
            }
            flow
        };
        // Nobody is on a conversation that has ended, so those whose span does not meet the range have nothing in it.
        match range {
            Some(range) => {
                let first = self.damaged_in_memory.iter().filter(|_| after.is_none());
                for what in first.map(|what| Each::Damaged(what.clone())) {
                    if meet(what).is_break() {
                        return Ok(());
                    }
                }
                self.store.each_meeting(range, after, meet)?;
            }
            None => self.store.each_laid_down(after, meet)?,
        }
        if flow.is_continue() {
            let _told_all = residents.tell_before(None, &mut tell);
        }
        Ok(())
    }
}

/// The conversations in the engine, by ascending id.
struct Residents<'a> {
    engine: &'a Engine,
    after: Option<Id>,
    as_of: i64,
}

impl Residents<'_> {
    /// Tells those that come no later than `bound`, or all that are left.
    fn tell_before(
        &mut self,
        bound: Option<&Id>,
        tell: &mut impl FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        while let Some(id) = self.engine.resident_after(self.after.as_ref()) {
            if bound.is_some_and(|bound| id > bound) {
                break;
            }
            self.after = Some(id.clone());
            if let Some(shown) = self.engine.show(id, self.as_of) {
                tell(Found::Conversation(&shown))?;
            }
        }
        ControlFlow::Continue(())
    }
}

impl Past {
    /// Every interval of `[from, to)` that is not complete, by feed and time. That nobody ever listened is one without a feed.
    #[must_use]
    pub fn holes(&self, from: i64, to: i64) -> Vec<(Option<String>, Interval)> {
        let mut holes = Vec::new();
        if self.engine.range(from, to, self.as_of).feeds.is_empty() && from < to {
            let reason = Some(NOBODY.to_owned());
            return vec![(None, Interval { from, to, completeness: Completeness::Unknown, reason })];
        }
        let (mut at, mut left) = (from, true);
        while left {
            let range = self.range(at, to);
            let cut = |feed: &&FeedIntervals| feed.truncated;
            let next = range.feeds.iter().filter(cut).filter_map(|feed| feed.intervals.last()).map(|i| i.to);
            let next = next.min().filter(|next| *next > at);
            for feed in range.feeds {
                let bad = feed.intervals.into_iter().filter(|i| i.completeness != Completeness::Complete);
                holes.extend(bad.map(|mut interval| {
                    interval.to = interval.to.min(next.unwrap_or(i64::MAX));
                    (Some(feed.name.clone()), interval)
                }));
            }
            holes.retain(|(_, interval)| interval.from < interval.to);
            (at, left) = (next.unwrap_or(to), next.is_some());
        }
        holes.sort_by(|a, b| (&a.0, a.1.from).cmp(&(&b.0, b.1.from)));
        holes
    }

    /// The same for cells: of minutes that are kept no longer nothing is known either.
    #[must_use]
    pub fn holes_of_cells(&self, from: i64, to: i64) -> Vec<(Option<String>, Interval)> {
        let mut holes = self.holes(from, to);
        if let Some(to) = self.minutes_from.map(|end| end.min(to)).filter(|end| from < *end) {
            let (completeness, reason) = (Completeness::Unknown, Some(FORGOTTEN.to_owned()));
            holes.insert(0, (None, Interval { from, to, completeness, reason }));
        }
        holes
    }
}
