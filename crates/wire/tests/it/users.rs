//! Presence, routing status and activity of users.

use crate::support::{check, frame, outcome};
use wire::{Ignored, Outcome, Refused, decode_notification};

#[test]
fn presence() {
    let body = r#"{"source":"PURECLOUD","presenceDefinition":{"id":"d1","systemPresence":"On Queue"},"primary":true,
        "message":"at the dentist","modifiedDate":"2026-11-23T10:00:00.5Z"}"#;
    check(
        decode_notification,
        &frame("v2.users.u1.presence", body),
        &["Presence u1 on queue @2026-11-23T10:00:00.5Z"],
    );
}

#[test]
fn routing_status() {
    let body =
        r#"{"id":"u1","routingStatus":{"status":"NOT_RESPONDING","startTime":"2026-11-23T10:00:00Z"}}"#;
    let expected = ["RoutingStatus u1 not_responding @2026-11-23T10:00:00Z"];
    check(decode_notification, &frame("v2.users.u1.routingStatus", body), &expected);
    check(decode_notification, &frame("v2.users.u1.routingstatus", body), &expected);
}

#[test]
fn activity_is_both() {
    let body = r#"{"id":"u1","routingStatus":{"status":"IDLE"},"presence":{"presenceDefinition":{"systemPresence":"BUSY"}},
        "outOfOffice":{"active":false},"activeQueueIds":["q1"]}"#;
    check(
        decode_notification,
        &frame("v2.users.u1.activity", body),
        &["Presence u1 busy", "RoutingStatus u1 idle"],
    );
}

#[test]
fn a_body_that_says_neither() {
    for (topic, body) in [
        ("v2.users.u1.presence", r#"{"presenceDefinition":null}"#),
        ("v2.users.u1.activity", "{}"),
        ("v2.users.u1.routingStatus", r#"{"routingStatus":{"status":""}}"#),
    ] {
        assert_eq!(outcome(decode_notification, &frame(topic, body)), Outcome::Ignored(Ignored::NoState));
    }
}

#[test]
fn an_impossible_time_is_refused_and_nothing_of_it_stays() {
    let body = r#"{"presence":{"presenceDefinition":{"systemPresence":"BUSY"}},
        "routingStatus":{"status":"IDLE","startTime":"1970-01-01T00:00:00Z"}}"#;
    let frame = frame("v2.users.u1.activity", body);
    assert_eq!(outcome(decode_notification, &frame), Outcome::Refused(Refused::BadTime));
}
