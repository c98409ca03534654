//! Whether our wall clock may be trusted so far that something is forgotten by it.
//!
//! What is removed for its age is gone for good, and a wall clock can be wrong by years for a few seconds: a battery, a
//! hypervisor, a typing error. So nothing is forgotten by it until it has been in step for an hour with the clock that
//! counts from the machine's start and is never set, and somebody else has borne witness meanwhile: the platform's `Date`,
//! or an event that says it happened just now. A wrong clock costs an hour of patience, and a clock nobody vouches for
//! keeps everything.
//!
//! Rejected: asking a time server (one more thing to trust, and to reach), and trusting a clock that ticks evenly (one that
//! was wrong before we started does, too).

use engine::SECOND;

/// How long the clock must have been in step.
const IN_STEP_NS: i64 = 3_600 * SECOND;
/// How far two readings of it may drift apart in that time: clocks are slewed by at most 500 millionths, 1.8 s an hour.
const DRIFT_NS_MAX: i64 = 10 * SECOND;
/// A witness within this agrees: events are late by seconds, and clocks are off by as much.
const WITNESS_NS_MAX: i64 = 600 * SECOND;

/// Why nothing may be forgotten yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It was set, or we started, less than an hour ago.
    NotInStep,
    /// No event and no answer of the platform has said the same time within the last hour.
    NoWitness,
}

/// What is known of the wall clock. Time is an argument: nanoseconds since the epoch by it, and nanoseconds on a clock
/// that counts from the machine's start.
#[derive(Debug, Default)]
pub struct Steadiness {
    /// A reading of both clocks that later ones are held against.
    anchor: Option<(i64, i64)>,
    /// Since when the two are in step, on the second clock.
    since: i64,
    /// When a witness agreed last, on the second clock.
    witnessed: Option<i64>,
}

impl Doubt {
    /// In words for a person.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NotInStep => {
                "this machine's clock was set, or Headcount started, less than an hour ago; nothing is forgotten by it yet"
            }
            Self::NoWitness => {
                "no event and no answer of the platform has confirmed this machine's clock within the last hour; nothing is \
                 forgotten by it"
            }
        }
    }
}

impl Steadiness {
    /// Takes a reading of both clocks.
    pub fn observe(&mut self, wall: i64, boot: i64) {
        let Some((wall_then, boot_then)) = self.anchor else {
            (self.anchor, self.since) = (Some((wall, boot)), boot);
            return;
        };
        let went_by = boot.saturating_sub(boot_then);
        let drift = wall.saturating_sub(wall_then).saturating_sub(went_by);
        if drift.saturating_abs() > DRIFT_NS_MAX {
            // Who agreed with the old time says nothing about the new one.
            (self.anchor, self.since, self.witnessed) = (Some((wall, boot)), boot, None);
        } else if went_by >= IN_STEP_NS {
            self.anchor = Some((wall, boot));
        }
    }

    /// Somebody else says that it is `theirs` now, in nanoseconds since the epoch; only agreement counts, since what is
    /// late is no proof of a wrong clock.
    pub fn witness(&mut self, theirs: i64, wall: i64, boot: i64) {
        self.observe(wall, boot);
        if wall.saturating_sub(theirs).saturating_abs() <= WITNESS_NS_MAX {
            self.witnessed = Some(boot);
        }
    }

    /// Whether something may be forgotten by a reading of the wall clock.
    ///
    /// # Errors
    /// Why not yet.
    pub fn trusts(&mut self, wall: i64, boot: i64) -> Result<(), Doubt> {
        self.observe(wall, boot);
        if boot.saturating_sub(self.since) < IN_STEP_NS {
            return Err(Doubt::NotInStep);
        }
        let witnessed = self.witnessed.is_some_and(|at| boot.saturating_sub(at) <= IN_STEP_NS);
        if witnessed { Ok(()) } else { Err(Doubt::NoWitness) }
    }
}

#[cfg(test)]
mod tests;
