//! What InfluxDB 3 lacks: rows that are added, and none that is written again.
//!
//! In 3.x a point that is written again with the same tags and time replaces the old one or does not: which of the two a
//! query shows is not determined, changes with files and restarts, and points cannot be deleted. So the table is a ledger.
//! A row adds what stands (`weight=1`), or takes back, word for word and at its own time, what stood (`weight=-1`), so that
//! sums are right whatever is filtered and grouped by, in any range of time. Two tags make each row one of its own: `fact`,
//! which names what it tells of wherever that moves, and `row`, the number of rows that this fact has had. The field `revision` is that
//! number again, since a maximum is taken of fields alone: of a fact's rows the one with the highest is what stands, unless it
//! takes back. Cells are differences: a minute's rows sum up to its events. A row that is sent twice is the same row twice.
//!
//! The tag `fact` and not digits of the time: a row that corrects stands at exactly the time of what it corrects, so no range
//! has one without the other, and rows of different facts cannot meet, so nothing has to be looked up before they are
//! written. Series cost nothing there. Rejected: revisions alone, of which the highest counts (InfluxQL cannot count by them, and a
//! point that moved would show in a range that has its old place only).

use crate::Schema;
use crate::line::Line;
use crate::points::{ACTIVITY, points};
use crate::recall::Recalled;
use engine::{Id, MINUTE, TimelineEntry};
use store::{Sent, SentPoint, Standing, StoreError};

/// Notes what is to be told, in the schema of a table.
#[derive(Debug)]
pub(crate) struct Ledger<'a> {
    pub sent: &'a Sent,
    pub schema: Schema,
    /// The first minute, since 1970, of which nobody else has told.
    pub own_from: i64,
}

impl Ledger<'_> {
    /// Adds what differs of one conversation.
    pub fn add(&self, conversation: &Id, timeline: &[TimelineEntry]) -> Result<(), StoreError> {
        let key = SentPoint::hash(conversation.key());
        let mut known = self.sent.standing(key)?;
        for point in points(conversation, timeline, self.schema) {
            let fact = name(key, point.fact);
            let old = known.iter().position(|known| known.fact == fact).map(|at| known.swap_remove(at));
            let text = point.line.text();
            if let Some(old) = &old
                && old.time == point.time
                && old.text.as_deref() == Some(text)
            {
                if !old.own {
                    self.sent.stand(key, &Standing { own: true, ..old.clone() })?;
                }
                continue;
            }
            let revision = self.take_back(key, fact, old)?.saturating_add(1);
            self.sent.wait(Some(key), (fact, revision), 1, &row(text, (fact, revision), 1, point.time))?;
            let now = Standing { fact, revision, time: point.time, text: Some(text.to_owned()), own: true };
            self.sent.stand(key, &now)?;
        }
        for vanished in known.into_iter().filter(|known| known.text.is_some() && known.own) {
            let (fact, time) = (vanished.fact, vanished.time);
            let revision = self.take_back(key, fact, Some(vanished))?;
            self.sent.stand(key, &Standing { fact, revision, time, text: None, own: true })?;
        }
        Ok(())
    }

    /// Takes back what stands of a fact; the number of its newest row then.
    fn take_back(&self, key: i64, fact: i64, old: Option<Standing>) -> Result<i64, StoreError> {
        let Some(Standing { revision, time, text, .. }) = old else { return Ok(0) };
        let Some(text) = text else { return Ok(revision) };
        let revision = revision.saturating_add(1);
        self.sent.wait(Some(key), (fact, revision), -1, &row(&text, (fact, revision), -1, time))?;
        Ok(revision)
    }

    /// Adds what a minute's events differ by. Of one that an earlier history told of, too, whoever knows more events is right.
    pub fn cell(&self, minute: i64, events: u64) -> Result<(), StoreError> {
        let (known, revision) = self.sent.minute(minute)?.unwrap_or_default();
        let events = i64::try_from(events).unwrap_or(i64::MAX);
        let (more, revision) = (events.saturating_sub(known), revision.saturating_add(1));
        if more == 0 || more < 0 && minute < self.own_from {
            return Ok(());
        }
        let line = Line::of(ACTIVITY).tag("row", Some(revision.to_string())).fields();
        let line = line.signed("events", more).signed("revision", revision).at(minute.saturating_mul(MINUTE));
        self.sent.wait(None, (minute, revision), more, &line)?;
        self.sent.put_minute(minute, (events, revision))
    }

    /// Notes what the sink itself says of a fact. Until the history here has it, too, the sink goes on saying so.
    pub fn recall(&self, told: &Recalled) -> Result<(), StoreError> {
        let Recalled { conversation, standing } = told;
        self.sent.stand(SentPoint::hash(conversation.key()), standing)
    }
}

/// A fact's name in a table where facts of all conversations stand.
fn name(conversation: i64, fact: i64) -> i64 {
    SentPoint::hash(&[conversation.to_le_bytes(), fact.to_le_bytes()].concat())
}

/// A fact's name as a tag.
pub(crate) fn tag_of(fact: i64) -> String {
    format!("{:016x}", fact.cast_unsigned())
}

/// A row: what stands or stood, with the columns of the ledger.
fn row(text: &str, (fact, revision): (i64, i64), weight: i64, time: i64) -> String {
    let (series, fields) = text.split_at(series_bytes(text));
    format!(
        "{series},fact={},row={revision}{fields},revision={revision}i,weight={weight}i {time}",
        tag_of(fact)
    )
}

/// Where the tags of a line end: at the first blank that is not escaped.
fn series_bytes(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ends = |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        bytes.get(*at) == Some(&b' ') && before != Some(&b'\\')
    };
    (0..bytes.len()).find(ends).unwrap_or(text.len())
}

#[cfg(test)]
mod tests;
