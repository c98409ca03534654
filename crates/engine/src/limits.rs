//! Every bound of the engine: its name, its unit, and why it stands where it does.

use crate::SECOND;

/// What the engine may use, and how long it waits. All durations are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Facts of one conversation. The busiest real ones (a chat with hundreds of transfers) have a few thousand; more is
    /// a fault of the source, and each further fact would cost time in proportion.
    pub conversation_facts_max: usize,
    /// How long a fact waits for what precedes it. Regions replicate within a second or two; beyond that a reader is
    /// served better by a marked answer than by none.
    pub hold_age_ns_max: i64,
    /// Facts of one conversation that may wait.
    pub hold_count_max: usize,
    /// Bytes of all waiting facts.
    pub hold_bytes_max: usize,
    /// How long an ended conversation stays in memory: most stragglers (a second topic's copy, a late frame) come within
    /// seconds; later ones find it in the store.
    pub ended_grace_ns: i64,
    /// A hold that is shown as over sooner than this after it began may be two frames that changed places: a repair is
    /// asked for.
    pub toggle_settle_ns: i64,
    /// How long to let the dust settle before a repair is due.
    pub repair_delay_ns: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            conversation_facts_max: 20_000,
            hold_age_ns_max: 5 * SECOND,
            hold_count_max: 1_000,
            hold_bytes_max: 64 << 20,
            ended_grace_ns: 60 * SECOND,
            toggle_settle_ns: 10 * SECOND,
            repair_delay_ns: 3 * SECOND,
        }
    }
}

/// Facts heard last from a re-sending feed that must all come again to prove that a hole is closed.
pub(crate) const PROOF_FACTS: usize = 16;
/// Of those, the ones heard within this time before the last count; a peer re-sends at least as much.
pub(crate) const PROOF_SPAN_NS: i64 = 5 * SECOND;
/// Fewer than this prove nothing: a stray duplicate would do.
pub(crate) const PROOF_FACTS_MIN: usize = 3;
/// How late a frame may come. Of a conversation that ended, what was on its way when a feed was lost soon after may be
/// missing.
pub(crate) const STRAGGLING_NS_MAX: i64 = 10 * SECOND;
/// Holes of one feed that are kept apart; older ones merge into one that spans them.
pub(crate) const HOLES_MAX: usize = 4_096;
/// Pieces of evidence kept apart for one fact, so that past answers can be given again. Two surfaces and a read make three;
/// a source that betters one fact for ever would fill the memory.
pub(crate) const PIECES_MAX: usize = 16;
/// Conversations looked at for one page of a list.
pub(crate) const LIST_SCAN_MAX: usize = 5_000;
/// Ids and words that one conversation may name. Indices are 16 bits wide.
pub(crate) const NAMES_MAX: usize = 60_000;

const _: () = assert!(PROOF_FACTS_MIN <= PROOF_FACTS);
const _: () = assert!(NAMES_MAX + 256 < u16::MAX as usize);
