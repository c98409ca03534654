//! What a server lacks of a conversation, and what it has that no longer stands.
//!
//! Each point is compared with the one that was written for the same fact. One whose time or tags are others now is a new
//! point to the server, and the old one must go: that is a removal. Removals are named by time and tags, and none of them
//! meets another point, since within a series each time is taken once, looked up here for every point that is new.
//!
//! What an earlier batch left in doubt is put right first: it may have been written, in part or whole, before a crash, and
//! the same conversations may come out differently now (see `store/src/sent.rs`).

use crate::Schema;
use crate::line::Line;
use crate::points::{Point, STATES, points};
use engine::{Id, TimelineEntry};
use store::{Place, Sent, SentPoint, StoreError};

/// Steps of a nanosecond in search of a free time: far more than there are changes in one instant.
const STEPS_MAX: i64 = 100_000;

/// What to do to a server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Lines to write.
    pub lines: Vec<String>,
    /// Points to remove before that, by measurement and tags; of the schema `tutorial` by the conversation alone, which has no
    /// second point at that time.
    pub removals: Vec<Place>,
    /// Series that were not there before.
    pub new_series: u64,
}

impl Difference {
    /// Begins with what an earlier batch left in doubt.
    pub fn begin(sent: &Sent) -> Result<Self, StoreError> {
        Ok(Self { removals: sent.left_in_doubt()?, ..Self::default() })
    }

    /// Ends it: a place where a point has come to stand is not cleared, and every place that is touched is in doubt from
    /// now on.
    pub fn end(&mut self, sent: &Sent) -> Result<(), StoreError> {
        let mut cleared = Vec::with_capacity(self.removals.len());
        for place in self.removals.drain(..) {
            sent.doubt(&place)?;
            if !sent.stands(place.series, place.time)? {
                cleared.push(place);
            }
        }
        self.removals = cleared;
        Ok(())
    }

    /// Adds what differs of one conversation, and notes it as written.
    pub fn add(
        &mut self,
        conversation: &Id,
        timeline: &[TimelineEntry],
        schema: Schema,
        sent: &Sent,
    ) -> Result<(), StoreError> {
        let known = sent.of(conversation)?;
        let (key, mut old) = (known.conversation, known.points);
        let mut gone = Vec::new();
        let mut series: Vec<i64> = old.iter().map(|point| point.series).collect();
        let mut before = i64::MIN;
        for point in points(conversation, timeline, schema) {
            let at = old.iter().position(|known| known.fact == point.fact);
            let written = at.map(|at| old.swap_remove(at));
            let now = free(&point, written, before, key, sent)?;
            before = now.time;
            if written == Some(now) {
                continue;
            }
            if !series.contains(&now.series) {
                series.push(now.series);
                self.new_series += 1;
                if schema == Schema::Compact {
                    sent.put_series(now.series, point.line.series())?;
                }
            }
            gone.extend(written.filter(|old| (old.series, old.time) != (now.series, now.time)));
            sent.put(key, &now)?;
            sent.doubt(&Place { series: now.series, time: now.time, text: point.line.series().to_owned() })?;
            self.lines.push(point.line.at(now.time));
        }
        for vanished in old {
            sent.remove(key, vanished.fact)?;
            gone.push(vanished);
        }
        for SentPoint { series, time, .. } in gone {
            let text = match schema {
                Schema::Tutorial => whole_conversation(conversation),
                Schema::Compact => sent.series(series)?.unwrap_or_else(|| STATES.to_owned()),
            };
            self.removals.push(Place { series, time, text });
        }
        Ok(())
    }
}

fn whole_conversation(id: &Id) -> String {
    Line::of(STATES).tag("interactionId", Some(id.to_string())).text().to_owned()
}

/// A point with the first time from its own on that no other conversation has in its series.
fn free(
    point: &Point,
    written: Option<SentPoint>,
    before: i64,
    key: i64,
    sent: &Sent,
) -> Result<SentPoint, StoreError> {
    let first = point.time.max(before.saturating_add(1));
    let (series, content) =
        (SentPoint::hash(point.line.series().as_bytes()), SentPoint::hash(point.line.text().as_bytes()));
    let mut now = SentPoint { fact: point.fact, series, time: first, content };
    if written.is_some_and(|old| old.series == series && old.time == first) {
        return Ok(now);
    }
    while now.time < first.saturating_add(STEPS_MAX) && sent.is_taken(key, series, now.time)? {
        now.time += 1;
    }
    Ok(now)
}

#[cfg(test)]
mod tests;
