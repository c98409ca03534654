//! Notification channels: who has subscribed to what, and which socket they listen on.
//!
//! A channel is an unguessable id, up to a thousand topics and one socket. A client has twenty; one more evicts the
//! one that was used longest ago, unconnected ones first. A second connection ends the first, unless the first has
//! been told to expect its end. Nothing waits in a channel: what is sent while nobody is connected is lost.

use std::collections::HashMap;

use serde_json::json;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use super::topics;
use super::{Outbox, Parcel};
use crate::time::Millis;

#[cfg(test)]
mod tests;

/// Channels of one client.
const CHANNELS_MAX: usize = 20;

/// Topics of one channel.
pub const TOPICS_MAX: usize = 1_000;

/// How long a channel lives; subscribing extends it.
const LIFETIME_MS: Millis = 24 * 3_600_000;

/// One channel.
pub struct Channel {
    pub id: Uuid,
    pub expires_at: Millis,
    /// As subscribed, combined ones not expanded.
    pub topics: Vec<String>,
    client: String,
    used_at: Millis,
    sockets: Vec<Outbox>,
}

/// What is thought of a topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    Permitted,
    /// There is no such topic.
    Invalid,
    /// The client may not have it.
    Missing(&'static str),
}

/// All channels.
#[derive(Default)]
pub struct Channels {
    all: HashMap<Uuid, Channel>,
    /// From a single topic to those who listen.
    index: HashMap<String, Vec<Uuid>>,
    /// Topics that begin like one of these are rejected.
    rejected: Vec<String>,
}

impl Channels {
    /// Makes a channel, at the cost of an older one when the client has too many.
    pub fn create(&mut self, client: &str, now: Millis) -> &Channel {
        let of_client = self.all.values().filter(|channel| channel.client == client);
        if of_client.clone().count() >= CHANNELS_MAX {
            let oldest = of_client.min_by_key(|channel| (!channel.sockets.is_empty(), channel.used_at));
            if let Some(id) = oldest.map(|channel| channel.id) {
                self.remove(id);
            }
        }
        let id = Uuid::new_v4();
        self.all.entry(id).or_insert(Channel {
            id,
            expires_at: now + LIFETIME_MS,
            topics: Vec::new(),
            client: client.to_owned(),
            used_at: now,
            sockets: Vec::new(),
        })
    }

    /// A channel that has not expired.
    pub fn get(&mut self, id: Uuid, now: Millis) -> Option<&Channel> {
        if self.all.get(&id)?.expires_at <= now {
            self.remove(id);
        }
        self.all.get(&id)
    }

    /// The channels of a client.
    pub fn of_client<'a>(&'a self, client: &'a str) -> impl Iterator<Item = &'a Channel> {
        self.all.values().filter(move |channel| channel.client == client)
    }

    /// What is thought of a topic, combined or not.
    pub fn judge(&self, topic: &str) -> Verdict {
        let Some(singles) = topics::expand(topic) else { return Verdict::Invalid };
        let refused = singles.iter().find(|single| {
            self.rejected.iter().any(|prefix| single.starts_with(prefix) || topic.starts_with(prefix))
        });
        match refused.and_then(|single| topics::template(single)) {
            Some(template) => {
                Verdict::Missing(template.permission.unwrap_or("conversation:communication:view"))
            }
            None => Verdict::Permitted,
        }
    }

    /// Gives a channel this list of permitted topics and extends its life.
    pub fn set_topics(&mut self, id: Uuid, topics: Vec<String>, now: Millis) {
        self.unindex(id);
        let Some(channel) = self.all.get_mut(&id) else { return };
        channel.expires_at = now + LIFETIME_MS;
        channel.used_at = now;
        for single in topics.iter().filter_map(|topic| topics::expand(topic)).flatten() {
            let listeners = self.index.entry(single).or_default();
            if !listeners.contains(&id) {
                listeners.push(id);
            }
        }
        channel.topics = topics;
    }

    /// Who listens to a single topic.
    pub fn listeners(&self, topic: &str) -> &[Uuid] {
        self.index.get(topic).map_or(&[], Vec::as_slice)
    }

    /// Nobody has subscribed to anything.
    pub fn is_idle(&self) -> bool {
        self.index.is_empty()
    }

    /// Connects a socket to its channel and ends the one that was there.
    pub fn connect(&mut self, id: Uuid, socket: Outbox, now: Millis) {
        let Some(channel) = self.all.get_mut(&id) else { return };
        channel.used_at = now;
        for other in channel.sockets.extract_if(.., |other| !other.is_closing()) {
            other.say(system(&format!("v2.system.no_longer_subscribed.{id}"), id, "no_longer_subscribed"));
            other.send(Parcel::Goodbye);
        }
        channel.sockets.push(socket);
    }

    /// Forgets a socket that has ended.
    pub fn disconnect(&mut self, id: Uuid, socket: u64) {
        if let Some(channel) = self.all.get_mut(&id) {
            channel.sockets.retain(|other| other.id != socket);
        }
    }

    /// Sends a frame to the channel's sockets. False when there is none.
    pub fn deliver(&self, id: Uuid, conversation: Option<Uuid>, text: &Utf8Bytes) -> bool {
        let sockets = self.all.get(&id).map_or(&[][..], |channel| &channel.sockets);
        let sent = sockets.iter().filter(|socket| socket.send(Parcel::Frame(conversation, text.clone())));
        sent.count() > 0
    }

    /// Every socket of every channel.
    pub fn sockets(&self) -> impl Iterator<Item = (Uuid, &Outbox)> {
        self.all.values().flat_map(|channel| channel.sockets.iter().map(|socket| (channel.id, socket)))
    }

    /// Removes a channel and ends its sockets.
    pub fn remove(&mut self, id: Uuid) {
        self.unindex(id);
        for socket in self.all.remove(&id).map(|channel| channel.sockets).unwrap_or_default() {
            socket.send(Parcel::Goodbye);
        }
    }

    /// Removes all channels.
    pub fn remove_all(&mut self) {
        let ids: Vec<Uuid> = self.all.keys().copied().collect();
        for id in ids {
            self.remove(id);
        }
    }

    /// From now on topics that begin with `prefix` are rejected; those already there stay.
    pub fn reject(&mut self, prefix: &str) {
        self.rejected.push(prefix.to_owned());
    }

    fn unindex(&mut self, id: Uuid) {
        let Some(channel) = self.all.get(&id) else { return };
        for single in channel.topics.iter().filter_map(|topic| topics::expand(topic)).flatten() {
            if let Some(listeners) = self.index.get_mut(&single) {
                listeners.retain(|listener| *listener != id);
                if listeners.is_empty() {
                    self.index.remove(&single);
                }
            }
        }
    }
}

/// A notice of the platform about a channel (`SystemMessageSystemMessage` in its SDK).
pub fn system(topic: &str, channel: Uuid, kind: &str) -> String {
    let reason = match kind {
        "no_longer_subscribed" => Some("another_channel_subscribed"),
        "token_revoked" => Some("user_tokens_revoked"),
        _ => None,
    };
    let mut body = json!({ "channelId": channel.to_string(), "message": kind });
    if let Some(reason) = reason {
        body["systemTopicType"] = json!(kind);
        body["reason"] = json!(reason);
    }
    json!({ "topicName": topic, "version": "2", "eventBody": body }).to_string()
}

/// The frame that says a socket will close soon.
pub fn closing(channel: Uuid) -> String {
    system("v2.system.socket_closing", channel, "socket_closing")
}
