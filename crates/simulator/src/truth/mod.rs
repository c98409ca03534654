//! What really happened, in the shape that `--truth FILE` has.
//!
//! ```json
//! {"seed": 1, "dialect": "both", "startedAt": t, "until": t, "activeInteractions": n,
//!  "activeOverTime": [{"at": t, "active": n}],
//!  "minutes": {"events": {"2026-11-23T20:41Z": n}, "notifications": {"2026-11-23T20:41Z": n}},
//!  "conversations": [{"id", "active", "startedAt", "endedAt", "media": [], "lost",
//!    "participants": [{"id", "role", "userId", "queueId", "active", "state", "joinedAt", "leftAt", "endReason",
//!      "held", "muted", "communications": [{"id", "medium", "direction", "state", "connectedAt", "endedAt",
//!      "endReason", "held", "muted"}]}],
//!    "eventParticipants": [{"id", "role", "state", "active"}],
//!    "events": [{"eventId", "eventType", "at", "participantId", "state", "role", "region", "clock"}],
//!    "facts": [{"at", "participantId", "communicationId", "kind", "state", "reason"}]}]}
//! ```
//!
//! Absent is `null`. `participants` is the notifications' view and `eventParticipants` the events dialect's, since
//! roles change only there. Times are those on the wire: a participant's `leftAt` and a communication's `endedAt` are
//! the provider's, everything else the cloud's; `joinedAt` is the `startTime` that REST and the per-media topics show.
//! `minutes.events` counts each event that carries a state (all of them do) in the minute of its timestamp;
//! `minutes.notifications` counts each communication's connect and end, each park and each resume in the minute of
//! its wire time. `lost` says that a frame of the conversation is known to have reached nobody. End reasons are
//! spelt as in analytics. Conversations come in order of start. A run without `--truth` and `--conversations` forgets
//! ended conversations after a minute and keeps no `events` and `facts`.
//!
//! Rejected: a log of frames (a reader would have to decode them, and share the decoder's mistakes).

mod view;

pub(crate) use view::{conversation, event, note_fact_of};

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::options::Dialect;
use crate::time::{self, Millis, Stamp};

/// Points of `activeOverTime` that are kept; beyond, every second one goes.
const POINTS_MAX: usize = 20_000;

/// An id as the platform writes it: a lower-case UUID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Id(pub Uuid);

impl Id {
    /// The id of 16 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The whole truth until an instant.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Truth {
    /// The seed of the run.
    pub seed: u64,
    /// Which dialects were spoken.
    pub dialect: Dialect,
    /// When the simulator started.
    pub started_at: Stamp,
    /// The instant that this is true of.
    pub until: Stamp,
    /// Conversations that have started and not ended.
    pub active_interactions: u64,
    /// How that number went.
    pub active_over_time: Vec<ActivePoint>,
    /// Transitions by minute and dialect.
    pub minutes: Minutes,
    /// What is remembered of each conversation, by start.
    pub conversations: Vec<Conversation>,
}

/// The active count from an instant on.
#[derive(Clone, Copy, Serialize, Debug)]
pub struct ActivePoint {
    /// From when.
    pub at: Stamp,
    /// How many.
    pub active: u64,
}

/// Transitions by minute, for example `{"2026-11-23T20:41Z": 12}`.
#[derive(Clone, Default, Serialize, Debug)]
pub struct Minutes {
    /// State-carrying events of the events dialect.
    pub events: BTreeMap<String, u64>,
    /// Connects, ends, parks and resumes of communications.
    pub notifications: BTreeMap<String, u64>,
}

/// One conversation.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// Its id.
    pub id: Id,
    /// It has not ended.
    pub active: bool,
    /// When it began.
    pub started_at: Stamp,
    /// When it ended.
    pub ended_at: Option<Stamp>,
    /// Its media, each once.
    pub media: Vec<&'static str>,
    /// A frame of it is known to have reached nobody.
    pub lost: bool,
    /// Who was on it, as notifications show it.
    pub participants: Vec<Participant>,
    /// Who was on it, as the events dialect shows it.
    pub event_participants: Vec<EventParticipant>,
    /// What the events dialect sent, in order of time.
    pub events: Vec<Event>,
    /// What changed in notifications, in order of time.
    pub facts: Vec<Fact>,
}

