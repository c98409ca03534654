//! Per-media snapshots, where participant and communication are one.

use crate::support::{check, decode, frame};
use engine::Source;
use wire::decode_notification;

#[test]
fn a_chat_with_its_agent() {
    let body = r#"{"id":"c1","name":"a subject","participants":[
      {"id":"p1","name":"A. Person","address":"a@b.example","startTime":"2026-11-23T10:00:00Z",
       "connectedTime":"2026-11-23T10:00:01Z","endTime":"2026-11-23T10:09:00Z","purpose":"customer","state":"disconnected",
       "direction":"inbound","disconnectType":"session.expired","held":false,"user":null},
      {"id":"p2","purpose":"agent","state":"alerting","user":{"id":"u1","name":"B. Person"},
       "queue":{"id":"q1","name":"Sales"},"startAcwTime":"2026-11-23T10:10:00Z","endAcwTime":"2026-11-23T10:11:00Z",
       "wrapup":{"code":"sold"}}]}"#;
    check(
        decode_notification,
        &frame("v2.routing.queues.q1.conversations.chats", body),
        &[
            "joined p1 role=customer chat inbound @2026-11-23T10:00:00Z reported",
            "state p1 connected @2026-11-23T10:00:01Z recorded",
            "state p1 disconnected reason=sessionExpired @2026-11-23T10:09:00Z recorded",
            "joined p2 role=agent user=u1 queue=q1 chat",
            "state p2 alerting",
            "acw p2 on @2026-11-23T10:10:00Z recorded",
            "acw p2 off @2026-11-23T10:11:00Z recorded",
            "wrapUp p2 reason=sold",
        ],
    );
}

#[test]
fn every_flat_topic_has_its_medium() {
    let body = r#"{"id":"c1","participants":[{"id":"p1","state":"none"}]}"#;
    for (topic, medium) in [
        ("v2.users.u1.conversations.calls", "voice"),
        ("v2.routing.queues.q1.conversations.callbacks", "callback"),
        ("v2.users.u1.conversations.chats", "chat"),
        ("v2.users.u1.conversations.cobrowseSessions", "cobrowse"),
        ("v2.routing.queues.q1.conversations.cobrowsesessions", "cobrowse"),
        ("v2.users.u1.conversations.emails", "email"),
        ("v2.routing.queues.q1.conversations.messages", "message"),
        ("v2.users.u1.conversations.screenshares", "screenshare"),
        ("v2.users.u1.conversations.videos", "video"),
        ("v2.users.u1.conversations.socialexpressions", "social"),
    ] {
        check(decode_notification, &frame(topic, body), &[&format!("joined p1 {medium}")]);
        assert_eq!(
            decode(decode_notification, &frame(topic, body)).1.deliveries[0].source,
            Source::MediaSnapshot
        );
    }
}

#[test]
fn a_parked_mail() {
    let body = r#"{"id":"c1","participants":[{"id":"p1","state":"parked","connectedTime":"2026-11-23T10:00:00Z",
        "parkTime":"2026-11-23T10:05:00Z","resumeTime":"2026-11-30T10:00:00Z"}]}"#;
    check(
        decode_notification,
        &frame("v2.users.u1.conversations.emails", body),
        &[
            "joined p1 email",
            "state p1 connected @2026-11-23T10:00:00Z recorded",
            "state p1 parked since=2026-11-23T10:05:00Z @2026-11-23T10:05:00Z recorded",
        ],
    );
}
