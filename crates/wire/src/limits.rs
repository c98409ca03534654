//! How much one frame may ask for.
//!
//! A frame is hostile until it is decoded: each bound here keeps one thing that a sender could blow up (bytes, depth,
//! element counts) within what a worker can spend. The values are far above everything that the platform was seen to
//! send, so that a refusal means that something is wrong. Rejected: one limit on bytes alone, since three bytes of
//! JSON (`{},`) become hundreds in memory.

/// Bounds on one frame or REST body. Over any of them it is refused by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of a frame. 1 MiB: a conversation of 400 participants with all their attributes; the platform's own
    /// frames are 0.3 to 30 KiB.
    pub frame_bytes_max: usize,
    /// Bytes of the answer to a REST read. 16 MiB: a conversation of some 40,000 messages. Four are read at a time, each is
    /// asked for by us, and what is refused stays missing; so they may be larger than frames, which anybody may send.
    pub body_bytes_max: usize,
    /// Nested arrays and objects. 64: the deepest body in the vendor's schemas is under 12.
    pub depth_max: usize,
    /// Participants of a conversation in one frame. 2,000: the largest conferences have some hundreds, and every
    /// re-route adds one.
    pub participants_max: usize,
    /// Communications of all participants in one frame. 5,000: two and a half for each participant.
    pub communications_max: usize,
    /// Entries of a causal clock. 64: the platform has 18 regions; beyond a few dozen writers a clock costs more than
    /// it tells.
    pub clock_entries_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes_max: 1 << 20,
            body_bytes_max: 16 << 20,
            depth_max: 64,
            participants_max: 2_000,
            communications_max: 5_000,
            clock_entries_max: 64,
        }
    }
}

impl Limits {
    /// How many arrays and objects a frame may open. It bounds what typed decoding can allocate (some 600 bytes for
    /// each) before a participant is counted. Eight for each allowed element: a full one has about that many that
    /// are not empty, and bodies near [`Limits::frame_bytes_max`] have no room for more.
    pub(crate) fn openers_max(&self) -> usize {
        self.participants_max.saturating_add(self.communications_max).saturating_mul(8)
    }
}
