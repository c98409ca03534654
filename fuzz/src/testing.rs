//! What the reorder buffer's model takes from the tests of its own crate.

use crate::Dot;
use std::num::NonZeroU64;

/// A dot of a counter that is not zero.
pub fn dot(actor: char, counter: u64) -> Dot<char> {
    Dot { actor, counter: NonZeroU64::new(counter).expect("a counter begins at 1") }
}
