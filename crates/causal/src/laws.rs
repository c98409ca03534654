//! The laws of whatever merges: a join semilattice, checked on three samples.
//!
//! With these, a merge may be done in any order, in any grouping and as often as one likes, which is what
//! lets events come late, doubled and by two ways.

use std::fmt::Debug;

/// Checks that `join` is idempotent, commutative, associative, and the least upper bound for `at_most`.
pub fn semilattice<T: Clone + PartialEq + Debug>(
    [a, b, c]: [&T; 3],
    join: impl Fn(&T, &T) -> T,
    at_most: impl Fn(&T, &T) -> bool,
) {
    let ab = join(a, b);
    assert_eq!(join(a, a), *a, "idempotent");
    assert_eq!(ab, join(b, a), "commutative");
    assert_eq!(join(&ab, c), join(a, &join(b, c)), "associative");
    assert!(at_most(a, &ab) && at_most(b, &ab), "an upper bound: {a:?}, {b:?}, {ab:?}");
    assert!(!(at_most(a, c) && at_most(b, c)) || at_most(&ab, c), "the least one: {a:?}, {b:?}, {c:?}");
    assert_eq!(at_most(a, b), ab == *b, "the order is that of the join: {a:?}, {b:?}");
}

/// Checks that `at_most` is reflexive, antisymmetric and transitive.
pub fn partial_order<T: PartialEq + Debug>([a, b, c]: [&T; 3], at_most: impl Fn(&T, &T) -> bool) {
    assert!(at_most(a, a), "reflexive: {a:?}");
    assert!(!(at_most(a, b) && at_most(b, a)) || a == b, "antisymmetric: {a:?}, {b:?}");
    assert!(!(at_most(a, b) && at_most(b, c)) || at_most(a, c), "transitive: {a:?}, {b:?}, {c:?}");
}
