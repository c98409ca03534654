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
