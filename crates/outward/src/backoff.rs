//! How long to wait before the next attempt.
//!
//! The first attempt after a loss comes almost at once, since most losses are single; then the wait doubles, with
//! jitter, so that a thousand clients that lost the same server do not come back in step. The random source is handed in:
//! the same seed gives the same waits. Rejected: full jitter from zero on every attempt (it may hammer a server that is
//! down).

use std::time::Duration;

/// Jittered exponential waits.
#[derive(Clone, Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    attempts: u32,
    random: fastrand::Rng,
}

impl Backoff {
    /// Waits on the scale of `min`, at most `max`.
    #[must_use]
    pub fn new(min: Duration, max: Duration, random: fastrand::Rng) -> Self {
        Self { min, max, attempts: 0, random }
    }

    /// The wait before the next attempt: up to a quarter of `min` before the first, then between half and the whole of
    /// `min`, twice that, and so on up to `max`.
    pub fn wait(&mut self) -> Duration {
        let attempt = self.attempts;
        self.attempts = self.attempts.saturating_add(1);
        let Some(doublings) = attempt.checked_sub(1) else {
            return (self.min / 4).mul_f64(self.random.f64());
        };
        let ceiling = self.min.saturating_mul(1u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(self.max);
        ceiling / 2 + (ceiling / 2).mul_f64(self.random.f64())
    }

    /// Something worked: the next wait is a first one.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

/// A wait in seconds, to a tenth: for a field of a log's line.
#[must_use]
pub fn in_seconds(wait: Duration) -> f64 {
    (wait.as_secs_f64() * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests;
