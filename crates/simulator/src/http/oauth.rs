//! The token endpoint: client credentials.
//!
//! Id and secret come in a Basic header or in the form body. Errors have the OAuth shape, not the platform's. A wrong
//! client is answered with 400 `invalid_client`.

use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::shared::Shared;

/// Answers `POST /oauth/token`.
pub fn token(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> Response {
    let form = |name: &str| form_value(body, name);
    if form("grant_type").as_deref() != Some("client_credentials") {
        return refuse("unsupported_grant_type", "the grant type must be client_credentials");
    }
    let given = basic(headers).or_else(|| Some((form("client_id")?, form("client_secret")?)));
    let options = &shared.options;
    match given {
        Some((id, secret)) if id == options.client_id && secret == options.client_secret => {
            let (token, expires_in) = shared.world().access.grant(&id, shared.now());
            Json(json!({ "access_token": token, "token_type": "bearer", "expires_in": expires_in }))
                .into_response()
        }
        _ => refuse("invalid_client", "authentication failed"),
    }
}

fn refuse(error: &str, description: &str) -> Response {
    let body = json!({ "error": error, "description": description, "error_description": description });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// The value of a name in a form body; `%XX` and `+` are resolved.
fn form_value(body: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.clone().find(|(key, _)| *key == name)?.1;
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                (digit(rest.next())? * 16 + digit(rest.next())?) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}
