//! How long, and how much, history is kept: texts as people write them, `400d` and `20GiB`.
//!
//! A number without a unit is refused: whether 400 meant days or hours shows only when the history is gone.

use super::judge::{Judge, short};
use pipeline::{KEPT_ALWAYS_NS, Retention};

/// Conversations with their facts: a year, and a month to look back on it.
const FACTS_DAYS: i64 = 400;
/// The least that a file may take: an empty one, and room for a busy day.
const SIZE_MIN: u64 = 64 << 20;

const DAY: i64 = 86_400 * engine::SECOND;
const DURATIONS: [(&str, i64); 4] = [("h", DAY / 24), ("d", DAY), ("w", 7 * DAY), ("y", 365 * DAY)];
const SIZES: [(&str, u64); 6] = [
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

impl Judge<'_> {
    /// What is kept.
    pub(super) fn retention(&mut self) -> Retention {
        Retention {
            facts_ns: self.parsed("store.keep_facts", Some(FACTS_DAYS * DAY), duration),
            bytes_max: self.parsed("store.max_size", None, size),
        }
    }
}

fn duration(text: &str) -> Result<Option<i64>, String> {
    if text.trim() == "forever" {
        return Ok(None);
    }
    let read =
        number_with_unit(text, &DURATIONS).and_then(|(n, unit)| i64::try_from(n).ok()?.checked_mul(unit));
    let Some(ns) = read else {
        return Err(format!(
            "`{}` is no time to keep history for: wanted is a number and a unit, as in 48h, 400d, 12w or 5y, or `forever`",
            short(text)
        ));
    };
    if ns < KEPT_ALWAYS_NS {
        return Err(format!(
            "`{}` is less than the two days that are always kept; 2d is the least",
            short(text)
        ));
    }
    Ok(Some(ns))
}

fn size(text: &str) -> Result<Option<u64>, String> {
    if text.trim() == "none" {
        return Ok(None);
    }
    let Some(bytes) = number_with_unit(text, &SIZES).and_then(|(n, unit)| n.checked_mul(unit)) else {
        return Err(format!(
            "`{}` is no size: wanted is a number and a unit, as in 500MiB, 20GiB or 1TB, or `none`",
            short(text)
        ));
    };
    if bytes < SIZE_MIN {
        return Err(format!("`{}` is less than a busy day takes; 64MiB is the least", short(text)));
    }
    Ok(Some(bytes))
}

/// A whole number and what its unit stands for.
fn number_with_unit<T: Copy>(text: &str, units: &[(&str, T)]) -> Option<(u64, T)> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (_, worth) = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()))?;
    Some((number.parse().ok()?, *worth))
}
