//! What readers see: plain values, built on demand from the sets.
//!
//! Views are copies without any serialisation of their own: the API's spelling lives in `serve`, so that neither side
//! can drag the other along.

use crate::{Effect, FactId, Id, Missing, Suspicion, Time, Word};
use std::sync::Arc;

/// How much of the evidence behind an answer is known to be there. Ordered: the greater is the worse.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(u8)]
pub enum Completeness {
    /// Somebody listened all the time, and nothing is known to be missing.
    #[default]
    Complete = 0,
    /// There was a hole, and it was closed by a REST read or a proven re-send.
    Repaired = 1,
    /// Facts are known to be missing.
    Partial = 2,
    /// For some of the time nobody was listening.
    Unknown = 3,
}

/// A conversation as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationView {
    /// Its id.
    pub id: Id,
    /// From the first sign of life until the end.
    pub active: bool,
    /// The first instant that any evidence names.
    pub started_at: Option<Time>,
    /// When it ended; none while it is active.
    pub ended_at: Option<Time>,
    /// The media of its communications, sorted, each once.
    pub media: Vec<Word>,
    /// The sum of the clock's entries: never decreases.
    pub vector_clock: u64,
    /// The clock: source regions, and our own incarnations for facts without a stamp.
    pub clock: Vec<(Word, u64)>,
    /// Of the feeds over its life, and of its own missing dots.
    pub completeness: Completeness,
    /// What is known by name to be missing of it.
    pub missing: Missing,
    /// Why its end may have been missed; none: nothing speaks for that, or it has ended.
    pub suspect: Option<Suspicion>,
    /// No fact of it is known: it is remembered from a copy elsewhere, whose newest word of it is of this time. None: facts
    /// are known.
    pub remembered_at: Option<Time>,
    /// Every participant that was ever seen, in order of joining.
    pub participants: Vec<ParticipantView>,
}

/// A participant as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParticipantView {
    /// Its id.
    pub id: Id,
    /// Its role (the platform's purpose).
    pub role: Option<Word>,
    /// Its user.
    pub user: Option<Id>,
    /// Its queue.
    pub queue: Option<Id>,
    /// From the first sign of life until the end.
    pub active: bool,
    /// Its state.
    pub state: Option<Word>,
    /// When it joined first.
    pub joined_at: Option<Time>,
    /// When it left last; none while it is active.
    pub left_at: Option<Time>,
    /// Why it left.
    pub end_reason: Option<Word>,
    /// Any live communication is held.
    pub held: bool,
    /// Any live communication is muted.
    pub muted: bool,
    /// Its communications, in order of appearance.
    pub communications: Vec<CommunicationView>,
}

/// One media leg as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommunicationView {
    /// Its id.
    pub id: Id,
    /// Its medium.
    pub medium: Option<Word>,
    /// `inbound` or `outbound`.
    pub direction: Option<Word>,
    /// Its state.
    pub state: Option<Word>,
    /// When it connected; none when it was never answered.
    pub connected_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Why it ended.
    pub end_reason: Option<Word>,
    /// It is on hold.
    pub held: bool,
    /// It is muted.
    pub muted: bool,
}

/// One entry of a conversation's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// The fact's own name: whatever comes later, it stays.
    pub fact: FactId,
    /// When it happened, by the source; none where the source gave no time.
    pub at: Option<Time>,
    /// Where it stands in the order.
    pub effective_at: Time,
    /// When it was first received.
    pub received_at: Time,
    /// Whose; none: the conversation's own.
    pub participant: Option<Id>,
    /// Which communication.
    pub communication: Option<Id>,
    /// `joined`, `left`, `state`, `role`, `held`, `muted`, `wrapUp`, `afterCallWork` or `lifeCycle`.
    pub kind: &'static str,
    /// The value before.
    pub from: Option<Word>,
    /// The value after (`true`/`false` for toggles).
    pub to: Option<Word>,
    /// The participant's state at that point; of the conversation's own entries, its life-cycle state.
    pub state: Option<Word>,
    /// The participant's role at that point.
    pub role: Option<Word>,
    /// Its user.
    pub user: Option<Id>,
    /// Its queue.
    pub queue: Option<Id>,
    /// The medium.
    pub medium: Option<Word>,
    /// The end reason or wrap-up code.
    pub reason: Option<Word>,
    /// The surface it came through.
    pub source: &'static str,
    /// It arrived after its place had been published.
    pub late: bool,
    /// Some other fact of the conversation is neither before nor after it.
    pub concurrent: bool,
    /// The sum of its clock.
    pub vector_clock: u64,
    /// Its clock.
    pub clock: Vec<(Word, u64)>,
}