/// A participant in the notifications' view.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Its id.
    pub id: Id,
    /// Its purpose.
    pub role: &'static str,
    /// The user at its place.
    pub user_id: Option<Id>,
    /// The queue it came through.
    pub queue_id: Option<Id>,
    /// Some communication of it has not ended.
    pub active: bool,
    /// The state of its communication, the liveliest where there are several.
    pub state: &'static str,
    /// When it came in.
    pub joined_at: Option<Stamp>,
    /// When its last communication ended.
    pub left_at: Option<Stamp>,
    /// Why that one ended.
    pub end_reason: Option<&'static str>,
    /// Some communication is on hold.
    pub held: bool,
    /// Some communication is muted.
    pub muted: bool,
    /// Its media legs.
    pub communications: Vec<Communication>,
}

/// A media leg.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Communication {
    /// Its id.
    pub id: Id,
    /// Its medium, as in analytics.
    pub medium: &'static str,
    /// `inbound` or `outbound`.
    pub direction: &'static str,
    /// Its state.
    pub state: &'static str,
    /// When it was answered.
    pub connected_at: Option<Stamp>,
    /// When it ended.
    pub ended_at: Option<Stamp>,
    /// Why it ended.
    pub end_reason: Option<&'static str>,
    /// It is on hold.
    pub held: bool,
    /// It is muted.
    pub muted: bool,
}

/// A participant in the events dialect's view.
#[derive(Clone, Serialize, Debug)]
pub struct EventParticipant {
    /// Its id.
    pub id: Id,
    /// Its latest role.
    pub role: &'static str,
    /// Its latest state: `alerting`, `connected` or `disconnected`.
    pub state: &'static str,
    /// It has not left.
    pub active: bool,
}

/// One event of the events dialect.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its own id.
    pub event_id: Id,
    /// Its type.
    pub event_type: &'static str,
    /// Its timestamp, by its region's clock.
    pub at: Stamp,
    /// The same by the cloud's clock.
    #[serde(skip)]
    pub happened_at: Stamp,
    /// Whom it is about; none is the conversation itself.
    pub participant_id: Option<Id>,
    /// The state that it carries.
    pub state: &'static str,
    /// The role that it carries.
    pub role: Option<&'static str>,
    /// Who emitted it, with `--regions`.
    pub region: Option<&'static str>,
    /// What that region had seen, own entry included.
    pub clock: BTreeMap<&'static str, u64>,
}

/// One transition of a communication.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// The source time, as on the wire.
    pub at: Stamp,
    /// Whose.
    pub participant_id: Id,
    /// Which of its communications.
    pub communication_id: Id,
    /// `alerting`, `connected`, `held`, `unheld`, `muted`, `unmuted`, `parked`, `resumed` or `ended`.
    pub kind: &'static str,
    /// The state after it.
    pub state: &'static str,
    /// Why, for an end.
    pub reason: Option<&'static str>,
}

/// What is written down while a conversation goes on.
#[derive(Clone, Default, Debug)]
pub(crate) struct History {
    /// Its events.
    pub events: Vec<Event>,
    /// Its facts.
    pub facts: Vec<Fact>,
}

/// The counts that outlive conversations.
#[derive(Default)]
pub(crate) struct Ledger {
    events: BTreeMap<i64, u64>,
    notifications: BTreeMap<i64, u64>,
    active: Vec<ActivePoint>,
}

impl Ledger {
    /// Counts a state-carrying event.
    pub fn count_event(&mut self, at: Millis) {
        *self.events.entry(time::minute(at)).or_default() += 1;
    }

    /// Counts a communication's connect, end, park or resume.
    pub fn count_transition(&mut self, at: Millis) {
        *self.notifications.entry(time::minute(at)).or_default() += 1;
    }

    /// The active count changed.
    pub fn note_active(&mut self, at: Millis, active: u64) {
        if self.active.len() >= POINTS_MAX {
            let mut keep = false;
            self.active.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.active.push(ActivePoint { at: Stamp(at), active });
    }

    /// The counts as the truth shows them.
    pub fn minutes(&self) -> Minutes {
        let words = |minutes: &BTreeMap<i64, u64>| {
            minutes.iter().map(|(minute, count)| (time::minute_word(*minute), *count)).collect()
        };
        Minutes { events: words(&self.events), notifications: words(&self.notifications) }
    }

    /// How the active count went.
    pub fn active_over_time(&self) -> Vec<ActivePoint> {
        self.active.clone()
    }
}
