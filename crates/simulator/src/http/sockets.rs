//! The doors to the two kinds of socket.
//!
//! A channel's address is its credential: no token is asked for, and an unknown channel is 404. The events socket
//! takes its token in the query. Text that is no frame is put up with, as on the platform.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use super::errors::ApiError;
use super::notifications::{Mode, subscribe};
use super::{App, Parameters};
use crate::body;
use crate::options::Dialect;
use crate::shared::Shared;
use crate::socket::{self, Conduct, Outbox, channels, upgrade};

/// What a client of a channel may say.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    message: String,
    #[serde(default)]
    topics: Vec<String>,
    correlation_id: Option<String>,
}

/// What a client of the events socket says.
#[derive(Deserialize)]
struct EventsSaid {
    subscription: Subscription,
}

#[derive(Deserialize)]
struct Subscription {
    #[serde(default)]
    topics: Vec<String>,
}

/// `GET /channels/{id}`.
pub async fn channel(State(shared): App, Path(id): Path<String>, request: Request) -> Response {
    if !shared.options.dialect.speaks(Dialect::Notifications) {
        return ApiError::not_found().into_response();
    }
    let known =
        Uuid::parse_str(&id).ok().filter(|id| shared.world().channels.get(*id, shared.now()).is_some());
    let Some(id) = known else { return ApiError::not_found().into_response() };
    let tasks = shared.tasks.clone();
    upgrade::accept(request, move |socket| {
        tasks.track_future(async move {
            let (outbox, parcels) = shared.outbox();
            let heartbeat = (shared.options.heartbeat, channel_metadata("WebSocket Heartbeat"));
            let (cut_in_silence, announced) = {
                let mut world = shared.world();
                world.channels.connect(id, outbox.clone(), shared.now());
                let silent = world.faults.cuts_in_silence(shared.now());
                (silent, !silent && world.socket_rng.bool())
            };
            shared.subscribed.notify_one();
            let conduct = Conduct {
                heartbeat: Some(heartbeat),
                cut_after: shared.options.drop_socket_every,
                cut_in_silence,
                farewell: announced.then(|| channels::closing(id).into()),
            };
            let listen = |text: &str| listen(&shared, id, &outbox, text);
            socket::run(shared.clone(), socket, outbox.clone(), parcels, conduct, listen).await;
            shared.world().channels.disconnect(id, outbox.id);
        })
    })
}

/// `GET /api/v2/events?access_token=`.
pub async fn events(State(shared): App, Query(parameters): Parameters, request: Request) -> Response {
    if !shared.options.dialect.speaks(Dialect::Events) {
        return ApiError::not_found().into_response();
    }
    let Some(token) = parameters.get("access_token") else {
        return ApiError::authentication_required().into_response();
    };
    if shared.world().access.client_of(token, shared.now()).is_none() {
        return ApiError::bad_credentials().into_response();
    }
    let tasks = shared.tasks.clone();
    upgrade::accept(request, move |socket| {
        tasks.track_future(async move {
            let (outbox, parcels) = shared.outbox();
            let cut_after = shared.options.drop_socket_every;
            let cut_in_silence = shared.world().faults.cuts_in_silence(shared.now());
            let conduct = Conduct { heartbeat: None, cut_after, cut_in_silence, farewell: None };
            let listen = |text: &str| {
                let Ok(said) = serde_json::from_str::<EventsSaid>(text) else { return };
                let confirmation = body::events::confirmation(shared.now());
                shared.world().gateway.subscribe(&outbox, &said.subscription.topics, confirmation);
                shared.subscribed.notify_one();
            };
            socket::run(shared.clone(), socket, outbox.clone(), parcels, conduct, listen).await;
            shared.world().gateway.disconnect(outbox.id);
        })
    })
}

fn listen(shared: &Arc<Shared>, id: Uuid, outbox: &Outbox, text: &str) {
    let Ok(said) = serde_json::from_str::<Said>(text) else { return };
    let (mode, done) = match said.message.as_str() {
        "ping" => return outbox.say(channel_metadata("pong").to_string()),
        "subscribe" => (Mode::Add, "subscribed"),
        "unsubscribe" => (Mode::Remove, "unsubscribed"),
        _ => return,
    };
    let gone = shared.world().channels.get(id, shared.now()).is_none();
    let mut answer = if gone {
        json!({ "result": "404", "message": "The channel does not exist." })
    } else {
        match subscribe(shared, id, &said.topics, mode, false) {
            Ok(_) => json!({ "result": "200", "status": done }),
            Err(error) => json!({ "result": "400", "status": "failure", "message": error.message() }),
        }
    };
    if let Some(correlation_id) = said.correlation_id {
        answer["correlationId"] = json!(correlation_id);
    }
    outbox.say(answer.to_string());
}

fn channel_metadata(message: &str) -> Utf8Bytes {
    json!({ "topicName": "channel.metadata", "eventBody": { "message": message } }).to_string().into()
}
