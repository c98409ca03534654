//! The vector clock against the naive model: the set of all dots that it proves.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::laws;
use crate::testing::{clock, clocks, dot, dots};

type Model = BTreeSet<Dot<char>>;

fn model(clock: &VectorClock<char>) -> Model {
    clock.iter().flat_map(|(actor, last)| (1..=last).map(move |n| dot(*actor, n))).collect()
}

fn compare_models(a: &Model, b: &Model) -> Causality {
    match (a.is_superset(b), b.is_superset(a)) {
        (true, true) => Causality::Equal,
        (true, false) => Causality::After,
        (false, true) => Causality::Before,
        (false, false) => Causality::Concurrent,
    }
}

fn joined(a: &VectorClock<char>, b: &VectorClock<char>) -> VectorClock<char> {
    let mut both = a.clone();
    both.merge(b);
    both
}

fn at_most(a: &VectorClock<char>, b: &VectorClock<char>) -> bool {
    matches!(a.compare(b), Causality::Before | Causality::Equal)
}

#[test]
fn an_entry_of_zero_is_no_entry() {
    assert_eq!(clock([('a', 0)]), VectorClock::new());
    assert_eq!(clock([('a', 0)]).compare(&VectorClock::new()), Causality::Equal);
}

#[test]
fn of_a_repeated_actor_the_greatest_stands() {
    assert_eq!(clock([('a', 2), ('a', 5), ('a', 3)]), clock([('a', 5)]));
}

#[test]
fn an_absent_actor_has_zero() {
    assert_eq!(clock([('a', 2)]).get(&'b'), 0);
    assert_eq!(clock([('a', 2)]).get(&'a'), 2);
}

#[test]
fn each_seeing_what_the_other_does_not_is_concurrent() {
    assert_eq!(clock([('a', 1)]).compare(&clock([('b', 1)])), Causality::Concurrent);
    assert_eq!(clock([('a', 2), ('b', 1)]).compare(&clock([('a', 1), ('b', 2)])), Causality::Concurrent);
}

#[test]
fn incrementing_names_the_next_event() {
    let mut clock = clock([('a', 2)]);
    assert_eq!(clock.increment('a'), dot('a', 3));
    assert_eq!(clock.increment('b'), dot('b', 1));
    assert_eq!(clock.iter().collect::<Vec<_>>(), [(&'a', 3), (&'b', 1)]);
}

#[test]
fn counters_saturate_and_sums_do_not() {
    let mut clock = clock([('a', u64::MAX), ('b', 1)]);
    assert_eq!(clock.increment('a'), dot('a', u64::MAX));
    assert_eq!(clock.sum(), u128::from(u64::MAX) + 1);
}

#[test]
fn merging_what_is_known_grows_nothing() {
    let mut known = clock([('a', 2), ('b', 1)]);
    assert!(!known.merge(&clock([('a', 1)])));
    assert!(known.merge(&clock([('c', 1)])));
    assert_eq!(known.len(), 3);
}

proptest! {
    #[test]
    fn it_compares_as_sets_of_dots_do(a in clocks(), b in clocks()) {
        prop_assert_eq!(a.compare(&b), compare_models(&model(&a), &model(&b)));
        prop_assert_eq!(a == b, model(&a) == model(&b));
    }

    #[test]
    fn comparing_is_a_partial_order(a in clocks(), b in clocks(), c in clocks()) {
        laws::partial_order([&a, &b, &c], at_most);
        let mirrored = match b.compare(&a) {
            Causality::Before => Causality::After,
            Causality::After => Causality::Before,
            other => other,
        };
        prop_assert_eq!(a.compare(&b), mirrored);
    }

    #[test]
    fn merging_is_a_join(a in clocks(), b in clocks(), c in clocks()) {
        laws::semilattice([&a, &b, &c], joined, at_most);
    }

    #[test]
    fn merging_is_the_union_and_says_whether_it_grew(a in clocks(), b in clocks()) {
        let mut both = a.clone();
        let grew = both.merge(&b);
        prop_assert_eq!(model(&both), model(&a).union(&model(&b)).cloned().collect::<Model>());
        prop_assert_eq!(grew, both != a);
    }

    #[test]
    fn incrementing_comes_strictly_after(before in clocks(), seen in dots()) {
        let mut after = before.clone();
        let named = after.increment(seen.actor);
        prop_assert_eq!(after.compare(&before), Causality::After);
        prop_assert!(after.contains(&named) && !before.contains(&named));
        prop_assert_eq!(model(&after).len(), model(&before).len() + 1);
    }

    #[test]
    fn observing_takes_in_all_that_came_before(known in clocks(), seen in dots()) {
        let mut after = known.clone();
        prop_assert_eq!(after.observe(&seen), !known.contains(&seen));
        let mut expected = model(&known);
        expected.extend((1..=seen.counter.get()).map(|n| dot(seen.actor, n)));
        prop_assert_eq!(model(&after), expected);
    }

    #[test]
    fn it_counts_and_holds_what_the_model_does(a in clocks(), asked in dots()) {
        prop_assert_eq!(a.sum(), model(&a).len() as u128);
        prop_assert_eq!(a.contains(&asked), model(&a).contains(&asked));
        prop_assert_eq!(a.is_empty(), model(&a).is_empty());
    }

    #[test]
    fn the_sum_never_contradicts_the_order(a in clocks(), b in clocks()) {
        prop_assert!(a.compare(&b) != Causality::Before || a.sum() < b.sum());
    }
}
