//! Every refusal by its name.

use crate::support::{count, frame, origin, outcome};
use wire::{
    Batch, Ignored, Limits, Outcome, Refused, decode_conversation, decode_event, decode_notification,
};

const TOPIC: &str = "v2.users.u1.conversations";

#[track_caller]
fn event(frame: &str, refused: Refused) {
    assert_eq!(outcome(decode_event, frame), Outcome::Refused(refused), "{frame}");
}

#[track_caller]
fn snapshot(body: &str, refused: Refused) {
    assert_eq!(outcome(decode_notification, &frame(TOPIC, body)), Outcome::Refused(refused), "{body}");
    assert_eq!(outcome(decode_conversation, body), Outcome::Refused(refused), "{body}");
}

fn joined(data: &str, rest: &str) -> String {
    format!(r#"{{"eventType":"interaction.participant.joined","data":{data}{rest}}}"#)
}

#[test]
fn too_large() {
    let limits = Limits { frame_bytes_max: 2, ..Limits::default() };
    let mut batch = Batch::default();
    assert_eq!(decode_event(b"{ }", origin(), &limits, &mut batch), Outcome::Refused(Refused::TooLarge));
    assert_eq!(decode_event(b"{}", origin(), &limits, &mut batch), Outcome::Refused(Refused::UnknownType));
}

#[test]
fn too_deep() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"eventType":"heartbeat","other":{open}{close}}}"#)
    };
    event(&nested(64), Refused::TooDeep);
    event(&nested(500_000), Refused::TooDeep);
    assert!(matches!(outcome(decode_event, &nested(63)), Outcome::Control(_)));
    let text = format!(r#"{{"eventType":"heartbeat","other":"\"{}"}}"#, "[".repeat(100));
    assert!(matches!(outcome(decode_event, &text), Outcome::Control(_)), "brackets in a text are no depth");
}

#[test]
fn not_utf8_even_where_nobody_looks() {
    let mut batch = Batch::default();
    let frame = b"{\"eventType\":\"heartbeat\",\"other\":\"\xff\"}";
    let outcome = decode_event(frame, origin(), &Limits::default(), &mut batch);
    assert_eq!(outcome, Outcome::Refused(Refused::NotUtf8));
}

