//! The one place that asks the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the wall-clock time in nanoseconds since the Unix epoch. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that stands at `nanos` until it is [set](Clock::set).
    #[must_use]
    pub fn manual(nanos: i64) -> Self {
        Self(Kind::Manual(Arc::new(AtomicI64::new(nanos))))
    }

    /// Nanoseconds since the Unix epoch, in whole microseconds, which take less room on the disk; 0 for a machine set
    /// before it.
    #[must_use]
    pub fn now(&self) -> i64 {
        match &self.0 {
            Kind::System => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| {
                i64::try_from(since.as_micros()).map_or(i64::MAX, |micros| micros * 1_000)
            }),
            Kind::Manual(nanos) => nanos.load(Ordering::Relaxed),
        }
    }

    /// Sets a manual clock; the machine's is left alone.
    pub fn set(&self, nanos: i64) {
        if let Kind::Manual(at) = &self.0 {
            at.store(nanos, Ordering::Relaxed);
        }
    }
}
