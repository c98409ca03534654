//! The body of a page or of a part: how many events fall into each unit of time, by what they were about.
//!
//! An answer sums few of thousands of rows, so what a row is about stands in columns of one width, which are gone through
//! without decoding anything else. Units within a row ascend, mostly by little, and mostly with few events: both go into one
//! byte. No compression lies over it: a year of hours is read as it lies.
//!
//! ```text
//! signed    the first unit: those below count from it
//! varint    words, each: varint 0 and a text, or the ordinal of a known word + 1
//! varint    ids, each: a byte 0 and 16 bytes of a UUID, or a byte 1 and a text
//! varint    rows; then five columns, each a byte (its width: 1, 2 or 4) and as many numbers, lowest byte first:
//!           role, medium (words), queue, user (ids): 0 for none, else a place in the list + 1; length of its series
//! series ×  one a row, one behind the other: entries until its length is used up
//! entry     varint: units since the entry before << 3 | events, if these are 1 to 7; else 0 there, and signed events behind
//! ```
//!
//! Rejected: a row of the database for each (it costs as much as the facts), and lists of ids that all pages share (damage
//! to one would reach every page).

use crate::StoreError;
use crate::record::{BODY_BYTES_MAX, Malformed, Reader, put_signed, put_text, put_varint};
use engine::{Facets, ID_BYTES_MAX, Id, WORD_BYTES_MAX, Word};
use std::collections::{BTreeMap, BTreeSet};

/// The bits of an entry that hold its events, and the most that fit.
const EVENTS_BITS: u32 = 3;
const EVENTS_MAX: i64 = (1 << EVENTS_BITS) - 1;
/// Further from 1970 than any minute that a time of 64 bits can name.
const UNIT_MAX: u64 = 1 << 40;
const TEXT: u8 = 1;
const UUID: u8 = 0;

/// Events by what they were about and by unit of time. A count may be below zero: what is taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums(BTreeMap<Facets, Series>);

/// Units and their events, by unit, none of them without events.
type Series = Vec<(i64, i64)>;

impl Sums {
    pub fn add(&mut self, facets: Facets, unit: i64, events: i64) {
        self.add_all(facets, std::iter::once((unit, events)));
    }

    /// Adds events of several units, about the same.
    pub fn add_all(&mut self, facets: Facets, events: impl Iterator<Item = (i64, i64)>) {
        let series = self.0.entry(facets).or_default();
        events.for_each(|(unit, events)| add_to(series, unit, events));
    }

    pub fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }

    /// What there is, each with its units and events.
    pub fn rows(&self) -> impl Iterator<Item = (&Facets, &[(i64, i64)])> {
        self.0.iter().filter(|(_, series)| !series.is_empty()).map(|(of, series)| (of, series.as_slice()))
    }

    /// Each count with what it is of.
    pub fn each(&self) -> impl Iterator<Item = (&Facets, i64, i64)> {
        self.rows().flat_map(|(of, series)| series.iter().map(move |(unit, events)| (of, *unit, *events)))
    }

    /// The first unit.
    pub fn first(&self) -> Option<i64> {
        self.rows().filter_map(|(_, series)| series.first()).map(|(unit, _)| *unit).min()
    }

    /// All events together.
    pub fn total(&self) -> i64 {
        self.each().fold(0, |sum, (_, _, events)| sum.saturating_add(events))
    }

    /// The same by role and medium alone.
    pub fn in_short(&self) -> Self {
        let mut short = Self::default();
        for (of, series) in self.rows() {
            let of = Facets { role: of.role.clone(), medium: of.medium.clone(), ..Facets::default() };
            short.add_all(of, series.iter().copied());
        }
        short
    }
}

fn add_to(series: &mut Series, unit: i64, events: i64) {
    let place = match series.last() {
        Some((last, _)) if *last >= unit => series.partition_point(|(known, _)| *known < unit),
        _ => series.len(),
    };
    match series.get_mut(place) {
        Some((known, count)) if *known == unit => {
            *count = count.saturating_add(events);
            if *count == 0 {
                series.remove(place);
            }
        }
        _ if events == 0 => {}
        _ => series.insert(place, (unit, events)),
    }
}

