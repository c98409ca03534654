//! An instant that has passed, on a clock that may be set back meanwhile.
//!
//! A hole begins when a feed was last heard, and may last for hours. When our clock is set back within that time, the
//! reading of then is later than it should be by the clock of now, or even in the future, and a repair would look for the
//! hole where it is not. So the time that went by since is measured on a clock that is never set, and the earlier of the two
//! counts: when the clock is set forward, that makes the hole wider than it was, never narrower. Rejected: taking whatever
//! was read last (two sockets of a feed may report out of turn, and a hole that nobody hears in has no later reading).

use pipeline::Moment;

/// An instant that has passed.
#[derive(Clone, Copy, Debug)]
pub struct Past {
    /// By our clock as it was set when this was noted, in nanoseconds since the epoch.
    wall: i64,
    /// When it was noted, on the clock that is never set.
    noted: i64,
    /// How long it was past then, in nanoseconds.
    ago: i64,
}

impl Past {
    /// An instant `at`, in nanoseconds since the epoch by our clock, noted at `now`.
    #[must_use]
    pub fn new(at: i64, now: Moment) -> Self {
        Self { wall: at, noted: now.boot, ago: now.wall.saturating_sub(at).max(0) }
    }

    /// When it was, by our clock as it is set at `now`, in nanoseconds since the epoch.
    #[must_use]
    pub fn by(&self, now: Moment) -> i64 {
        let went_by = now.boot.saturating_sub(self.noted).max(0);
        self.wall.min(now.wall.saturating_sub(went_by).saturating_sub(self.ago))
    }

    /// The one that is later, whatever our clock was set to between the two and is set to by now: by the clock as it was when
    /// the one of them was noted that was noted last.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        let (first, last) = if self.noted <= other.noted { (self, other) } else { (other, self) };
        let then = Moment { wall: last.wall.saturating_add(last.ago), boot: last.noted };
        Self::new(first.by(then).max(last.wall), then)
    }

    /// An instant that is not later than either.
    #[must_use]
    pub fn earlier(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            noted: self.noted.min(other.noted),
            ago: self.ago.max(other.ago),
        }
    }

    /// The earlier of instants that may be there.
    #[must_use]
    pub fn earliest(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        a.into_iter().chain(b).reduce(Self::earlier)
    }
}

#[cfg(test)]
mod tests;
