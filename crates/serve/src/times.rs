//! Instants in queries, and how the API writes them: as exports do, RFC 3339 in UTC with the precision of their source.

use jiff::Timestamp;

pub(crate) use export::Written;

/// What a time in a query must be.
pub(crate) const MUST_BE: &str =
    "a time with its zone (RFC 3339) of the years 1678 to 2261, as in 2026-05-04T09:17:00Z";

/// Reads a time of a query, in nanoseconds since the epoch. A `+` before the zone that was not escaped arrives as a space.
pub(crate) fn read(text: &str) -> Option<i64> {
    let zone = text.len().checked_sub("+00:00".len());
    let unescaped = zone.filter(|at| text.as_bytes().get(*at) == Some(&b' '));
    let instant: Timestamp = match unescaped.and_then(|at| text.split_at_checked(at)) {
        Some((front, zone)) => format!("{front}+{}", zone.trim_start()).parse().ok()?,
        None => text.parse().ok()?,
    };
    i64::try_from(instant.as_nanosecond()).ok()
}

/// An instant of our own clock: in milliseconds, and in more digits only where it has them.
pub(crate) fn ours(nanos: i64) -> Written {
    Written::ours(nanos)
}

#[cfg(test)]
mod tests;