/// The body that says this.
pub(crate) fn encode(sums: &Sums) -> Result<Vec<u8>, StoreError> {
    let base = sums.first().unwrap_or_default();
    let mut out = Vec::new();
    put_signed(&mut out, base);
    let words = places(sums.rows().flat_map(|(of, _)| [of.role.as_ref(), of.medium.as_ref()]));
    put_varint(&mut out, words.len() as u64);
    words.keys().for_each(|word| put_word(&mut out, word));
    let ids = places(sums.rows().flat_map(|(of, _)| [of.queue.as_ref(), of.user.as_ref()]));
    put_varint(&mut out, ids.len() as u64);
    ids.keys().for_each(|id| put_id(&mut out, id));
    let place = |word: &Option<Word>| word.as_ref().and_then(|word| words.get(word)).map_or(0, |at| at + 1);
    let place_of_id = |id: &Option<Id>| id.as_ref().and_then(|id| ids.get(id)).map_or(0, |at| at + 1);
    let rows: Vec<_> = sums.rows().collect();
    let series: Vec<Vec<u8>> = rows.iter().map(|(_, series)| packed(series, base)).collect();
    put_varint(&mut out, rows.len() as u64);
    put_column(&mut out, rows.iter().map(|(of, _)| place(&of.role)));
    put_column(&mut out, rows.iter().map(|(of, _)| place(&of.medium)));
    put_column(&mut out, rows.iter().map(|(of, _)| place_of_id(&of.queue)));
    put_column(&mut out, rows.iter().map(|(of, _)| place_of_id(&of.user)));
    put_column(&mut out, series.iter().map(Vec::len));
    series.iter().for_each(|series| out.extend_from_slice(series));
    if out.len() > BODY_BYTES_MAX {
        return Err(StoreError::TooLarge { bytes: out.len(), bytes_max: BODY_BYTES_MAX });
    }
    Ok(out)
}

/// All that a body says.
pub(crate) fn decode(body: &[u8]) -> Result<Sums, Malformed> {
    let (block, mut sums) = (Block::of(body)?, Sums::default());
    let mut rest = block.series;
    for row in 0..block.rows {
        let series = block.next_series(&mut rest, row)?;
        let mut entries = Series::with_capacity(series.len());
        each_entry(series, block.base, &mut |unit, events| entries.push((unit, events)))?;
        sums.add_all(block.facets(row)?, entries.into_iter());
    }
    Ok(sums)
}

/// Hands over each unit and its events, of all rows that pass, in no order; a unit may come many times.
pub(crate) fn scan(body: &[u8], filter: &Facets, mut take: impl FnMut(i64, i64)) -> Result<(), Malformed> {
    let block = Block::of(body)?;
    let word = |wanted: &Option<Word>| wanted_of(&block.words, wanted.as_ref());
    let id = |wanted: &Option<Id>| wanted_of(&block.ids, wanted.as_ref());
    let wanted = [word(&filter.role), word(&filter.medium), id(&filter.queue), id(&filter.user)];
    if wanted.contains(&Wanted::Absent) {
        return Ok(());
    }
    let mut rest = block.series;
    for row in 0..block.rows {
        let series = block.next_series(&mut rest, row)?;
        if block.columns.iter().zip(wanted).all(|(column, wanted)| wanted.is(column.get(row))) {
            each_entry(series, block.base, &mut take)?;
        }
    }
    Ok(())
}

/// What a filter asks of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Any,
    Place(usize),
    /// What no row of the block has.
    Absent,
}

impl Wanted {
    fn is(self, place: usize) -> bool {
        self == Self::Any || self == Self::Place(place)
    }
}

fn wanted_of<T: PartialEq>(list: &[T], value: Option<&T>) -> Wanted {
    let Some(value) = value else { return Wanted::Any };
    list.iter().position(|known| known == value).map_or(Wanted::Absent, |at| Wanted::Place(at + 1))
}

/// A column of numbers.
#[derive(Clone, Copy, Debug)]
struct Column<'a> {
    width: usize,
    bytes: &'a [u8],
}

impl<'a> Column<'a> {
    fn of(from: &mut Reader<'a>, rows: usize) -> Result<Self, Malformed> {
        let width = usize::from(from.byte()?);
        if ![1, 2, 4].contains(&width) {
            return Err(Malformed("a column of another width"));
        }
        let bytes = rows.checked_mul(width).ok_or(Malformed("cut off"))?;
        Ok(Self { width, bytes: from.bytes(bytes)? })
    }

    fn get(&self, row: usize) -> usize {
        let behind = self.bytes.get(row * self.width..).unwrap_or_default();
        match self.width {
            1 => behind.first().map_or(0, |byte| usize::from(*byte)),
            2 => behind.first_chunk().map_or(0, |bytes| usize::from(u16::from_le_bytes(*bytes))),
            _ => behind.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize),
        }
    }
}

/// A body, taken apart as far as is needed to find a row.
#[derive(Debug)]
struct Block<'a> {
    base: i64,
    words: Vec<Word>,
    ids: Vec<Id>,
    rows: usize,
    /// Role, medium, queue, user.
    columns: [Column<'a>; 4],
    lengths: Column<'a>,
    series: &'a [u8],
}

impl<'a> Block<'a> {
    fn of(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut from = Reader::new(body);
        let base = from.signed()?;
        let words = list(&mut from, take_word)?;
        let ids = list(&mut from, take_id)?;
        let rows: usize = from.small()?;
        let mut columns = [Column { width: 1, bytes: &[] }; 4];
        for column in &mut columns {
            *column = Column::of(&mut from, rows)?;
        }
        let lengths = Column::of(&mut from, rows)?;
        let series = from.bytes(from.remaining())?;
        let used = (0..rows).fold(0_usize, |sum, row| sum.saturating_add(lengths.get(row)));
        if used != series.len() {
            return Err(Malformed("bytes behind the end"));
        }
        Ok(Self { base, words, ids, rows, columns, lengths, series })
    }

