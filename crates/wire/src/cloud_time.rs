//! What time it is on the platform's clock.
//!
//! The times inside frames are the platform's. Where one of them has to be held against the present (a planned resume that
//! may have passed, a time too far ahead to be true, the interval that a query asks for), ours will not do: a machine whose
//! clock is off would refuse what is true or ask for the wrong hour. Every REST answer says the platform's time in its
//! header `Date`, in whole seconds (RFC 9110, section 6.6.1), and was written between the request and its arrival: that
//! bounds the difference of the two clocks from both sides. What is believed stays while an answer allows it (none, at
//! first), so that a slow answer moves nothing; else it is the middle of what the answer allows.
//!
//! Rejected: setting received times by it (they order what came, and must not move backwards when the estimate does).

use engine::SECOND;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// How far the platform's clock is ahead of ours, as far as it was heard. Cheap to clone; clones share it.
#[derive(Clone, Debug, Default)]
pub struct CloudTime(Arc<AtomicI64>);

impl CloudTime {
    /// Takes the `Date` of an answer, in seconds since the epoch, that was asked for and arrived at these instants of our
    /// clock, in nanoseconds since the epoch.
    pub fn heard(&self, date: i64, asked: i64, arrived: i64) {
        let written = date.saturating_mul(SECOND);
        // When our clock was set back meanwhile, the later reading counts.
        let least = written.saturating_sub(arrived);
        let most = written.saturating_add(SECOND).saturating_sub(asked).max(least);
        let believed = self.0.load(Ordering::Relaxed);
        if !(least..=most).contains(&believed) {
            self.0.store(least.midpoint(most), Ordering::Relaxed);
        }
    }

    /// The platform's time at an instant of ours, both in nanoseconds since the epoch.
    #[must_use]
    pub fn at(&self, ours: i64) -> i64 {
        ours.saturating_add(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests;
