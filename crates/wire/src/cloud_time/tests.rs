//! The platform's clock, as answers tell it.

use super::*;

const NOON: i64 = 1_767_268_800;

#[test]
fn an_answer_tells_how_far_our_clock_is_off() {
    for off in [-7_200, -22, 40, 86_400] {
        let cloud = CloudTime::default();
        let ours = (NOON + off) * SECOND;
        cloud.heard(NOON, ours, ours);
        assert!((cloud.at(ours) - NOON * SECOND).abs() <= SECOND, "{off} s");
    }
}

#[test]
fn what_an_answer_allows_is_believed_still() {
    let cloud = CloudTime::default();
    cloud.heard(NOON, (NOON - 1) * SECOND, (NOON + 30) * SECOND);
    assert_eq!(cloud.at(0), 0, "the answer was slow");
    cloud.heard(NOON, NOON * SECOND + SECOND - 1, NOON * SECOND + SECOND - 1);
    assert_eq!(cloud.at(0), 0, "whole seconds");
}

#[test]
fn of_a_slow_answer_the_middle_is_believed_until_a_faster_one() {
    let cloud = CloudTime::default();
    cloud.heard(NOON, (NOON - 60) * SECOND, (NOON - 51) * SECOND);
    assert_eq!(cloud.at(0), 56 * SECOND, "from 51 to 61 seconds");
    cloud.heard(NOON + 10, (NOON - 50) * SECOND, (NOON - 50) * SECOND);
    assert_eq!(cloud.at(0), 60 * SECOND + SECOND / 2, "from 60 to 61 seconds");
}

#[test]
fn a_clock_that_is_set_while_an_answer_is_on_its_way_settles_with_the_next() {
    let cloud = CloudTime::default();
    cloud.heard(NOON, NOON * SECOND, (NOON - 3_600) * SECOND);
    assert_eq!(cloud.at(0), 3_600 * SECOND);
    cloud.heard(i64::MAX, i64::MIN, i64::MAX);
    cloud.heard(i64::MIN, i64::MAX, i64::MIN);
    let _saturates = cloud.at(i64::MAX);
}
