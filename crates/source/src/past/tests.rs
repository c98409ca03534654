//! What is past stays as long past as it is, wherever our clock is set to.

use super::*;
use engine::SECOND;

const NOON: i64 = 1_767_268_800 * SECOND;

fn moment(wall_s: i64, boot_s: i64) -> Moment {
    Moment { wall: NOON + wall_s * SECOND, boot: boot_s * SECOND }
}

#[test]
fn a_clock_that_is_set_back_moves_what_is_past_with_it() {
    let past = Past::new(NOON - 3 * SECOND, moment(0, 0));
    assert_eq!(past.by(moment(10, 10)), NOON - 3 * SECOND, "nobody set it");
    assert_eq!(past.by(moment(-3_600, 10)), NOON - 3_613 * SECOND);
    assert_eq!(past.by(moment(3_600, 10)), NOON - 3 * SECOND, "forward: wider, never narrower");
}

#[test]
fn the_earlier_of_two_is_not_later_than_either() {
    let first = Past::new(NOON, moment(0, 0));
    // Our clock was set back by a minute in between.
    let now = moment(-55, 5);
    let second = Past::new(now.wall, now);
    assert_eq!((first.by(now), second.by(now)), (NOON - 60 * SECOND, now.wall));
    for both in [Past::earliest(Some(second), Some(first)), Past::earliest(Some(first), Some(second))] {
        assert_eq!(both.unwrap().by(now), NOON - 60 * SECOND);
    }
    assert_eq!(Past::earliest(None, Some(second)).unwrap().by(now), now.wall);
}

#[test]
fn the_later_of_two_is_found_whatever_our_clock_was_set_to_between_them() {
    let before = Past::new(NOON, moment(0, 0));
    // Our clock was set back by an hour.
    let since = Past::new(NOON - 3_602 * SECOND, moment(-3_600, 3));
    let later = since.later(before);
    assert_eq!(later.by(moment(-3_600, 3)), NOON - 3_602 * SECOND, "a second after the other");
    // It stood still for half an hour, of which one clock tells.
    let late = moment(-1_800, 4);
    assert_eq!(later.by(late), NOON - 3_602 * SECOND);
    assert_eq!(before.by(late), NOON - 1_804 * SECOND, "which knows nothing of the setting in between");
    assert_eq!(before.later(since).by(late), later.by(late), "in any order");
    // One of which less is proved than was known.
    let less = Past::new(NOON - 3_620 * SECOND, moment(-3_600, 3));
    assert_eq!(before.later(less).by(late), NOON - 3_603 * SECOND);
}
