//! How many events fell into each minute, hour or day, by role, queue, user and medium.
//!
//! The shard says, between two commits, what conversations in memory add (one pass over each that has events in the range),
//! and begins a reader of what is stored as of that commit. Pages and parts are summed up elsewhere, so that the shard is held
//! up for the conversations in memory and not for the history. Rejected: summing in the shard (a year of pages takes as
//! long as tens of commits), and sums kept with every conversation in memory (each fact would pay for what few ask).

use crate::{Answer, Keeper, NoAnswer, Query, Reader};
use engine::{Completeness, Id, RangeView};
use store::{CellQuestion, CellSums, CommitReader, Damaged, StoreError};
use tokio::sync::oneshot;

/// What the shard has to say about cells, and where the rest is read.
#[derive(Debug)]
pub struct Gathered {
    /// What was asked.
    pub question: CellQuestion,
    /// What conversations in memory add.
    pub sums: CellSums,
    /// Those of them of which pages hold what they added before.
    pub outgrown: Vec<Id>,
    /// What is stored; none: nothing is.
    pub stored: Option<CommitReader>,
    /// What is known of the range.
    pub range: RangeView,
}

/// Cells, each so many events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityView {
    /// What was asked.
    pub question: CellQuestion,
    /// One count a cell, from the first on.
    pub counts: Vec<u64>,
    /// What is known of the range, by the ledger alone.
    pub range: RangeView,
    /// Records that could not be read: what they held is missing.
    pub damaged: Vec<Damaged>,
    /// Conversations whose record could not be read when the file was upgraded: what they added is missing.
    pub lacking: u64,
}

/// Cells so old are kept no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotKept {
    /// The first cell that is kept, counted in intervals since 1970.
    pub from: i64,
}

impl Gathered {
    /// Sums up what is stored. Reads as much of the file as the range has pages: not for the shard.
    ///
    /// # Errors
    /// When the file cannot be read, other than because of damage.
    pub fn finish(self) -> Result<Result<ActivityView, NotKept>, StoreError> {
        let Self { question, mut sums, outgrown, stored, range } = self;
        let kept = stored.as_ref().map(|stored| stored.kept).unwrap_or_default();
        if let Some(from) = kept.of(question.interval).filter(|from| *from > question.from) {
            return Ok(Err(NotKept { from }));
        }
        if let Some(mut stored) = stored {
            stored.sum(&question, &mut sums)?;
            stored.take_back(&outgrown, &question, &mut sums)?;
        }
        let counts = sums.counts.iter().map(|count| (*count).max(0).cast_unsigned()).collect();
        Ok(Ok(ActivityView { question, counts, range, damaged: sums.damaged, lacking: kept.lacking }))
    }
}

impl ActivityView {
    /// The worst of what is known of it.
    #[must_use]
    pub fn completeness(&self) -> Completeness {
        let whole = self.damaged.is_empty() && self.lacking == 0;
        self.range.completeness.max(if whole { Completeness::Complete } else { Completeness::Partial })
    }
}

impl Keeper {
    /// What conversations in memory add to cells as of `now`, in nanoseconds since the epoch, and a reader of the rest.
    ///
    /// # Errors
    /// When the store cannot be read, and while something waits for the disk.
    pub fn gather(&self, question: CellQuestion, now: i64) -> Result<Answer<Gathered>, StoreError> {
        let (now, stored) = (self.instant(now), self.stored_as_known()?.commit_reader_for(&question)?);
        let (minutes, mut sums) = (question.minutes(), question.nothing());
        let outgrown = self
            .engine
            .contribute(&question.filter, &minutes, |minute| question.add_minute(&mut sums, minute, 1));
        let instants =
            (minutes.start.saturating_mul(engine::MINUTE), minutes.end.saturating_mul(engine::MINUTE));
        let range = self.engine.range_of_cells(instants.0, instants.1, now);
        let completeness = range.completeness;
        let gathered = Gathered { question, sums, outgrown, stored: Some(stored), range };
        Ok(Answer { value: gathered, position: self.position(), completeness, removed_until: None })
    }
}

impl Reader {
    /// How many events fell into each cell that is asked for, as of one commit; or that cells so old are kept no longer.
    /// Facts that wait for what precedes them are not among it yet.
    ///
    /// # Errors
    /// [`NoAnswer::Stopped`] when the program is on its way out, [`NoAnswer::Withheld`] when it cannot be told.
    pub async fn activity(
        &self,
        question: CellQuestion,
    ) -> Result<Answer<Result<ActivityView, NotKept>>, NoAnswer> {
        let question = Box::new(question);
        let ask = |to: oneshot::Sender<Answer<Gathered>>| Query::Activity(question, to);
        let Answer { value, position, completeness, removed_until } = self.ask(ask).await?;
        let value = self.elsewhere(move || value.finish()).await?;
        let completeness = value.as_ref().map_or(completeness, ActivityView::completeness);
        Ok(Answer { value, position, completeness, removed_until })
    }
}
