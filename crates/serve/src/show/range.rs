//! What is known of a range of time: the feeds' intervals, and the conversations that lack something by name.

use super::Text;
use crate::times::{self, Written};
use engine::{FeedIntervals, Id, Interval, Missing, MissingDots, RangeView};
use pipeline::Position;
use serde::Serialize;

/// A range of time, of every feed.
#[derive(Serialize)]
pub(crate) struct Range<'a> {
    from: Written,
    to: Written,
    completeness: &'static str,
    feeds: Vec<Feed<'a>>,
    lacking: Lacking<'a>,
    position: Text<Position>,
}

/// One feed. Cut: `truncated`, and whoever wants more asks again from the end of its last interval on.
#[derive(Serialize)]
pub(crate) struct Feed<'a> {
    name: &'a str,
    connected: bool,
    completeness: &'static str,
    intervals: Vec<Span<'a>>,
    truncated: bool,
}

#[derive(Serialize)]
struct Span<'a> {
    from: Written,
    to: Written,
    completeness: &'static str,
    reason: Option<&'a str>,
}

/// Conversations in memory that lack something now, whatever the range: how many, and the first few.
#[derive(Serialize)]
struct Lacking<'a> {
    count: u64,
    conversations: Vec<Lack<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Lack<'a> {
    id: Text<&'a Id>,
    missing: Vec<Dots<'a>>,
    missing_count: u64,
    dropped_facts: u64,
}

/// Events of a region that its clocks prove, from counter to counter, both inclusive.
#[derive(Serialize)]
pub(crate) struct Dots<'a> {
    region: &'a str,
    from: u64,
    to: u64,
}

impl<'a> Range<'a> {
    /// A range, as of a position.
    pub(crate) fn of(view: &'a RangeView, position: Position) -> Self {
        let lacks = view.lacks.iter().map(|(id, missing)| Lack::of(id, missing));
        Self {
            from: times::ours(view.from),
            to: times::ours(view.to),
            completeness: view.completeness.as_str(),
            feeds: view.feeds.iter().map(Feed::of).collect(),
            lacking: Lacking { count: view.lacking, conversations: lacks.collect() },
            position: Text(position),
        }
    }
}

impl<'a> Feed<'a> {
    /// What is known of a feed.
    pub(crate) fn of(view: &'a FeedIntervals) -> Self {
        Self {
            name: &view.name,
            connected: view.connected,
            completeness: view.completeness.as_str(),
            intervals: view.intervals.iter().map(Span::of).collect(),
            truncated: view.truncated,
        }
    }
}

impl<'a> Span<'a> {
    fn of(view: &'a Interval) -> Self {
        Self {
            from: times::ours(view.from),
            to: times::ours(view.to),
            completeness: view.completeness.as_str(),
            reason: view.reason.as_deref(),
        }
    }
}

impl<'a> Lack<'a> {
    fn of(id: &'a Id, missing: &'a Missing) -> Self {
        Self {
            id: Text(id),
            missing: Dots::of(missing),
            missing_count: missing.dots_count,
            dropped_facts: missing.dropped,
        }
    }
}

impl<'a> Dots<'a> {
    /// The ranges that are named.
    pub(crate) fn of(missing: &'a Missing) -> Vec<Self> {
        let named =
            |dots: &'a MissingDots| Self { region: dots.region.as_str(), from: dots.from, to: dots.to };
        missing.dots.iter().map(named).collect()
    }
}
