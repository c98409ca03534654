//! An instant that has passed, on a clock that may be set back meanwhile.
//!
//! A hole begins when a feed was last heard, and may last for hours. When our clock is set back within that time, the
//! reading of then is later than it should be by the clock of now, or even in the future, and a repair would look for the
//! hole where it is not. So the time that went by since is measured on a clock that is never set, and the earlier of the two
//! counts: when the clock is set forward, that makes the hole wider than it was, never narrower. Rejected: taking whatever
//! was read last (two sockets of a feed may report out of turn, and a hole that nobody hears in has no later reading).

use tokio::time::Instant;

/// An instant that has passed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Past {
    /// By our clock as it was set when this was noted, in nanoseconds since the epoch.
    wall: i64,
    noted: Instant,
    /// How long it was past then, in nanoseconds.
    ago: i64,
}

impl Past {
    /// An instant `at`, noted at `now`, both in nanoseconds since the epoch by our clock.
    pub fn new(at: i64, now: i64) -> Self {
        Self::noted_at(Instant::now(), at, now)
    }

    fn noted_at(noted: Instant, at: i64, now: i64) -> Self {
        Self { wall: at, noted, ago: now.saturating_sub(at).max(0) }
    }

    /// When it was, by our clock as it is set at `now`, in nanoseconds since the epoch.
    pub fn by(&self, now: i64) -> i64 {
        self.read_at(Instant::now(), now)
    }

    fn read_at(&self, read: Instant, now: i64) -> i64 {
        let went_by = read.saturating_duration_since(self.noted).as_nanos();
        let went_by = i64::try_from(went_by).unwrap_or(i64::MAX);
        self.wall.min(now.saturating_sub(went_by).saturating_sub(self.ago))
    }

    /// An instant that is not later than either.
    pub fn earlier(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            noted: self.noted.min(other.noted),
            ago: self.ago.max(other.ago),
        }
    }

    /// The same of instants that may be there.
    pub fn earliest(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        a.into_iter().chain(b).reduce(Self::earlier)
    }
}

#[cfg(test)]
mod tests;
