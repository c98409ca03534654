//! A conversation laid down: one row, its facts in one body.
//!
//! The columns are for people and for queries; the body holds the facts in timeline order and, in front, how many
//! fraction digits the start and the end were given with (one byte, the start's in the lower half). The checksum is over
//! the id's text and the columns too.

use super::bytes::{Malformed, Reader};
use super::fact::{Before, FactReader};
use super::id::{self, Key};
use super::pack::{Layout, unpack};
use super::{RowError, Scratch, WriteError, checksum};
use crate::StoreError;
use crate::decode::Lifted;
use crate::span::Span;
use engine::{Id, StoredConversation, Time};
use rusqlite::{CachedStatement, Row, params};

/// As [`read`] takes them, and behind them the row's number, and what [`Span`] says.
pub(crate) const COLUMNS: &str =
    "id, resident, active, started_at_ns, ended_at_ns, dropped, facts, checksum, body, number, span, until_s";

macro_rules! select {
    ($which:literal) => {
        concat!(
            "SELECT id, resident, active, started_at_ns, ended_at_ns, dropped, facts, checksum, body, number FROM conversation ",
            $which
        )
    };
}

/// The one of an id.
pub(crate) const SELECT_ONE: &str = select!("WHERE id = ?1");
/// Those that were in memory, by their numbers.
pub(crate) const SELECT_RESIDENT: &str = select!("WHERE resident ORDER BY number");
/// The ids of those that were not, behind an id: of ids that are texts, and of those that are UUIDs.
pub(crate) const SELECT_IDS_AFTER: [&str; 2] = [
    "SELECT id FROM conversation WHERE id > ?1 AND id < x'' AND NOT resident ORDER BY id",
    "SELECT id FROM conversation WHERE id >= ?1 AND NOT resident ORDER BY id",
];
/// All of them, the same way.
pub(crate) const SELECT_ALL_AFTER: [&str; 2] =
    [select!("WHERE id > ?1 AND id < x'' ORDER BY id"), select!("WHERE id >= ?1 ORDER BY id")];
/// Those of a class of spans whose end lies in a range, that were not in memory.
pub(crate) const SELECT_SPAN: &str =
    select!("WHERE span = ?1 AND until_s BETWEEN ?2 AND ?3 AND NOT resident");
/// Their ids, and whether each is found by it.
pub(crate) const SELECT_IDS_OF_SPAN: &str =
    "SELECT id, EXISTS (SELECT 1 FROM conversation AS found WHERE found.id = conversation.id)
    FROM conversation WHERE span = ?1 AND until_s BETWEEN ?2 AND ?3 AND NOT resident";

/// The one of a row's number.
pub(crate) const SELECT_NUMBER: &str = select!("WHERE number = ?1");

/// Stores one, in place of what was laid down of it before.
pub(crate) const UPSERT: &str = "INSERT INTO conversation
    (id, resident, active, started_at_ns, ended_at_ns, dropped, facts, checksum, body, span, until_s)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (id) DO UPDATE SET resident = excluded.resident, active = excluded.active,
        started_at_ns = excluded.started_at_ns, ended_at_ns = excluded.ended_at_ns, dropped = excluded.dropped,
        facts = excluded.facts, checksum = excluded.checksum, body = excluded.body, span = excluded.span,
        until_s = excluded.until_s";

/// The columns beside the body.
#[derive(Debug)]
struct Head {
    id: Id,
    resident: bool,
    active: bool,
    started_at_ns: Option<i64>,
    ended_at_ns: Option<i64>,
    dropped: u64,
    facts: u64,
}

/// A row without its body.
#[derive(Debug)]
pub(crate) struct Columns {
    head: Head,
    checksum: u32,
}

impl Head {
    fn checksum(&self, body: &[u8]) -> u32 {
        let nanos = |time: Option<i64>| time.unwrap_or_default().cast_unsigned();
        let columns = [
            u64::from(self.resident),
            u64::from(self.active),
            u64::from(self.started_at_ns.is_some()),
            nanos(self.started_at_ns),
            u64::from(self.ended_at_ns.is_some()),
            nanos(self.ended_at_ns),
            self.dropped,
            self.facts,
        ];
        self.id.spelled(|id| checksum(id.as_bytes(), &columns, body))
    }
}

/// Stores one with a statement of [`UPSERT`].
pub(crate) fn write(
    statement: &mut CachedStatement<'_>,
    scratch: &mut Scratch,
    stored: &StoredConversation,
) -> Result<(), WriteError> {
    let head = Head {
        id: stored.id.clone(),
        resident: stored.resident,
        active: stored.active,
        started_at_ns: stored.started_at.map(|t| t.nanos),
        ended_at_ns: stored.ended_at.map(|t| t.nanos),
        dropped: stored.dropped,
        facts: stored.facts.len() as u64,
    };
    let span = Span::of(stored);
    let body = encode(scratch, stored)?;
    statement.execute(params![
        Key(&head.id),
        head.resident,
        head.active,
        head.started_at_ns,
        head.ended_at_ns,
        head.dropped.cast_signed(),
        head.facts.cast_signed(),
        head.checksum(body),
        body,
        span.map(|span| span.class),
        span.map(|span| span.until_s),
    ])?;
    Ok(())
}

