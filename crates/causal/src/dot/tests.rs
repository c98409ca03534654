//! What a range holds, at its edges.

use super::*;
use crate::testing::{dot, range};

#[test]
fn a_range_holds_both_its_ends_and_nobody_elses_dots() {
    let run = range('a', 2, 4);
    let held: Vec<u64> = (1..=5).filter(|n| run.contains(&dot('a', *n))).collect();
    assert_eq!(held, [2, 3, 4]);
    assert!(!run.contains(&dot('b', 3)));
}

#[test]
fn a_range_that_ends_before_it_begins_is_empty() {
    assert!(!range('a', 4, 2).contains(&dot('a', 3)));
}

#[test]
fn dots_are_ordered_by_actor_then_counter() {
    let mut dots = [dot('b', 1), dot('a', 9), dot('a', 2)];
    dots.sort();
    assert_eq!(dots, [dot('a', 2), dot('a', 9), dot('b', 1)]);
    assert_eq!(dots[0], Dot { actor: 'a', counter: NonZeroU64::MIN.saturating_add(1) });
}
