//! What a topic name says about its frame.
//!
//! A topic's name is the only tag of a notification: it decides how the body is read, and for users it alone carries
//! the id. Names are compared without regard to case, since the vendor's own pages write them both ways. A name of a
//! known family that is not ours is ignored, one of no known family is refused: either the vendor added a family or
//! somebody else is talking. The list is `genesys/all-topics.json`. Rejected: a table of all 242 names, which would
//! refuse what the vendor adds to a family next month.

/// What the body of a topic is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Topic<'a> {
    /// The whole conversation, communications nested in participants (REFERENCE.md 4.1).
    Conversation,
    /// The conversation seen through one medium, flat (4.2); in our word for the medium.
    Media(&'static str),
    /// A detail event about the conversation of that id (4.3).
    Detail {
        /// The conversation's id.
        conversation: &'a str,
        /// `customer.start`, `acw` and so on.
        kind: DetailKind,
    },
    /// The presence of that user.
    Presence(&'a str),
    /// The routing status of that user.
    RoutingStatus(&'a str),
    /// Both of that user.
    Activity(&'a str),
    /// The channel itself: `channel.metadata`, `v2.system.*`, `v2.subscription.updated`.
    Channel,
    /// A known family that is not ours.
    Other,
    /// No known family.
    Unknown,
}

/// The detail events that say something about a state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DetailKind {
    /// A communication begins; with the role of its participant.
    Start(&'static str),
    /// A communication ends; with the role of its participant.
    End(&'static str),
    /// After-call work ended.
    AfterCallWork,
    /// A wrap-up code was given.
    WrapUp,
}

/// The words behind `v2.` of every topic that the vendor's SDKs know; the channel's own two are apart.
const FAMILIES: [&str; 31] = [
    "analytics",
    "architect",
    "audits",
    "bot",
    "businessunits",
    "coaching",
    "contentmanagement",
    "conversations",
    "detail",
    "employeeperformance",
    "externalcontacts",
    "flows",
    "gamification",
    "groups",
    "integrations",
    "journey",
    "managementunits",
    "operations",
    "outbound",
    "quality",
    "routing",
    "speechandtextanalytics",
    "taskmanagement",
    "telephony",
    "users",
    "video",
    "webdeployments",
    "webmessaging",
    "wem",
    "workflows",
    "workforcemanagement",
];

impl<'a> Topic<'a> {
    /// Classifies a topic's name.
    pub fn of(name: &'a str) -> Self {
        if is(name, "channel.metadata") {
            return Self::Channel;
        }
        let mut parts = name.split('.');
        if !parts.next().is_some_and(|part| is(part, "v2")) {
            return Self::Unknown;
        }
        let family = parts.next().unwrap_or_default();
        let ours = match family {
            _ if is(family, "system") || is(family, "subscription") => Some(Self::Channel),
            _ if is(family, "users") => Self::of_user(parts),
            _ if is(family, "routing") => Self::of_queue(parts),
            _ if is(family, "detail") => Self::of_detail(parts),
            _ => None,
        };
        let known = || FAMILIES.iter().any(|known| is(known, family));
        ours.unwrap_or_else(|| if known() { Self::Other } else { Self::Unknown })
    }

    /// Behind `v2.users.`.
    fn of_user(mut parts: impl Iterator<Item = &'a str>) -> Option<Self> {
        let (user, what) = (parts.next()?, parts.next()?);
        let (medium, rest) = (parts.next(), parts.next());
        match (what, medium, rest) {
            (_, None, None) if is(what, "conversations") => Some(Self::Conversation),
            (_, None, None) if is(what, "presence") => Some(Self::Presence(user)),
            (_, None, None) if is(what, "routingStatus") => Some(Self::RoutingStatus(user)),
            (_, None, None) if is(what, "activity") => Some(Self::Activity(user)),
            (_, Some(medium), None) if is(what, "conversations") => flat_medium(medium).map(Self::Media),
            _ => None,
        }
    }

    /// Behind `v2.routing.`. Unlike a user's, a queue's videos and social expressions come nested.
    fn of_queue(mut parts: impl Iterator<Item = &'a str>) -> Option<Self> {
        let is_queue = parts.next().is_some_and(|part| is(part, "queues")) && parts.next().is_some();
        if !is_queue || !parts.next().is_some_and(|part| is(part, "conversations")) {
            return None;
        }
        match (parts.next(), parts.next()) {
            (None, None) => Some(Self::Conversation),
            (Some(medium), None) if is(medium, "videos") || is(medium, "socialexpressions") => {
                Some(Self::Conversation)
            }
            (Some(medium), None) => flat_medium(medium).map(Self::Media),
            _ => None,
        }
    }

    /// Behind `v2.detail.`.
    fn of_detail(mut parts: impl Iterator<Item = &'a str>) -> Option<Self> {
        if !is(parts.next()?, "events") || !is(parts.next()?, "conversation") {
            return None;
        }
        let (conversation, subject) = (parts.next()?, parts.next()?);
        let (edge, rest) = (parts.next(), parts.next());
        let kind = match (subject, edge, rest) {
            (_, None, None) if is(subject, "acw") => DetailKind::AfterCallWork,
            (_, None, None) if is(subject, "wrapup") => DetailKind::WrapUp,
            (_, Some(edge), None) if is(edge, "start") => DetailKind::Start(detail_role(subject)?),
            (_, Some(edge), None) if is(edge, "end") => DetailKind::End(detail_role(subject)?),
            _ => return None,
        };
        Some(Self::Detail { conversation, kind })
    }
}

/// The family of a notice, cut before the first part that looks like an id: a channel's id is part of its credential.
pub(crate) fn without_ids(name: &str) -> String {
    let is_word = |part: &&str| part.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_') || is(part, "v2");
    name.split('.').take(8).take_while(is_word).collect::<Vec<_>>().join(".")
}

/// True when both are the same, whatever their case.
pub(crate) fn is(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

fn flat_medium(part: &str) -> Option<&'static str> {
    const MEDIA: [(&str, &str); 9] = [
        ("calls", "voice"),
        ("callbacks", "callback"),
        ("chats", "chat"),
        ("cobrowseSessions", "cobrowse"),
        ("emails", "email"),
        ("messages", "message"),
        ("screenshares", "screenshare"),
        ("socialexpressions", "social"),
        ("videos", "video"),
    ];
    MEDIA.iter().find(|(name, _)| is(name, part)).map(|(_, medium)| *medium)
}

/// The role that a detail event's subject plays. An agent is a "user" there.
fn detail_role(subject: &str) -> Option<&'static str> {
    const ROLES: [(&str, &str); 5] = [
        ("customer", "customer"),
        ("acd", "acd"),
        ("user", "agent"),
        ("flow", "flow"),
        ("voicemail", "voicemail"),
    ];
    ROLES.iter().find(|(name, _)| is(name, subject)).map(|(_, role)| *role)
}

#[cfg(test)]
mod tests;