/// Takes one from a row of [`COLUMNS`], whose span must be what its facts tell.
pub(crate) fn check(row: &Row<'_>) -> Result<(), RowError> {
    let stored = read(row)?;
    let span = row.get::<_, Option<i64>>(10)?.zip(row.get::<_, Option<i64>>(11)?);
    if span != Span::of(&stored).map(|span| (span.class, span.until_s)) {
        return Err(Malformed("the span is not that of its facts").into());
    }
    Ok(())
}

/// Takes one from a row of one of the selections.
pub(crate) fn read(row: &Row<'_>) -> Result<StoredConversation, RowError> {
    Ok(Columns::of(row)?.decode(row.get_ref(8)?.as_blob()?)?)
}

impl Columns {
    fn of(row: &Row<'_>) -> Result<Self, RowError> {
        let head = Head {
            id: id::of(row.get_ref(0)?)?,
            resident: row.get(1)?,
            active: row.get(2)?,
            started_at_ns: row.get(3)?,
            ended_at_ns: row.get(4)?,
            dropped: row.get::<_, i64>(5)?.cast_unsigned(),
            facts: row.get::<_, i64>(6)?.cast_unsigned(),
        };
        Ok(Self { head, checksum: row.get(7)? })
    }
}

impl Lifted for Columns {
    const TABLE: &'static str = "conversation";
    const NUMBER: usize = 9;
    type Record = StoredConversation;

    fn lift(row: &Row<'_>, bytes: &mut Vec<u8>) -> Result<Self, RowError> {
        let columns = Self::of(row)?;
        bytes.extend_from_slice(row.get_ref(8)?.as_blob()?);
        Ok(columns)
    }

    fn key(&self) -> String {
        self.head.id.to_string()
    }

    fn decode(&self, body: &[u8]) -> Result<StoredConversation, Malformed> {
        if self.head.checksum(body) != self.checksum {
            return Err(Malformed("the checksum differs"));
        }
        decode(&self.head, body)
    }
}

/// What the first fact is told as a difference from: the end, else the start; up to format 4 nothing.
fn before(columns: [Option<i64>; 2], layout: Layout) -> Before {
    let known = columns.into_iter().flatten().next().filter(|_| layout == Layout::Chained);
    Before { received: known.unwrap_or_default(), ..Before::default() }
}

pub(crate) fn encode<'a>(
    scratch: &'a mut Scratch,
    stored: &StoredConversation,
) -> Result<&'a [u8], StoreError> {
    let digits = |time: Option<Time>| time.map_or(0, |t| t.digits.min(9));
    let head = [stored.ended_at, stored.started_at].map(|time| time.map(|t| t.nanos));
    let mut writer = scratch.begin(before(head, Layout::Chained));
    writer.out.push(digits(stored.started_at) | digits(stored.ended_at) << 4);
    for (fact, arrival) in &stored.facts {
        writer.fact(fact, arrival);
    }
    scratch.pack()
}

/// A body with few columns beside it: a start and an end at one instant, or neither.
pub(crate) fn decode_as(
    id: &str,
    facts: u64,
    at_ns: Option<i64>,
    body: &[u8],
) -> Result<StoredConversation, Malformed> {
    let head = Head {
        id: Id::new(id).map_err(|_| Malformed("an impossible id"))?,
        resident: false,
        active: false,
        started_at_ns: at_ns,
        ended_at_ns: at_ns,
        dropped: 0,
        facts,
    };
    decode(&head, body)
}

fn decode(head: &Head, body: &[u8]) -> Result<StoredConversation, Malformed> {
    let (raw, layout) = unpack(body)?;
    let mut from = Reader::new(&raw);
    let digits = from.byte()?;
    let before = before([head.ended_at_ns, head.started_at_ns], layout);
    let mut reader = FactReader::new(from, layout, before);
    let mut facts = reader.room_for(head.facts);
    for _ in 0..head.facts {
        facts.push(reader.fact()?);
    }
    reader.finish()?;
    let time = |nanos: Option<i64>, digits: u8| nanos.map(|nanos| Time { nanos, digits: digits.min(9) });
    Ok(StoredConversation {
        id: head.id.clone(),
        resident: head.resident,
        active: head.active,
        started_at: time(head.started_at_ns, digits & 15),
        ended_at: time(head.ended_at_ns, digits >> 4),
        dropped: head.dropped,
        facts,
    })
}

#[cfg(test)]
mod tests;
