//! What is past stays as long past as it is, wherever our clock is set to.

use super::*;
use engine::SECOND;
use std::time::Duration;

const NOON: i64 = 1_767_268_800 * SECOND;

#[test]
fn a_clock_that_is_set_back_moves_what_is_past_with_it() {
    let noted = Instant::now();
    let past = Past::noted_at(noted, NOON - 3 * SECOND, NOON);
    let later = noted + Duration::from_secs(10);
    assert_eq!(past.read_at(later, NOON + 10 * SECOND), NOON - 3 * SECOND, "nobody set it");
    assert_eq!(past.read_at(later, NOON - 3_600 * SECOND), NOON - 3_613 * SECOND);
    assert_eq!(
        past.read_at(later, NOON + 3_600 * SECOND),
        NOON - 3 * SECOND,
        "forward: wider, never narrower"
    );
}

#[test]
fn the_earlier_of_two_is_not_later_than_either() {
    let noted = Instant::now();
    let first = Past::noted_at(noted, NOON, NOON);
    let later = noted + Duration::from_secs(5);
    // Our clock was set back by a minute in between.
    let now = NOON - 55 * SECOND;
    let second = Past::noted_at(later, now, now);
    assert_eq!((first.read_at(later, now), second.read_at(later, now)), (NOON - 60 * SECOND, now));
    for both in [Past::earliest(Some(second), Some(first)), Past::earliest(Some(first), Some(second))] {
        assert_eq!(both.unwrap().read_at(later, now), NOON - 60 * SECOND);
    }
    assert_eq!(Past::earliest(None, Some(second)).unwrap().read_at(later, now), now);
}
