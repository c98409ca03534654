//! From when to when a conversation was told of, as an index: what went on at an instant is found without looking at the
//! history before and after it.
//!
//! A row notes when its span ends, in whole seconds, and the power of two that its length fits into. All that meets an
//! interval lies, in each class, in one range of ends that is wider than the interval by the length of the class, so that
//! no more than about twice too many rows are looked at; each is held against its facts then. Both numbers follow from
//! the body, so the checksum leaves them out: `headcount store check` works them out again. Rejected: SQLite's R*Tree
//! (some 40 bytes a row against 20, and three more tables), and an index by start and end (it walks all that began before).

use crate::read::decoded;
use crate::record::{Malformed, RowError, conversation, id, inherited};
use crate::upgrade::Progress;
use crate::{CommitReader, Damaged, Each, Store, StoreError};
use engine::{Id, SECOND, StoredConversation};
use rusqlite::{Row, Transaction};
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

/// Format 4: the span of each conversation.
pub(crate) const INDEX: &str = "
    ALTER TABLE conversation ADD COLUMN span INTEGER;
    ALTER TABLE conversation ADD COLUMN until_s INTEGER;
    CREATE INDEX conversation_span ON conversation (span, until_s) WHERE NOT resident;
";

/// Classes of spans: no two instants are further apart than so many doublings of a second.
const CLASSES: i64 = 36;
/// The class of rows that could not be read when the index was made: they meet every interval, so that they are told of.
const UNREADABLE: i64 = -1;
/// Ids that are held at once on the way through all: 24 bytes each.
const IDS_AT_ONCE: usize = 1_000_000;
/// Further than evidence stands from its own instants in the order (some nanoseconds), in seconds.
const PUSHED_S: i64 = 1;

/// A span as a row notes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The length fits into two to this power, in seconds.
    pub class: i64,
    /// Its end, in seconds since the epoch, rounded up.
    pub until_s: i64,
}

impl Span {
    /// That of a conversation; none when nothing is known of it.
    pub fn of(stored: &StoredConversation) -> Option<Self> {
        let (first, last) = stored.told_span()?;
        let until_s = last.div_euclid(SECOND) + 1 + PUSHED_S;
        let seconds = until_s.saturating_sub(first.div_euclid(SECOND) - PUSHED_S).max(1).cast_unsigned();
        let class = seconds.next_power_of_two().trailing_zeros();
        Some(Self { class: i64::from(class), until_s })
    }
}

/// Of a row of [`conversation::SELECT_IDS_OF_SPAN`].
fn id_that_is_found(row: &Row<'_>) -> Result<Id, RowError> {
    let found = row.get::<_, bool>(1)?;
    if found { id::of(row.get_ref(0)?) } else { Err(Malformed("it is not found by its id").into()) }
}

/// In which ranges of each class, by when a span ends, all lie that meet `[from, to]`, in nanoseconds since the epoch.
fn ranges_of(from: i64, to: i64) -> impl Iterator<Item = (i64, i64, i64)> {
    let (from_s, to_s) = (from.div_euclid(SECOND), to.div_euclid(SECOND) + 1);
    let classes = (0..CLASSES).map(move |class| (class, from_s, to_s.saturating_add(1 << class)));
    classes.chain([(UNREADABLE, i64::MIN, i64::MAX)])
}

