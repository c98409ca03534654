//! One HTTPS client and one trust store for everything that goes out.
//!
//! The provider is ring, the trust store is the machine's own, and WebSockets share both. Where every host is loopback
//! without TLS (the demo), no trust store is opened, so that a machine without one can run it. Redirects are not
//! followed: a credential must not go where an answer points. Bodies are read up to a bound. Rejected: a bundled list
//! of authorities (it ages with the binary, and a company's own authority would be missing).

use crate::{Endpoints, Timing};
use reqwest::header::{self, HeaderMap};
use reqwest::{Client, Response, redirect};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// How the program introduces itself.
pub(crate) const USER_AGENT: &str = concat!("headcount/", env!("CARGO_PKG_VERSION"));

/// The shortest wait after a 429, whatever the server says.
const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
/// The longest wait that a server may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(600);

/// Why a source cannot even begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The machine's trust store cannot be used.
    #[error("the machine's trust store cannot be used ({0}); install its package of CA certificates")]
    TrustStore(String),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made ({0}); a proxy variable may hold a broken URL")]
    Client(String),
}

/// The TLS configuration for sockets and calls alike.
pub(crate) fn tls(endpoints: &Endpoints) -> Result<ClientConfig, SetupError> {
    let unusable = |error: rustls::Error| SetupError::TrustStore(error.to_string());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    if endpoints.all_plain() {
        return Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth());
    }
    Ok(builder.with_platform_verifier().map_err(unusable)?.with_no_client_auth())
}

/// The HTTP client.
pub(crate) fn client(
    tls: ClientConfig,
    endpoints: &Endpoints,
    timing: &Timing,
) -> Result<Client, SetupError> {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .connect_timeout(timing.connect_timeout)
        .timeout(timing.request_timeout);
    let builder = if endpoints.all_plain() { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| SetupError::Client(error.without_url().to_string()))
}

/// A body that is too large or broke off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    BrokeOff(String),
}

/// Reads a body of at most `bytes_max` bytes.
pub(crate) async fn body(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| BodyError::BrokeOff(cause(&error)))? {
        if bytes.len() + chunk.len() > bytes_max {
            return Err(BodyError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// How long a 429 asks to wait, in whole seconds (Genesys: header `Retry-After` since 2021-11-10).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX))
}

/// The server's time, in seconds since the epoch.
pub(crate) fn date(headers: &HeaderMap) -> Option<i64> {
    let date = jiff::fmt::rfc2822::parse(headers.get(header::DATE)?.to_str().ok()?).ok()?;
    Some(date.timestamp().as_second())
}

/// Why a call failed, without its URL: the innermost cause says most.
pub(crate) fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut innermost = error.source();
    while let Some(deeper) = innermost.and_then(Error::source) {
        innermost = Some(deeper);
    }
    innermost.map_or_else(|| "the call broke off".to_owned(), ToString::to_string)
}
