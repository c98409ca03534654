//! The set of runs against the naive model: a set of single dots.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::laws;
use crate::testing::{clock, clocks, dot, dots, range};

type Model = BTreeSet<Dot<char>>;

fn set(dots: impl IntoIterator<Item = Dot<char>>) -> DotSet<char> {
    let mut set = DotSet::new();
    for dot in dots {
        set.insert(dot);
    }
    set
}

fn each(ranges: impl IntoIterator<Item = DotRange<char>>) -> Vec<Dot<char>> {
    let dots_of = |run: DotRange<char>| (run.from.get()..=run.to.get()).map(move |n| dot(run.actor, n));
    ranges.into_iter().flat_map(dots_of).collect()
}

fn missing_in_model(have: &Model, clock: &VectorClock<char>, except: Option<&Dot<char>>) -> Vec<Dot<char>> {
    let proved = clock.iter().flat_map(|(actor, last)| (1..=last).map(move |n| dot(*actor, n)));
    proved.filter(|dot| !have.contains(dot) && Some(dot) != except).collect()
}

fn joined(a: &DotSet<char>, b: &DotSet<char>) -> DotSet<char> {
    let mut both = a.clone();
    b.ranges().for_each(|range| both.insert_range(range));
    both
}

#[test]
fn adjacent_runs_become_one() {
    let set = set([dot('a', 1), dot('a', 3), dot('a', 2)]);
    assert_eq!(set.ranges().collect::<Vec<_>>(), [range('a', 1, 3)]);
}

#[test]
fn a_dot_is_inserted_once() {
    let mut set = DotSet::new();
    assert!(set.insert(dot('a', 2)));
    assert!(!set.insert(dot('a', 2)));
    assert!(!set.contains(&dot('a', 1)));
}

#[test]
fn the_missing_are_named_by_range_and_the_excepted_one_is_not() {
    let set = set([dot('a', 2)]);
    let proved = clock([('a', 6), ('b', 1)]);
    let missing = set.missing(&proved, Some(&dot('a', 4)));
    assert_eq!(missing, [range('a', 1, 1), range('a', 3, 3), range('a', 5, 6), range('b', 1, 1)]);
    assert_eq!(set.first_missing(&proved, Some(&dot('a', 1))), Some(range('a', 3, 6)));
}

#[test]
fn a_hostile_counter_costs_one_range() {
    let mut set = set([dot('a', 1 << 63)]);
    let proved = clock([('a', u64::MAX)]);
    let missing = set.missing(&proved, None);
    assert_eq!(missing, [range('a', 1, (1 << 63) - 1), range('a', (1 << 63) + 1, u64::MAX)]);
    missing.into_iter().for_each(|range| set.insert_range(range));
    assert_eq!(set.ranges().collect::<Vec<_>>(), [range('a', 1, u64::MAX)]);
    assert!(set.covers(&proved, None));
    assert_eq!(set.len(), u64::MAX);
}

#[test]
fn counting_saturates() {
    let mut set = DotSet::new();
    set.insert_range(range('a', 1, u64::MAX));
    set.insert_range(range('b', 1, u64::MAX));
    assert_eq!(set.len(), u64::MAX);
}

#[test]
fn the_last_counter_of_all_comes_and_goes() {
    let mut set = set([dot('a', u64::MAX)]);
    set.insert(dot('a', u64::MAX - 1));
    assert!(set.remove(&dot('a', u64::MAX)));
    assert_eq!(set.ranges().collect::<Vec<_>>(), [range('a', u64::MAX - 1, u64::MAX - 1)]);
}

#[test]
fn a_range_that_ends_before_it_begins_adds_nothing() {
    let mut set = DotSet::new();
    set.insert_range(range('a', 3, 2));
    assert!(set.is_empty());
}

#[test]
fn removing_from_the_middle_leaves_both_sides() {
    let mut set = DotSet::new();
    set.insert_range(range('a', 1, 5));
    assert!(set.remove(&dot('a', 3)));
    assert!(!set.remove(&dot('a', 3)));
    assert_eq!(set.ranges().collect::<Vec<_>>(), [range('a', 1, 2), range('a', 4, 5)]);
}

#[test]
fn removing_the_last_dot_leaves_the_empty_set() {
    let mut set = set([dot('a', 3)]);
    assert!(set.remove(&dot('a', 3)));
    assert_eq!(set, DotSet::new());
}

/// What is done to both, one after the other.
#[derive(Clone, Debug)]
enum Step {
    Insert(Dot<char>),
    InsertRange(DotRange<char>),
    Remove(Dot<char>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ranges =
        (dots(), 0u64..5).prop_map(|(d, more)| range(d.actor, d.counter.get(), d.counter.get() + more));
    let step = prop_oneof![
        3 => dots().prop_map(Step::Insert),
        1 => ranges.prop_map(Step::InsertRange),
        1 => dots().prop_map(Step::Remove),
    ];
    prop::collection::vec(step, 0..24)
}

fn play(steps: Vec<Step>) -> (DotSet<char>, Model) {
    let (mut set, mut model) = (DotSet::new(), Model::new());
    for step in steps {
        match step {
            Step::Insert(dot) => assert_eq!(set.insert(dot.clone()), model.insert(dot)),
            Step::Remove(dot) => assert_eq!(set.remove(&dot), model.remove(&dot)),
            Step::InsertRange(range) => {
                set.insert_range(range.clone());
                model.extend(each([range]));
            }
        }
    }
    (set, model)
}

proptest! {
    #[test]
    fn it_holds_what_the_model_holds(steps in steps()) {
        let (runs, model) = play(steps);
        prop_assert_eq!(each(runs.ranges()), model.iter().cloned().collect::<Vec<_>>());
        prop_assert_eq!(runs.len(), model.len() as u64);
        prop_assert_eq!(runs.is_empty(), model.is_empty());
        prop_assert_eq!(runs, set(model), "one meaning, one representation");
    }

    #[test]
    fn it_misses_what_the_model_misses(
        steps in steps(),
        clock in clocks(),
        except in prop::option::of(dots()),
    ) {
        let (runs, model) = play(steps);
        let missing = runs.missing(&clock, except.as_ref());
        prop_assert_eq!(each(missing.clone()), missing_in_model(&model, &clock, except.as_ref()));
        prop_assert_eq!(runs.covers(&clock, except.as_ref()), missing.is_empty());
        prop_assert_eq!(runs.first_missing(&clock, except.as_ref()), missing.first().cloned());
    }

    #[test]
    fn union_is_a_join(a in steps(), b in steps(), c in steps()) {
        let [a, b, c] = [a, b, c].map(|steps| play(steps).0);
        laws::semilattice([&a, &b, &c], joined, |x, y| each(x.ranges()).iter().all(|dot| y.contains(dot)));
    }
}
