//! Every bound of the engine: its name, its unit, and why it stands where it does.

use crate::{MINUTE, SECOND};

/// What the engine may use, and how long it waits. All durations are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Facts of one conversation. The busiest real ones (a chat with hundreds of transfers) have a few thousand; more is
    /// a fault of the source, and each further fact would cost time in proportion.
    pub conversation_facts_max: usize,
    /// From so many facts on, a conversation keeps its state and an index: passes over fewer cost less than keeping them.
    pub busy_facts: usize,
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
    /// How long a conversation plausibly lasts.
    pub plausible: Plausible,
    /// How long after a hole a conversation that was not heard of since becomes a suspect. A repair, or a peer that sends
    /// again, closes most holes within a minute.
    pub suspect_unheard_ns: i64,
}

/// How long a conversation plausibly lasts, by its medium, in nanoseconds. One that lasts longer is a suspect: its end may
/// have been missed. A limit too low costs a REST read, one too high shows a ghost for longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plausible {
    /// Voice, video, a shared screen, cobrowsing, screen monitoring: both ends are there all the time, at most for a shift.
    pub live_ns: i64,
    /// A web chat: it dies with the customer's page, but agents leave pages open over night.
    pub chat_ns: i64,
    /// A message or a social post: its parties answer when they like, over a weekend and a holiday.
    pub message_ns: i64,
    /// An email: it waits in its queue for as long as replying takes.
    pub email_ns: i64,
    /// A callback: it is there from when it is scheduled, up to a month ahead.
    pub callback_ns: i64,
    /// The `events` dialect names no medium; a medium of the platform's that is not known here.
    pub unnamed_ns: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            conversation_facts_max: 20_000,
            busy_facts: 64,
            hold_age_ns_max: 5 * SECOND,
            hold_count_max: 1_000,
            hold_bytes_max: 64 << 20,
            ended_grace_ns: 60 * SECOND,
            toggle_settle_ns: 10 * SECOND,
            repair_delay_ns: 3 * SECOND,
            plausible: Plausible::default(),
            suspect_unheard_ns: 5 * MINUTE,
        }
    }
}

impl Default for Plausible {
    fn default() -> Self {
        Self {
            live_ns: 12 * HOUR,
            chat_ns: 24 * HOUR,
            message_ns: 7 * 24 * HOUR,
            email_ns: 14 * 24 * HOUR,
            callback_ns: 30 * 24 * HOUR,
            unnamed_ns: 24 * HOUR,
        }
    }
}

impl Plausible {
    /// How long a conversation with this medium may last.
    pub(crate) fn of(&self, medium: &str) -> i64 {
        match medium {
            "voice" | "video" | "screenshare" | "cobrowse" | "screenMonitoring" => self.live_ns,
            "chat" => self.chat_ns,
            "message" | "social" | "internalMessage" => self.message_ns,
            "email" => self.email_ns,
            "callback" => self.callback_ns,
            _ => self.unnamed_ns,
        }
    }

    /// The shortest of all.
    pub(crate) fn shortest(&self) -> i64 {
        let Self { live_ns, chat_ns, message_ns, email_ns, callback_ns, unnamed_ns } = *self;
        live_ns.min(chat_ns).min(message_ns).min(email_ns).min(callback_ns).min(unnamed_ns)
    }
}

/// Nanoseconds in an hour.
const HOUR: i64 = 60 * MINUTE;

/// Facts heard last from a re-sending feed that must all come again to prove that a hole is closed.
pub(crate) const PROOF_FACTS: usize = 16;
/// Of those, the ones heard within this time before the last count; a peer re-sends at least as much.
pub(crate) const PROOF_SPAN_NS: i64 = 5 * SECOND;
/// Fewer than this prove nothing: a stray duplicate would do.
pub(crate) const PROOF_FACTS_MIN: usize = 3;
/// How late a frame may come. Of a conversation that ended, what was on its way when a feed was lost soon after may be
/// missing.
pub(crate) const STRAGGLING_NS_MAX: i64 = 10 * SECOND;
/// What lacks again within this time, for the same reason, extends the hole that is there.
pub(crate) const LACK_JOIN_NS: i64 = MINUTE;
/// Intervals of one feed in one answer: a day of cuts every three minutes.
pub(crate) const INTERVALS_MAX: usize = 1_000;
/// Ranges of missing dots that are named for one conversation; all are counted.
pub(crate) const MISSING_NAMED_MAX: usize = 16;
/// Conversations that lack something and are named in one answer; all are counted.
pub(crate) const LACKING_NAMED_MAX: usize = 20;
/// Conversations looked at in one call for whether they are suspects.
pub(crate) const LOOKS_MAX: usize = 1_000;
/// The first wait before a suspect is read again; it doubles up to [`SUSPECT_AGAIN_NS_MAX`].
pub(crate) const SUSPECT_AGAIN_NS_MIN: i64 = MINUTE;
/// The longest.
pub(crate) const SUSPECT_AGAIN_NS_MAX: i64 = HOUR;
/// Frames of one conversation that come within this time may have changed places.
pub(crate) const REORDER_NS: i64 = 5 * SECOND;
/// How long a feed may be dead before its watchdog says so, at most.
pub const UNNOTICED_NS_MAX: i64 = MINUTE;
/// How far before the last commit of the life before the first round of repair looks at least.
pub const LOOK_BACK_NS: i64 = 10 * MINUTE;
/// How far it looks at most, for holes that were not closed then. A day: some hundred pages, and thousands of reads.
pub(crate) const LOOK_BACK_NS_MAX: i64 = 24 * HOUR;
/// Holes of one feed that are kept apart; older ones merge into one that spans them.
pub(crate) const HOLES_MAX: usize = 4_096;
/// Regions whose counters are followed to tell what they count. A gateway names a few; one that names a new one for each
/// conversation counts per conversation.
pub(crate) const REGIONS_MAX: usize = 256;
/// Pieces of evidence kept apart for one fact, so that past answers can be given again. Two surfaces and a read make three;
/// a source that betters one fact for ever would fill the memory.
pub(crate) const PIECES_MAX: usize = 16;
/// Ids that one conversation may name. Indices are 16 bits wide.
pub(crate) const NAMES_MAX: usize = 60_000;

/// Words that are not the platform's own and that one conversation may use; each is looked for among all.
pub(crate) const WORDS_MAX: usize = 1_024;

const _: () = assert!(PROOF_FACTS_MIN <= PROOF_FACTS);
const _: () = assert!(NAMES_MAX + 256 < u16::MAX as usize);
const _: () = assert!(WORDS_MAX <= NAMES_MAX);
