//! Causality without a domain word: what happened, what is known to have happened before it, and in which
//! order to tell it.
//!
//! A writer (an *actor*) numbers what it writes 1, 2, 3, …; one such number is a [`Dot`]. A [`VectorClock`]
//! says how far somebody has seen each actor, so that two clocks can be compared: before, after, equal or
//! concurrent. A [`DotSet`] holds dots with holes between them. A [`ReorderBuffer`] delivers items in causal
//! order, within bounds. Where no clock proves an order, [`effective`] time gives one that never contradicts
//! those that do.
//!
//! Everything is pure: no I/O, no clock, no randomness; the time is an argument. Nothing can fail, and what
//! comes from hostile clocks costs memory by what was offered, never by the numbers in it.
//!
//! Rejected: Lamport's scalar clocks (they order what is concurrent and hide it), version vectors with
//! exceptions folded into the clock (a clock then is no longer small), and interval tree clocks (they spare
//! the actor's identity, which is known and durable here).

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod clock;
mod dot;
mod dot_set;
mod effective;
mod incarnation;
mod reorder;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod testing;

pub use clock::{Causality, VectorClock};
pub use dot::{Dot, DotRange};
pub use dot_set::DotSet;
pub use effective::effective;
pub use incarnation::Incarnation;
pub use reorder::{Bounds, Released, ReorderBuffer, Why};
