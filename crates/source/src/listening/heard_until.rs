//! Until when a socket was heard, as far as is proved.
//!
//! A frame says that its peer lived when it was sent, not that it lives now: it may have lain in the kernel's buffer while
//! nobody read (no room behind us) or nobody ran (a stopped process, a sleeping machine), and the peer may have died in
//! silence behind it. What is known is that it came after the last instant at which nothing was there. So the reader looks
//! every second, and a frame proves that instant and no later one.
//!
//! A look that finds nothing says so of the look before: right after a pause, however short, the runtime has not asked the
//! kernel yet, and says that nothing is there though something is. Rejected: taking the instant at which somebody who
//! waited was woken (after a pause of ten seconds those were claimed, and what the dead peer had not sent was missing).

use pipeline::Moment;
use std::time::Duration;

/// What a look that found something proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Until when the socket was heard, in nanoseconds since the epoch.
    pub until: i64,
    /// Somebody ran all the while: the peer may live still. Else it is given up.
    pub in_time: bool,
}

/// Looks at one socket.
#[derive(Clone, Copy, Debug)]
pub struct HeardUntil {
    /// The last look, whatever it found.
    looked: Moment,
    /// The last instant at which nothing was there, for sure.
    empty: Moment,
    silence_max: i64,
}

impl HeardUntil {
    /// Of a socket that was just opened, and is never silent for longer than the watchdog bears.
    #[must_use]
    pub fn new(now: Moment, silence_max: Duration) -> Self {
        Self { looked: now, empty: now, silence_max: nanos(silence_max) }
    }

    /// A look found nothing; to be told at least every [`super::LOOK_EVERY`] while nothing comes.
    pub fn empty(&mut self, now: Moment) {
        self.empty = std::mem::replace(&mut self.looked, now);
    }

    /// A look found something; `piled_up`: nobody had waited for it, there was no room for more.
    pub fn found(&mut self, piled_up: bool, now: Moment) -> Heard {
        // By our clock as it is now, which may have been set meanwhile.
        let silent = now.since(self.empty).max(0);
        self.looked = now;
        Heard { until: now.wall.saturating_sub(silent), in_time: piled_up || silent <= self.silence_max }
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
