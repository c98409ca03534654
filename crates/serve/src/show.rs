//! The API's spelling of what readers see: one shape per kind of answer.
//!
//! Each shape borrows from a view and says, field by field, how it is written: camelCase keys, ids and words as text,
//! times as [`Written`], absent as `null`.

mod activity;
mod change;
mod range;
mod why;

pub(crate) use activity::Activity;
pub(crate) use change::Changed;
pub(crate) use range::Range;
pub use why::Explanation;
pub(crate) use why::Why;

use crate::times::{self, Written};
use engine::{
    CommunicationView, ConversationView, FactId, FeedView, Id, ParticipantView, SpellView, Suspicion, Time,
    TimelineEntry, UserView, Word,
};
use pipeline::{Answer, Position, When};
use range::Dots;
use serde::{Serialize, Serializer};
use std::fmt::Display;

/// A list, and the committed state it is about.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Items<T> {
    pub items: Vec<T>,
    pub position: String,
    pub completeness: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_at: Option<Written>,
}

/// A page of a list. `nextCursor` is null at the end.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageOf<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
    /// How many are active in all at the position, whatever was asked for; not written as of an instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_interactions: Option<u64>,
    pub position: String,
    pub completeness: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Written>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_at: Option<Written>,
}

/// Written as text, whatever it is.
pub(crate) struct Text<T>(pub T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

/// A clock, as an object of counters.
struct Counters<'a>(&'a [(Word, u64)]);

impl Serialize for Counters<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(actor, counter)| (actor.as_str(), counter)))
    }
}

/// A conversation: alone with everything, in a list without communications and position.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Conversation<'a> {
    id: Text<&'a Id>,
    active: bool,
    started_at: Option<Written>,
    ended_at: Option<Written>,
    media: Vec<&'a str>,
    vector_clock: u64,
    clock: Counters<'a>,
    completeness: &'static str,
    suspect: Option<Suspect<'a>>,
    /// Not written where facts are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    remembered: Option<Remembered>,
    #[serde(flatten)]
    alone: Option<Alone<'a>>,
    participants: Vec<Participant<'a>>,
}

/// Why the end of a conversation may have been missed, and since when.
#[derive(Serialize)]
struct Suspect<'a> {
    since: Written,
    reason: &'a str,
}

/// No fact of a conversation is known: where what is shown comes from, and the time of the newest that was told there.
#[derive(Serialize)]
struct Remembered {
    from: &'static str,
    at: Written,
}

/// What is said of a conversation alone.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alone<'a> {
    missing: Vec<Dots<'a>>,
    missing_count: u64,
    position: Text<Position>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Written>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known_at: Option<Written>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Participant<'a> {
    id: Text<&'a Id>,
    role: Option<&'a str>,
    user_id: Option<Text<&'a Id>>,
    queue_id: Option<Text<&'a Id>>,
    active: bool,
    state: Option<&'a str>,
    joined_at: Option<Written>,
    left_at: Option<Written>,
    end_reason: Option<&'a str>,
    held: bool,
    muted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    communications: Option<Vec<Communication<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Communication<'a> {
    id: Text<&'a Id>,
    medium: Option<&'a str>,
    direction: Option<&'a str>,
    state: Option<&'a str>,
    connected_at: Option<Written>,
    ended_at: Option<Written>,
    end_reason: Option<&'a str>,
    held: bool,
    muted: bool,
}

impl<'a> Conversation<'a> {
    /// One of a list.
    pub(crate) fn listed(view: &'a ConversationView) -> Self {
        Self {
            id: Text(&view.id),
            active: view.active,
            started_at: time(view.started_at),
            ended_at: time(view.ended_at),
            media: view.media.iter().map(Word::as_str).collect(),
            vector_clock: view.vector_clock,
            clock: Counters(&view.clock),
            completeness: view.completeness.as_str(),
            suspect: view.suspect.as_ref().map(Suspect::of),
            remembered: view.remembered_at.map(|at| Remembered { from: "influxdb", at: Written(at) }),
            alone: None,
            participants: view.participants.iter().map(Participant::listed).collect(),
        }
    }

    /// One alone, with everything that is known of it, or was at an instant.
    pub(crate) fn whole(view: &'a ConversationView, position: Position, when: When) -> Self {
        let participants = view.participants.iter().map(Participant::whole).collect();
        let alone = Alone {
            missing: Dots::of(&view.missing),
            missing_count: view.missing.dots_count,
            position: Text(position),
            at: when.at.map(times::ours),
            known_at: when.known_at.map(times::ours),
        };
        Self { alone: Some(alone), participants, ..Self::listed(view) }
    }
}

impl<'a> Suspect<'a> {
    fn of(suspicion: &'a Suspicion) -> Self {
        Self { since: Written(suspicion.since), reason: &suspicion.reason }
    }
}

impl<'a> Participant<'a> {
    fn listed(view: &'a ParticipantView) -> Self {
        Self {
            id: Text(&view.id),
            role: word(&view.role),
            user_id: id(&view.user),
            queue_id: id(&view.queue),
            active: view.active,
            state: word(&view.state),
            joined_at: time(view.joined_at),
            left_at: time(view.left_at),
            end_reason: word(&view.end_reason),
            held: view.held,
            muted: view.muted,
            communications: None,
        }
    }

    fn whole(view: &'a ParticipantView) -> Self {
        let communications = view.communications.iter().map(Communication::of).collect();
        Self { communications: Some(communications), ..Self::listed(view) }
    }
}

impl<'a> Communication<'a> {
    fn of(view: &'a CommunicationView) -> Self {
        Self {
            id: Text(&view.id),
            medium: word(&view.medium),
            direction: word(&view.direction),
            state: word(&view.state),
            connected_at: time(view.connected_at),
            ended_at: time(view.ended_at),
            end_reason: word(&view.end_reason),
            held: view.held,
            muted: view.muted,
        }
    }
}

