//! The manifest: what is in the files, what is missing, and where an export that was cut off goes on.
//!
//! It is written anew, whole or not at all, after each file. `finished` is said last: whatever stands beside a manifest
//! that does not say so is not all of it.

use crate::ask::{Ask, Field, What};
use crate::table::{Kind, columns};
use crate::times::Written;
use engine::Completeness;
use pipeline::Past;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The layout of manifests.
pub(crate) const VERSION: u32 = 1;

/// An export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The layout of this file.
    pub manifest_version: u32,
    /// Which program wrote it.
    pub headcount_version: String,
    /// What a row is.
    pub what: String,
    /// The format of the files.
    pub format: String,
    /// The first instant of the range; null: from the beginning.
    pub from: Option<String>,
    /// The first instant behind it; null: up to `asOf`.
    pub to: Option<String>,
    /// The filters.
    pub filters: BTreeMap<String, String>,
    /// Rows from which on a file ends, with the last row of a conversation; null: there is one file.
    pub part_rows: Option<u64>,
    /// The state of the history that all rows are of.
    pub position: String,
    /// Up to when that reaches.
    pub as_of: String,
    /// All that was asked for is here.
    pub finished: bool,
    /// Behind which conversation an unfinished export goes on; null: from the start, or finished.
    pub next: Option<String>,
    /// Rows in all files.
    pub rows: u64,
    /// Conversations with rows, by how complete each is.
    pub conversations: Counts,
    /// Records of the history that cannot be read, and are missing here.
    pub damaged_records: u64,
    /// The worst that is known of the range.
    pub completeness: String,
    /// Where in the range something may be missing, or was missing and was read again.
    pub holes: Vec<Hole>,
    /// The order of rows.
    pub order: String,
    /// The columns.
    pub columns: Vec<ColumnNote>,
    /// The files, in the order of their rows.
    pub files: Vec<FileNote>,
}

/// Conversations by how complete they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All is there, as far as anybody can know.
    pub complete: u64,
    /// Something was missing, and was read again.
    pub repaired: u64,
    /// Facts are known to be missing.
    pub partial: u64,
    /// For some of the time nobody listened.
    pub unknown: u64,
}

/// A time of a feed that is not complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    /// The feed; null: there is none.
    pub feed: Option<String>,
    /// Its first instant; null: from the beginning.
    pub from: Option<String>,
    /// The first instant behind it.
    pub to: String,
    /// What is known of it: `repaired`, `partial` or `unknown`.
    pub completeness: String,
    /// Why.
    pub reason: Option<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnNote {
    /// Its name.
    pub name: String,
    /// `text`, `time`, `integer`, `boolean` or `json`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A value may be absent.
    pub nullable: bool,
}

/// A file that is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNote {
    /// Its name, beside the manifest.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// The manifest of an export that begins.
    pub(crate) fn begun(ask: &Ask, past: &Past, part_rows: Option<u64>) -> Self {
        let (from, to) = ask.written();
        let (completeness, holes) = known(ask, past);
        Self {
            manifest_version: VERSION,
            headcount_version: env!("CARGO_PKG_VERSION").to_owned(),
            what: ask.what.as_str().to_owned(),
            format: ask.format.as_str().to_owned(),
            from,
            to,
            filters: ask.only.given().into_iter().map(|(f, value)| (f.as_str().to_owned(), value)).collect(),
            part_rows,
            position: past.position().to_string(),
            as_of: Written::ours(past.as_of()).to_string(),
            finished: false,
            next: None,
            rows: 0,
            conversations: Counts::default(),
            damaged_records: past.damaged(),
            completeness: completeness.as_str().to_owned(),
            holes,
            order: ask.what.order().to_owned(),
            columns: noted(ask.what),
            files: Vec::new(),
        }
    }

    /// Whether another one asks for the same.
    pub(crate) fn asks_as(&self, other: &Self) -> bool {
        let key = |m: &Self| {
            let range = (m.from.clone(), m.to.clone());
            (m.manifest_version, m.what.clone(), m.format.clone(), range, m.filters.clone(), m.part_rows)
        };
        key(self) == key(other)
    }

    /// What it is, in words.
    pub(crate) fn in_words(&self) -> String {
        let bound = |at: &Option<String>| at.clone().unwrap_or_else(|| "…".to_owned());
        let state = if self.finished { "finished" } else { "unfinished" };
        format!(
            "{state} export of {} as {}, {} to {}",
            self.what,
            self.format,
            bound(&self.from),
            bound(&self.to)
        )
    }
}

impl Counts {
    pub(crate) fn add(&mut self, completeness: Completeness) {
        *match completeness {
            Completeness::Complete => &mut self.complete,
            Completeness::Repaired => &mut self.repaired,
            Completeness::Partial => &mut self.partial,
            Completeness::Unknown => &mut self.unknown,
        } += 1;
    }

    /// All of them.
    pub(crate) fn all(&self) -> u64 {
        self.complete.saturating_add(self.repaired).saturating_add(self.partial).saturating_add(self.unknown)
    }
}

impl Field {
    /// Its name in a manifest, and of the API's parameter.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Conversation => "conversationId",
            Self::Queue => "queueId",
            Self::User => "userId",
            Self::Role => "role",
            Self::Medium => "medium",
        }
    }
}

/// What a file says of itself: what its manifest would say when it begins.
pub(crate) fn note(ask: &Ask, past: &Past) -> String {
    let begun = Manifest::begun(ask, past, None);
    let about = serde_json::json!({
        "what": begun.what, "from": begun.from, "to": begun.to, "filters": begun.filters, "position": begun.position,
        "asOf": begun.as_of, "completeness": begun.completeness, "order": begun.order,
    });
    about.to_string()
}

/// How complete the range is, and its holes.
fn known(ask: &Ask, past: &Past) -> (Completeness, Vec<Hole>) {
    let from = ask.from.unwrap_or(i64::MIN);
    let to = ask.to.unwrap_or_else(|| past.as_of().max(from.saturating_add(1)));
    let holes = ask.what.holes(past, from, to);
    let worst = holes.iter().map(|(_, hole)| hole.completeness).max().unwrap_or_default();
    let hole = |(feed, interval): (Option<String>, engine::Interval)| Hole {
        feed,
        from: (interval.from != i64::MIN).then(|| Written::ours(interval.from).to_string()),
        to: Written::ours(interval.to).to_string(),
        completeness: interval.completeness.as_str().to_owned(),
        reason: interval.reason,
    };
    (worst, holes.into_iter().map(hole).collect())
}

fn noted(what: What) -> Vec<ColumnNote> {
    let kind = |kind| match kind {
        Kind::Text => "text",
        Kind::Time => "time",
        Kind::Integer => "integer",
        Kind::Flag => "boolean",
        Kind::Clock => "json",
    };
    let note = |column: &crate::table::Column| ColumnNote {
        name: column.name.to_owned(),
        kind: kind(column.kind).to_owned(),
        nullable: column.nullable,
    };
    columns(what).iter().map(note).collect()
}
