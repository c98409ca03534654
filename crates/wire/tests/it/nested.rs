//! Whole-conversation snapshots of the notification topics.

use crate::support::{check, decode, frame, outcome};
use engine::Source;
use wire::{Ignored, Outcome, decode_notification};

const TOPIC: &str = "v2.routing.queues.q1.conversations";

/// A snapshot with one participant `p1` that has one communication `k1` in the array `calls`.
fn call(fields: &str) -> String {
    frame(TOPIC, &format!(r#"{{"id":"c1","participants":[{{"id":"p1","calls":[{{"id":"k1"{fields}}}]}}]}}"#))
}

#[test]
fn a_call_with_its_agent() {
    let body = r#"{"id":"c1","maxParticipants":2,"recordingState":"none","address":"tel:+15550100",
      "participants":[
       {"id":"p1","connectedTime":"2026-11-23T10:00:00.100Z","endTime":"2026-11-23T10:09:00.500Z","name":"A. Person",
        "purpose":"Customer","wrapupRequired":false,"attributes":{"k":"v"},"mediaRoles":["full"],
        "calls":[{"id":"k1","state":"terminated","direction":"inbound","held":false,"muted":false,
          "disconnectType":"endpoint","connectedTime":"2026-11-23T10:00:00.110Z",
          "disconnectedTime":"2026-11-23T10:09:00.500Z","self":{"addressRaw":"tel:1"},"other":{},
          "additionalProperties":{}}],"callbacks":[],"chats":[],"additionalProperties":{}},
       {"id":"p2","connectedTime":"2026-11-23T10:01:00Z","userId":"u1","queueId":"q1","purpose":"agent",
        "calls":[{"id":"k2","state":"connected","direction":"inbound","held":true,"muted":true,
          "startHoldTime":"2026-11-23T10:02:00Z","connectedTime":"2026-11-23T10:01:00.020Z"}]}]}"#;
    check(
        decode_notification,
        &frame("v2.users.u1.conversations", body),
        &[
            "joined p1 role=customer",
            "joined p1/k1 voice inbound",
            "state p1/k1 connected @2026-11-23T10:00:00.110Z recorded",
            "state p1/k1 terminated reason=endpoint @2026-11-23T10:09:00.500Z recorded",
            "left p1 @2026-11-23T10:09:00.500Z recorded",
            "joined p2 role=agent user=u1 queue=q1",
            "joined p2/k2 voice inbound",
            "state p2/k2 connected @2026-11-23T10:01:00.020Z recorded",
            "toggle held p2/k2 on since=2026-11-23T10:02:00Z",
            "toggle muted p2/k2 on",
        ],
    );
}

#[test]
fn every_medium_has_its_word() {
    for (array, medium) in [
        ("calls", "voice"),
        ("callbacks", "callback"),
        ("chats", "chat"),
        ("cobrowsesessions", "cobrowse"),
        ("emails", "email"),
        ("messages", "message"),
        ("internalMessages", "internalMessage"),
        ("screenMonitorings", "screenMonitoring"),
        ("screenshares", "screenshare"),
        ("socialExpressions", "social"),
        ("videos", "video"),
    ] {
        let frame = call(r#","state":"alerting""#).replace("calls", array);
        check(
            decode_notification,
            &frame,
            &["joined p1", &format!("joined p1/k1 {medium}"), "state p1/k1 alerting"],
        );
    }
}

#[test]
fn a_state_without_a_time_is_handed_on_without() {
    let joined = ["joined p1", "joined p1/k1 voice"];
    for (state, expected) in [
        (r#","state":"ALERTING""#, Some("state p1/k1 alerting")),
        (r#","state":"connected""#, Some("state p1/k1 connected")),
        (r#","state":"parked""#, Some("state p1/k1 parked")),
        (r#","state":"newFangled""#, Some("state p1/k1 newfangled")),
        (
            r#","state":"disconnected","disconnectType":"transfer.noanswer""#,
            Some("state p1/k1 disconnected reason=noAnswerTransfer"),
        ),
        (r#","state":"none""#, None),
        (r#","state":null"#, None),
    ] {
        let expected: Vec<&str> = joined.into_iter().chain(expected).collect();
        check(decode_notification, &call(state), &expected);
    }
}

#[test]
fn an_end_takes_its_participants_time_when_it_has_none() {
    let frame = call(r#","state":"disconnected""#)
        .replace("\"calls\"", r#""endTime":"2026-11-23T10:00:09Z","calls""#);
    check(
        decode_notification,
        &frame,
        &[
            "joined p1",
            "joined p1/k1 voice",
            "state p1/k1 disconnected @2026-11-23T10:00:09Z reported",
            "left p1 @2026-11-23T10:00:09Z recorded",
        ],
    );
}

#[test]
fn parked_and_resumed() {
    let mail = |fields: &str| {
        call(&format!(r#","connectedTime":"2026-11-23T10:00:00Z"{fields}"#)).replace("calls", "emails")
    };
    let known = ["joined p1", "joined p1/k1 email", "state p1/k1 connected @2026-11-23T10:00:00Z recorded"];
    let parked = "state p1/k1 parked since=2026-11-23T10:05:00Z @2026-11-23T10:05:00Z recorded";
    let resumed = "state p1/k1 connected since=2026-11-23T11:00:00Z @2026-11-23T11:00:00Z recorded";
    let early = "state p1/k1 connected since=2026-11-23T10:05:00Z";
    let park = r#","parkTime":"2026-11-23T10:05:00Z""#;
    for (fields, expected) in [
        (format!(r#"{park},"state":"parked""#), vec![parked]),
        (format!(r#"{park},"state":"parked","resumeTime":"2026-11-23T11:00:00Z""#), vec![parked]),
        (format!(r#"{park},"state":"parked","resumeTime":"2026-12-24T11:00:00Z""#), vec![parked]),
        (format!(r#"{park},"state":"connected","resumeTime":"2026-11-23T11:00:00Z""#), vec![parked, resumed]),
        (format!(r#"{park},"state":"connected","resumeTime":"2026-12-24T11:00:00Z""#), vec![parked, early]),
        (format!(r#"{park},"state":"connected""#), vec![parked, early]),
        (r#","state":"connected","resumeTime":"2026-11-23T11:00:00Z""#.to_owned(), vec![resumed]),
        (r#","state":"connected","resumeTime":"2026-11-23T09:00:00Z""#.to_owned(), vec![]),
    ] {
        let expected: Vec<&str> = known.into_iter().chain(expected).collect();
        check(decode_notification, &mail(&fields), &expected);
    }
}

#[test]
fn toggles_are_of_what_lives() {
    let live = call(r#","state":"connected","held":false,"muted":true"#);
    let (_, batch) = decode(decode_notification, &live);
    assert_eq!(batch.deliveries[0].toggles.len(), 2);
    let over = live.replace("connected", "disconnected");
    assert_eq!(decode(decode_notification, &over).1.deliveries[0].toggles, []);
    let video =
        call(r#","state":"connected","audioMuted":true,"videoMuted":false"#).replace("calls", "videos");
    let (_, batch) = decode(decode_notification, &video);
    assert!(batch.deliveries[0].toggles[0].on);
}

#[test]
fn after_call_work_and_wrap_up_once_a_participant() {
    let body = r#"{"id":"c1","participants":[
      {"id":"p1","startAcwTime":"2026-11-23T10:09:00Z","wrapup":{"code":"sold","notes":"N.N.","endTime":"2026-11-23T10:10:00Z"},
       "calls":[{"id":"k1","afterCallWork":{"state":"complete","startTime":"2026-11-23T10:09:00.003Z","endTime":"2026-11-23T10:10:00.004Z"},
                 "wrapup":{"code":"sold"}}]},
      {"id":"p2","calls":[{"id":"k2","afterCallWork":{},"wrapup":{"code":"lost"}}]}]}"#;
    check(
        decode_notification,
        &frame(TOPIC, body),
        &[
            "joined p1",
            "joined p1/k1 voice",
            "acw p1 on @2026-11-23T10:09:00Z recorded",
            "acw p1 off @2026-11-23T10:10:00.004Z recorded",
            "wrapUp p1 reason=sold @2026-11-23T10:10:00Z recorded",
            "joined p2",
            "joined p2/k2 voice",
            "wrapUp p2 reason=lost",
        ],
    );
}

#[test]
fn a_participant_without_communications_has_its_own_state() {
    let body = r#"{"id":"c1","participants":[{"id":"p1","purpose":"workflow","connectedTime":"2026-11-23T10:00:00Z"}]}"#;
    check(
        decode_notification,
        &frame(TOPIC, body),
        &["joined p1 role=workflow", "state p1 connected @2026-11-23T10:00:00Z recorded"],
    );
}

#[test]
fn the_same_fact_from_two_surfaces_is_one_fact() {
    let fields = r#","state":"disconnected","connectedTime":"2026-11-23T10:00:00Z","disconnectedTime":"2026-11-23T10:01:00Z""#;
    let (_, first) = decode(decode_notification, &call(fields));
    let late =
        call(fields).replace("10:01:00Z", "10:01:00.025Z").replace("v2.routing.queues.q1", "v2.users.u1");
    let (_, second) = decode(decode_notification, &late);
    let ids = |batch: &wire::Batch| batch.deliveries[0].facts.iter().map(|fact| fact.id).collect::<Vec<_>>();
    assert_eq!(ids(&first), ids(&second));
    assert_ne!(first.deliveries[0].topic, second.deliveries[0].topic);
    assert_eq!(first.deliveries[0].source, Source::Snapshot);
}

#[test]
fn a_queues_videos_and_social_expressions_are_nested() {
    for tail in ["videos", "socialexpressions"] {
        let frame = call("").replace(TOPIC, &format!("{TOPIC}.{tail}"));
        let (_, batch) = decode(decode_notification, &frame);
        assert_eq!(batch.deliveries[0].source, Source::Snapshot, "{tail}");
    }
}

#[test]
fn a_conversation_of_nobody_is_empty() {
    for body in [r#"{"id":"c1"}"#, r#"{"id":"c1","participants":[]}"#, r#"{"id":"c1","participants":null}"#] {
        assert_eq!(outcome(decode_notification, &frame(TOPIC, body)), Outcome::Ignored(Ignored::Empty));
    }
}
