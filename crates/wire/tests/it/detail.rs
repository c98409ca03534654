//! Detail events.

use crate::support::{check, decode, frame, outcome};
use engine::Source;
use wire::{Ignored, Outcome, decode_notification};

/// 2026-11-23T10:00:00Z in milliseconds.
const TEN: i64 = 1_795_428_000_000;

fn event(kind: &str, fields: &str) -> String {
    let body = format!(
        r#"{{"eventTime":{TEN},"conversationId":"c1","participantId":"p1","sessionId":"k1","mediaType":"VOICE",
            "provider":"Edge","direction":"INBOUND","ani":"tel:+15550100","dnis":"tel:+15550101"{fields}}}"#
    );
    frame(&format!("v2.detail.events.conversation.c1.{kind}"), &body)
}

#[test]
fn starts() {
    for (kind, role) in
        [("customer", "customer"), ("acd", "acd"), ("flow", "flow"), ("voicemail", "voicemail")]
    {
        check(
            decode_notification,
            &event(&format!("{kind}.start"), r#","queueId":"q1""#),
            &[
                &format!("joined p1 role={role} queue=q1 @2026-11-23T10:00:00.000Z reported"),
                &format!(
                    "joined p1/k1 role={role} queue=q1 voice inbound @2026-11-23T10:00:00.000Z reported"
                ),
            ],
        );
    }
}

#[test]
fn a_user_starts_alerting() {
    check(
        decode_notification,
        &event("user.start", r#","userId":"u1","queueId":"q1""#),
        &[
            "joined p1 role=agent user=u1 queue=q1 @2026-11-23T10:00:00.000Z reported",
            "joined p1/k1 role=agent user=u1 queue=q1 voice inbound @2026-11-23T10:00:00.000Z reported",
            "state p1/k1 alerting @2026-11-23T10:00:00.000Z reported",
        ],
    );
}

#[test]
fn an_answered_user_was_connected_before_its_end() {
    check(
        decode_notification,
        &event(
            "user.end",
            r#","userId":"u1","disconnectType":"DND_ENDPOINT","interactingDurationMs":60000,"heldDurationMs":30000"#,
        ),
        &[
            "joined p1 role=agent user=u1",
            "joined p1/k1 role=agent user=u1 voice inbound",
            "state p1/k1 connected @2026-11-23T09:58:30.000Z derived",
            "state p1/k1 disconnected reason=dndEndpoint @2026-11-23T10:00:00.000Z reported",
        ],
    );
}

#[test]
fn an_unanswered_user_only_ends() {
    for durations in
        ["", r#","interactingDurationMs":0,"heldDurationMs":5"#, r#","interactingDurationMs":null"#]
    {
        check(
            decode_notification,
            &event("user.end", &format!(r#","disconnectType":"UNKNOWN"{durations}"#)),
            &[
                "joined p1 role=agent",
                "joined p1/k1 role=agent voice inbound",
                "state p1/k1 disconnected @2026-11-23T10:00:00.000Z reported",
            ],
        );
    }
}

#[test]
fn an_answered_acd_leg_was_transferred() {
    for (fields, reason) in [
        (r#","acdOutcome":"ANSWERED""#, " reason=transfer"),
        (r#","acdOutcome":"ANSWERED","disconnectType":"CLIENT""#, " reason=client"),
        (r#","acdOutcome":"ABANDON""#, ""),
    ] {
        let (_, batch) = decode(decode_notification, &event("acd.end", fields));
        let end = format!("state p1/k1 disconnected{reason} @2026-11-23T10:00:00.000Z reported");
        assert_eq!(crate::support::lines(&batch).last(), Some(&end));
        assert_eq!(batch.deliveries[0].source, Source::Detail);
    }
}

#[test]
fn after_call_work_and_wrap_up_are_the_participants() {
    check(
        decode_notification,
        &event("acw", r#","userId":"u1","wrapupCode":"sold","wrapupDurationMs":12000"#),
        &[
            "acw p1 on @2026-11-23T09:59:48.000Z derived",
            "acw p1 off @2026-11-23T10:00:00.000Z reported",
            "wrapUp p1 reason=sold @2026-11-23T10:00:00.000Z reported",
        ],
    );
    check(
        decode_notification,
        &event("wrapup", r#","wrapupCode":"sold","wrapupNotes":"N.N.""#),
        &["wrapUp p1 reason=sold @2026-11-23T10:00:00.000Z reported"],
    );
    assert_eq!(outcome(decode_notification, &event("wrapup", "")), Outcome::Ignored(Ignored::Empty));
}

#[test]
fn media_in_our_words() {
    for (medium, word) in [
        ("CHAT", " chat"),
        ("EMAIL", " email"),
        ("CALLBACK", " callback"),
        ("INTERNALMESSAGE", " internalMessage"),
        ("SCREENMONITORING", " screenMonitoring"),
        ("UNKNOWN", ""),
    ] {
        let frame = event("customer.start", "").replace("VOICE", medium).replace("INBOUND", "OUTBOUND");
        let line = format!("joined p1/k1 role=customer{word} outbound @2026-11-23T10:00:00.000Z reported");
        check(
            decode_notification,
            &frame,
            &["joined p1 role=customer @2026-11-23T10:00:00.000Z reported", &line],
        );
    }
}

#[test]
fn the_conversations_id_may_stand_in_the_topic_alone() {
    let frame = event("customer.start", "").replace(r#""conversationId":"c1","#, "");
    assert_eq!(decode(decode_notification, &frame).1.deliveries[0].conversation.to_string(), "c1");
}

#[test]
fn other_details_are_not_ours() {
    for kind in ["attributes", "contact", "outbound", "flow.outcome", "agent.start"] {
        assert_eq!(
            outcome(decode_notification, &event(kind, "")),
            Outcome::Ignored(Ignored::Topic),
            "{kind}"
        );
    }
}
