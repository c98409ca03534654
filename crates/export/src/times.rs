//! Instants as text: RFC 3339 in UTC, with the precision of their source.
//!
//! A source that wrote `12:00:00.120Z` gets exactly these three digits back, so that what is shown can be searched for
//! in what was sent. Digits beyond the given ones are cut, never rounded: a rounded time would lie in the future.

use engine::Time;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::fmt;

/// The most fraction digits that are written.
const DIGITS_MAX: u8 = 9;

/// A time that is written as RFC 3339, `Z`, and [`Time::digits`] fraction digits (0 to 9; more are taken as 9).
#[derive(Clone, Copy, Debug)]
pub struct Written(pub Time);

impl Written {
    /// An instant of our own clock, in nanoseconds since the epoch: in milliseconds, and in more digits only where it has
    /// them.
    #[must_use]
    pub fn ours(nanos: i64) -> Self {
        let digits = [(3, 1_000_000), (6, 1_000)].into_iter().find(|(_, unit)| nanos % unit == 0);
        Self(Time { nanos, digits: digits.map_or(DIGITS_MAX, |(digits, _)| digits) })
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = Timestamp::from_nanosecond(self.0.nanos.into()).map_err(|_| fmt::Error)?;
        write!(f, "{instant:.*}", usize::from(self.0.digits.min(DIGITS_MAX)))
    }
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
