//! Names at the edges of what is ours.

use super::{DetailKind, Topic, without_ids};

#[test]
fn ours() {
    for (name, topic) in [
        ("v2.users.u1.conversations", Topic::Conversation),
        ("v2.routing.queues.q1.conversations", Topic::Conversation),
        ("V2.Users.u1.Conversations.Calls", Topic::Media("voice")),
        ("v2.users.u1.presence", Topic::Presence("u1")),
        ("v2.users.u1.routingstatus", Topic::RoutingStatus("u1")),
        ("v2.users.u1.activity", Topic::Activity("u1")),
        ("channel.metadata", Topic::Channel),
        ("v2.system.socket_closing", Topic::Channel),
        (
            "v2.detail.events.conversation.c1.user.end",
            Topic::Detail { conversation: "c1", kind: DetailKind::End("agent") },
        ),
        (
            "v2.detail.events.conversation.c1.acw",
            Topic::Detail { conversation: "c1", kind: DetailKind::AfterCallWork },
        ),
    ] {
        assert_eq!(Topic::of(name), topic, "{name}");
    }
}

#[test]
fn a_part_more_or_less_is_another_topic() {
    for name in [
        "v2.users",
        "v2.users.u1",
        "v2.users.u1.conversations.calls.more",
        "v2.users.u1.presence.more",
        "v2.routing.queues.q1",
        "v2.routing.skills.s1.conversations",
        "v2.detail.events.conversation.c1",
        "v2.detail.events.conversation.c1.acw.more",
        "v2.detail.events.conversation.c1.user.start.more",
        "v2.detail.events.conversation.c1.robot.start",
    ] {
        assert_eq!(Topic::of(name), Topic::Other, "{name}");
    }
}

#[test]
fn nobodys() {
    for name in ["", ".", "v2", "v2.", "v2..conversations", "v1.users.u1.presence", "channel", "v2.userss.u1"]
    {
        assert_eq!(Topic::of(name), Topic::Unknown, "{name}");
    }
}

#[test]
fn a_notice_is_shown_without_ids() {
    assert_eq!(without_ids("v2.system.token_revoked.9f-1"), "v2.system.token_revoked");
    assert_eq!(without_ids("v2.system.9f-1.words"), "v2.system");
    assert_eq!(without_ids("9f"), "");
}
