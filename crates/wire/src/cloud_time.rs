//! What time it is on the platform's clock.
//!
//! The times inside frames are the platform's. Where one of them has to be held against the present (a planned resume that
//! may have passed, a time too far ahead to be true, the interval that a query asks for), ours will not do: a machine whose
//! clock is off would refuse what is true or ask for the wrong hour. Every REST answer says the platform's time in its
//! header `Date`, in whole seconds (RFC 9110, section 6.6.1), and was written between the request and its arrival: that
//! bounds the difference of the two clocks from both sides.
//!
//! A single answer may lie: a cache gave it, or a balancer whose own clock is off. So the newest few bounds are kept, and
//! what lies within most of them is believed (Marzullo's algorithm, as NTP selects among servers: RFC 5905, section 11.2.1).
//! What is believed stays while no difference fits more, so that a slow answer moves nothing, and one answer against
//! two or more others moves nothing either; of two that contradict one another the one is believed that is nearer to our clock. When our own clock is set, which the clock that counts from the machine's
//! start tells, the bounds are moved by as much.
//!
//! Rejected: setting received times by it (they order what came, and must not move backwards when the estimate does), and
//! the newest answer alone (one old `Date` made every frame a thing of the future until the next).

use engine::SECOND;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Answers that have a say: five that agree outvote four that lie alike, and a platform whose clock was set is followed
/// after five.
const ANSWERS_MAX: usize = 9;
/// Our clock was set when it moved by more than this against the machine's; less is drift.
const STEP_NS_MIN: i64 = SECOND;

/// How far the platform's clock is ahead of ours, as far as it was heard. Cheap to clone; clones share it.
#[derive(Clone, Debug, Default)]
pub struct CloudTime(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// What is believed, in nanoseconds.
    ahead: AtomicI64,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The least and the most that each of the newest answers allows.
    answers: VecDeque<(i64, i64)>,
    /// The wall clock less the machine's, as they were read last.
    wall_less_boot: Option<i64>,
}

impl CloudTime {
    /// Takes the `Date` of an answer, in seconds since the epoch, that was asked for and arrived at these instants of our
    /// clock, in nanoseconds since the epoch.
    pub fn heard(&self, date: i64, asked: i64, arrived: i64) {
        let written = date.saturating_mul(SECOND);
        // When our clock was set back meanwhile, the later reading counts.
        let least = written.saturating_sub(arrived);
        let most = written.saturating_add(SECOND).saturating_sub(asked).max(least);
        let Known { answers, .. } = &mut *self.known();
        if answers.len() == ANSWERS_MAX {
            answers.pop_front();
        }
        answers.push_back((least, most));
        let believed = self.0.ahead.load(Ordering::Relaxed);
        self.0.ahead.store(most_fit(answers, believed), Ordering::Relaxed);
    }

    /// Takes a reading of our clock, in nanoseconds since the epoch, and of the one that counts from the machine's start:
    /// tells when ours was set.
    pub fn reads(&self, wall: i64, boot: i64) {
        let Known { answers, wall_less_boot } = &mut *self.known();
        let now = wall.saturating_sub(boot);
        let step = now.saturating_sub(wall_less_boot.unwrap_or(now));
        if step.saturating_abs() <= STEP_NS_MIN {
            wall_less_boot.get_or_insert(now);
            return;
        }
        *wall_less_boot = Some(now);
        if answers.is_empty() {
            return;
        }
        for (least, most) in answers {
            (*least, *most) = (least.saturating_sub(step), most.saturating_sub(step));
        }
        let believed = self.0.ahead.load(Ordering::Relaxed);
        self.0.ahead.store(believed.saturating_sub(step), Ordering::Relaxed);
    }

    /// The platform's time at an instant of ours, both in nanoseconds since the epoch.
    #[must_use]
    pub fn at(&self, ours: i64) -> i64 {
        ours.saturating_add(self.0.ahead.load(Ordering::Relaxed))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The difference that most answers allow: the one that is believed while none fits more, else the middle of the part that
/// fits best.
fn most_fit(answers: &VecDeque<(i64, i64)>, believed: i64) -> i64 {
    let fits = |ahead: i64| answers.iter().filter(|(least, most)| (*least..=*most).contains(&ahead)).count();
    // The best part begins where an answer's bounds do.
    let nearness = |ahead: i64| std::cmp::Reverse(ahead.saturating_abs());
    let best = answers.iter().map(|(least, _)| (fits(*least), nearness(*least), *least)).max();
    let Some((fit_by, _, from)) = best else { return believed };
    let doubtful = fit_by == 1 && answers.len() > 1;
    if fits(believed) >= fit_by && !doubtful {
        return believed;
    }
    let to =
        answers.iter().filter(|(least, most)| *least <= from && from <= *most).map(|(_, most)| *most).min();
    from.midpoint(to.unwrap_or(from))
}

#[cfg(test)]
mod tests;
