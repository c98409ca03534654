//! Conversations by ascending id: texts and UUIDs lie apart in the index, and are gone through side by side.

use crate::read::decoded;
use crate::record::RowError;
use crate::record::id::{self, Key, least_behind};
use crate::{Damaged, StoreError};
use engine::Id;
use rusqlite::{Connection, Row, Rows};
use std::ops::ControlFlow;

/// The next of one list.
type Next<T> = Option<(Option<Id>, Result<T, Damaged>)>;

/// Hands over the conversations of two selections (of ids that are texts, and of UUIDs) behind an id, each as it is decoded, or
/// what is wrong with it, until `tell` breaks off.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn each_by_id<T>(
    connection: &Connection,
    [texts, uuids]: [&str; 2],
    after: Option<&Id>,
    decode: fn(&Row<'_>) -> Result<T, RowError>,
    mut tell: impl FnMut(Result<T, Damaged>) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let (mut texts, mut uuids) = (connection.prepare_cached(texts)?, connection.prepare_cached(uuids)?);
    let mut texts = texts.query([after.map(Id::to_string).unwrap_or_default()])?;
    let mut uuids = uuids.query([Key(&first_uuid(after))])?;
    let next = |rows: &mut Rows<'_>| next(rows, after, decode);
    let (mut text, mut uuid) = (next(&mut texts)?, next(&mut uuids)?);
    loop {
        let is_text = match (&text, &uuid) {
            (Some((text, _)), Some((uuid, _))) => text <= uuid,
            (text, _) => text.is_some(),
        };
        let Some((_, told)) = (if is_text { text.take() } else { uuid.take() }) else { return Ok(()) };
        if tell(told).is_break() {
            return Ok(());
        }
        if is_text {
            text = next(&mut texts)?;
        } else {
            uuid = next(&mut uuids)?;
        }
    }
}

/// Where the UUIDs behind an id begin.
fn first_uuid(after: Option<&Id>) -> Id {
    match after {
        Some(id) if id.as_uuid().is_some() => id.clone(),
        after => Id::from_uuid(least_behind(after.and_then(Id::as_text).unwrap_or_default())),
    }
}

/// The next row behind an id, and whose it is; none: that cannot be read, and it comes first.
fn next<T>(
    rows: &mut Rows<'_>,
    after: Option<&Id>,
    decode: fn(&Row<'_>) -> Result<T, RowError>,
) -> Result<Next<T>, StoreError> {
    while let Some(row) = rows.next()? {
        let whose = match row.get_ref(0).map_err(RowError::from).and_then(id::of) {
            Ok(id) if after.is_some_and(|after| id <= *after) => continue,
            other => other.ok(),
        };
        return Ok(Some((whose, decoded("conversation", row, decode)?)));
    }
    Ok(None)
}
