//! How much time went by, by a clock that only goes forward and misses no pause.
//!
//! A process that is stopped, a lid that is closed, a machine that is moved: afterwards nothing is known of the time between,
//! and a socket that lives may have died in it. The clock that counts from the machine's start tells of most of it; some
//! machines are restored with that clock as it was, and only the wall's is put right. So from look to look the one that went
//! further counts, however little: an instant of the past would stand later than it was by all that was let pass. A wall
//! clock that is set forward looks the same: then what is due comes early, sockets are opened anew, and nothing is lost. Set
//! back, it changes nothing.

use super::Millis;
use pipeline::Moment;

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
        self.nanos = self.nanos.saturating_add(now.since(self.last).max(0));
        self.last = Moment { wall: now.wall, boot: self.last.boot.max(now.boot) };
        self.read(now)
    }

    /// How much had gone by at a moment not long ago.
    #[must_use]
    pub fn read(&self, at: Moment) -> Millis {
        let ago = self.last.since(at).max(0);
        u64::try_from(self.nanos.saturating_sub(ago) / 1_000_000).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
