//! What decides what is heard, without any I/O: lists, topics, channels, sockets.
//!
//! Whatever is not listened to is not complete, so whoever decides what to listen to also says what is not heard, since
//! when, and why. All of it is one machine, the [`Listener`]: outcomes of calls and sockets go in with the time (milliseconds
//! on a clock that only goes forward), effects come out, and it names the instant at which it has something to do by
//! itself. A driver carries effects out as tasks (`notifications.rs`); the simulation carries them out in virtual time, with
//! every failure that the world has. Rejected: a task for each part with channels between them (what was in flight between
//! two tasks was known to neither: a topic whose one call failed was nobody's any more).

mod directory;
mod elapsed;
mod heard_until;
mod listener;
mod plan;
mod session;
mod subscriptions;
mod watchdog;

pub use directory::{ListKind, Page};
pub use elapsed::Elapsed;
pub use heard_until::{Heard, HeardUntil};
pub use listener::{Effect, Listener};
pub use session::Cause;
pub use subscriptions::{Answer, Rejection};
pub use watchdog::{Verdict, Watchdog};

pub(crate) use directory::PAGES_MAX;

use std::time::Duration;

/// Milliseconds on a clock that only goes forward, from any beginning.
pub type Millis = u64;

/// How long a driver sleeps at most: no timer tells of a pause of the machine's, so it is looked for.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why a call did not bring what it was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In words for a person.
    pub problem: String,
    /// How long another try is of no use.
    pub retry_in: Duration,
    /// Somebody has to change something first: a permission, a setting.
    pub lasting: bool,
}

pub(crate) fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 4)
}