#[test]
fn not_json() {
    for frame in ["", " ", "{", "nonsense", "{\"a\":1,}", "{} {}", "[1", "\u{0}", r#"{"eventType":"\ud800"}"#]
    {
        event(frame, Refused::NotJson);
    }
}

#[test]
fn bad_shape() {
    for frame in ["[]", "1", "null", "\"text\"", r#"{"eventType":1}"#, r#"{"eventType":"a","eventType":"b"}"#]
    {
        event(frame, Refused::BadShape);
    }
    event(&joined("7", ""), Refused::BadShape);
    for body in [
        "[]",
        r#"{"id":7}"#,
        r#"{"id":"c1","participants":{}}"#,
        r#"{"id":"c1","participants":[{"id":"p1","calls":[{"id":"k1","held":"yes"}]}]}"#,
    ] {
        snapshot(body, Refused::BadShape);
    }
    assert_eq!(outcome(decode_notification, r#"{"result":{}}"#), Outcome::Refused(Refused::BadShape));
}

#[test]
fn unknown_topics_and_types() {
    event("{}", Refused::UnknownType);
    event(r#"{"eventType":"interaction.participant.vanished"}"#, Refused::UnknownType);
    for topic in ["v2.nonsense.u1", "v3.users.u1.presence", "users", "v2", "v2."] {
        let refused = Outcome::Refused(Refused::UnknownTopic);
        assert_eq!(outcome(decode_notification, &frame(topic, "{}")), refused, "{topic}");
    }
    assert_eq!(
        outcome(decode_notification, r#"{"message":"hello"}"#),
        Outcome::Refused(Refused::UnknownTopic)
    );
}

#[test]
fn missing_and_bad_ids() {
    let time = r#","timestamp":"2026-11-23T10:00:00Z""#;
    let long = "x".repeat(129);
    event(&joined("null", time), Refused::MissingId);
    event(&joined(r#"{"participantId":"p1"}"#, time), Refused::MissingId);
    event(&joined(&format!(r#"{{"interactionId":"{long}"}}"#), time), Refused::BadId);
    event(&joined(r#"{"interactionId":"c1","participantId":"\u0007"}"#, time), Refused::BadId);
    snapshot(r#"{"participants":[]}"#, Refused::MissingId);
    snapshot(r#"{"id":"c1","participants":[{}]}"#, Refused::MissingId);
    snapshot(
        r#"{"id":"c1","participants":[{"id":"p1","calls":[{"state":"connected"}]}]}"#,
        Refused::MissingId,
    );
    snapshot(&format!(r#"{{"id":"c1","participants":[{{"id":"{long}"}}]}}"#), Refused::BadId);
    snapshot(r#"{"id":"c1","participants":[{"id":"p1","userId":"\n"}]}"#, Refused::BadId);
    let detail = frame("v2.detail.events.conversation.c1.acw", r#"{"eventTime":1795428000000}"#);
    assert_eq!(outcome(decode_notification, &detail), Outcome::Refused(Refused::MissingId));
}

#[test]
fn bad_and_future_times() {
    let data = r#"{"interactionId":"c1","participantId":"p1","state":"connected"}"#;
    let at = |time: &str| joined(data, &format!(r#","timestamp":{time}"#));
    for time in [
        "null",
        "\"\"",
        "\"yesterday\"",
        "\"2026-02-30T00:00:00Z\"",
        "\"1999-12-31T23:59:59.999Z\"",
        "0",
        "-1",
        "1.5",
        "18446744073709551615",
        "9223372036854775807",
        "1e300",
    ] {
        event(&at(time), Refused::BadTime);
    }
    event(&joined(data, ""), Refused::BadTime);
    event(&at("\"2026-11-23T13:00:00.001Z\""), Refused::FutureTime);
    assert_eq!(outcome(decode_event, &at("\"2026-11-23T13:00:00Z\"")), Outcome::Facts(1));
    assert_eq!(outcome(decode_event, &at("\"2000-01-01T00:00:00Z\"")), Outcome::Facts(1));
}

#[test]
fn one_impossible_time_refuses_the_whole_snapshot() {
    for field in ["startHoldTime", "connectedTime", "disconnectedTime", "parkTime", "startAlertingTime"] {
        let body = |time: &str| {
            format!(
                r#"{{"id":"c1","participants":[{{"id":"p1"}},{{"id":"p2","calls":[{{"id":"k1","{field}":"{time}"}}]}}]}}"#
            )
        };
        snapshot(&body("1970-01-01T00:00:00Z"), Refused::BadTime);
        snapshot(&body("2027-01-01T00:00:00Z"), Refused::FutureTime);
    }
    snapshot(r#"{"id":"c1","participants":[{"id":"p1","endAcwTime":"never"}]}"#, Refused::BadTime);
}

#[test]
fn too_many() {
    let of = |participants: usize, calls: usize| {
        let calls = vec![r#"{"id":"k"}"#; calls].join(",");
        let participant = format!(r#"{{"id":"p","calls":[{calls}]}}"#);
        format!(r#"{{"id":"c1","participants":[{}]}}"#, vec![participant.as_str(); participants].join(","))
    };
    snapshot(&of(2_001, 0), Refused::TooMany);
    snapshot(&of(1_000, 6), Refused::TooMany);
    assert_eq!(outcome(decode_conversation, &of(2_000, 2)), Outcome::Facts(6_000));
    snapshot(&format!(r#"{{"id":"c1","participants":[{}{{}}]}}"#, "{},".repeat(300_000)), Refused::TooMany);
    let flat = of(2_001, 0);
    let outcome = outcome(decode_notification, &frame("v2.users.u1.conversations.calls", &flat));
    assert_eq!(outcome, Outcome::Refused(Refused::TooMany));
}

#[test]
fn every_name_is_another() {
    let mut names: Vec<&str> = Refused::ALL.iter().map(|refused| refused.as_str()).collect();
    names.extend(Ignored::ALL.iter().map(|ignored| ignored.as_str()));
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(
        names
            .iter()
            .all(|name| { name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') })
    );
}

#[test]
fn a_refusal_leaves_a_batch_as_it_was() {
    let mut batch = Batch::default();
    let good = frame(TOPIC, r#"{"id":"c1","participants":[{"id":"p1"}]}"#);
    let bad = frame(TOPIC, r#"{"id":"c1","participants":[{"id":"p1"},{"id":"p2","endTime":"never"}]}"#);
    for frame in [&good, &bad, &good] {
        decode_notification(frame.as_bytes(), origin(), &Limits::default(), &mut batch);
    }
    assert_eq!((batch.deliveries.len(), count(&batch)), (2, 2));
}
