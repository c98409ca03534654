//! What is asked for: which rows, of which range, in which format.

use crate::times::Written;
use engine::{Id, Interval, SpellView, TimelineEntry, Word};
use pipeline::Past;

/// What a row is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// A piece of evidence as it was received.
    Facts,
    /// An entry of a timeline.
    Changes,
    /// An interval in which nothing about a participant changed.
    Spells,
    /// A minute with events.
    Cells,
}

/// How rows are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Columns with types, compressed (LZ4), ids dictionary-encoded.
    Parquet,
    /// RFC 4180 with a header; absent is empty.
    Csv,
    /// One JSON object a line, with the API's names; absent is null.
    Ndjson,
}

/// A filter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// By conversation.
    Conversation,
    /// By queue.
    Queue,
    /// By user.
    User,
    /// By role.
    Role,
    /// By medium.
    Medium,
}

/// Only rows that bear all of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Only {
    /// Of this conversation.
    pub conversation: Option<Id>,
    /// Of this queue at that time.
    pub queue: Option<Id>,
    /// Of this user at that time.
    pub user: Option<Id>,
    /// In this role at that time.
    pub role: Option<Word>,
    /// Through this medium at that time.
    pub medium: Option<Word>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Which rows.
    pub what: What,
    /// In which format.
    pub format: Format,
    /// The first instant of the range, in nanoseconds since the epoch; none: from the beginning.
    pub from: Option<i64>,
    /// The first instant behind it; none: up to the newest.
    pub to: Option<i64>,
    /// Which of them.
    pub only: Only,
}

impl What {
    /// Every interval of `[from, to)` that is not complete for such rows, by feed and time.
    #[must_use]
    pub fn holes(self, past: &Past, from: i64, to: i64) -> Vec<(Option<String>, Interval)> {
        match self {
            Self::Cells => past.holes_of_cells(from, to),
            Self::Facts | Self::Changes | Self::Spells => past.holes(from, to),
        }
    }

    /// All of them.
    pub const ALL: [Self; 4] = [Self::Facts, Self::Changes, Self::Spells, Self::Cells];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Facts => "facts",
            Self::Changes => "changes",
            Self::Spells => "spells",
            Self::Cells => "cells",
        }
    }

    /// What a word means.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.as_str() == word)
    }

    /// The filters that can be applied. A fact says what was told in it alone, not who was in which queue at that time; a
    /// cell counts over all conversations.
    #[must_use]
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::Facts => &[Field::Conversation],
            Self::Changes | Self::Spells => {
                &[Field::Conversation, Field::Queue, Field::User, Field::Role, Field::Medium]
            }
            Self::Cells => &[],
        }
    }

    /// The order of rows, in words.
    pub(crate) fn order(self) -> &'static str {
        match self {
            Self::Facts | Self::Changes => "by conversation id, then as the timeline has them",
            Self::Spells => "by conversation id, participant id, communication id, then by from",
            Self::Cells => "by minute",
        }
    }
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Parquet, Self::Csv, Self::Ndjson];

    /// Its word, which is the ending of its files too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    /// What a word means.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

impl Only {
    /// The filters that are set, each with its value.
    #[must_use]
    pub fn given(&self) -> Vec<(Field, String)> {
        let id = |field, id: &Option<Id>| id.as_ref().map(|id| (field, id.to_string()));
        let word = |field, word: &Option<Word>| word.as_ref().map(|word| (field, word.to_string()));
        let all = [
            id(Field::Conversation, &self.conversation),
            id(Field::Queue, &self.queue),
            id(Field::User, &self.user),
            word(Field::Role, &self.role),
            word(Field::Medium, &self.medium),
        ];
        all.into_iter().flatten().collect()
    }
}

impl Ask {
    /// The first filter that cannot be applied to these rows.
    #[must_use]
    pub fn misplaced(&self) -> Option<Field> {
        self.only.given().into_iter().map(|(field, _)| field).find(|f| !self.what.fields().contains(f))
    }

    /// The range as bounds.
    pub(crate) fn bounds(&self) -> (i64, i64) {
        (self.from.unwrap_or(i64::MIN), self.to.unwrap_or(i64::MAX))
    }

    /// The range, both ends included; none: all that there is.
    pub(crate) fn range(&self) -> Option<(i64, i64)> {
        (self.from.is_some() || self.to.is_some()).then(|| self.bounds())
    }

    /// The range in words.
    pub(crate) fn written(&self) -> (Option<String>, Option<String>) {
        let written = |at: Option<i64>| at.map(|at| Written::ours(at).to_string());
        (written(self.from), written(self.to))
    }

    /// Whether an instant lies in the range.
    pub(crate) fn holds(&self, at: i64) -> bool {
        let (from, to) = self.bounds();
        from <= at && (at < to || self.to.is_none())
    }

    pub(crate) fn takes_change(&self, entry: &TimelineEntry) -> bool {
        let Only { queue, user, role, medium, .. } = &self.only;
        self.holds(entry.effective_at.nanos)
            && is(queue, &entry.queue)
            && is(user, &entry.user)
            && is(role, &entry.role)
            && is(medium, &entry.medium)
    }

    pub(crate) fn takes_spell(&self, spell: &SpellView) -> bool {
        let Only { queue, user, role, medium, .. } = &self.only;
        self.overlaps(spell.from.nanos, spell.to.map(|to| to.nanos))
            && is(queue, &spell.queue)
            && is(user, &spell.user)
            && is(role, &spell.role)
            && is(medium, &spell.medium)
    }

    /// Whether some of an interval lies in the range; one that takes no time is where it begins.
    fn overlaps(&self, begin: i64, end: Option<i64>) -> bool {
        let (from, to) = self.bounds();
        let begins_before = begin < to || self.to.is_none();
        begins_before && (begin >= from || end.is_none_or(|end| end > from))
    }
}

fn is<T: PartialEq>(wanted: &Option<T>, found: &Option<T>) -> bool {
    wanted.is_none() || wanted == found
}

#[cfg(test)]
mod tests;
