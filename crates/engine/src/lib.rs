//! Facts in, changes out: the one pure owner of what is known of every conversation.
//!
//! A conversation is a grow-only set of [facts](Fact); everything shown is a pure function of that set. The engine
//! takes deliveries with the time as an argument, keeps the sets, and hands out what changed. It has no clock, no
//! randomness, no I/O and no task of its own, and none of its methods can fail.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod activity;
mod batch;
mod beginnings;
mod contributions;
mod conversation;
mod engine;
mod entry;
mod fact;
mod fold;
mod gaps;
mod ghosts;
mod glance;
mod id;
mod inherited;
mod instant;
mod ledger;
mod limits;
mod list;
mod losses;
mod names;
mod note;
mod order;
mod past;
mod record;
mod remembered;
mod replay;
mod residents;
mod revision;
mod scope;
mod show;
mod spells;
mod time;
mod timeline;
mod toggles;
mod users;
mod view;
mod waiting;
mod why;
mod word;

pub use batch::{Batch, Dropped, Publish, Tally};
pub use contributions::{Facets, contributions};
pub use engine::Engine;
pub use fact::{Authority, Delivery, Fact, FactId, Source, Stamp, Toggle, UserFact, UserWhat, What, is_end};
pub use gaps::{Broken, FeedIntervals, Interval, Missing, MissingDots, REMOVED, RangeView, check_intervals};
pub use ghosts::Suspicion;
pub use id::{ID_BYTES_MAX, Id, IdError};
pub use instant::{Counted, When};
pub use ledger::{RECORDS_LOST, STATUS_ROW};
pub use limits::{LOOK_BACK_NS, Limits, Plausible, UNNOTICED_NS_MAX};
pub use list::in_order;
pub use note::{FeedEvent, FeedNote, Limit};
pub use record::{Admitted, Arrival, LedgerRow, StoredConversation, UserRow};
pub use remembered::{Memory, MemoryOfParticipant};
pub use residents::TakenUp;
pub use revision::{Effect, History, Life, MovedEntry, SpellMoves};
pub use show::Shown;
pub use time::{MINUTE, SECOND, Time};
pub use view::{
    Activity, Belongs, Change, CommunicationView, Completeness, ConversationView, FeedView, Filter,
    ParticipantView, Revision, SpellView, TimelineEntry, UserView,
};
pub use why::{Explained, Hidden, Identity, Named, Placed, Rule};
pub use word::{WORD_BYTES_MAX, Word};
