//! History as files for other tools: Parquet, CSV and NDJSON, of any range, in bounded memory.
//!
//! A [`Past`](pipeline::Past) is gone through conversation by conversation, by ascending id; each is folded, told as rows,
//! and forgotten. So memory does not grow with the history, the order of rows is a function of the history alone, and an
//! export that was cut off goes on behind the last conversation of its last whole file. Cells come by minute. [`to_disk`]
//! writes files and a manifest that says what is in them and what is missing; [`to_stream`] writes one to anything, for
//! HTTP.
//!
//! | rows | one is | in the range by | order |
//! | --- | --- | --- | --- |
//! | [`What::Facts`] | a piece of evidence as it was received: most facts have one, a bettered one several | the source's time, else when it was received | conversation, then its timeline |
//! | [`What::Changes`] | an entry of a timeline | where it stands in the order (`effectiveAt`) | the same |
//! | [`What::Spells`] | an interval in which nothing about a participant changed | any overlap; spells are not cut | conversation, participant, communication, time |
//! | [`What::Cells`] | a minute with events | its first instant | time |
//!
//! A range begins with its first instant and ends before its last. Rejected: rows by time over all conversations (a sort of
//! the whole history, or an index that every commit pays for), and Arrow (many more crates for the same bytes).

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod ask;
mod csv;
mod encoder;
mod error;
mod files;
mod json;
mod manifest;
mod parquet_file;
mod resume;
mod rows;
mod stream;
mod table;
mod times;
mod to_disk;

pub use ask::{Ask, Field, Format, Only, What};
pub use error::ExportError;
pub use manifest::{ColumnNote, Counts, FileNote, Hole, Manifest};
pub use stream::to_stream;
pub use times::Written;
pub use to_disk::{Done, PART_ROWS_DEFAULT, Progress, Target, to_disk};
