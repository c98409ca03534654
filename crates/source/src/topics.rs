//! What to listen to.
//!
//! A topic names its object and there are no wildcards, so an organisation is covered by naming each queue and each
//! user. A combined topic (`v2.users.{id}?conversations&presence&routingStatus`, at most 200 characters) counts once
//! against the 1,000 of a channel. Topics stay on the channel they were put on: moving one would open a hole. Rejected:
//! one channel per kind of topic (a small organisation would hold two sockets for nothing).

use engine::{Id, IdError};
use std::fmt;
use std::str::FromStr;

/// Which topics to subscribe to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topics {
    /// Every queue and every user of the organisation, looked up by REST and again from time to time.
    Discover,
    /// These.
    Named(Vec<TopicTarget>),
}

/// An object whose conversations are followed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TopicTarget {
    /// A queue.
    Queue(Id),
    /// A user: its conversations, presence and routing status.
    User(Id),
}

/// Why a list of topics cannot be used; names the item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicsError {
    /// Nothing is listed.
    #[error("no topic is named; write `discover`, or a list such as `queue:ID,user:ID`")]
    Empty,
    /// An item is neither a queue nor a user.
    #[error("{item:?} is no topic; write `queue:ID` or `user:ID`")]
    Kind {
        /// The item.
        item: String,
    },
    /// An item's id cannot be one.
    #[error(
        "the id in {item:?} cannot be one ({why}); it is the UUID that the platform shows for a queue or user"
    )]
    BadId {
        /// The item.
        item: String,
        /// What is wrong with it.
        why: String,
    },
}

impl FromStr for Topics {
    type Err = TopicsError;

    fn from_str(text: &str) -> Result<Self, TopicsError> {
        if text.trim().eq_ignore_ascii_case("discover") {
            return Ok(Self::Discover);
        }
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        let targets = items.map(str::parse).collect::<Result<Vec<TopicTarget>, _>>()?;
        if targets.is_empty() { Err(TopicsError::Empty) } else { Ok(Self::Named(targets)) }
    }
}

impl fmt::Display for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Named(targets) = self else { return f.write_str("discover") };
        for (n, target) in targets.iter().enumerate() {
            write!(f, "{}{target}", if n == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromStr for TopicTarget {
    type Err = TopicsError;

    fn from_str(item: &str) -> Result<Self, TopicsError> {
        let kind = || TopicsError::Kind { item: item.to_owned() };
        let (word, id) = item.split_once(':').ok_or_else(kind)?;
        let id = topic_id(id.trim()).map_err(|why| TopicsError::BadId { item: item.to_owned(), why })?;
        match word.trim() {
            "queue" => Ok(Self::Queue(id)),
            "user" => Ok(Self::User(id)),
            _ => Err(kind()),
        }
    }
}

impl fmt::Display for TopicTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(id) => write!(f, "queue:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
        }
    }
}

impl TopicTarget {
    /// The topic to subscribe to: at most 174 characters.
    pub(crate) fn topic(&self) -> String {
        match self {
            Self::Queue(id) => format!("v2.routing.queues.{id}.conversations"),
            Self::User(id) => format!("v2.users.{id}?conversations&presence&routingStatus"),
        }
    }
}

/// An id that can stand in a topic: letters, digits, `-` and `_`.
pub(crate) fn topic_id(text: &str) -> Result<Id, String> {
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        return Err("it holds something else than letters, digits, - and _".to_owned());
    }
    Id::new(text).map_err(|error: IdError| error.to_string())
}

#[cfg(test)]
mod tests;
