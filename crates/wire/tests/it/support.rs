//! Decoding in one call, and facts as lines of text, so that an expectation reads as a list.
//!
//! A line is `what participant/communication attributes @time authority`; attributes that are absent are left out, as
//! is the time of what has none (its authority is `received`, always).

use engine::{Authority, Fact, Toggle, UserFact, What};
use wire::{Batch, Limits, Origin, Outcome, format_time, parse_time};

/// When every frame of the tests is received: late enough for all their times.
pub const RECEIVED: &str = "2026-11-23T12:00:00Z";

/// Where every frame of the tests comes from.
pub fn origin() -> Origin {
    let received = parse_time(RECEIVED).unwrap().nanos;
    Origin { feed: 3, received, sent_by: received }
}

type Decoder = fn(&[u8], Origin, &Limits, &mut Batch) -> Outcome;

/// The outcome of one frame, and what it appended.
pub fn decode(decoder: Decoder, frame: &str) -> (Outcome, Batch) {
    let mut batch = Batch::default();
    let outcome = decoder(frame.as_bytes(), origin(), &Limits::default(), &mut batch);
    let appended = count(&batch);
    match outcome {
        Outcome::Facts(told) => assert_eq!(appended, told as usize),
        _ => assert_eq!(batch, Batch::default(), "{outcome:?} appended something"),
    }
    (outcome, batch)
}

/// How many facts, toggles and user facts there are.
pub fn count(batch: &Batch) -> usize {
    batch.users.len() + batch.deliveries.iter().map(|d| d.facts.len() + d.toggles.len()).sum::<usize>()
}

/// Decodes a frame and compares what it says with a list of lines.
#[track_caller]
pub fn check(decoder: Decoder, frame: &str, expected: &[&str]) {
    let (outcome, batch) = decode(decoder, frame);
    assert_eq!(lines(&batch), expected, "{outcome:?}");
}

/// The outcome of one frame.
#[track_caller]
pub fn outcome(decoder: Decoder, frame: &str) -> Outcome {
    decode(decoder, frame).0
}

/// A notification of a topic.
pub fn frame(topic: &str, body: &str) -> String {
    format!(
        r#"{{"topicName":"{topic}","version":"2","eventBody":{body},"metadata":{{"CorrelationId":"8b1c"}}}}"#
    )
}

/// Everything in a batch, a line each.
pub fn lines(batch: &Batch) -> Vec<String> {
    let facts = batch.deliveries.iter().flat_map(|d| d.facts.iter().map(fact_line));
    let toggles = batch.deliveries.iter().flat_map(|d| d.toggles.iter().map(toggle_line));
    facts.chain(toggles).chain(batch.users.iter().map(user_line)).collect()
}

fn fact_line(fact: &Fact) -> String {
    let mut line = what_word(fact.what).to_owned();
    if let Some(participant) = &fact.participant {
        line += &format!(" {participant}");
    }
    if let Some(communication) = &fact.communication {
        line += &format!("/{communication}");
    }
    if matches!(fact.what, What::Held | What::AfterCallWork) {
        line += if fact.on { " on" } else { " off" };
    }
    let attributes = [
        ("", fact.state.as_ref().map(ToString::to_string)),
        ("role=", fact.role.as_ref().map(ToString::to_string)),
        ("user=", fact.user.as_ref().map(ToString::to_string)),
        ("queue=", fact.queue.as_ref().map(ToString::to_string)),
        ("", fact.medium.as_ref().map(ToString::to_string)),
        ("", fact.direction.as_ref().map(ToString::to_string)),
        ("reason=", fact.reason.as_ref().map(ToString::to_string)),
        ("since=", fact.since.map(format_time)),
        ("@", fact.at.map(format_time)),
    ];
    for (name, value) in attributes.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        line += &format!(" {name}{value}");
    }
    match (fact.at, fact.authority) {
        (None, authority) => assert_eq!(authority, Authority::Received, "{line}"),
        (Some(_), Authority::Recorded) => line += " recorded",
        (Some(_), Authority::Reported) => line += " reported",
        (Some(_), Authority::Derived) => line += " derived",
        (Some(_), Authority::Received) => panic!("a time of no authority: {line}"),
    }
    line
}

fn toggle_line(toggle: &Toggle) -> String {
    let what = what_word(toggle.what);
    let on = if toggle.on { "on" } else { "off" };
    let since = toggle.since.map(|since| format!(" since={}", format_time(since))).unwrap_or_default();
    format!("toggle {what} {}/{} {on}{since}", toggle.participant, toggle.communication)
}

fn user_line(fact: &UserFact) -> String {
    let at = fact.at.map(|at| format!(" @{}", format_time(at))).unwrap_or_default();
    format!("{:?} {} {}{at}", fact.what, fact.user, fact.value)
}

fn what_word(what: What) -> &'static str {
    match what {
        What::LifeCycle => "lifeCycle",
        What::Joined => "joined",
        What::State => "state",
        What::Role => "role",
        What::Held => "held",
        What::Muted => "muted",
        What::AfterCallWork => "acw",
        What::WrapUp => "wrapUp",
        What::Left => "left",
    }
}
