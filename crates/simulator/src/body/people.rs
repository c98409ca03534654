//! Users and queues: their entries in REST listings, and what their topics say.
//!
//! A presence body on a topic does not name its user; that is in the topic's name, as on the platform.

use serde_json::{Value, json};

use super::Setting;
use crate::centre::people::{PRESENCES, People, Queue, User};
use crate::time::Stamp;

/// A user as REST lists it; `expand` says which parts that are left out by default come along.
pub fn user(setting: Setting<'_>, user: &User, expand: &str) -> Value {
    let id = user.id.to_string();
    let address = format!("canary.{}@example.invalid", &id[..8]);
    let mut body = json!({
        "id": id,
        "name": user.name,
        "division": { "id": setting.people.division.to_string(), "name": "Home" },
        "chat": { "jabberId": format!("{}@example.invalid", &id[..8]) },
        "department": if user.supervisor { "Supervision" } else { "Service" },
        "email": address,
        "primaryContactInfo": [{ "address": address, "mediaType": "EMAIL", "type": "PRIMARY" }],
        "addresses": [],
        "state": "active",
        "username": address,
        "version": 1,
        "acdAutoAnswer": false,
        "selfUri": format!("/api/v2/users/{id}"),
    });
    for part in expand.split(',') {
        match part {
            "presence" => body["presence"] = presence(setting, user),
            "routingStatus" => body["routingStatus"] = routing_status(user)["routingStatus"].take(),
            _ => {}
        }
    }
    body
}

/// A queue as REST lists it.
pub fn queue(people: &People, index: usize, queue: &Queue) -> Value {
    let id = queue.id.to_string();
    let members =
        (0..people.users.len()).filter(|user| people.queues_of(*user).any(|served| served == index));
    let count = members.count();
    json!({
        "id": id,
        "name": queue.name,
        "division": { "id": people.division.to_string(), "name": "Home" },
        "memberCount": count,
        "userMemberCount": count,
        "joinedMemberCount": count,
        "acwSettings": { "wrapupPrompt": "OPTIONAL" },
        "skillEvaluationMethod": "BEST",
        "enableTranscription": false,
        "selfUri": format!("/api/v2/routing/queues/{id}"),
    })
}

/// `v2.users.{id}.presence`.
pub fn presence(setting: Setting<'_>, user: &User) -> Value {
    json!({
        "source": "PURECLOUD",
        "presenceDefinition": definition(setting, user),
        "primary": true,
        "message": "canary message: back at two",
        "modifiedDate": Stamp(user.presence_since),
    })
}

/// `v2.users.{id}.routingStatus`.
pub fn routing_status(user: &User) -> Value {
    json!({
        "id": user.id.to_string(),
        "routingStatus": { "status": user.routing, "startTime": Stamp(user.routing_since) },
    })
}

/// `v2.users.{id}.activity`.
pub fn activity(setting: Setting<'_>, user: &User, index: usize) -> Value {
    let queues = setting.people.queues_of(index).map(|queue| setting.people.queues[queue].id.to_string());
    json!({
        "id": user.id.to_string(),
        "routingStatus": { "status": user.routing, "startTime": Stamp(user.routing_since) },
        "presence": {
            "presenceDefinition": definition(setting, user),
            "presenceMessage": "canary message: back at two",
            "modifiedDate": Stamp(user.presence_since),
        },
        "outOfOffice": { "active": false },
        "activeQueueIds": queues.collect::<Vec<_>>(),
        "dateActiveQueuesChanged": Stamp(user.presence_since),
    })
}

fn definition(setting: Setting<'_>, user: &User) -> Value {
    let id = setting.people.presences[user.presence].to_string();
    json!({ "id": id, "systemPresence": PRESENCES[user.presence] })
}
