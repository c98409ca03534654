//! Notification channels by REST: make one, put topics on it.
//!
//! A channel's connect URI is its credential, so it is a secret here: no `Debug`, no error and no log shows it or the
//! channel's id, which is part of it. Topics are put on with `ignoreErrors=true`, so that one topic without permission does
//! not take the others with it; each comes back with what became of it.

use crate::api::{Api, ApiError, Call};
use crate::listening::{Answer, Rejection};
use serde::Deserialize;
use serde_json::json;
use std::fmt;
use url::Url;

/// Notification calls take no permission; a 403 all the same means that the client may do nothing.
const NO_PERMISSION: &str = "to use notifications (any role at all)";

/// A channel that is there.
#[derive(Clone)]
pub(crate) struct Channel {
    id: String,
    connect_uri: Url,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Channel")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    id: String,
    connect_uri: String,
}

#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    entities: Vec<Outcome>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Outcome {
    id: String,
    state: String,
    rejection_reason: Option<String>,
    missing_permissions: Option<Vec<String>>,
}

impl Channel {
    /// Makes a channel without topics.
    pub async fn make(api: &Api) -> Result<Self, ApiError> {
        let made: Made = api
            .json(Call::post(&["notifications", "channels"], serde_json::Value::Null, NO_PERMISSION))
            .await?;
        let unreadable = || ApiError::Unreadable { host: "the notification service".to_owned() };
        let connect_uri = Url::parse(&made.connect_uri).map_err(|_| unreadable())?;
        let safe = connect_uri.scheme() == "wss"
            || (connect_uri.scheme() == "ws" && api.plain().allow(&connect_uri));
        if safe { Ok(Self { id: made.id, connect_uri }) } else { Err(unreadable()) }
    }

    /// Puts topics on the channel, and reads what became of each.
    pub async fn subscribe(&self, api: &Api, topics: &[String]) -> Result<Answer, ApiError> {
        let path = ["notifications", "channels", &self.id, "subscriptions"];
        let body = topics.iter().map(|topic| json!({ "id": topic })).collect();
        let call = Call::post(&path, body, NO_PERMISSION).query(&[("ignoreErrors", "true")]);
        let listing: Listing = api.json(call).await?;
        let (rejected, accepted): (Vec<_>, Vec<_>) =
            listing.entities.into_iter().partition(|outcome| outcome.state == "Rejected");
        Ok(Answer {
            accepted: accepted.into_iter().map(|outcome| outcome.id).collect(),
            rejected: rejected.into_iter().map(Rejection::from).collect(),
        })
    }

    /// Where to open its socket: never to be shown.
    pub fn connect_uri(&self) -> &Url {
        &self.connect_uri
    }
}

impl From<Outcome> for Rejection {
    fn from(outcome: Outcome) -> Self {
        Self {
            topic: outcome.id,
            missing: outcome.missing_permissions.unwrap_or_default(),
            reason: outcome.rejection_reason.unwrap_or_default(),
        }
    }
}

/// Says what was rejected, one line for each missing permission.
pub(crate) fn warn(feed: &str, rejected: &[Rejection]) {
    const NAMED_MAX: usize = 20;
    let mut groups: std::collections::BTreeMap<String, Vec<&str>> = std::collections::BTreeMap::new();
    for rejection in rejected {
        let why = if rejection.missing.is_empty() {
            format!("the platform says {:?}", rejection.reason)
        } else {
            format!(
                "the OAuth client lacks the permission {}; give it to one of its roles",
                rejection.missing.join(", ")
            )
        };
        groups.entry(why).or_default().push(&rejection.topic);
    }
    for (why, topics) in groups {
        let named = topics[..topics.len().min(NAMED_MAX)].join(", ");
        tracing::warn!(
            feed,
            "{} topics were rejected and will not be heard: {why}. They are {named}",
            topics.len()
        );
    }
}
