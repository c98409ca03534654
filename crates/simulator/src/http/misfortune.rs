//! Lets requests go wrong as the dice say.
//!
//! It stands before everything else, so that token requests and handshakes of sockets go wrong too; the world does not
//! know a refused request, and has carried out one whose answer breaks off.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::App;
use super::errors::ApiError;
use crate::faults::RequestFault;
use crate::time::Millis;

/// Draws the fate of a request, and of the time that its answer gives.
pub async fn strike(State(shared): App, request: Request, next: Next) -> Response {
    let fault = shared.world().faults.of_request(shared.now());
    let mut response = match fault {
        Some(RequestFault::Refused(status)) => ApiError::injected(status).into_response(),
        Some(RequestFault::AnswerLost) => {
            let _nobody_gets_it = next.run(request).await;
            broken_off()
        }
        None => next.run(request).await,
    };
    let lie = shared.world().faults.date(shared.now());
    if let Some(date) = lie.and_then(http_date) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// An answer that ends in its middle.
fn broken_off() -> Response {
    let begun =
        [Ok(Bytes::from_static(b"{")), Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))];
    Body::from_stream(futures_util::stream::iter(begun)).into_response()
}

fn http_date(at: Millis) -> Option<HeaderValue> {
    let at = Timestamp::from_millisecond(at).ok()?;
    let text = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()?;
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests;
