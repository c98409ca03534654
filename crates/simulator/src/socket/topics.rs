//! Which topics exist and what they ask for.
//!
//! A topic names its object by id; there are no wildcards. A combined topic (`v2.users.{id}?presence&routingStatus`)
//! stands for several with one prefix and counts as one; what it brings still comes under the single names. The list
//! is the part of the platform's that this simulator can play, with the permission that each asks for.

/// The longest combined topic.
const COMBINED_BYTES_MAX: usize = 200;

/// A kind of topic.
pub struct Template {
    /// The name with `{id}` in it.
    pub name: &'static str,
    /// The permission that it asks for, where it asks for one.
    pub permission: Option<&'static str>,
}

const CONVERSATION: Option<&str> = Some("conversation:communication:view");
const DETAIL: Option<&str> = Some("analytics:conversationDetail:view");

/// Every kind of topic that can be subscribed.
pub const TEMPLATES: [Template; 29] = [
    Template { name: "v2.users.{id}.conversations", permission: CONVERSATION },
    Template { name: "v2.users.{id}.conversations.calls", permission: CONVERSATION },
    Template { name: "v2.users.{id}.conversations.callbacks", permission: CONVERSATION },
    Template { name: "v2.users.{id}.conversations.chats", permission: CONVERSATION },
    Template { name: "v2.users.{id}.conversations.emails", permission: CONVERSATION },
    Template { name: "v2.users.{id}.conversations.messages", permission: CONVERSATION },
    Template { name: "v2.routing.queues.{id}.conversations", permission: CONVERSATION },
    Template { name: "v2.routing.queues.{id}.conversations.calls", permission: CONVERSATION },
    Template { name: "v2.routing.queues.{id}.conversations.callbacks", permission: CONVERSATION },
    Template { name: "v2.routing.queues.{id}.conversations.chats", permission: CONVERSATION },
    Template { name: "v2.routing.queues.{id}.conversations.emails", permission: CONVERSATION },
    Template { name: "v2.routing.queues.{id}.conversations.messages", permission: CONVERSATION },
    Template { name: "v2.users.{id}.presence", permission: None },
    Template { name: "v2.users.{id}.routingStatus", permission: None },
    Template { name: "v2.users.{id}.activity", permission: None },
    Template { name: "v2.routing.queues.{id}.users", permission: Some("routing:queue:view") },
    Template { name: "v2.detail.events.conversation.{id}.customer.start", permission: DETAIL },
    Template { name: "v2.detail.events.conversation.{id}.customer.end", permission: DETAIL },
    Template { name: "v2.detail.events.conversation.{id}.acd.start", permission: DETAIL },
    Template { name: "v2.detail.events.conversation.{id}.acd.end", permission: DETAIL },
    Template { name: "v2.detail.events.conversation.{id}.user.start", permission: DETAIL },
    Template { name: "v2.detail.events.conversation.{id}.user.end", permission: DETAIL },
    Template { name: "v2.detail.events.conversation.{id}.flow.start", permission: DETAIL },
    Template { name: "v2.detail.events.conversation.{id}.flow.end", permission: DETAIL },
    Template { name: "v2.detail.events.conversation.{id}.voicemail.start", permission: DETAIL },
    Template { name: "v2.detail.events.conversation.{id}.voicemail.end", permission: DETAIL },
    Template { name: "v2.detail.events.conversation.{id}.acw", permission: DETAIL },
    Template { name: "v2.detail.events.conversation.{id}.wrapup", permission: DETAIL },
    Template { name: "v2.detail.events.conversation.{id}.attributes", permission: DETAIL },
];

impl Template {
    fn fits(&self, topic: &str) -> bool {
        let Some((before, after)) = self.name.split_once("{id}") else { return false };
        let id = topic.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        id.is_some_and(|id| !id.is_empty() && !id.contains(['.', '?', '&', ' ']))
    }
}

/// The single topics that a subscribed one stands for; none when it is not a topic.
pub fn expand(topic: &str) -> Option<Vec<String>> {
    let Some((prefix, parts)) = topic.split_once('?') else {
        return template(topic).map(|_| vec![topic.to_owned()]);
    };
    if topic.len() > COMBINED_BYTES_MAX {
        return None;
    }
    let single = parts.split('&').map(|part| format!("{prefix}.{part}"));
    single.map(|topic| template(&topic).map(|_| topic)).collect()
}

/// The kind of a single topic.
pub fn template(topic: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.fits(topic))
}
