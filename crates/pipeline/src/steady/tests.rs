//! Clocks that are set, slewed, wrong from the start, and confirmed.

use super::*;

const NOON: i64 = 1_767_268_800 * SECOND;
const HOUR: i64 = 3_600 * SECOND;
const YEARS: i64 = 600 * 86_400 * SECOND;

/// A clock that is read every second; `off`: by how much the wall clock is off at an instant since the start.
struct Play {
    steadiness: Steadiness,
    boot: i64,
}

impl Play {
    fn new() -> Self {
        Self { steadiness: Steadiness::default(), boot: 0 }
    }

    fn run(&mut self, for_ns: i64, off: i64) -> Result<(), Doubt> {
        let end = self.boot + for_ns;
        while self.boot < end {
            self.boot += SECOND;
            self.steadiness.observe(NOON + self.boot + off, self.boot);
        }
        self.steadiness.trusts(NOON + self.boot + off, self.boot)
    }

    fn witness(&mut self, off: i64, late: i64) {
        self.steadiness.witness(NOON + self.boot - late, NOON + self.boot + off, self.boot);
    }
}

#[test]
fn a_clock_is_trusted_after_an_hour_in_step_with_a_witness() {
    let mut play = Play::new();
    assert_eq!(play.run(HOUR - 2 * SECOND, 0), Err(Doubt::NotInStep));
    assert_eq!(play.run(10 * SECOND, 0), Err(Doubt::NoWitness));
    play.witness(0, 30 * SECOND);
    assert_eq!(play.run(SECOND, 0), Ok(()));
    assert_eq!(play.run(2 * HOUR, 0), Err(Doubt::NoWitness), "nobody has agreed for an hour");
}

#[test]
fn a_clock_that_is_wrong_for_three_seconds_forgets_nothing_for_an_hour() {
    let mut play = Play::new();
    play.run(HOUR, 0).unwrap_err();
    play.witness(0, 0);
    assert_eq!(play.run(SECOND, 0), Ok(()));
    assert_eq!(play.run(SECOND, YEARS), Err(Doubt::NotInStep));
    assert_eq!(play.run(2 * SECOND, YEARS), Err(Doubt::NotInStep));
    assert_eq!(play.run(HOUR - 10 * SECOND, 0), Err(Doubt::NotInStep));
    play.witness(0, 0);
    assert_eq!(play.run(20 * SECOND, 0), Ok(()));
}

#[test]
fn a_jump_is_seen_at_the_reading_that_it_would_be_used_for() {
    let mut play = Play::new();
    play.run(HOUR, 0).unwrap_err();
    play.witness(0, 0);
    assert_eq!(play.run(SECOND, 0), Ok(()));
    let wall = NOON + play.boot + YEARS;
    assert_eq!(play.steadiness.trusts(wall, play.boot), Err(Doubt::NotInStep));
}

#[test]
fn a_clock_that_was_wrong_before_we_started_is_not_trusted_however_evenly_it_ticks() {
    let mut play = Play::new();
    for _ in 0..48 {
        play.run(HOUR, YEARS).unwrap_err();
        // Events are 600 days old by it.
        play.witness(YEARS, 0);
        assert_eq!(play.run(SECOND, YEARS), Err(Doubt::NoWitness));
    }
}

#[test]
fn a_clock_that_is_slewed_stays_in_step() {
    let mut play = Play::new();
    let mut off = 0;
    for _ in 0..24 {
        off += 1_800_000_000;
        play.witness(off, 0);
        let _first_hour = play.run(HOUR, off);
    }
    play.witness(off, 0);
    assert_eq!(play.run(SECOND, off), Ok(()));
}

#[test]
fn who_agreed_with_the_wrong_time_does_not_vouch_for_the_right_one() {
    let mut play = Play::new();
    play.run(HOUR, YEARS).unwrap_err();
    // A balancer with the same wrong clock.
    play.witness(YEARS, -YEARS);
    assert_eq!(
        play.run(SECOND, YEARS),
        Ok(()),
        "nothing can be known of a world that agrees on a wrong time"
    );
    assert_eq!(play.run(SECOND, 0), Err(Doubt::NotInStep));
    assert_eq!(play.run(HOUR + SECOND, 0), Err(Doubt::NoWitness));
}

#[test]
fn readings_at_the_ends_of_time_are_borne() {
    let mut steadiness = Steadiness::default();
    for wall in [i64::MIN, i64::MAX, 0] {
        for boot in [0, i64::MAX, i64::MIN] {
            steadiness.witness(wall, i64::MAX, boot);
            steadiness.observe(wall, boot);
        }
    }
}
