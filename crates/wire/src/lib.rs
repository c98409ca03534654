//! Both dialects of the platform: bytes to facts, total and bounded.
//!
//! Everything that comes from outside passes here first and only here: a frame of either dialect, or the answer to a
//! REST read, goes in as bytes and comes out as facts, a control message, a reason to ignore it, or a refusal with a
//! name. There is no fifth outcome, no panic, and no input that costs more than its own size and the [`Limits`]
//! allow. A refused frame appends nothing.
//!
//! The structs that are read from JSON name only the fields that are kept: ids, times, states, roles, users, queues,
//! media and reasons. Names, numbers, addresses, attributes and subject lines are skipped by the parser and never
//! become a value, so that they cannot leak from anything behind this crate.
//!
//! Rejected: one generic JSON tree (ten times the memory, and personal data in it), and decoding the body before the
//! topic is known (most frames of a busy organisation may be of topics that say nothing about conversations).
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod clock;
mod cloud_time;
mod control;
mod conversation;
mod detail;
mod event;
mod field;
mod findings;
mod frame;
mod limits;
mod media;
mod notification;
mod outcome;
mod time;
mod topic;
mod user;
mod vocabulary;
mod whose;

pub use cloud_time::CloudTime;
pub use conversation::decode_conversation;
pub use event::decode_event;
pub use limits::Limits;
pub use notification::decode_notification;
pub use outcome::{Control, Ignored, Outcome, Refused};
pub use time::{format_time, parse_time};
pub use whose::whose;

use engine::{Delivery, UserFact};

/// Where and when a frame came in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The feed: an index into the ledger's feeds.
    pub feed: u16,
    /// When it was received, by our clock, in nanoseconds since the epoch.
    pub received: i64,
    /// The same instant by the sender's clock, as far as that is known, else by ours: nothing in it has happened later.
    pub sent_by: i64,
}

/// What frames said. Decoding appends to it, so that a caller fills one batch from many frames and reuses it.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Batch {
    /// What was said about conversations: one delivery a frame at most.
    pub deliveries: Vec<Delivery>,
    /// What was said about users.
    pub users: Vec<UserFact>,
}
