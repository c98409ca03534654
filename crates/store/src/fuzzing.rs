//! A doorway for the fuzzer to the bodies of records, whose checksum no made-up bytes would pass. Nothing else may use it.
//!
//! Rejected: going through a database file, which costs a thousand times what decoding does, and records that are public.

use crate::StoreError;
use crate::record::{Scratch, batch, conversation};
use engine::{Admitted, StoredConversation};

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
