//! A doorway for the fuzzer to the bodies of records, whose checksum no made-up bytes would pass, and for benches to cells
//! without the facts behind them. Nothing else may use it.
//!
//! Rejected: going through a database file, which costs a thousand times what decoding does, and records that are public.

use crate::cells::block::{self, Sums};
use crate::cells::write_parts;
use crate::record::WriteError;
use crate::record::{Scratch, batch, conversation};
use crate::{Store, StoreError};
use engine::{Admitted, Facets, StoredConversation};

/// The columns beside a body that its reading depends on.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// When it was committed, in nanoseconds since the epoch.
    pub committed_at: i64,
    /// Under which incarnation.
    pub incarnation: u32,
    /// How many facts there are to be.
    pub facts: u64,
}

impl Columns {
    fn head(self) -> batch::Head {
        let Self { committed_at, incarnation, facts } = self;
        batch::Head { position: 1, committed_at, incarnation, seq: 1, facts }
    }
}

/// The facts of a row of the log, or what is wrong with its body.
///
/// # Errors
/// When the body is none.
pub fn log_facts(columns: Columns, body: &[u8]) -> Result<Vec<Admitted>, &'static str> {
    batch::decode(&columns.head(), body).map_err(|malformed| malformed.0)
}

/// The body of a row of the log.
///
/// # Errors
/// When it would be too large.
pub fn log_body(columns: Columns, facts: &[Admitted]) -> Result<Vec<u8>, StoreError> {
    batch::encode(&mut Scratch::default(), &columns.head(), facts).map(<[u8]>::to_vec)
}

/// The conversation `c` with this body, or what is wrong with it.
///
/// # Errors
/// When the body is none.
pub fn conversation(facts: u64, at: Option<i64>, body: &[u8]) -> Result<StoredConversation, &'static str> {
    conversation::decode_as("c", facts, at, body).map_err(|malformed| malformed.0)
}

/// The body of a conversation.
///
/// # Errors
/// When it would be too large.
pub fn conversation_body(stored: &StoredConversation) -> Result<Vec<u8>, StoreError> {
    conversation::encode(&mut Scratch::default(), stored).map(<[u8]>::to_vec)
}

/// Bytes as a body holds them: compressed, with their number in front.
///
/// # Errors
/// When there are too many.
pub fn packed(raw: &[u8]) -> Result<Vec<u8>, StoreError> {
    Scratch::default().packed(raw).map(<[u8]>::to_vec)
}

/// Counts by what they are of and by unit of time.
pub type Counts = Vec<(Facets, i64, i64)>;

/// The counts of a page or part of cells, or what is wrong with its body.
///
/// # Errors
/// When the body is none.
pub fn cells(body: &[u8]) -> Result<Counts, &'static str> {
    let sums = block::decode(body).map_err(|malformed| malformed.0)?;
    Ok(sums.each().map(|(of, unit, events)| (of.clone(), unit, events)).collect())
}

/// The body of a page or part of cells.
///
/// # Errors
/// When it would be too large.
pub fn cells_body(counts: Counts) -> Result<Vec<u8>, StoreError> {
    block::encode(&summed(counts))
}

/// The counts of a body that pass a filter, by unit, or what is wrong with it.
///
/// # Errors
/// When the body is none.
pub fn cells_passing(body: &[u8], filter: &Facets) -> Result<Vec<(i64, i64)>, &'static str> {
    let mut found = Vec::new();
    block::scan(body, filter, |unit, events| found.push((unit, events))).map_err(|malformed| malformed.0)?;
    Ok(found)
}

/// Adds counts of minutes to a store, as a commit's parts.
///
/// # Errors
/// When the file cannot be written.
pub fn add_cells(store: &mut Store, counts: Counts) -> Result<(), StoreError> {
    let transaction = store.connection.transaction()?;
    match write_parts(&transaction, &summed(counts)) {
        Ok(()) => Ok(transaction.commit()?),
        Err(WriteError::Record(error)) => Err(error),
        Err(WriteError::Database(error)) => Err(error.into()),
    }
}

fn summed(counts: Counts) -> Sums {
    let mut sums = Sums::default();
    counts.into_iter().for_each(|(of, unit, events)| sums.add(of, unit, events));
    sums
}
