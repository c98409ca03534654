//! Instants, with the precision that their source gave.
//!
//! Order and sameness go by the nanosecond alone: `12:00:00Z` and `12:00:00.000Z` are one instant. The number of
//! fraction digits is carried beside it, so that an answer shows a source's time as the source wrote it.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// Nanoseconds in a second.
pub const SECOND: i64 = 1_000_000_000;
/// Nanoseconds in a minute.
pub const MINUTE: i64 = 60 * SECOND;

/// Nanoseconds since 1970-01-01T00:00:00Z, and how many fraction digits (0 to 9) the source wrote.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// Nanoseconds since the Unix epoch.
    pub nanos: i64,
    /// Fraction digits of the source, 0 to 9: presentation only.
    pub digits: u8,
}

impl Time {
    /// An instant with all nine digits.
    #[must_use]
    pub fn from_nanos(nanos: i64) -> Self {
        Self { nanos, digits: 9 }
    }

    /// An instant of whole milliseconds.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self { nanos: millis.saturating_mul(1_000_000), digits: 3 }
    }

    /// The minute it falls into, counted from the epoch.
    #[must_use]
    pub fn minute(self) -> i64 {
        self.nanos.div_euclid(MINUTE)
    }

    /// Cut to milliseconds: how our own clock's readings are shown.
    #[must_use]
    pub fn to_millis(self) -> Self {
        Self { nanos: self.nanos.div_euclid(1_000_000).saturating_mul(1_000_000), digits: 3 }
    }
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Time {}

impl Hash for Time {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.nanos.hash(state);
    }
}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}
