//! Instants as the platform writes them.
//!
//! The whole simulator counts in milliseconds since 1970 on the cloud's clock, which is what the platform's bodies
//! resolve to; the driver alone reads a clock and everybody else gets the instant as an argument. Rejected: a
//! timestamp type with nanoseconds (every body would have to cut it, each in its own place).

use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// An instant that shows as RFC 3339 in UTC with three fraction digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Stamp(pub Millis);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", timestamp(self.0))
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The minute of an instant, counted from 1970.
pub fn minute(at: Millis) -> i64 {
    at.div_euclid(60_000)
}

/// A minute as the truth file names it, for example `2026-11-23T20:41Z`.
pub fn minute_word(minute: i64) -> String {
    timestamp(minute * 60_000).strftime("%Y-%m-%dT%H:%MZ").to_string()
}

fn timestamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}
