//! Messages about the channel itself.
//!
//! Answers to requests over the socket carry no topic and are told by their `result`; heartbeats and pongs come under
//! `channel.metadata`, notices under `v2.system.*` (`genesys/websocket-frames.json`; Genesys Java SDK
//! NotificationHandler). A notice counts by its topic even when its body is of no known shape: what it asks for must
//! not be lost to a detail.

use crate::field::Text;
use crate::frame::parse;
use crate::topic::{is, without_ids};
use crate::{Control, Refused};
use serde::Deserialize;

/// The longest free text that a control message keeps, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 200;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Notice<'a> {
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    system_topic_type: Text<'a>,
    #[serde(borrow)]
    reason: Text<'a>,
}

/// An answer to a subscription over the socket: `{"result":"200","status":"subscribed"}` and its failures.
pub(crate) fn answer(result: &str, status: &Text, message: &Text) -> Result<Control, Refused> {
    match result.trim_matches('"') {
        "200" if is(status.as_str(), "unsubscribed") => {
            Ok(Control::Notice { topic: "unsubscribed".to_owned() })
        }
        "200" => Ok(Control::Subscribed),
        "404" => Ok(Control::ChannelGone),
        code if code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(Control::SubscribeFailed { message: message.bounded(TEXT_BYTES_MAX) })
        }
        _ => Err(Refused::BadShape),
    }
}

/// A notice of the channel, by its topic, and where that has no word for it, by its body.
pub(crate) fn notice(topic: &str, body: &str) -> Control {
    let notice: Notice = parse(body).unwrap_or_default();
    if is(topic, "channel.metadata") {
        return match notice.message.as_str() {
            message if is(message, "pong") => Control::Pong,
            message if is(message, "WebSocket Heartbeat") => Control::Heartbeat,
            _ => Control::Notice { topic: without_ids(topic) },
        };
    }
    if is(topic, "v2.subscription.updated") {
        return Control::SubscriptionChanged;
    }
    let word = topic.split('.').nth(2).unwrap_or_default();
    named(word, &notice)
        .or_else(|| named(notice.system_topic_type.as_str(), &notice))
        .unwrap_or_else(|| Control::Notice { topic: without_ids(topic) })
}

fn named(word: &str, notice: &Notice) -> Option<Control> {
    Some(match word {
        _ if is(word, "socket_closing") => Control::SocketClosing,
        _ if is(word, "no_longer_subscribed") => {
            Control::NoLongerSubscribed { reason: notice.reason.bounded(TEXT_BYTES_MAX) }
        }
        _ if is(word, "token_revoked") => Control::TokenRevoked,
        _ if is(word, "subscription_changed") => Control::SubscriptionChanged,
        _ => return None,
    })
}
