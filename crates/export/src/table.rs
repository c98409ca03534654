//! Columns and values: what the rows of each kind look like, once for all formats.

use crate::ask::What;
use engine::{FactId, Id, Time, Word};

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Text: an id, a word.
    Text,
    /// An instant, to the nanosecond, in UTC.
    Time,
    /// A whole number.
    Integer,
    /// True or false.
    Flag,
    /// A clock: an object of counters by region; JSON text where the format has no objects.
    Clock,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub name: &'static str,
    pub kind: Kind,
    /// A value may be absent.
    pub nullable: bool,
}

/// A value of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Id(&'a Id),
    Text(&'a str),
    Fact(FactId),
    Time(Time),
    Integer(i64),
    Flag(bool),
    Clock(&'a [(Word, u64)]),
}

impl<'a> Value<'a> {
    pub fn id(id: &'a Option<Id>) -> Self {
        id.as_ref().map_or(Self::Null, Self::Id)
    }

    pub fn word(word: &'a Option<Word>) -> Self {
        word.as_ref().map_or(Self::Null, |word| Self::Text(word.as_str()))
    }

    pub fn time(time: Option<Time>) -> Self {
        time.map_or(Self::Null, Self::Time)
    }

    /// A count; one that no 63 bits hold is shown as the greatest that they do.
    pub fn count(count: u64) -> Self {
        Self::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

const fn must(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, nullable: false }
}

const fn may(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, nullable: true }
}

const FACTS: [Column; 24] = [
    must("conversationId", Kind::Text),
    must("factId", Kind::Text),
    must("kind", Kind::Text),
    may("participantId", Kind::Text),
    may("communicationId", Kind::Text),
    may("at", Kind::Time),
    must("authority", Kind::Text),
    may("since", Kind::Time),
    may("on", Kind::Flag),
    may("state", Kind::Text),
    may("role", Kind::Text),
    may("userId", Kind::Text),
    may("queueId", Kind::Text),
    may("medium", Kind::Text),
    may("direction", Kind::Text),
    may("reason", Kind::Text),
    may("region", Kind::Text),
    may("counter", Kind::Integer),
    may("clock", Kind::Clock),
    must("receivedAt", Kind::Time),
    must("publishedAt", Kind::Time),
    may("feed", Kind::Text),
    must("source", Kind::Text),
    must("late", Kind::Flag),
];

const CHANGES: [Column; 21] = [
    must("conversationId", Kind::Text),
    must("id", Kind::Text),
    may("at", Kind::Time),
    must("effectiveAt", Kind::Time),
    must("receivedAt", Kind::Time),
    may("participantId", Kind::Text),
    may("communicationId", Kind::Text),
    must("kind", Kind::Text),
    may("from", Kind::Text),
    may("to", Kind::Text),
    may("role", Kind::Text),
    may("userId", Kind::Text),
    may("queueId", Kind::Text),
    may("medium", Kind::Text),
    may("reason", Kind::Text),
    must("source", Kind::Text),
    must("late", Kind::Flag),
    must("concurrent", Kind::Flag),
    must("vectorClock", Kind::Integer),
    must("clock", Kind::Clock),
    must("completeness", Kind::Text),
];

const SPELLS: [Column; 12] = [
    must("conversationId", Kind::Text),
    must("participantId", Kind::Text),
    may("communicationId", Kind::Text),
    may("role", Kind::Text),
    may("userId", Kind::Text),
    may("queueId", Kind::Text),
    may("medium", Kind::Text),
    may("state", Kind::Text),
    must("held", Kind::Flag),
    must("from", Kind::Time),
    may("to", Kind::Time),
    must("completeness", Kind::Text),
];

const CELLS: [Column; 2] = [must("minute", Kind::Time), must("events", Kind::Integer)];

/// The columns of rows of a kind, in their order.
pub(crate) fn columns(what: What) -> &'static [Column] {
    match what {
        What::Facts => &FACTS,
        What::Changes => &CHANGES,
        What::Spells => &SPELLS,
        What::Cells => &CELLS,
    }
}
