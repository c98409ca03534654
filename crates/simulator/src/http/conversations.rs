//! Reading conversations.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use uuid::Uuid;

use super::App;
use super::errors::ApiError;
use crate::body::nested::{self, View};

/// `GET conversations`: those of the user who is logged in, and client credentials are nobody.
pub async fn own() -> Json<Value> {
    Json(json!({ "entities": [], "pageSize": 25, "pageNumber": 1, "total": 0, "pageCount": 0 }))
}

/// `GET conversations/{id}`, live or lately ended.
pub async fn one(State(shared): App, Path(id): Path<String>) -> Result<impl IntoResponse, ApiError> {
    let invalid = |_| ApiError::bad_request(format!("conversationId {id:?} is not a valid UUID."));
    let id = Uuid::parse_str(&id).map_err(invalid)?;
    let world = shared.world();
    let conversation = world.centre.conversation(id).ok_or_else(ApiError::not_found)?;
    let body = nested::write(world.setting(), conversation, View::Rest);
    Ok(([(header::CONTENT_TYPE, "application/json")], body))
}