impl Store {
    /// The ids of conversations that are not in memory by what was laid down, and whose facts name or came at instants on
    /// both sides of or within `[from, to]`, in nanoseconds since the epoch: the first `limit` of them behind `after`,
    /// ascending, or what is wrong with a row that does not say whose it is. A few more may be among them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn ids_meeting(
        &self,
        (from, to): (i64, i64),
        after: Option<&Id>,
        limit: usize,
    ) -> Result<Vec<Result<Id, Damaged>>, StoreError> {
        let (mut first, mut damaged) = (BinaryHeap::new(), Vec::new());
        let mut statement = self.connection.prepare_cached(conversation::SELECT_IDS_OF_SPAN)?;
        for range in ranges_of(from, to) {
            let mut rows = statement.query(range)?;
            while let Some(row) = rows.next()? {
                match decoded("conversation", row, id_that_is_found)? {
                    Ok(id) if after.is_some_and(|after| id <= *after) => {}
                    Ok(id) => first.push(id),
                    Err(what) => damaged.push(Err(what)),
                }
                if first.len() > limit {
                    first.pop();
                }
            }
        }
        damaged.extend(first.into_sorted_vec().into_iter().map(Ok));
        Ok(damaged)
    }

    /// The ends of spans, in whole seconds, each with its row's number: of each class the first `limit` of those that end
    /// before an instant (or a little later) and stand behind `after`.
    pub(crate) fn ends_of_spans(
        &self,
        before: i64,
        (until_s, number): (i64, i64),
        limit: usize,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let sql = "SELECT until_s, number FROM conversation WHERE span = ?1 AND until_s BETWEEN ?3 AND ?2
            AND (until_s > ?3 OR number > ?4) AND NOT resident ORDER BY until_s, number LIMIT ?5";
        let (mut statement, mut found) = (self.connection.prepare_cached(sql)?, Vec::new());
        let last = before.div_euclid(SECOND).saturating_add(1 + PUSHED_S);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        for class in 0..CLASSES {
            let mut rows = statement.query((class, last, until_s, number, limit))?;
            while let Some(row) = rows.next()? {
                found.push((row.get(0)?, row.get(1)?));
            }
        }
        Ok(found)
    }

    /// About how many these are in all.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn count_meeting(&self, (from, to): (i64, i64)) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM conversation WHERE span = ?1 AND until_s BETWEEN ?2 AND ?3 AND NOT resident";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut count = |range| statement.query_row(range, |row| row.get::<_, i64>(0));
        ranges_of(from, to).try_fold(0, |sum: u64, range| Ok(sum.saturating_add_signed(count(range)?)))
    }

    /// Goes through these, by ascending id behind `after` (none: from the start), one at a time, until `tell` breaks off. What
    /// that costs is a matter of how many they are, and not of the history.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn each_meeting(
        &self,
        range: (i64, i64),
        after: Option<&Id>,
        tell: impl FnMut(Each) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.each_of_portions(range, after, IDS_AT_ONCE, tell)
    }

    fn each_of_portions(
        &self,
        range: (i64, i64),
        after: Option<&Id>,
        at_once: usize,
        mut tell: impl FnMut(Each) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let (mut after, mut again) = (after.cloned(), false);
        loop {
            let mut ids = self.ids_meeting(range, after.as_ref(), at_once)?;
            // What does not say whose it is was told of the first time.
            ids.retain(|id| !again || id.is_ok());
            again = true;
            after = ids.iter().flatten().next_back().cloned();
            for id in ids {
                let met = match id.map(|id| self.load(&id)) {
                    Ok(Ok(Some(stored))) => Each::Conversation(stored),
                    Ok(Err(StoreError::Damaged(what))) | Err(what) => Each::Damaged(what),
                    Ok(Ok(None)) => continue,
                    Ok(Err(error)) => return Err(error),
                };
                if tell(met).is_break() {
                    return Ok(());
                }
            }
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

impl CommitReader {
    /// Conversations that are not in memory by what was laid down, and whose facts name or came at instants on both sides of
    /// or within `[from, to]`, in nanoseconds since the epoch: each goes to `meet`, in no order, with before when all happened
    /// that retention had removed of it. A few more may come. Gives how many cannot be read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn meeting(
        &self,
        from: i64,
        to: i64,
        meet: &mut dyn FnMut(StoredConversation, Option<i64>),
    ) -> Result<u64, StoreError> {
        let mut damaged = 0;
        let mut statement = self.connection.prepare_cached(conversation::SELECT_SPAN)?;
        for range in ranges_of(from, to) {
            let mut rows = statement.query(range)?;
            while let Some(row) = rows.next()? {
                match decoded("conversation", row, conversation::read)? {
                    Ok(stored) => {
                        let until = inherited::removed_until(&self.connection, &stored.id)?;
                        meet(stored, until);
                    }
                    Err(_) => damaged += 1,
                }
            }
        }
        Ok(damaged)
    }
}

/// Notes the span of every conversation that is there, one at a time.
pub(crate) fn fill(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let next = format!(
        "SELECT {} FROM conversation WHERE number > ?1 ORDER BY number LIMIT 1",
        conversation::COLUMNS
    );
    let mut next = transaction.prepare(&next)?;
    let mut note =
        transaction.prepare("UPDATE conversation SET span = ?2, until_s = ?3 WHERE number = ?1")?;
    let (mut after, mut progress) = (i64::MIN, Progress::of("times"));
    loop {
        let mut rows = next.query([after])?;
        let Some(row) = rows.next()? else { return Ok(()) };
        after = row.get(9)?;
        let span = match conversation::read(row) {
            Ok(stored) => Span::of(&stored),
            Err(RowError::Malformed(_)) => Some(Span { class: UNREADABLE, until_s: 0 }),
            Err(RowError::Failed(error)) => return Err(error),
        };
        drop(rows);
        progress.step();
        note.execute((after, span.map(|span| span.class), span.map(|span| span.until_s)))?;
    }
}

#[cfg(test)]
mod tests;
