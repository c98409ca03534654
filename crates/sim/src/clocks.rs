//! Clocks that are set, by seconds, hours or years, for good or for a moment; and retention, which goes by them.
//!
//! No world lasts for two days, and nothing younger than that may ever be removed: whatever retention takes away here was
//! taken away by a clock that was wrong.

use crate::node::MILLI;
use crate::watch::{Broken, Invariant};
use crate::world::{Next, World};
use engine::SECOND;
use pipeline::{Clock, Moment, Retention};
use simulator::{Dialect, Millis};
use store::LastTold;

/// For how long a clock that is put right soon is wrong, at most.
const WRONG_MS_MAX: Millis = 5_000;
/// How often a node removes what is old, at most.
const REMOVE_MS: Millis = 1_000;
/// What is kept is as little as may be.
const RETENTION: Retention = Retention {
    facts_ns: Some(SECOND),
    bytes_max: Some(1),
    minutes_ns: Some(SECOND),
    hours_ns: Some(SECOND),
    days_ns: Some(SECOND),
};
/// A process that runs for longer than this has a clock that may be trusted.
const RAN_NS: i64 = 7_200 * SECOND;
/// A clock that is this far off makes frames look as if they came from the future.
const FAR_MS: Millis = 1_800_000;

/// How far a clock is set where more is not settled.
const UNSETTLED_MS_MAX: Millis = 25_000;

impl World {
    /// Somebody sets a node's clock.
    pub fn step_clock(&mut self, node: usize) {
        let is_put_right = self.rng.f64() < self.plan.host.put_right;
        // What the `events` dialect claims where a clock is set by hours for good, or while nobody runs, is not settled yet.
        let runs = self.nodes[node].life.is_some();
        let is_settled = self.plan.dialect == Dialect::Notifications || (is_put_right && runs);
        let most = self.plan.host.ahead_ms_max.min(if is_settled { Millis::MAX } else { UNSETTLED_MS_MAX });
        let ahead = self.rng.i64(-most..=most);
        let before = self.nodes[node].ahead_ms;
        if is_put_right {
            let at = self.now + self.rng.i64(100..WRONG_MS_MAX);
            self.agenda.put(at, Next::RightClock(node, before));
        }
        self.set_clock(node, ahead);
    }

    /// A node's clock is so far ahead of the true one from now on.
    pub fn set_clock(&mut self, node: usize, ahead: Millis) {
        let known = &mut self.nodes[node];
        let step = ahead - known.ahead_ms;
        known.seen.clock_was_set |= step < 0;
        known.ahead_ms = ahead;
        if let Some(life) = &mut known.life {
            life.clock_was_set(step.min(0) * MILLI);
        }
        self.say(|| format!("n{node}: its clock is set {ahead:+} ms from the true one"));
        self.next_turn(node);
    }

    /// The clock of a process that starts, whose machine may have been watched for hours.
    pub fn new_clock(&self, node: usize) -> Clock {
        let Moment { wall, boot } = self.nodes[node].moment(self.now);
        let first = self.nodes[node].lives == 0;
        let ran = if first { RAN_NS } else { 0 };
        let clock = Clock::manual_pair(wall - ran, boot - ran);
        let _begins_to_count = clock.trusted_now();
        clock.set_both(wall, boot);
        clock
    }

    /// Frames may look as if they came from the future.
    pub fn may_refuse(&self) -> bool {
        self.plan.clock_steps.is_some() && self.plan.host.ahead_ms_max > FAR_MS
    }

    /// Removes what is old, by a clock that has earned it: nothing ever is.
    pub fn forget(&mut self, node: usize) -> Result<(), Broken> {
        let (now, moment) = (self.now, self.nodes[node].moment(self.now));
        let wanted = self.plan.host.retention;
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        if !wanted || life.stuck || now - life.removed_at < REMOVE_MS {
            return Ok(());
        }
        life.removed_at = now;
        life.clock.set_both(moment.wall, moment.boot);
        let Ok(trusted) = life.clock.trusted_now() else { return Ok(()) };
        let facts = life.keeper.remove_old(RETENTION, LastTold::default(), trusted);
        let cells = life.keeper.forget_cells(RETENTION, trusted);
        // What a full disk refuses is tried again.
        let (facts, cells) = (facts.unwrap_or_default(), cells.unwrap_or_default());
        let gone = facts.by_age + facts.by_size + cells.by_age + cells.by_size;
        if gone > 0 {
            let what = format!("node {node} removed {facts:?} and {cells:?}, and nothing is two days old");
            return Err(Broken::new(Invariant::NothingForgotten, what));
        }
        Ok(())
    }
}