/// A conversation's timeline.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Timeline<'a> {
    conversation_id: Text<&'a Id>,
    entries: Vec<Entry<'a>>,
    completeness: &'static str,
    position: Text<Position>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known_at: Option<Written>,
}

impl<'a> Timeline<'a> {
    /// The entries in their order, or as they were at an instant.
    pub(crate) fn of(
        conversation: &'a Id,
        entries: &'a [TimelineEntry],
        answer: (Position, &'static str),
        known_at: Option<i64>,
    ) -> Self {
        Self {
            conversation_id: Text(conversation),
            entries: entries.iter().map(Entry::of).collect(),
            completeness: answer.1,
            position: Text(answer.0),
            known_at: known_at.map(times::ours),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    id: String,
    at: Option<Written>,
    effective_at: Written,
    received_at: Written,
    participant_id: Option<Text<&'a Id>>,
    communication_id: Option<Text<&'a Id>>,
    kind: &'static str,
    from: Option<&'a str>,
    to: Option<&'a str>,
    role: Option<&'a str>,
    user_id: Option<Text<&'a Id>>,
    queue_id: Option<Text<&'a Id>>,
    medium: Option<&'a str>,
    reason: Option<&'a str>,
    source: &'static str,
    late: bool,
    concurrent: bool,
    vector_clock: u64,
    clock: Counters<'a>,
}

impl<'a> Entry<'a> {
    fn of(entry: &'a TimelineEntry) -> Self {
        Self {
            id: fact_id(entry.fact),
            at: time(entry.at),
            effective_at: Written(entry.effective_at),
            received_at: Written(entry.received_at),
            participant_id: id(&entry.participant),
            communication_id: id(&entry.communication),
            kind: entry.kind,
            from: word(&entry.from),
            to: word(&entry.to),
            role: word(&entry.role),
            user_id: id(&entry.user),
            queue_id: id(&entry.queue),
            medium: word(&entry.medium),
            reason: word(&entry.reason),
            source: entry.source,
            late: entry.late,
            concurrent: entry.concurrent,
            vector_clock: entry.vector_clock,
            clock: Counters(&entry.clock),
        }
    }
}

/// An interval of a participant's life.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Spell<'a> {
    participant_id: Text<&'a Id>,
    communication_id: Option<Text<&'a Id>>,
    role: Option<&'a str>,
    user_id: Option<Text<&'a Id>>,
    queue_id: Option<Text<&'a Id>>,
    medium: Option<&'a str>,
    state: Option<&'a str>,
    held: bool,
    from: Written,
    to: Option<Written>,
}

impl<'a> Spell<'a> {
    /// One spell.
    pub(crate) fn of(view: &'a SpellView) -> Self {
        Self {
            participant_id: Text(&view.participant),
            communication_id: id(&view.communication),
            role: word(&view.role),
            user_id: id(&view.user),
            queue_id: id(&view.queue),
            medium: word(&view.medium),
            state: word(&view.state),
            held: view.held,
            from: Written(view.from),
            to: time(view.to),
        }
    }
}

/// What is known of a user.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User<'a> {
    id: Text<&'a Id>,
    presence: Option<&'a str>,
    presence_since: Option<Written>,
    routing_status: Option<&'a str>,
    routing_status_since: Option<Written>,
    position: Text<Position>,
    completeness: &'static str,
}

impl<'a> User<'a> {
    /// A user as it stands.
    pub(crate) fn of(user: &'a Id, view: &'a UserView, answer: (Position, &'static str)) -> Self {
        let presence = view.presence.as_ref();
        let routing = view.routing_status.as_ref();
        Self {
            id: Text(user),
            presence: presence.map(|(word, _)| word.as_str()),
            presence_since: presence.and_then(|(_, since)| time(*since)),
            routing_status: routing.map(|(word, _)| word.as_str()),
            routing_status_since: routing.and_then(|(_, since)| time(*since)),
            position: Text(answer.0),
            completeness: answer.1,
        }
    }
}

/// How a feed stands. `lastHeardSeconds` is null before its first frame.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Feed<'a> {
    name: &'a str,
    connected: bool,
    completeness: &'static str,
    reason: Option<&'a str>,
    since: Written,
    last_heard_seconds: Option<i64>,
}

impl<'a> Feed<'a> {
    /// A feed, last heard so many seconds ago.
    pub(crate) fn of(view: &'a FeedView, last_heard_seconds: Option<i64>) -> Self {
        Self {
            name: &view.name,
            connected: view.connected,
            completeness: view.completeness.as_str(),
            reason: view.reason.as_deref(),
            since: Written(Time::from_nanos(view.since).to_millis()),
            last_heard_seconds,
        }
    }
}

/// Every feed as it stands, and why current data is not served; nothing when it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Feeds<'a> {
    pub items: Vec<Feed<'a>>,
    pub not_ready: &'a [String],
    pub position: String,
    pub completeness: &'static str,
}

/// A fact's name: 32 hexadecimal digits.
fn fact_id(fact: FactId) -> String {
    format!("{:032x}", fact.0)
}

/// What an answer is about, in the API's words.
pub(crate) fn about<T>(answer: &Answer<T>) -> (Position, &'static str) {
    (answer.position, answer.completeness.as_str())
}

fn id(id: &Option<Id>) -> Option<Text<&Id>> {
    id.as_ref().map(Text)
}

fn word(word: &Option<Word>) -> Option<&str> {
    word.as_ref().map(Word::as_str)
}

fn time(time: Option<Time>) -> Option<Written> {
    time.map(Written)
}
