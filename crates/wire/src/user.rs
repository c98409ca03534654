//! Presence, routing status and activity of a user.
//!
//! A user's own topics carry the id in their name; a presence body has none at all (`genesys/samples`,
//! `ws-users-presence`). An activity is both of the others in one body, so that one shape reads it and the routing
//! status. The presence message is free text by the user and is not read. Rejected: the id within the body, which is
//! there in two of the three.

use crate::field::{Moment, Text};
use crate::frame::parse;
use crate::{Batch, Ignored, Origin, Outcome, Refused};
use engine::{Id, UserFact, UserWhat};
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Activity<'a> {
    #[serde(borrow)]
    routing_status: Option<RoutingStatus<'a>>,
    #[serde(borrow)]
    presence: Option<Presence<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RoutingStatus<'a> {
    #[serde(borrow)]
    status: Text<'a>,
    start_time: Moment,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Presence<'a> {
    #[serde(borrow)]
    presence_definition: Option<PresenceDefinition<'a>>,
    modified_date: Moment,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PresenceDefinition<'a> {
    #[serde(borrow)]
    system_presence: Text<'a>,
}

/// The body of `v2.users.{id}.presence`.
pub(crate) fn presence(body: &str, user: &str, origin: Origin, out: &mut Batch) -> Result<Outcome, Refused> {
    let user = Id::new(user).map_err(|_| Refused::BadId)?;
    let presence: Presence = parse(body)?;
    append(presence_fact(&presence, &user, origin)?, None, out)
}

/// The body of `v2.users.{id}.routingStatus` or `.activity`.
pub(crate) fn activity(body: &str, user: &str, origin: Origin, out: &mut Batch) -> Result<Outcome, Refused> {
    let user = Id::new(user).map_err(|_| Refused::BadId)?;
    let activity: Activity = parse(body)?;
    let presence = match &activity.presence {
        Some(presence) => presence_fact(presence, &user, origin)?,
        None => None,
    };
    let routing_status = match &activity.routing_status {
        Some(status) => status_fact(status, &user, origin)?,
        None => None,
    };
    append(presence, routing_status, out)
}

fn presence_fact(presence: &Presence, user: &Id, origin: Origin) -> Result<Option<UserFact>, Refused> {
    let at = presence.modified_date.checked(origin)?;
    let value =
        presence.presence_definition.as_ref().and_then(|definition| definition.system_presence.lower());
    let user = user.clone();
    Ok(value.map(|value| UserFact { user, what: UserWhat::Presence, value, at, received: origin.received }))
}

fn status_fact(status: &RoutingStatus, user: &Id, origin: Origin) -> Result<Option<UserFact>, Refused> {
    let at = status.start_time.checked(origin)?;
    let user = user.clone();
    let fact = |value| UserFact { user, what: UserWhat::RoutingStatus, value, at, received: origin.received };
    Ok(status.status.lower().map(fact))
}

fn append(first: Option<UserFact>, second: Option<UserFact>, out: &mut Batch) -> Result<Outcome, Refused> {
    let count = u32::from(first.is_some()) + u32::from(second.is_some());
    out.users.extend(first.into_iter().chain(second));
    Ok(if count == 0 { Outcome::Ignored(Ignored::NoState) } else { Outcome::Facts(count) })
}
