//! One HTTPS client and one trust store for everything that goes out.
//!
//! The provider is ring, the trust store is the machine's own, and WebSockets share both. Where every host is talked to
//! without TLS (the demo), no trust store is opened, so that a machine without one can run it. Redirects are not
//! followed: a credential must not go where an answer points. Bodies are read up to a bound. Rejected: a bundled list
//! of authorities (it ages with the binary, and a company's own authority would be missing).

use reqwest::header::{self, HeaderMap};
use reqwest::{Client, Response, redirect};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// How the program introduces itself.
pub const USER_AGENT: &str = concat!("headcount/", env!("CARGO_PKG_VERSION"));

/// The shortest wait after a 429, whatever the server says.
const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
/// The longest wait that a server may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(600);

/// Why nobody can be called at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The machine's trust store cannot be used.
    #[error("the machine's trust store cannot be used ({0}); install its package of CA certificates")]
    TrustStore(String),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made ({0}); a proxy variable may hold a broken URL")]
    Client(String),
}

/// How long a client waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// For TCP and TLS.
    pub connect_timeout: Duration,
    /// For a whole call.
    pub request_timeout: Duration,
}

/// The TLS configuration for sockets and calls alike. `plain`: no host is talked to through TLS.
///
/// # Errors
/// When the machine's trust store cannot be used.
pub fn tls(plain: bool) -> Result<ClientConfig, SetupError> {
    let unusable = |error: rustls::Error| SetupError::TrustStore(error.to_string());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    if plain {
        return Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth());
    }
    Ok(builder.with_platform_verifier().map_err(unusable)?.with_no_client_auth())
}

/// The HTTP client. `plain` as for [`tls`]: no proxy stands in front of
/// loopback hosts and those of a network of containers.
///
/// # Errors
/// When a proxy variable holds a broken URL.
pub fn client(tls: ClientConfig, plain: bool, waits: Waits) -> Result<Client, SetupError> {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .connect_timeout(waits.connect_timeout)
        .timeout(waits.request_timeout);
    let builder = if plain { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| SetupError::Client(error.without_url().to_string()))
}

/// A body that is too large or broke off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is above the bound.
    TooLarge,
    /// It broke off, and why.
    BrokeOff(String),
}

/// Reads a body of at most `bytes_max` bytes.
///
/// # Errors
/// When it is larger, or breaks off.
pub async fn body(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| BodyError::BrokeOff(cause(&error)))? {
        if bytes.len() + chunk.len() > bytes_max {
            return Err(BodyError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// How long an answer asks to wait, in whole seconds (Genesys: header `Retry-After` since 2021-11-10).
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX))
}

/// The server's time, in seconds since the epoch; `None` from a cache too, whose answer is as old as its `Age` says.
#[must_use]
pub fn date(headers: &HeaderMap) -> Option<i64> {
    let age = headers.get(header::AGE).and_then(|age| age.to_str().ok());
    if age.is_some_and(|age| age.trim() != "0") {
        return None;
    }
    let date = jiff::fmt::rfc2822::parse(headers.get(header::DATE)?.to_str().ok()?).ok()?;
    Some(date.timestamp().as_second())
}

/// Why a call failed, without its URL: the innermost cause says most.
#[must_use]
pub fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut innermost = error.source();
    while let Some(deeper) = innermost.and_then(Error::source) {
        innermost = Some(deeper);
    }
    innermost.map_or_else(|| "the call broke off".to_owned(), ToString::to_string)
}

/// True for a host that never leaves this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The host and port of a URL: all of it that may be printed.
#[must_use]
pub fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or("?");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
