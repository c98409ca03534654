//! How long, and how much, history is kept, by kind: texts as people write them, `400d` and `20GiB`.
//!
//! A number without a unit is refused: whether 400 meant days or hours shows only when the history is gone.

use super::judge::{Judge, short};
use pipeline::{KEPT_ALWAYS_NS, Retention};

/// Conversations with their facts: a year, and a month to look back on it.
const FACTS_DAYS: i64 = 400;
/// Minutes of cells: as long.
const MINUTES_DAYS: i64 = 400;
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
        let retention = Retention {
            facts_ns: self.parsed("store.keep_facts", Some(FACTS_DAYS * DAY), duration),
            bytes_max: self.parsed("store.max_size", None, size),
            minutes_ns: self.parsed("store.keep_minutes", Some(MINUTES_DAYS * DAY), duration),
            hours_ns: self.parsed("store.keep_hours", None, duration),
            days_ns: self.parsed("store.keep_days", None, duration),
        };
        self.longer("keep_hours", retention.hours_ns, "keep_minutes", retention.minutes_ns);
        self.longer("keep_days", retention.days_ns, "keep_hours", retention.hours_ns);
        retention
    }

    /// Longer intervals are what is left when shorter ones have gone.
    fn longer(&mut self, longer: &str, its_ns: Option<i64>, shorter: &str, ns: Option<i64>) {
        let Some(its_ns) = its_ns.filter(|its_ns| ns.is_none_or(|ns| *its_ns < ns)) else { return };
        let setting = |name: &str| self.raw.get(format!("store.{name}").as_str());
        let origin = [longer, shorter].into_iter().find_map(setting).map_or("", |(_, origin)| origin);
        let kept = ns.map_or("forever".to_owned(), |ns| format!("{}h", ns / (DAY / 24)));
        let what = format!(
            "`{longer}` is {}h, and `{shorter}` {kept}: longer intervals are kept at least as long as shorter ones",
            its_ns / (DAY / 24)
        );
        self.problems.add(origin, what);
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
