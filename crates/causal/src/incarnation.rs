//! Which life of a writer it is.
//!
//! A writer that restarts may have lost the count of what it wrote last. If it went on under the same name it
//! would reuse dots, and two events with one name are the one thing that causality cannot mend. So a writer's
//! identity has an incarnation, minted durably *before* its first use: a restart may skip one, but never
//! repeat one.
//!
//! Rejected: the start time as the incarnation (clocks go backwards, and two starts may fall into one tick).

use std::fmt;
use std::num::NonZeroU32;

#[cfg(test)]
mod tests;

/// The number of a writer's life, from 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Incarnation(NonZeroU32);

impl Incarnation {
    /// The given life; `None` for 0, which is nobody's.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// Its number, from 1.
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// The life after this one. The last, `u32::MAX`, is followed by itself.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
