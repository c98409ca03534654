//! What `/api/v1/state` says of an instant: how many were active then, and the activity of the day before.
//!
//! As for cells (`activity.rs`), the shard goes once through the conversations in memory and begins a reader of what is stored;
//! the stored conversations that were told of on both sides of the instant are found by their spans and counted elsewhere. So
//! the cost is that of the conversations of that time, however long the history is. Minutes are those of now, less what
//! these conversations have added since (`engine/src/instant.rs`).

use crate::{Answer, Keeper, NoAnswer, Query, Reader, When};
use engine::{Activity, Completeness, Counted, Id, Instant};
use std::collections::HashSet;
use store::{CellReader, StoreError};
use tokio::sync::oneshot;

/// Minutes of a day.
const DAY_MINUTES: usize = 1_440;

/// What the shard has to say about an instant, and where the rest is read.
#[derive(Debug)]
pub struct Looked {
    instant: Instant,
    now: i64,
    counted: Counted,
    /// Of these what is stored is not what is known.
    taken_up: HashSet<Id>,
    stored: CellReader,
}

/// What was shown, or what was true, at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateThen {
    /// Conversations that were active.
    pub active: u64,
    /// Activity of the 24 hours that ended with the newest event's minute.
    pub activity: Activity,
    /// Records that could not be read, or minutes that are kept no longer: something is missing of it.
    pub lacks: bool,
}

impl Looked {
    /// Counts what is stored. Reads what conversations of that time there are: not for the shard.
    ///
    /// # Errors
    /// When the file cannot be read, other than because of damage.
    pub fn finish(self) -> Result<StateThen, StoreError> {
        let Self { instant, now, mut counted, taken_up, stored } = self;
        let (from, to) = instant.reach(now);
        let damaged = stored.meeting(from, to, &mut |one, removed_until| {
            if !taken_up.contains(&one.id) {
                counted.add_stored(&one, removed_until, instant, now);
            }
        })?;
        let last = instant.minute(now);
        let minutes = stored.last_minutes(last, DAY_MINUTES + counted.cells.len())?;
        let activity = counted.activity(minutes);
        let begins = activity.newest_minute.unwrap_or(last).saturating_sub(DAY_MINUTES as i64);
        let lacks = damaged > 0 || stored.kept.minutes.is_some_and(|kept| kept > begins);
        Ok(StateThen { active: counted.active, activity, lacks })
    }
}

impl Keeper {
    /// What conversations in memory counted for at an instant, asked at `now` in nanoseconds since the epoch, and a reader of
    /// the rest.
    ///
    /// # Errors
    /// When the store cannot be read, and while something waits for the disk: memory is ahead of it then.
    pub fn look_at(&self, when: When, now: i64) -> Result<Answer<Looked>, StoreError> {
        if self.pending.is_some() || self.store.is_poisoned() {
            return Err(StoreError::Poisoned);
        }
        let (now, When { at, known_at }) = (self.instant(now), when);
        let instant = Instant { at, known_at };
        let stored = self.store.cell_reader()?;
        let (counted, taken_up) = self.engine.counted(instant, now);
        let of_day = |at: Option<i64>| at.map(|at| self.engine.completeness_then(at, now));
        let completeness = of_day(at).max(of_day(known_at)).unwrap_or(Completeness::Unknown);
        let looked = Looked { instant, now, counted, taken_up, stored };
        Ok(Answer { value: looked, position: self.position(), completeness, removed_until: None })
    }
}

impl Reader {
    /// What was true at an instant, by all that is known now or by what had been shown until another: how many conversations
    /// were active, and the activity of the day before. By what had been shown, an event counts from when it was published,
    /// also one that had stood in its minute before, while it waited for what precedes it. The position is today's, the
    /// completeness that of the days that ended at these instants, by what is known now.
    ///
    /// # Errors
    /// [`NoAnswer::Stopped`] when the program is on its way out, [`NoAnswer::Withheld`] when it cannot be told.
    pub async fn state_at(&self, when: When) -> Result<Answer<StateThen>, NoAnswer> {
        let ask = |to: oneshot::Sender<Answer<Looked>>| Query::State(when, to);
        let Answer { value, position, completeness, removed_until } = self.ask(ask).await?;
        let value = match tokio::task::spawn_blocking(move || value.finish()).await {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => {
                tracing::error!(%error, "the state of an instant could not be read");
                return Err(self.why_not());
            }
            Err(_) => return Err(NoAnswer::Stopped),
        };
        let worst = if value.lacks { Completeness::Partial } else { Completeness::Complete };
        Ok(Answer { value, position, completeness: completeness.max(worst), removed_until })
    }
}
