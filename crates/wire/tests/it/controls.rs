//! Every frame about the channel itself.

use crate::support::{frame, outcome};
use wire::{Control, Ignored, Outcome, decode_notification};

#[track_caller]
fn control(frame: &str, expected: Control) {
    assert_eq!(outcome(decode_notification, frame), Outcome::Control(expected), "{frame}");
}

fn notice(topic: &str) -> Control {
    Control::Notice { topic: topic.to_owned() }
}

#[test]
fn heartbeat_and_pong() {
    let of = |message: &str| frame("channel.metadata", &format!(r#"{{"message":"{message}"}}"#));
    control(&of("WebSocket Heartbeat"), Control::Heartbeat);
    control(&of("pong"), Control::Pong);
    control(&of("something new"), notice("channel.metadata"));
    control(r#"{"topicName":"channel.metadata","eventBody":{"message":"pong"}}"#, Control::Pong);
}

#[test]
fn answers_to_subscriptions() {
    control(r#"{"result":"200","status":"subscribed","correlationId":"x"}"#, Control::Subscribed);
    control(r#"{"result":200,"status":"subscribed"}"#, Control::Subscribed);
    control(r#"{"result":"200","status":"unsubscribed"}"#, notice("unsubscribed"));
    control(r#"{"result":"404","message":"no such channel"}"#, Control::ChannelGone);
    let failed = |message: &str| Control::SubscribeFailed { message: message.to_owned() };
    control(r#"{"result":"400","status":"failure","message":"bad topic"}"#, failed("bad topic"));
    control(r#"{"result":"400","status":"error"}"#, failed(""));
    let long = "ä".repeat(300);
    control(&format!(r#"{{"result":"400","status":"error","message":"{long}"}}"#), failed(&"ä".repeat(100)));
}

#[test]
fn system_notices_by_topic() {
    let lost = |reason: &str| Control::NoLongerSubscribed { reason: reason.to_owned() };
    let body = r#"{"channelId":"ch1","reason":"another_channel_subscribed","message":"m"}"#;
    control(&frame("v2.system.socket_closing", "{}"), Control::SocketClosing);
    control(&frame("v2.system.no_longer_subscribed.ch1", body), lost("another_channel_subscribed"));
    control(
        &frame("v2.system.token_revoked.ch1", r#"{"reason":"user_tokens_revoked"}"#),
        Control::TokenRevoked,
    );
    control(&frame("v2.subscription.updated", "{}"), Control::SubscriptionChanged);
}

#[test]
fn system_notices_by_body() {
    let topic = "v2.system.0b1e-4a.77c2-9f";
    let of = |kind: &str| frame(topic, &format!(r#"{{"systemTopicType":"{kind}"}}"#));
    control(&of("no_longer_subscribed"), Control::NoLongerSubscribed { reason: String::new() });
    control(&of("subscription_changed"), Control::SubscriptionChanged);
    control(&of("token_revoked"), Control::TokenRevoked);
    control(&of("maintenance"), notice("v2.system"));
    control(&frame("v2.system.maintenance.77c2-9f", "{}"), notice("v2.system.maintenance"));
}

#[test]
fn a_notice_counts_whatever_its_body() {
    for body in ["null", "\"closing\"", "[1]", r#"{"reason":{}}"#] {
        control(&frame("v2.system.socket_closing", body), Control::SocketClosing);
    }
    control(r#"{"topicName":"v2.system.socket_closing"}"#, Control::SocketClosing);
}

#[test]
fn known_families_that_are_not_ours() {
    for topic in [
        "v2.routing.queues.q1.users",
        "v2.users.u1.conversationsummary",
        "v2.users.u1.conversations.summaries",
        "v2.users.u1.conversations.inbound.typing.event",
        "v2.conversations.c1.transcription",
        "v2.analytics.queues.q1.observations",
        "v2.detail.events.agent.u1.state",
        "v2.flows.f1",
    ] {
        assert_eq!(
            outcome(decode_notification, &frame(topic, "{}")),
            Outcome::Ignored(Ignored::Topic),
            "{topic}"
        );
    }
}
