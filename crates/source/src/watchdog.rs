//! When a silent socket is pinged, and when it counts as lost. Time is an argument.

use std::time::Duration;
use tokio::time::Instant;

/// Watches one socket.
#[derive(Debug)]
pub(crate) struct Watchdog {
    ping_after: Duration,
    pong_timeout: Duration,
    heard_at: Instant,
    pinged_at: Option<Instant>,
}

/// What to do about a silence.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Wait,
    Ping,
    Lost,
}

impl Watchdog {
    /// A socket that was heard at `now`.
    pub fn new(now: Instant, ping_after: Duration, pong_timeout: Duration) -> Self {
        Self { ping_after, pong_timeout, heard_at: now, pinged_at: None }
    }

    /// Something came: a frame, a ping or a pong.
    pub fn heard(&mut self, now: Instant) {
        self.heard_at = now;
        self.pinged_at = None;
    }

    /// When to ask for a verdict.
    pub fn due(&self) -> Instant {
        self.pinged_at.map_or(self.heard_at + self.ping_after, |at| at + self.pong_timeout)
    }

    /// What to do now; a ping counts as sent.
    pub fn check(&mut self, now: Instant) -> Verdict {
        match self.pinged_at {
            _ if now < self.due() => Verdict::Wait,
            Some(_) => Verdict::Lost,
            None => {
                self.pinged_at = Some(now);
                Verdict::Ping
            }
        }
    }
}

#[cfg(test)]
mod tests;