    fn next_series(&self, rest: &mut &'a [u8], row: usize) -> Result<&'a [u8], Malformed> {
        let (series, behind) = rest.split_at_checked(self.lengths.get(row)).ok_or(Malformed("cut off"))?;
        *rest = behind;
        Ok(series)
    }

    fn facets(&self, row: usize) -> Result<Facets, Malformed> {
        let [role, medium, queue, user] = self.columns.map(|column| column.get(row));
        Ok(Facets {
            role: named(&self.words, role)?,
            medium: named(&self.words, medium)?,
            queue: named(&self.ids, queue)?,
            user: named(&self.ids, user)?,
        })
    }
}

fn places<'a, T: Ord + 'a>(values: impl Iterator<Item = Option<&'a T>>) -> BTreeMap<&'a T, usize> {
    let distinct: BTreeSet<&T> = values.flatten().collect();
    distinct.into_iter().zip(0..).collect()
}

fn put_word(out: &mut Vec<u8>, word: &Word) {
    match word.ordinal() {
        Some(ordinal) => put_varint(out, u64::from(ordinal) + 1),
        None => {
            put_varint(out, 0);
            put_text(out, word.as_str());
        }
    }
}

fn take_word(from: &mut Reader<'_>) -> Result<Word, Malformed> {
    let Some(ordinal) = from.varint()?.checked_sub(1) else {
        return Word::new(from.text(WORD_BYTES_MAX)?).ok_or(Malformed("an empty word"));
    };
    let known = u8::try_from(ordinal).ok().and_then(Word::from_ordinal);
    known.ok_or(Malformed("a word of a newer version"))
}

fn put_id(out: &mut Vec<u8>, id: &Id) {
    match id.as_uuid() {
        Some(bytes) => {
            out.push(UUID);
            out.extend_from_slice(bytes);
        }
        None => {
            out.push(TEXT);
            put_text(out, id.as_text().unwrap_or_default());
        }
    }
}

fn take_id(from: &mut Reader<'_>) -> Result<Id, Malformed> {
    match from.byte()? {
        UUID => Ok(Id::from_uuid(from.array()?)),
        TEXT => Id::new(from.text(ID_BYTES_MAX)?).map_err(|_| Malformed("an impossible id")),
        _ => Err(Malformed("a value of a newer version")),
    }
}

/// As many values as a number in front says, a byte each at least.
fn list<T>(
    from: &mut Reader<'_>,
    take: fn(&mut Reader<'_>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let count: usize = from.small()?;
    if count > from.remaining() {
        return Err(Malformed("a count above what is there"));
    }
    (0..count).map(|_| take(from)).collect()
}

fn named<T: Clone>(list: &[T], place: usize) -> Result<Option<T>, Malformed> {
    let Some(at) = place.checked_sub(1) else { return Ok(None) };
    list.get(at).cloned().map(Some).ok_or(Malformed("a mention of what was never named"))
}

fn put_column(out: &mut Vec<u8>, numbers: impl Iterator<Item = usize> + Clone) {
    let width = match numbers.clone().max().unwrap_or_default() {
        0..0x100 => 1,
        0x100..0x1_0000 => 2,
        _ => 4,
    };
    out.push(width);
    for number in numbers {
        out.extend(number.to_le_bytes().iter().take(usize::from(width)));
    }
}

fn packed(series: &[(i64, i64)], base: i64) -> Vec<u8> {
    let (mut out, mut before) = (Vec::with_capacity(series.len() * 2), base);
    for (unit, events) in series {
        let gap = unit.wrapping_sub(before).cast_unsigned();
        before = *unit;
        if (1..=EVENTS_MAX).contains(events) {
            put_varint(&mut out, gap << EVENTS_BITS | events.cast_unsigned());
        } else {
            put_varint(&mut out, gap << EVENTS_BITS);
            put_signed(&mut out, *events);
        }
    }
    out
}

fn each_entry(series: &[u8], base: i64, take: &mut impl FnMut(i64, i64)) -> Result<(), Malformed> {
    let (mut from, mut unit) = (Reader::new(series), base);
    while let Some(first) = from.peek() {
        // Most entries are one byte.
        let entry = if first < 0x80 { u64::from(from.byte()?) } else { from.varint()? };
        let gap = (entry >> EVENTS_BITS).cast_signed();
        unit = unit.saturating_add(gap);
        if unit.unsigned_abs() > UNIT_MAX {
            return Err(Malformed("a time beyond all"));
        }
        let few = (entry & EVENTS_MAX.cast_unsigned()).cast_signed();
        take(unit, if few == 0 { from.signed()? } else { few });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
