//! Pauses of every kind, and clocks that are set.

use super::*;

const S: i64 = 1_000_000_000;

fn at(wall_s: i64, boot_s: i64) -> Moment {
    Moment { wall: 1_767_268_800 * S + wall_s * S, boot: boot_s * S }
}

#[test]
fn a_pause_counts_by_either_clock() {
    let mut elapsed = Elapsed::new(at(0, 0), 600_000);
    assert_eq!(elapsed.advance(at(10, 10)), 610_000);
    assert_eq!(elapsed.advance(at(70, 70)), 670_000, "a process that was stopped");
    assert_eq!(elapsed.advance(at(140, 71)), 740_000, "a machine that was restored");
    assert_eq!(elapsed.advance(at(141, 72)), 741_000);
}

#[test]
fn a_clock_that_is_set_back_changes_nothing_and_one_that_is_set_forward_a_little_may_have_been_a_pause() {
    let mut elapsed = Elapsed::new(at(0, 0), 0);
    assert_eq!(elapsed.advance(at(-7_200, 1)), 1_000);
    assert_eq!(elapsed.advance(at(-7_199, 2)), 2_000);
    assert_eq!(elapsed.advance(at(-7_195, 3)), 6_000, "a machine that was restored after four seconds");
}

#[test]
fn a_moment_not_long_ago_is_read_as_it_was() {
    let mut elapsed = Elapsed::new(at(0, 0), 0);
    elapsed.advance(at(10, 10));
    assert_eq!(elapsed.read(at(7, 7)), 7_000);
    assert_eq!(elapsed.read(at(-9, -9)), 0);
    let heard = at(11, 11);
    assert_eq!(elapsed.advance(at(15, 11)), 15_000);
    assert_eq!(elapsed.read(heard), 11_000, "before the machine was moved, of which one clock knows nothing");
}

#[test]
fn readings_at_the_ends_of_time_are_borne() {
    let mut elapsed = Elapsed::new(Moment::default(), u64::MAX);
    for wall in [i64::MIN, i64::MAX] {
        for boot in [i64::MAX, i64::MIN] {
            let _bounded = elapsed.advance(Moment { wall, boot });
        }
    }
}
