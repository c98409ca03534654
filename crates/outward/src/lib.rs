//! What every call to another host shares: one HTTP client, one trust store, bounded bodies, and waits between attempts.
//!
//! It stands below whoever calls, so that the source and the followers need not know each other.

mod backoff;
mod finding;
mod http;
mod plain;

pub use backoff::{Backoff, in_seconds};
pub use finding::{Finding, Level};
pub use http::{BodyError, SetupError, USER_AGENT, Waits, body, cause, client, date, host, retry_after, tls};
pub use plain::{NoPlainHosts, PlainHosts};
