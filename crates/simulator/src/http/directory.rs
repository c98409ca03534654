//! Users and queues.

use axum::Json;
use axum::extract::{Path, Query, State};
use uuid::Uuid;

use super::errors::ApiError;
use super::{Answer, App, Page, Parameters};
use crate::body::people;

/// `GET users`.
pub async fn users(State(shared): App, Query(parameters): Parameters) -> Answer {
    let page = Page::of(&parameters)?;
    let expand = parameters.get("expand").map_or("", String::as_str);
    let world = shared.world();
    let setting = world.setting();
    let all = &setting.people.users;
    let shown = all.iter().skip(page.skip()).take(page.size);
    let entities = shown.map(|user| people::user(setting, user, expand)).collect();
    Ok(Json(page.listing("/api/v2/users", all.len(), entities)))
}

/// `GET users/{id}`.
pub async fn user(State(shared): App, Path(id): Path<String>, Query(parameters): Parameters) -> Answer {
    let expand = parameters.get("expand").map_or("", String::as_str);
    let world = shared.world();
    let setting = world.setting();
    let user =
        Uuid::parse_str(&id).ok().and_then(|id| setting.people.user(id)).ok_or_else(ApiError::not_found)?;
    Ok(Json(people::user(setting, user, expand)))
}

/// `GET routing/queues`.
pub async fn queues(State(shared): App, Query(parameters): Parameters) -> Answer {
    let page = Page::of(&parameters)?;
    let world = shared.world();
    let people = &world.centre.people;
    let shown = people.queues.iter().enumerate().skip(page.skip()).take(page.size);
    let entities = shown.map(|(index, queue)| people::queue(people, index, queue)).collect();
    Ok(Json(page.listing("/api/v2/routing/queues", people.queues.len(), entities)))
}
