//! Notification channels and subscriptions over REST, and the same subscriptions asked for over the socket.
//!
//! With `ignoreErrors=true` every topic gets its own verdict; without, one bad topic fails the request and nothing is
//! subscribed. There is no call that removes one topic.

use std::sync::Arc;

use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::{Json, response::IntoResponse};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::ApiError;
use super::{Answer, App, Body, Client, Parameters, read};
use crate::shared::Shared;
use crate::socket::channels::{Channel, TOPICS_MAX, Verdict};
use crate::socket::topics::TEMPLATES;
use crate::time::Stamp;

/// A topic as it is asked for.
#[derive(Deserialize)]
pub struct Wanted {
    id: String,
}

/// What becomes of topics that a channel has already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Add,
    Replace,
    Remove,
}

/// `GET availabletopics`.
pub async fn available_topics(Query(parameters): Parameters) -> Json<Value> {
    let expand = parameters.get("expand").map_or("", String::as_str);
    let wants = |part: &str| expand.split(',').any(|wanted| wanted == part);
    let entities = TEMPLATES.iter().map(|template| {
        let permissions: Vec<&str> = template.permission.into_iter().collect();
        let mut entity = json!({ "id": template.name });
        let mut put = |part: &str, value: Value| {
            if wants(part) {
                entity[part] = value;
            }
        };
        put("description", json!("Played by the simulator."));
        put("enforced", json!(true));
        put("visibility", json!("Public"));
        put("transports", json!(["EventBridge", "Websocket"]));
        put("topicParameters", json!(["id"]));
        put("schema", json!({ "type": "object" }));
        put("requiresPermissions", json!(permissions));
        let details =
            json!([{ "type": "requiresPermissions", "permissions": permissions, "enforced": true }]);
        put("permissionDetails", details);
        entity
    });
    Json(json!({ "entities": entities.collect::<Vec<_>>() }))
}

/// `POST channels`: the SDKs send an empty body or `null`.
pub async fn create(State(shared): App, Extension(client): Extension<Client>, body: Body) -> Answer {
    if body.as_ref().is_ok_and(|bytes| !bytes.is_empty()) {
        read::<Value>(body)?;
    }
    let mut world = shared.world();
    let channel = world.channels.create(&client.0, shared.now());
    Ok(Json(channel_body(&shared, channel)))
}

/// `GET channels`.
pub async fn list(State(shared): App, Extension(client): Extension<Client>) -> Json<Value> {
    let world = shared.world();
    let channels = world.channels.of_client(&client.0).map(|channel| channel_body(&shared, channel));
    Json(json!({ "entities": channels.collect::<Vec<_>>() }))
}

/// `HEAD channels/{id}`.
pub async fn is_alive(State(shared): App, Path(id): Path<String>) -> impl IntoResponse {
    match find(&shared, &id) {
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => error.into_response(),
    }
}

/// `GET subscriptions`.
pub async fn topics(State(shared): App, Path(id): Path<String>) -> Answer {
    let id = find(&shared, &id)?;
    let mut world = shared.world();
    let topics = world.channels.get(id, shared.now()).map_or(&[][..], |channel| &channel.topics);
    let entities = topics.iter().map(|topic| topic_body(topic)).collect::<Vec<_>>();
    Ok(Json(json!({ "entities": entities })))
}

/// `POST subscriptions`.
pub async fn add_topics(state: App, id: Path<String>, parameters: Parameters, body: Body) -> Answer {
    change_topics(state, id, parameters, body, Mode::Add)
}

/// `PUT subscriptions`.
pub async fn replace_topics(state: App, id: Path<String>, parameters: Parameters, body: Body) -> Answer {
    change_topics(state, id, parameters, body, Mode::Replace)
}

/// `DELETE subscriptions`.
pub async fn remove_topics(State(shared): App, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let id = find(&shared, &id)?;
    shared.world().channels.set_topics(id, Vec::new(), shared.now());
    Ok(Json(json!({})))
}

/// Subscribes, and says what became of each topic.
pub fn subscribe(
    shared: &Arc<Shared>,
    id: Uuid,
    wanted: &[String],
    mode: Mode,
    ignore_errors: bool,
) -> Result<Vec<Value>, ApiError> {
    let now = shared.now();
    let mut world = shared.world();
    let mut topics = match mode {
        Mode::Replace => Vec::new(),
        Mode::Add | Mode::Remove => {
            world.channels.get(id, now).ok_or_else(ApiError::not_found)?.topics.clone()
        }
    };
    let mut entities = Vec::new();
    for topic in wanted {
        if world.faults.leaves_out(now) {
            continue;
        }
        let verdict = world.channels.judge(topic);
        if verdict != Verdict::Permitted && !ignore_errors {
            return Err(refusal(&verdict));
        }
        if verdict == Verdict::Permitted {
            topics.retain(|known| mode != Mode::Remove || known != topic);
            if mode != Mode::Remove && !topics.contains(topic) {
                topics.push(topic.clone());
            }
        }
        entities.push(verdict_body(topic, &verdict));
    }
    if topics.len() > TOPICS_MAX {
        let code = "notification.subscription.too.many.subscriptions";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, code, "Too many subscriptions"));
    }
    world.channels.set_topics(id, topics, now);
    Ok(entities)
}

fn change_topics(
    State(shared): App,
    Path(id): Path<String>,
    Query(parameters): Parameters,
    body: Body,
    mode: Mode,
) -> Answer {
    let id = find(&shared, &id)?;
    let wanted: Vec<Wanted> = read(body)?;
    let wanted: Vec<String> = wanted.into_iter().map(|topic| topic.id).collect();
    let ignore_errors =
        parameters.get("ignoreErrors").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let entities = subscribe(&shared, id, &wanted, mode, ignore_errors)?;
    Ok(Json(json!({ "entities": entities })))
}

fn find(shared: &Shared, id: &str) -> Result<Uuid, ApiError> {
    let id = Uuid::parse_str(id).map_err(|_| ApiError::not_found())?;
    shared.world().channels.get(id, shared.now()).map(|channel| channel.id).ok_or_else(ApiError::not_found)
}

fn refusal(verdict: &Verdict) -> ApiError {
    match verdict {
        Verdict::Missing(permission) => ApiError::missing_permissions(permission),
        _ => ApiError::new(
            StatusCode::BAD_REQUEST,
            "notification.invalid.topic",
            "The subscription topic is not valid.",
        ),
    }
}

fn channel_body(shared: &Shared, channel: &Channel) -> Value {
    json!({
        "connectUri": format!("ws://{}/channels/{}", shared.address, channel.id),
        "id": channel.id.to_string(),
        "expires": Stamp(channel.expires_at),
    })
}

fn topic_body(topic: &str) -> Value {
    json!({ "id": topic, "selfUri": format!("/api/v2/notifications/topics/{topic}") })
}

fn verdict_body(topic: &str, verdict: &Verdict) -> Value {
    let mut body = topic_body(topic);
    let state = if *verdict == Verdict::Permitted { "Permitted" } else { "Rejected" };
    body["state"] = json!(state);
    match verdict {
        Verdict::Permitted => {}
        Verdict::Invalid => body["rejectionReason"] = json!("The subscription topic is not valid."),
        Verdict::Missing(permission) => {
            body["rejectionReason"] = json!("Missing permissions");
            body["missingPermissions"] = json!([permission]);
        }
    }
    body
}
