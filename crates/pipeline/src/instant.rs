//! What `/api/v1/state` says of an instant: how many were active then, and the activity of the day before.
//!
//! As for cells (`activity.rs`), the shard goes once through the conversations in memory and begins a reader of what is stored;
//! the stored conversations that were told of on both sides of the instant are found by their spans and counted elsewhere. So
//! the cost is that of the conversations of that time, however long the history is. Minutes are those of now, less what
//! these conversations have added since (`engine/src/instant.rs`).

use crate::{Answer, Keeper, NoAnswer, Query, Reader};
use engine::{Activity, Completeness, Counted, Id, When};
use std::collections::HashSet;
use store::{CommitReader, StoreError};
use tokio::sync::oneshot;

/// Minutes of a day.
const DAY_MINUTES: usize = 1_440;

/// What the shard has to say about an instant, and where the rest is read.
#[derive(Debug)]
pub struct Looked {
    when: When,
    counted: Counted,
    /// Of these what is stored is not what is known.
    taken_up: HashSet<Id>,
    stored: CommitReader,
}

/// What was shown, or what was true, at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateThen {
    /// Conversations that were active.
    pub active: u64,
    /// Activity of the 24 hours that ended with the newest event's minute.
    pub activity: Activity,
    /// What is known of it beside what the ledger knows: partial where records of that time could not be read, and unknown
    /// where minutes of that day are kept no longer.
    pub completeness: Completeness,
}

impl Looked {
    /// Counts what is stored. Reads what conversations of that time there are: not for the shard.
    ///
    /// # Errors
    /// When the file cannot be read, other than because of damage.
    pub fn finish(self) -> Result<StateThen, StoreError> {
        let Self { when, mut counted, taken_up, stored } = self;
        let (from, to) = when.reach();
        let damaged = stored.meeting(from, to, &mut |one, removed_until| {
            if !taken_up.contains(&one.id) {
                counted.add_stored(&one, removed_until, when);
            }
        })?;
        let (minutes, unreadable) = stored.last_minutes(when.minute(), DAY_MINUTES + counted.cells.len())?;
        let activity = counted.activity(minutes);
        let begins = activity.newest_minute.unwrap_or(when.minute()).saturating_sub(DAY_MINUTES as i64 - 1);
        let completeness = match stored.kept.minutes {
            Some(kept) if kept > begins => Completeness::Unknown,
            _ if damaged + unreadable > 0 => Completeness::Partial,
            _ => Completeness::Complete,
        };
        Ok(StateThen { active: counted.active, activity, completeness })
    }
}

impl Keeper {
    /// What conversations in memory counted for at an instant, asked at `now` in nanoseconds since the epoch, and a reader of
    /// the rest.
    ///
    /// # Errors
    /// When the store cannot be read, and while something waits for the disk.
    pub fn look_at(&self, when: When, now: i64) -> Result<Answer<Looked>, StoreError> {
        let (now, stored) = (self.instant(now), self.stored_as_known()?.commit_reader()?);
        let (counted, taken_up) = self.engine.counted(when);
        let of_day = |at: Option<i64>| at.map(|at| self.engine.completeness_then(at, now));
        let completeness = of_day(when.at).max(of_day(when.known_at)).unwrap_or(Completeness::Unknown);
        let looked = Looked { when, counted, taken_up, stored };
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
        let value = self.elsewhere(move || value.finish()).await?;
        let completeness = completeness.max(value.completeness);
        Ok(Answer { value, position, completeness, removed_until })
    }
}
