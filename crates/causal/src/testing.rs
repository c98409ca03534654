//! Short ways for the tests to write dots, ranges and clocks down.

use std::num::NonZeroU64;

use proptest::prelude::*;

use crate::{Dot, DotRange, VectorClock};

pub fn dot(actor: char, counter: u64) -> Dot<char> {
    Dot { actor, counter: counter_of(counter) }
}

pub fn range(actor: char, from: u64, to: u64) -> DotRange<char> {
    DotRange { actor, from: counter_of(from), to: counter_of(to) }
}

pub fn clock<const N: usize>(entries: [(char, u64); N]) -> VectorClock<char> {
    entries.into_iter().collect()
}

/// Clocks small enough that every relation between two of them is common.
pub fn clocks() -> impl Strategy<Value = VectorClock<char>> {
    prop::collection::vec((prop::sample::select(vec!['a', 'b', 'c']), 0u64..4), 0..4)
        .prop_map(|entries| entries.into_iter().collect())
}

/// Dots small enough to collide.
pub fn dots() -> impl Strategy<Value = Dot<char>> {
    (prop::sample::select(vec!['a', 'b', 'c']), 1u64..9).prop_map(|(actor, counter)| dot(actor, counter))
}

fn counter_of(counter: u64) -> NonZeroU64 {
    NonZeroU64::new(counter).expect("a counter begins at 1")
}