/// An interval of a participant's life in which nothing about it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpellView {
    /// Whose.
    pub participant: Id,
    /// Which communication; none for a participant of the `events` dialect.
    pub communication: Option<Id>,
    /// Role in that time.
    pub role: Option<Word>,
    /// User.
    pub user: Option<Id>,
    /// Queue.
    pub queue: Option<Id>,
    /// Medium.
    pub medium: Option<Word>,
    /// State.
    pub state: Option<Word>,
    /// Whether it was on hold.
    pub held: bool,
    /// The first instant of it.
    pub from: Time,
    /// The first instant after it; none while it lasts.
    pub to: Option<Time>,
}

/// A change as it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number in the order of publication.
    pub seq: u64,
    /// The conversation.
    pub conversation: Id,
    /// The timeline entry that is new, or told again with better evidence; none: only history changed.
    pub entry: Option<TimelineEntry>,
    /// Where it came in, when it came late or was better evidence.
    pub revision: Option<Revision>,
    /// What it changed. Of facts that came together it stands with one of them: the last that came late, or else the last.
    /// None: the conversation is too large, or nobody followed yet when it was decided.
    pub effect: Option<Arc<Effect>>,
    /// Of each participant of the conversation, once this was published: its queue and its user.
    pub about: Arc<[Belongs]>,
}

/// Whom a participant belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Belongs {
    /// The queue.
    pub queue: Option<Id>,
    /// The user.
    pub user: Option<Id>,
}

/// Where a late fact, or better evidence, came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its place in the timeline, from 0.
    pub place: u32,
    /// How many entries published earlier stand behind it now.
    pub moved: u32,
}

/// What is known of a user, apart from conversations.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct UserView {
    /// System presence and since when.
    pub presence: Option<(Word, Option<Time>)>,
    /// Routing status and since when.
    pub routing_status: Option<(Word, Option<Time>)>,
}

/// Activity of the 24 hours that end with the newest event's minute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// The newest minute, counted from the epoch; none before the first event.
    pub newest_minute: Option<i64>,
    /// 1,440 counts, the last is the newest minute's; empty before the first look.
    pub counts: Vec<u64>,
}

/// One feed of the ledger as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedView {
    /// Its name.
    pub name: String,
    /// Whether it is listening now.
    pub connected: bool,
    /// Its worst in the last 24 hours.
    pub completeness: Completeness,
    /// Why, when it is not complete.
    pub reason: Option<String>,
    /// When it began to listen, or stopped, in nanoseconds since the epoch.
    pub since: i64,
}

/// Which conversations to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that are, or are not, active.
    pub active: Option<bool>,
    /// With a participant in this role.
    pub role: Option<Word>,
    /// With this queue.
    pub queue: Option<Id>,
    /// With this user.
    pub user: Option<Id>,
    /// With this medium.
    pub medium: Option<Word>,
    /// With a participant in this state.
    pub state: Option<Word>,
    /// Only those that are, or are not, suspected to be over.
    pub suspect: Option<bool>,
}

impl Completeness {
    /// The API's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Repaired => "repaired",
            Self::Partial => "partial",
            Self::Unknown => "unknown",
        }
    }
}

impl Filter {
    /// Whether a conversation passes. Role, queue, user and state must hold of one and the same participant.
    #[must_use]
    pub fn matches(&self, view: &ConversationView) -> bool {
        let of_one =
            self.role.is_some() || self.queue.is_some() || self.user.is_some() || self.state.is_some();
        self.active.is_none_or(|active| active == view.active)
            && self.suspect.is_none_or(|suspect| suspect == view.suspect.is_some())
            && self.medium.as_ref().is_none_or(|medium| view.media.contains(medium))
            && (!of_one || view.participants.iter().any(|p| self.matches_participant(p)))
    }

    fn matches_participant(&self, p: &ParticipantView) -> bool {
        let same = |wanted: &Option<Word>, is: &Option<Word>| wanted.is_none() || wanted == is;
        same(&self.role, &p.role)
            && same(&self.state, &p.state)
            && (self.queue.is_none() || self.queue == p.queue)
            && (self.user.is_none() || self.user == p.user)
    }
}
