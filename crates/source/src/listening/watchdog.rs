//! When a silent socket is pinged, and when it counts as lost. Time is an argument, in milliseconds on any clock that only
//! goes forward.

use super::{Millis, millis};
use std::time::Duration;

/// Watches one socket.
#[derive(Debug)]
pub struct Watchdog {
    ping_after: Millis,
    pong_timeout: Millis,
    heard_at: Millis,
    pinged_at: Option<Millis>,
}

/// What to do about a silence.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    Wait,
    /// Send a ping.
    Ping,
    /// Give the socket up.
    Lost,
}

impl Watchdog {
    /// A socket that was heard at `now`.
    #[must_use]
    pub fn new(now: Millis, ping_after: Duration, pong_timeout: Duration) -> Self {
        let (ping_after, pong_timeout) = (millis(ping_after), millis(pong_timeout));
        Self { ping_after, pong_timeout, heard_at: now, pinged_at: None }
    }

    /// Something came: a frame, a ping or a pong.
    pub fn heard(&mut self, now: Millis) {
        self.heard_at = now;
        self.pinged_at = None;
    }

    /// When to ask for a verdict.
    #[must_use]
    pub fn due(&self) -> Millis {
        self.pinged_at.map_or(self.heard_at + self.ping_after, |at| at + self.pong_timeout)
    }

    /// What to do now; a ping counts as sent. Who was not asked in time stood still, and has no time for a ping any more.
    pub fn check(&mut self, now: Millis) -> Verdict {
        match self.pinged_at {
            _ if now < self.due() => Verdict::Wait,
            Some(_) => Verdict::Lost,
            None if now > self.heard_at + self.ping_after + self.pong_timeout => Verdict::Lost,
            None => {
                self.pinged_at = Some(now);
                Verdict::Ping
            }
        }
    }
}

#[cfg(test)]
mod tests;
