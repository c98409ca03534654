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
            line: line(conversation, entry, schema),
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

fn line(conversation: &Id, entry: &TimelineEntry, schema: Schema) -> Line {
    let line = Line::of(STATES);
    let (id, participant) = (conversation.to_string(), entry.participant.as_ref().map(Id::to_string));
    let (state, role) = (entry.state.as_ref(), entry.role.as_ref());
    let (state, role) = (state.map(engine::Word::as_str), role.map(engine::Word::as_str));
    match schema {
        Schema::Tutorial => line
            .tag("interactionId", Some(id))
            .tag("participantId", participant)
            .tag("state", state)
            .fields()
            .integer("vector_clock", entry.vector_clock)
            .string("role", role),
        Schema::Compact => line
            .tag("medium", entry.medium.as_ref().map(engine::Word::as_str))
            .tag("queue", entry.queue.as_ref().map(Id::to_string))
            .tag("role", role)
            .tag("state", state)
            .fields()
            .string("interactionId", Some(id))
            .string("participantId", participant)
            .string("userId", entry.user.as_ref().map(Id::to_string))
            .string("kind", Some(entry.kind))
            .integer("vector_clock", entry.vector_clock),
    }
}

/// The point of a minute's cell: it overwrites itself.
pub(crate) fn cell(minute: i64, events: u64) -> String {
    Line::of(ACTIVITY).fields().integer("events", events).at(minute.saturating_mul(engine::MINUTE))
}

#[cfg(test)]
pub(crate) mod tests;
