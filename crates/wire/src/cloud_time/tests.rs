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
    for _ in 0..2 {
        cloud.heard(NOON, (NOON - 160) * SECOND, (NOON - 151) * SECOND);
    }
    assert_eq!(cloud.at(0), 156 * SECOND, "from 151 to 161 seconds");
    cloud.heard(NOON + 10, (NOON - 150) * SECOND, (NOON - 150) * SECOND);
    assert_eq!(cloud.at(0), 160 * SECOND + SECOND / 2, "from 160 to 161 seconds, which all allow");
}

#[test]
fn a_clock_that_is_set_while_an_answer_is_on_its_way_settles_with_the_next() {
    let cloud = CloudTime::default();
    cloud.heard(NOON, NOON * SECOND, (NOON - 3_600) * SECOND);
    for _ in 0..2 {
        cloud.heard(NOON, (NOON - 3_600) * SECOND, (NOON - 3_600) * SECOND);
    }
    assert_eq!(cloud.at(0), 3_600 * SECOND);
    cloud.heard(i64::MAX, i64::MIN, i64::MAX);
    cloud.heard(i64::MIN, i64::MAX, i64::MIN);
    let _saturates = cloud.at(i64::MAX);
}

/// An answer that came at once, on a machine whose clock is right.
fn honest(cloud: &CloudTime, at: i64) {
    cloud.heard(at, at * SECOND + SECOND / 2, at * SECOND + SECOND / 2);
}

/// One that is off by so many seconds.
fn lie(cloud: &CloudTime, at: i64, by: i64) {
    cloud.heard(at + by, at * SECOND, at * SECOND);
}

#[test]
fn one_answer_against_all_others_moves_nothing() {
    for by in [-40_000, -7, 9, 86_400] {
        let cloud = CloudTime::default();
        for at in NOON..NOON + 3 {
            honest(&cloud, at);
        }
        for at in NOON + 3..NOON + 60 {
            if at % 3 == 0 {
                lie(&cloud, at, by)
            } else {
                honest(&cloud, at)
            }
            assert!(cloud.at(0).abs() <= SECOND, "{by} s, {} s later", at - NOON);
        }
    }
}

#[test]
fn lies_that_came_first_are_outvoted() {
    let cloud = CloudTime::default();
    lie(&cloud, NOON, -7_200);
    honest(&cloud, NOON + 1);
    assert!(cloud.at(0).abs() <= SECOND, "of two the one that is nearer to our clock");
    for _ in 0..2 {
        lie(&cloud, NOON, -7_200);
    }
    assert!(cloud.at(0) < -7_000 * SECOND, "but not against three");
    for at in 1..=3 {
        honest(&cloud, NOON + at);
    }
    assert!(cloud.at(0).abs() <= SECOND);
}

#[test]
fn a_platform_whose_clock_was_set_is_followed_after_five_answers() {
    let cloud = CloudTime::default();
    for at in NOON..NOON + 20 {
        honest(&cloud, at);
    }
    for n in 1..=5 {
        assert!(cloud.at(0).abs() <= SECOND, "{n}");
        lie(&cloud, NOON + 20 + n, 300);
    }
    assert!((cloud.at(0) - 300 * SECOND).abs() <= SECOND);
}

#[test]
fn when_our_clock_is_set_the_platforms_time_stays() {
    let cloud = CloudTime::default();
    cloud.reads(NOON * SECOND, 5 * SECOND);
    for at in NOON..NOON + 5 {
        honest(&cloud, at);
    }
    for step in [-7_200, 600 * 86_400, -3] {
        let (wall, boot) = ((NOON + 60 + step) * SECOND, 65 * SECOND);
        cloud.reads(wall, boot);
        assert!((cloud.at(wall) - (NOON + 60) * SECOND).abs() <= 2 * SECOND, "{step} s");
        cloud.reads((NOON + 60) * SECOND, boot);
        assert!(cloud.at(0).abs() <= 2 * SECOND, "and back");
    }
}
