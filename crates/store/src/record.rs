//! What is stored, one file a record.
//!
//! Bodies are our own bytes (facts are many and must be small), rows for people are plain columns. Reading gives back what
//! was written or says what is wrong, for any bytes at all: a file is as hostile as a socket, only rarer. The layouts are
//! pinned by golden bytes in the tests; a change to one is a new format version.

pub(crate) mod batch;
mod bytes;
pub(crate) mod cell;
pub(crate) mod conversation;
mod dictionary;
mod fact;
pub(crate) mod id;
pub(crate) mod inherited;
pub(crate) mod ledger;
mod memory;
pub(crate) mod ordinals;
pub(crate) mod outgoing;
mod pack;
pub(crate) mod removed;
pub(crate) mod sums;
mod time;
pub(crate) mod user;

pub(crate) use bytes::{Malformed, Reader, put_signed, put_text, put_varint};
pub(crate) use pack::BODY_BYTES_MAX;

use crate::StoreError;
use engine::Word;
use rusqlite::types::FromSqlError;

/// Memory that writing a record needs, kept from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    raw: Vec<u8>,
    mentions: dictionary::Mentions,
    clock: Vec<(Word, u64)>,
    packer: pack::Packer,
}

impl Scratch {
    fn begin(&mut self, before: fact::Before) -> fact::FactWriter<'_> {
        self.raw.clear();
        self.mentions.clear();
        self.clock.clear();
        fact::FactWriter { out: &mut self.raw, mentions: &mut self.mentions, clock: &mut self.clock, before }
    }

    fn pack(&mut self) -> Result<&[u8], StoreError> {
        self.packer.pack(&self.raw)
    }

    /// Other bytes, packed as a body is.
    pub(crate) fn packed(&mut self, raw: &[u8]) -> Result<&[u8], StoreError> {
        self.packer.pack(raw)
    }
}

/// Why a record could not be written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// It is too large.
    Record(StoreError),
    /// The database refused it.
    Database(rusqlite::Error),
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Record(error)
    }
}

impl From<rusqlite::Error> for WriteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// Why a row is not the record it should be.
#[derive(Debug)]
pub(crate) enum RowError {
    /// Its content is not what was written.
    Malformed(Malformed),
    /// It could not be read at all.
    Failed(rusqlite::Error),
}

impl From<Malformed> for RowError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<FromSqlError> for RowError {
    fn from(_: FromSqlError) -> Self {
        Self::Malformed(Malformed("a column of another type"))
    }
}

impl From<rusqlite::Error> for RowError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::Utf8Error(..) => FromSqlError::InvalidType.into(),
            error => Self::Failed(error),
        }
    }
}

/// CRC-32 over a name, the columns of a row and its body.
pub(crate) fn checksum(name: &[u8], columns: &[u64], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(name);
    for column in columns {
        hasher.update(&column.to_le_bytes());
    }
    hasher.update(body);
    hasher.finalize()
}
