//! How many events fell into each cell of a range: those that have any, and what is known of the range.

use super::Text;
use super::range::Feed;
use crate::activity::name;
use crate::times::{self, Written};
use engine::{Completeness, MINUTE};
use pipeline::{ActivityView, Position};
use serde::Serialize;

/// Cells, by time. Those without events are left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Activity<'a> {
    interval: &'static str,
    from: Written,
    to: Written,
    cells: Vec<Cell>,
    /// All events of the range.
    total: u64,
    completeness: &'static str,
    feeds: Vec<Feed<'a>>,
    /// Records that could not be read, so that what they held is missing.
    damaged: Vec<String>,
    position: Text<Position>,
}

#[derive(Serialize)]
struct Cell {
    from: Written,
    events: u64,
}

impl<'a> Activity<'a> {
    /// Cells, as of a position.
    pub(crate) fn of(view: &'a ActivityView, completeness: Completeness, position: Position) -> Self {
        let question = &view.question;
        let begins =
            |unit: i64| times::ours(unit.saturating_mul(question.interval.minutes()).saturating_mul(MINUTE));
        let cells = (question.from..).zip(&view.counts).filter(|(_, events)| **events > 0);
        let mut damaged: Vec<String> = view.damaged.iter().map(ToString::to_string).collect();
        if view.lacking > 0 {
            damaged.push(format!(
                "{} conversations could not be read when the data folder was upgraded",
                view.lacking
            ));
        }
        Self {
            interval: name(question.interval),
            from: begins(question.from),
            to: begins(question.to),
            cells: cells.map(|(unit, events)| Cell { from: begins(unit), events: *events }).collect(),
            total: view.counts.iter().fold(0, |sum, events| sum.saturating_add(*events)),
            completeness: completeness.as_str(),
            feeds: view.range.feeds.iter().map(Feed::of).collect(),
            damaged,
            position: Text(position),
        }
    }
}
