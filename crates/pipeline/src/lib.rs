//! Mailbox, shard, group commit and the change feed: everything between a decoded frame and a reader.
//!
//! Sources hand facts to an [`Intake`]; one thread owns the engine and the store, takes all that waits, lets the engine
//! decide, commits the outcome in one synced transaction, and only then shows it to a [`Reader`].

mod activity;
mod answers;
mod change_log;
mod clock;
mod faults;
mod followers;
mod instant;
mod intake;
mod keeper;
mod listing;
mod mailbox;
mod merging;
mod outage;
mod past;
mod position;
mod reader;
mod recovery;
mod removal;
mod retention;
mod shard;
mod start;
mod steady;
mod steps;
mod telemetry;
mod trail;
mod wishes;

pub use activity::{ActivityView, Gathered, NotKept};
pub use change_log::{CHANGES_KEPT_MAX, ChangeLog, Following};
pub use clock::{Clock, Moment};
pub use engine::When;
pub use faults::{Faults, Restarts};
pub use followers::{Follower, FollowerError, FollowerStatus, Followers, Portion};
pub use instant::{Looked, StateThen};
pub use intake::{Intake, Wish};
pub use keeper::Keeper;
pub use mailbox::{Mail, Mailbox, MailboxSettings, Offered, WhenFull};
pub use past::{Found, Past};
pub use position::{NoPosition, Position};
pub use reader::{Answer, NoAnswer, Page, Query, Reader, ReaderBackend, Summary, reader_pair};
pub use retention::{ForgottenCells, KEPT_ALWAYS_NS, Removed, Retention};
pub use shard::Drained;
pub use start::{Pipeline, PipelineError, Recovery, Settings};
pub use steady::{Doubt, Steadiness};
pub use store::{CellInterval, CellQuestion};
pub use telemetry::{FeedLabels, FeedName, FollowerName, Outcome, Reason, Telemetry};
