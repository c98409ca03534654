//! From a conversation's timeline to points: one for each entry, each with a time of its own.
//!
//! A series has one point a nanosecond, and a source gives times to the millisecond, so the digits below the source's own
//! precision say where in the order a change stands: of six, the first two are its place among the changes of its
//! conversation in that same instant, and the other four are drawn from the conversation's id, so that conversations keep
//! apart (whether they do is looked up where it is written; see `difference.rs`). The order within a conversation is the
//! order of its points' times. All of it is a function of the timeline: the same history has the same times, whenever it is
//! sent, and from which machine.
//!
//! Rejected: counting changes as they are published (the same history heard in another order would be written elsewhere),
//! and a hash alone (a connect and an end of one millisecond would change places).

use crate::Schema;
use crate::line::Line;
use engine::{Id, TimelineEntry};
use store::SentPoint;

/// Where changes of participants and conversations go.
pub(crate) const STATES: &str = "participant_state";
/// Where events per minute go.
pub(crate) const ACTIVITY: &str = "participant_activity";

/// Fraction digits that a source is taken to mean at least.
const DIGITS_MIN: u8 = 3;
/// Fraction digits there are.
const DIGITS: u8 = 9;
/// Places that are told apart in the digits for them; those behind follow by a nanosecond each.
const PLACES: i64 = 100;

/// A point that should be in the server.
#[derive(Debug)]
pub(crate) struct Point {
    /// Which fact of its conversation.
    pub fact: i64,
    /// The first time it may have; whoever is behind it in the conversation has a greater one.
    pub time: i64,
    /// All but the time.
    pub line: Line,
}

/// The points of a conversation, in the order of its timeline, with ascending times.
pub(crate) fn points(conversation: &Id, timeline: &[TimelineEntry], schema: Schema) -> Vec<Point> {
    let own = SentPoint::hash(conversation.key());
    let (mut instant, mut place, mut before) = (i64::MIN, 0, i64::MIN);
    let mut points = Vec::with_capacity(timeline.len());
    for entry in timeline {
        let free = 10i64.pow(u32::from(DIGITS - digits(entry)));
        let base = entry.effective_at.nanos.div_euclid(free).saturating_mul(free);
        (instant, place) = if base == instant { (base, place + 1) } else { (base, 0) };
        let time = base.saturating_add(offset(free, place, own)).max(before.saturating_add(1));
        before = time;
        points.push(Point {
            fact: SentPoint::fact_key(entry.fact),
            time,
            line: Columns::of(conversation, entry).line(schema),
        });
    }
    points
}

/// How many fraction digits of an entry's time are its source's own.
fn digits(entry: &TimelineEntry) -> u8 {
    // What has no time of its own stands where our clock put it, in microseconds.
    entry.at.map_or(6, |at| at.digits.clamp(DIGITS_MIN, DIGITS))
}

/// Nanoseconds behind the instant, of `free` that there are.
fn offset(free: i64, place: i64, own: i64) -> i64 {
    let apart = free / PLACES;
    match apart {
        0 | 1 => place,
        apart => place.min(PLACES - 1) * apart + own.rem_euclid(apart),
    }
}

/// What a point tells, by column.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub interaction: Option<String>,
    pub participant: Option<String>,
    pub user: Option<String>,
    pub kind: Option<String>,
    pub state: Option<String>,
    pub role: Option<String>,
    pub queue: Option<String>,
    pub medium: Option<String>,
    pub vector_clock: u64,
}

impl Columns {
    fn of(conversation: &Id, entry: &TimelineEntry) -> Self {
        let word = |word: &Option<engine::Word>| word.as_ref().map(ToString::to_string);
        let id = |id: &Option<Id>| id.as_ref().map(Id::to_string);
        Self {
            interaction: Some(conversation.to_string()),
            participant: id(&entry.participant),
            user: id(&entry.user),
            kind: Some(entry.kind.to_owned()),
            state: word(&entry.state),
            role: word(&entry.role),
            queue: id(&entry.queue),
            medium: word(&entry.medium),
            vector_clock: entry.vector_clock,
        }
    }

    /// All of a line but its time.
    pub fn line(&self, schema: Schema) -> Line {
        let line = Line::of(STATES);
        match schema {
            Schema::Tutorial => line
                .tag("interactionId", self.interaction.as_ref())
                .tag("participantId", self.participant.as_ref())
                .tag("state", self.state.as_ref())
                .fields()
                .integer("vector_clock", self.vector_clock)
                .string("role", self.role.as_ref()),
            Schema::Compact => line
                .tag("medium", self.medium.as_ref())
                .tag("queue", self.queue.as_ref())
                .tag("role", self.role.as_ref())
                .tag("state", self.state.as_ref())
                .fields()
                .string("interactionId", self.interaction.as_ref())
                .string("participantId", self.participant.as_ref())
                .string("userId", self.user.as_ref())
                .string("kind", self.kind.as_ref())
                .integer("vector_clock", self.vector_clock),
        }
    }
}

/// The point of a minute's cell: it overwrites itself.
pub(crate) fn cell(minute: i64, events: u64) -> String {
    Line::of(ACTIVITY).fields().integer("events", events).at(minute.saturating_mul(engine::MINUTE))
}

#[cfg(test)]
pub(crate) mod tests;
