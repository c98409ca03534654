//! A time that never contradicts a proved order.
//!
//! Two clocks write the times of one history, some milliseconds apart, so an effect may be stamped before its
//! cause. The effective time moves an event just behind the latest of those that are proved to precede it,
//! and otherwise leaves it where its source put it. It is a function of the events alone, never of their
//! arrival; so every node and every run finds the same.
//!
//! Rejected: a hybrid logical clock kept by the receiver (it remembers what it happened to receive first).

#[cfg(test)]
mod tests;

/// The effective time in nanoseconds of an event stamped `at`, after `predecessors`: the effective times of
/// the events that are proved to precede it. `max(at, max(predecessors) + 1)`, saturating.
pub fn effective(at: i64, predecessors: impl IntoIterator<Item = i64>) -> i64 {
    predecessors.into_iter().fold(at, |latest, before| latest.max(before.saturating_add(1)))
}
