//! The REST interface, and the doors to the sockets.
//!
//! Paths, bodies, status codes and error shapes are the platform's, as far as they are known, so that its own SDKs work
//! here unmodified. Every API request passes one guard: failures on order, token, rate limit, permissions.

pub mod access;
mod analytics;
mod conversations;
mod directory;
pub mod errors;
mod misfortune;
mod notifications;
mod oauth;
mod sockets;

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, post};
use axum::{Json, Router};
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::errors::ApiError;
use crate::shared::Shared;

/// The largest body that is read.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The client that a request comes from, put there by the guard.
#[derive(Clone)]
pub struct Client(pub String);

type App = State<Arc<Shared>>;
type Answer = Result<Json<Value>, ApiError>;
type Body = Result<Bytes, BytesRejection>;
type Parameters = Query<HashMap<String, String>>;

/// All routes.
pub fn router(shared: Arc<Shared>) -> Router {
    let channel = "/api/v2/notifications/channels/{id}";
    let subscriptions = "/api/v2/notifications/channels/{id}/subscriptions";
    let api = Router::new()
        .route("/api/v2/notifications/availabletopics", get(notifications::available_topics))
        .route("/api/v2/notifications/channels", get(notifications::list).post(notifications::create))
        .route(channel, head(notifications::is_alive))
        .route(
            subscriptions,
            get(notifications::topics)
                .post(notifications::add_topics)
                .put(notifications::replace_topics)
                .delete(notifications::remove_topics),
        )
        .route("/api/v2/users", get(directory::users))
        .route("/api/v2/users/{id}", get(directory::user))
        .route("/api/v2/routing/queues", get(directory::queues))
        .route("/api/v2/conversations", get(conversations::own))
        .route("/api/v2/conversations/{id}", get(conversations::one))
        .route("/api/v2/analytics/conversations/activity/query", post(analytics::activity))
        .route("/api/v2/analytics/conversations/details/query", post(analytics::details))
        .route_layer(from_fn_with_state(shared.clone(), guard));
    Router::new()
        .route("/api/v2/events", get(sockets::events))
        .route("/channels/{id}", get(sockets::channel))
        .merge(api)
        .fallback(elsewhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(shared.clone(), misfortune::strike))
        .with_state(shared)
}

async fn guard(State(shared): App, mut request: Request, next: Next) -> Response {
    let token = bearer(request.headers()).map(str::to_owned);
    let admitted = shared.world().access.admit(token.as_deref(), request.uri().path(), shared.now());
    match admitted {
        Ok(client) => {
            request.extensions_mut().insert(Client(client));
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// A gateway may put a prefix before the token endpoint; anything else is not there.
async fn elsewhere(State(shared): App, method: Method, headers: HeaderMap, request: Request) -> Response {
    if !request.uri().path().ends_with("/oauth/token") {
        return ApiError::not_found().into_response();
    }
    if method != Method::POST {
        return wrong_method().await.into_response();
    }
    let body = axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX).await.unwrap_or_default();
    oauth::token(&shared, &headers, &body)
}

async fn wrong_method() -> ApiError {
    let message = "The method is not allowed for the requested resource.";
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method.not.allowed", message)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// Reads a body as JSON.
fn read<T: DeserializeOwned>(body: Body) -> Result<T, ApiError> {
    let too_large = |_| {
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "request.entity.too.large", "The body is too large.")
    };
    let bytes = body.map_err(too_large)?;
    let malformed = "The request could not be understood by the server due to malformed syntax.";
    serde_json::from_slice(&bytes).map_err(|_| ApiError::bad_request(malformed))
}

/// A page of a listing: its number from 1, its size, and its place among `total`.
struct Page {
    number: usize,
    size: usize,
}

impl Page {
    /// Reads `pageSize` and `pageNumber` with the platform's defaults and limits.
    fn of(parameters: &HashMap<String, String>) -> Result<Self, ApiError> {
        let number = |name: &str, default: usize, max: usize| match parameters.get(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .ok()
                .filter(|value| (1..=max).contains(value))
                .ok_or_else(|| ApiError::bad_request(format!("{name} must be from 1 to {max}."))),
        };
        Ok(Self { number: number("pageNumber", 1, 1_000_000)?, size: number("pageSize", 25, 500)? })
    }

    fn skip(&self) -> usize {
        (self.number - 1).saturating_mul(self.size)
    }

    /// The listing around these entities.
    fn listing(&self, path: &str, total: usize, entities: Vec<Value>) -> Value {
        let pages = total.div_ceil(self.size);
        let uri = |number: usize| format!("{path}?pageSize={}&pageNumber={number}", self.size);
        let mut body = serde_json::json!({
            "entities": entities,
            "pageSize": self.size,
            "pageNumber": self.number,
            "total": total,
            "pageCount": pages,
            "firstUri": uri(1),
            "selfUri": uri(self.number),
            "lastUri": uri(pages.max(1)),
        });
        if self.number < pages {
            body["nextUri"] = uri(self.number + 1).into();
        }
        if self.number > 1 {
            body["previousUri"] = uri(self.number - 1).into();
        }
        body
    }
}
