//! The answer to a REST read of a conversation: what a snapshot says, and more.

use crate::support::{check, decode};
use engine::Source;
use wire::decode_conversation;

#[test]
fn a_call_with_holds() {
    let body = r#"{"id":"c1","startTime":"2026-11-23T10:00:00.010Z","address":"tel:+15550100","participants":[
      {"id":"p1","startTime":"2026-11-23T10:00:01Z","connectedTime":"2026-11-23T10:00:09Z","name":"A. Person",
       "userId":"u1","queueId":"q1","queueName":"Sales","purpose":"agent","calls":[
        {"id":"k1","state":"connected","direction":"outbound","held":true,"muted":false,
         "startHoldTime":"2026-11-23T10:02:00Z","startAlertingTime":"2026-11-23T10:00:01Z",
         "connectedTime":"2026-11-23T10:00:09Z","segments":[
          {"startTime":"2026-11-23T10:00:01Z","endTime":"2026-11-23T10:00:09Z","type":"Alert","howEnded":"Interact"},
          {"startTime":"2026-11-23T10:01:00Z","endTime":"2026-11-23T10:01:30Z","type":"Hold"},
          {"startTime":"2026-11-23T10:02:00Z","type":"hold"}]}]}]}"#;
    check(
        decode_conversation,
        body,
        &[
            "lifeCycle @2026-11-23T10:00:00.010Z recorded",
            "joined p1 role=agent user=u1 queue=q1 @2026-11-23T10:00:01Z recorded",
            "joined p1/k1 voice outbound",
            "state p1/k1 alerting @2026-11-23T10:00:01Z recorded",
            "state p1/k1 connected @2026-11-23T10:00:09Z recorded",
            "held p1/k1 on since=2026-11-23T10:01:00Z @2026-11-23T10:01:00Z recorded",
            "held p1/k1 off since=2026-11-23T10:01:00Z @2026-11-23T10:01:30Z recorded",
            "held p1/k1 on since=2026-11-23T10:02:00Z @2026-11-23T10:02:00Z recorded",
            "toggle held p1/k1 on since=2026-11-23T10:02:00Z",
            "toggle muted p1/k1 off",
        ],
    );
    assert_eq!(decode(decode_conversation, body).1.deliveries[0].source, Source::Rest);
}

#[test]
fn a_leg_that_alerts_says_so_once() {
    let body = r#"{"id":"c1","participants":[{"id":"p1","calls":[
        {"id":"k1","state":"alerting","startAlertingTime":"2026-11-23T10:00:01Z"}]}]}"#;
    check(
        decode_conversation,
        body,
        &["joined p1", "joined p1/k1 voice", "state p1/k1 alerting @2026-11-23T10:00:01Z recorded"],
    );
}

#[test]
fn what_a_conversation_that_ended_leaves_open_ended_with_it() {
    let body = r#"{"id":"c1","endTime":"2026-11-23T10:09:00Z","participants":[
      {"id":"p1","endTime":"2026-11-23T10:05:00Z","calls":[{"id":"k1","state":"connected"}]},
      {"id":"p2","calls":[{"id":"k2","state":"connected","connectedTime":"2026-11-23T10:00:09Z"},
        {"id":"k3","state":"disconnected","disconnectedTime":"2026-11-23T10:03:00Z"}]},
      {"id":"p3","connectedTime":"2026-11-23T10:01:00Z"}]}"#;
    check(
        decode_conversation,
        body,
        &[
            "joined p1",
            "joined p1/k1 voice",
            "state p1/k1 disconnected @2026-11-23T10:05:00Z derived",
            "left p1 @2026-11-23T10:05:00Z recorded",
            "joined p2",
            "joined p2/k2 voice",
            "state p2/k2 connected @2026-11-23T10:00:09Z recorded",
            "state p2/k2 disconnected @2026-11-23T10:09:00Z derived",
            "joined p2/k3 voice",
            "state p2/k3 disconnected @2026-11-23T10:03:00Z recorded",
            "joined p3",
            "state p3 connected @2026-11-23T10:01:00Z recorded",
            "left p3 @2026-11-23T10:09:00Z derived",
        ],
    );
}

#[test]
fn a_read_may_be_larger_than_a_frame() {
    let messages = (0..3_600).map(|n| {
        format!(
            r#"{{"messageId":"{n:036}","messageTime":"2026-11-23T10:00:01.000Z","messageURI":"/api/v2/conversations/messages/{:0>200}",
            "messageStatus":"delivery-success","messageSegmentCount":1}}"#,
            n
        )
    });
    let messages = messages.collect::<Vec<_>>().join(",");
    let body = format!(
        r#"{{"id":"c1","participants":[{{"id":"p1","messages":[{{"id":"k1","state":"connected","messages":[{messages}]}}]}}]}}"#
    );
    assert!(body.len() > 1_300_000);
    assert!(matches!(decode(decode_conversation, &body).0, wire::Outcome::Facts(_)));
    assert_eq!(decode(wire::decode_notification, &body).0, wire::Outcome::Refused(wire::Refused::TooLarge));
}
