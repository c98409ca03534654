//! What holds for every answer: its headers, its time limit, and a problem where there is no answer.
//!
//! The page shows text that strangers chose (ids, roles), so a browser is told to run and load nothing but our own
//! files. No other origin is let in: there is no CORS header.

use crate::error::{Code, Problem};
use crate::routes::PROBES;
use crate::server::Place;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::time::Duration;

/// How long a handler may take until its answer begins. What a stream says after that is not bounded.
pub(crate) const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Adds the security headers, and forbids to store what does not say otherwise.
pub(crate) async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Answers probes alone where all other places are taken.
pub(crate) async fn probes_first(request: Request, next: Next) -> Response {
    if request.extensions().get() == Some(&Place::Probe) && !PROBES.contains(&request.uri().path()) {
        let detail =
            "all places are taken, but for those of probes; close what is not used, or try again later";
        return Problem::new(Code::TooManyConnections, detail).into_response();
    }
    next.run(request).await
}

/// Gives up on a handler that does not answer within [`ANSWER_TIME_MAX`].
pub(crate) async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(ANSWER_TIME_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::TimedOut, "the engine is busy; try again").into_response(),
    }
}

/// A handler's panic is a defect: it is logged, and only this request suffers.
pub(crate) fn panicked(_what: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    Problem::new(Code::Internal, "the log says more").into_response()
}

/// No route has this path.
pub(crate) async fn not_found() -> Problem {
    Problem::new(Code::NotFound, "the paths begin with /api/v1/; the page is at /")
}

/// The route is there, but only to be read.
pub(crate) async fn method_not_allowed() -> Response {
    let problem = Problem::new(Code::MethodNotAllowed, "everything here is read with GET or HEAD");
    ([(header::ALLOW, "GET, HEAD")], problem).into_response()
}

#[cfg(test)]
mod tests;
