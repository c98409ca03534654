//! How much time went by, by a clock that only goes forward and misses no pause.
//!
//! A process that is stopped, a lid that is closed, a machine that is moved: afterwards nothing is known of the time between,
//! and a socket that lives may have died in it. The clock that counts from the machine's start tells of most of it; some
//! machines are restored with that clock as it was, and only the wall's is put right. So the one that went further counts.
//! A wall clock that is set forward looks the same: then what is due comes early, sockets are opened anew, and nothing is
//! lost. Set back, it changes nothing.

use super::Millis;
use pipeline::Moment;

/// The wall clock went further than the machine's by more than this: it is slewed by less within any wait of ours.
const STEP_NS_MIN: i64 = 5_000_000_000;

/// Counts what went by.
#[derive(Debug)]
pub struct Elapsed {
    last: Moment,
    nanos: i64,
}

impl Elapsed {
    /// Begins to count at a moment, with so much behind it.
    #[must_use]
    pub fn new(now: Moment, behind: Millis) -> Self {
        let behind = i64::try_from(behind).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        Self { last: now, nanos: behind }
    }

    /// Goes on to a moment; how much went by since the beginning.
    pub fn advance(&mut self, now: Moment) -> Millis {
        let boot = now.boot.saturating_sub(self.last.boot).max(0);
        let wall = now.wall.saturating_sub(self.last.wall);
        let went_by = if wall.saturating_sub(boot) > STEP_NS_MIN { wall } else { boot };
        self.nanos = self.nanos.saturating_add(went_by);
        self.last = Moment { wall: now.wall, boot: self.last.boot.max(now.boot) };
        self.read(now)
    }

    /// How much had gone by at a moment not long ago.
    #[must_use]
    pub fn read(&self, at: Moment) -> Millis {
        let ago = self.last.boot.saturating_sub(at.boot).max(0);
        u64::try_from(self.nanos.saturating_sub(ago) / 1_000_000).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
