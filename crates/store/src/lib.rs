//! The embedded log and tables: one SQLite file in the data folder.
//!
//! A commit is one transaction, synced before it is acknowledged: the batch as *one* packed row of the log (a row a fact
//! would be the bottleneck of the whole program), the activity cells it moves, users, the ledger, and the conversations
//! that are laid down whole. Recovery is the tables plus the log behind what was laid down. One process owns a folder,
//! by a lock that dies with it; every open is a new [`causal::Incarnation`], durable before anybody sees it.
//!
//! Every tool that opens SQLite can read `headcount.db`, while Headcount runs too (a reader that stays long keeps the
//! write-ahead log from shrinking). Tables: `log`, `conversation` (the facts are packed in `body`, an `id` that is
//! a UUID is its 16 bytes), `cell`, `user_state`, `ledger`, `removed`, `inherited`, `outbox`, `meta`, and cells by what events
//! are about (see `cells.rs`); times are nanoseconds since 1970 in columns ending in `_ns`, seconds in those ending in `_s`.
//! For people, two views with readable values, all in UTC:
//!
//! | view | columns |
//! |---|---|
//! | `readable_conversation` | `id`, `active` (0 or 1), `started_at`, `ended_at` (RFC 3339, to the millisecond), `facts`, `dropped` |
//! | `readable_cell` | `minute` (`2026-01-31T08:05Z`), `events` (distinct events of that minute) |
//!
//! Beside it lie `lock`, whose owner has the folder, and `reserve`, which keeps room for a start on a full disk.
//!
//! A conversation appears there when it is laid down: at its end, or when the log grows long.
//!
//! Rejected: a row a fact with indexes (4 to 5 µs of CPU each), key-value stores (their files open nowhere else, and
//! their recovery is tested less), an own log (its recovery would be ours to prove), and SQLite's exclusive locking mode
//! (it saves a microsecond a look-up and shuts every other tool out).

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod at_rest;
mod by_id;
mod cells;
mod check;
mod commit;
mod commit_reader;
mod decode;
mod error;
mod folder;
#[doc(hidden)]
pub mod fuzzing;
mod in_place;
mod open;
mod outbox;
mod read;
mod record;
mod recover;
mod reopen;
mod reserve;
mod retention;
mod salvage;
mod schema;
mod sent;
mod snapshot;
mod span;
mod stats;
#[cfg(test)]
mod testing;
mod upgrade;
mod walk;

pub use cells::{CellInterval, CellQuestion, CellSums, CellsKept, Forgotten, Merging};
pub use check::Checked;
pub use commit::Commit;
pub use commit_reader::CommitReader;
pub use error::{Damaged, OpenError, StoreError};
pub use open::Opened;
pub use outbox::{Outbox, OutboxBounds, Outgoing, Row as OutboxRow};
pub use record::inherited::Inherited;
pub use recover::{LoggedBatch, Recover, Recovered};
pub use retention::{Gone, LastTold, Old, Removal};
pub use salvage::{SalvageError, Salvaged};
pub use sent::{Known, Place, Progress, Sent, SentPoint, Standing, Waiting};
pub use snapshot::{Each, Snapshot};
pub use stats::{Day, Kind, Stats};

use folder::FolderLock;
use in_place::InPlace;
use record::Scratch;
use reserve::Reserve;
use rusqlite::Connection;
use std::path::PathBuf;

/// An open data folder. All calls are synchronous and from one thread.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    file: PathBuf,
    in_place: InPlace,
    /// The log's newest row; 0 before the first.
    last_position: u64,
    /// Rows of the log below are laid down, and go.
    covered: u64,
    /// The last commit left something behind that waits.
    is_behind: bool,
    /// Bytes of the outbox's bodies, once they were counted.
    outbox_bytes: Option<u64>,
    /// A commit may or may not have reached the disk.
    poisoned: bool,
    /// The commit that comes next is in the log already, and was never acknowledged.
    holds_unacknowledged: bool,
    /// It was opened to be written to.
    writable: bool,
    epoch: u64,
    incarnation: u32,
    reserve: Reserve,
    scratch: Scratch,
    /// Held until the connection above is closed; none: another process may have the folder.
    _lock: Option<FolderLock>,
}
