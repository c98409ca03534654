//! What goes wrong, in one closed list, as `application/problem+json` (RFC 9457).
//!
//! Handlers name the code; status and title follow from it here and nowhere else, so that a program can rely on the
//! code and a person can read the detail. `type` is a stable name of the code, not an address: nothing has to be online.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Everything that can be wrong with a request, or with us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// No such route.
    NotFound,
    /// No such conversation.
    UnknownConversation,
    /// No such participant of a conversation.
    UnknownParticipant,
    /// No such user.
    UnknownUser,
    /// Not `GET` or `HEAD`.
    MethodNotAllowed,
    /// This is not served under the host's name that was asked for.
    UnknownHost,
    /// A page of another site asks for what it may not hold open.
    ForeignPage,
    /// A query parameter is unknown, given twice, or its value is not one.
    BadParameter,
    /// The cursor is not one that a page gave.
    BadCursor,
    /// What was asked for is so old that it is kept no longer.
    NotKept,
    /// More event streams are open than are served.
    TooManyStreams,
    /// More connections are open than are served.
    TooManyConnections,
    /// More exports are under way than are served.
    TooManyExports,
    /// The history cannot be read.
    HistoryUnreadable,
    /// Current data is not served.
    NotReady,
    /// The answer took too long.
    TimedOut,
    /// The program is on its way out.
    ShuttingDown,
    /// A defect of ours.
    Internal,
}

impl Code {
    /// Status, code and title.
    fn facts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "There is nothing here"),
            Self::UnknownConversation => {
                (StatusCode::NOT_FOUND, "unknown_conversation", "No such conversation is known")
            }
            Self::UnknownParticipant => {
                (StatusCode::NOT_FOUND, "unknown_participant", "No such participant is known")
            }
            Self::UnknownUser => (StatusCode::NOT_FOUND, "unknown_user", "No such user is known"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "The method is not allowed")
            }
            Self::UnknownHost => {
                (StatusCode::MISDIRECTED_REQUEST, "unknown_host", "This is not served under that name")
            }
            Self::ForeignPage => {
                (StatusCode::FORBIDDEN, "foreign_page", "A page of another site may not ask for this")
            }
            Self::BadParameter => (StatusCode::BAD_REQUEST, "bad_parameter", "A parameter is wrong"),
            Self::BadCursor => (StatusCode::BAD_REQUEST, "bad_cursor", "The cursor is wrong"),
            Self::NotKept => (StatusCode::GONE, "not_kept", "This is kept no longer"),
            Self::TooManyStreams => {
                (StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", "Too many event streams are open")
            }
            Self::TooManyConnections => {
                (StatusCode::SERVICE_UNAVAILABLE, "too_many_connections", "Too many connections are open")
            }
            Self::TooManyExports => {
                (StatusCode::SERVICE_UNAVAILABLE, "too_many_exports", "Too many exports are under way")
            }
            Self::HistoryUnreadable => {
                (StatusCode::SERVICE_UNAVAILABLE, "history_unreadable", "The history cannot be read")
            }
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "not_ready", "Current data is not served"),
            Self::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, "timed_out", "The answer took too long"),
            Self::ShuttingDown => {
                (StatusCode::SERVICE_UNAVAILABLE, "shutting_down", "The program is shutting down")
            }
            Self::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something is wrong on our side")
            }
        }
    }
}

/// An answer that says what went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
    reasons: Vec<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    reasons: &'a [String],
}

impl Problem {
    /// A problem of this kind; `detail` is for people.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), reasons: Vec::new() }
    }

    /// Current data is not served, and why.
    pub(crate) fn not_ready(reasons: &[String]) -> Self {
        Self { reasons: reasons.to_vec(), ..Self::new(Code::NotReady, reasons.join("; ")) }
    }
}

impl From<pipeline::NoAnswer> for Problem {
    fn from(none: pipeline::NoAnswer) -> Self {
        match &none {
            pipeline::NoAnswer::Stopped => Self::new(Code::ShuttingDown, none.to_string()),
            pipeline::NoAnswer::Withheld(reasons) => Self::not_ready(reasons),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code, title) = self.code.facts();
        let body = Body {
            kind: format!("urn:headcount:problem:{code}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            code,
            reasons: &self.reasons,
        };
        let mut response = (status, Json(body)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
