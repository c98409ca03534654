//! The platform's error body.
//!
//! Every error of the REST interface has one shape (`ErrorBody` in the platform's SDK) and carries a correlation id;
//! a 429 names its seconds in a header and in the text. The token endpoint has a shape of its own, see `oauth`.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use uuid::Uuid;

/// An error as the platform answers it.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after_s: Option<u64>,
    limit: Option<u32>,
}

impl ApiError {
    /// An error with its code and text.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after_s: None, limit: None }
    }

    /// The text.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// 400: the request makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad.request", message)
    }

    /// 404.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not.found", "The requested resource was not found.")
    }

    /// 401: no token.
    pub fn authentication_required() -> Self {
        let message = "No authentication bearer token specified in authorization header.";
        Self::new(StatusCode::UNAUTHORIZED, "authentication.required", message)
    }

    /// 401: a token that is unknown or has expired.
    pub fn bad_credentials() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "bad.credentials", "Invalid login credentials.")
    }

    /// 403.
    pub fn missing_permissions(permission: &str) -> Self {
        let message = "Unable to perform the requested action. You are missing the following permission(s): ";
        Self::new(StatusCode::FORBIDDEN, "missing.permissions", format!("{message}{permission}"))
    }

    /// 429.
    pub fn too_many_requests(retry_after_s: u64, limit: u32) -> Self {
        let message =
            format!("Rate limit exceeded the maximum. Retry the request in [{retry_after_s}] seconds");
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too.many.requests.retry.after", message);
        Self { retry_after_s: Some(retry_after_s), limit: Some(limit), ..error }
    }

    /// A failure that a test has asked for.
    pub fn injected(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::bad_credentials(),
            StatusCode::FORBIDDEN => Self::missing_permissions("platform:something:view"),
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::TOO_MANY_REQUESTS => Self::too_many_requests(1, 300),
            StatusCode::SERVICE_UNAVAILABLE => Self::new(
                status,
                "service.unavailable",
                "Service Unavailable - The server is currently unavailable (because it is overloaded or down for maintenance).",
            ),
            StatusCode::GATEWAY_TIMEOUT => Self::new(status, "request.timeout", "The request timed out."),
            status => Self::new(
                status,
                "internal.server.error",
                "The server encountered an unexpected condition which prevented it from fulfilling the request.",
            ),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let context = Uuid::new_v4().to_string();
        let mut body = json!({
            "message": self.message,
            "code": self.code,
            "status": self.status.as_u16(),
            "contextId": context,
            "details": [],
            "errors": [],
        });
        if let Some(value) = self.limit {
            let key = "client.credentials.token.rate.per.minute";
            body["limit"] = json!({ "key": key, "namespace": "platform.api", "value": value });
        }
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Ok(context) = HeaderValue::from_str(&context) {
            headers.insert(HeaderName::from_static("inin-correlation-id"), context);
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
