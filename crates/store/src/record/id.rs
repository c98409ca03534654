//! The id of a conversation as a column: the 16 bytes of a UUID, or any other text as it is.
//!
//! It stands in the row and in the index by id, so that its length is paid twice: 36 characters were a sixth of the file. What
//! it costs is that SQLite sorts all texts before all bytes, where the order of ids is that of their texts; so whoever
//! goes by id goes through both lists at once (`by_id.rs`). Rejected: numbers from 1 in place of ids (two look-ups for each
//! conversation), and bytes for every id (texts would sort no better, and be unreadable).

use super::RowError;
use super::bytes::Malformed;
use engine::Id;
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

/// An id on its way into a column, or to be looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a>(pub &'a Id);

impl ToSql for Key<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match (self.0.as_uuid(), self.0.as_text()) {
            (Some(uuid), _) => ValueRef::Blob(uuid),
            (None, text) => ValueRef::Text(text.unwrap_or_default().as_bytes()),
        }))
    }
}

/// The id of a column.
pub(crate) fn of(column: ValueRef<'_>) -> Result<Id, RowError> {
    let impossible = Malformed("an impossible id");
    if let ValueRef::Blob(bytes) = column {
        return Ok(Id::from_uuid(bytes.try_into().map_err(|_| impossible)?));
    }
    let id = Id::new(column.as_str()?).map_err(|_| impossible)?;
    match id.as_uuid() {
        None => Ok(id),
        // Nobody would find it.
        Some(_) => Err(Malformed("an id in another spelling").into()),
    }
}

/// No UUID whose text comes behind `text` is less: the digits that it begins with, and zeros.
pub(crate) fn least_behind(text: &str) -> [u8; 16] {
    let mut least = [0; 16];
    let digit = |(at, c): (usize, char)| match (at, c) {
        (8 | 13 | 18 | 23, '-') => Some(None),
        (8 | 13 | 18 | 23, _) => None,
        (_, '0'..='9' | 'a'..='f') => c.to_digit(16).map(Some),
        _ => None,
    };
    let digits = text.chars().enumerate().map_while(digit).flatten();
    for (at, digit) in digits.enumerate() {
        if let Some(byte) = least.get_mut(at / 2) {
            *byte |= (digit as u8) << if at % 2 == 0 { 4 } else { 0 };
        }
    }
    least
}

#[cfg(test)]
mod tests;
