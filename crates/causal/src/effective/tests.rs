//! Effective time: never before its own stamp, always after its predecessors, the same in any order.

use proptest::prelude::*;

use super::*;

#[test]
fn without_predecessors_the_stamp_stands() {
    assert_eq!(effective(-5, []), -5);
}

#[test]
fn an_effect_stamped_before_its_cause_moves_just_behind_it() {
    assert_eq!(effective(100, [250, 120]), 251);
}

#[test]
fn an_effect_stamped_with_its_cause_moves_just_behind_it() {
    assert_eq!(effective(100, [100]), 101);
}

#[test]
fn the_end_of_time_saturates() {
    assert_eq!(effective(0, [i64::MAX]), i64::MAX);
}

proptest! {
    #[test]
    fn it_is_the_least_time_that_contradicts_nothing(
        at in -50i64..50,
        before in prop::collection::vec(-50i64..50, 0..6),
    ) {
        let allowed = |t: i64| t >= at && before.iter().all(|b| t > *b);
        let least = (-50..=51).find(|t| allowed(*t));
        prop_assert_eq!(Some(effective(at, before.iter().copied())), least);
        prop_assert_eq!(effective(at, before.iter().rev().copied()), effective(at, before.iter().copied()));
    }
}
