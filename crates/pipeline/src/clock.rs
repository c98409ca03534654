//! The one place that asks the time.
//!
//! Two clocks: the wall's, which people and records go by and which may be set at any time, and one that counts from the
//! machine's start, also while it sleeps, and is never set. Where a length matters (has a socket been silent for too long?)
//! both are asked; what is forgotten for its age is forgotten by a wall clock that has earned it ([`Steadiness`]).

use crate::steady::{Doubt, Steadiness};
use rustix::time::{ClockId, clock_gettime};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// An instant by both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// By the wall's, in nanoseconds since the Unix epoch.
    pub wall: i64,
    /// By the machine's, in nanoseconds since its start.
    pub boot: i64,
}

impl Moment {
    /// How long ago another was, in nanoseconds, by the clock that says more: a machine that stood still tells it by one of
    /// them at least.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.wall.saturating_sub(earlier.wall).max(self.boot.saturating_sub(earlier.boot))
    }
}

/// Tells the time: the wall's in nanoseconds since the Unix epoch, and the machine's in nanoseconds since its start. Cheap
/// to clone; clones share what is known of it.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System(Arc<Mutex<Steadiness>>),
    Manual(Arc<Manual>),
}

#[derive(Debug)]
struct Manual {
    /// Both clocks, set and read as one: a reading of one before a setting and of the other after it would look like a
    /// clock that was set.
    stands: Mutex<Moment>,
    /// What the wall's has earned; `None` when it is right by definition, and the machine's is the true one.
    steadiness: Option<Mutex<Steadiness>>,
}

impl Clock {
    /// The machine's clocks.
    #[must_use]
    pub fn system() -> Self {
        Self(Kind::System(Arc::default()))
    }

    /// A wall clock that stands at `nanos` until it is [set](Clock::set), and is trusted; the machine's clock is the true one.
    #[must_use]
    pub fn manual(nanos: i64) -> Self {
        Self::of(Moment { wall: nanos, boot: 0 }, None)
    }

    /// Two clocks that stand until they are [set](Clock::set_both), of which the wall's must earn its trust.
    #[must_use]
    pub fn manual_pair(wall: i64, boot: i64) -> Self {
        Self::of(Moment { wall, boot }, Some(Mutex::default()))
    }

    fn of(stands: Moment, steadiness: Option<Mutex<Steadiness>>) -> Self {
        Self(Kind::Manual(Arc::new(Manual { stands: stands.into(), steadiness })))
    }

    /// Nanoseconds since the Unix epoch, in whole microseconds, which take less room on the disk; 0 for a machine set
    /// before it.
    #[must_use]
    pub fn now(&self) -> i64 {
        match &self.0 {
            Kind::System(_) => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| {
                i64::try_from(since.as_micros()).map_or(i64::MAX, |micros| micros * 1_000)
            }),
            Kind::Manual(manual) => manual.stands().wall,
        }
    }

    /// Nanoseconds since the machine's start, those in which it slept included; never set, and never back.
    #[must_use]
    pub fn boot(&self) -> i64 {
        match &self.0 {
            Kind::Manual(manual) if manual.steadiness.is_some() => manual.stands().boot,
            _ => {
                let since = clock_gettime(ClockId::Boottime);
                since.tv_sec.saturating_mul(engine::SECOND).saturating_add(since.tv_nsec)
            }
        }
    }

    /// Both.
    #[must_use]
    pub fn moment(&self) -> Moment {
        match &self.0 {
            Kind::Manual(manual) if manual.steadiness.is_some() => *manual.stands(),
            _ => Moment { wall: self.now(), boot: self.boot() },
        }
    }

    /// Somebody else says that it is `theirs` now, in nanoseconds since the epoch: the platform's answer, or an event that
    /// has just happened.
    pub fn witness(&self, theirs: i64) {
        if let Some(mut steadiness) = self.steadiness() {
            let Moment { wall, boot } = self.moment();
            steadiness.witness(theirs, wall, boot);
        }
    }

    /// The time by which something may be forgotten for good, in nanoseconds since the epoch.
    ///
    /// # Errors
    /// Why nothing may be forgotten now.
    pub fn trusted_now(&self) -> Result<i64, Doubt> {
        let Some(mut steadiness) = self.steadiness() else { return Ok(self.now()) };
        let Moment { wall, boot } = self.moment();
        steadiness.trusts(wall, boot).map(|()| wall)
    }

    /// Sets a manual clock; the machine's is left alone.
    pub fn set(&self, nanos: i64) {
        if let Kind::Manual(manual) = &self.0 {
            manual.stands().wall = nanos;
        }
    }

    /// Sets both of a manual pair; the machine's are left alone.
    pub fn set_both(&self, wall: i64, boot: i64) {
        if let Kind::Manual(manual) = &self.0 {
            *manual.stands() = Moment { wall, boot };
        }
    }

    fn steadiness(&self) -> Option<MutexGuard<'_, Steadiness>> {
        let steadiness = match &self.0 {
            Kind::System(steadiness) => steadiness,
            Kind::Manual(manual) => manual.steadiness.as_ref()?,
        };
        Some(steadiness.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Manual {
    fn stands(&self) -> MutexGuard<'_, Moment> {
        self.stands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
