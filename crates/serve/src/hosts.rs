//! Under which names this is served, so that no page of another site can read it.
//!
//! Who opens a page of a stranger lets its scripts ask any address, and what they may read is decided by the name that
//! they asked: a stranger's name that is pointed at 127.0.0.1 (DNS rebinding) would make this service a part of the
//! stranger's own site. The name comes with each request, in `Host`. An address stands for nobody else, so it may always
//! be asked; a name must be one of the machine's own (`localhost`), or one that was allowed. Rejected: to trust
//! `X-Forwarded-Host`, which a script can set; and a token in the page, which programs would have to fetch first.

use crate::error::{Code, Problem};
use crate::routes::LONG;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

/// How many names may be allowed.
const NAMES_MAX: usize = 64;
/// How much of a stranger's name is repeated, in characters.
const REPEATED_MAX: usize = 64;
/// Liveness: it tells nothing, and is asked by whatever stands in front of a container.
const NO_SECRET: &str = "/healthz";

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The names that are allowed besides the machine's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    names: Vec<String>,
    is_any: bool,
}

/// A text is no list of host names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoHosts(String);

impl std::fmt::Display for NoHosts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoHosts {}

impl FromStr for Hosts {
    type Err = NoHosts;

    /// Names with commas between them, or `*` for any.
    fn from_str(text: &str) -> Result<Self, NoHosts> {
        let mut hosts = Self::default();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match host_of(name) {
                _ if name == "*" => hosts.is_any = true,
                Some(host) if host == name.to_ascii_lowercase().trim_end_matches('.') => {
                    hosts.names.push(host)
                }
                _ => {
                    let shown: String = name.chars().take(REPEATED_MAX).collect();
                    return Err(NoHosts(format!(
                        "`{shown}` is no host name: names alone are wanted, without scheme, port and path, as in \
                         board.example.org, or `*` for any"
                    )));
                }
            }
        }
        match hosts.names.len() {
            0..=NAMES_MAX => Ok(hosts),
            _ => Err(NoHosts(format!("at most {NAMES_MAX} names may be allowed"))),
        }
    }
}

impl Hosts {
    /// Whether this is served under such a host, with or without a port.
    fn serves(&self, authority: &str) -> bool {
        let Some(host) = host_of(authority) else { return false };
        let address = host.trim_start_matches('[').trim_end_matches(']');
        self.is_any
            || address.parse::<IpAddr>().is_ok()
            || host == "localhost"
            || host.ends_with(".localhost")
            || self.names.contains(&host)
    }

    /// Whether a page may ask that came from an origin: one of this very address, or of a name that was allowed.
    fn takes_from(&self, origin: &str, asked: Option<&str>) -> bool {
        let Some((_, authority)) = origin.split_once("://") else { return false };
        self.is_any
            || asked.is_some_and(|asked| asked.eq_ignore_ascii_case(authority))
            || host_of(authority).is_some_and(|host| self.names.contains(&host))
    }
}

/// The host of `host:port`, in lower case; `None` when it is neither.
fn host_of(authority: &str) -> Option<String> {
    if authority.contains('@') {
        return None;
    }
    let authority: Authority = authority.parse().ok()?;
    Some(authority.host().trim_end_matches('.').to_ascii_lowercase()).filter(|host| !host.is_empty())
}

/// Lets a request through that asks for a name of ours, and does not come from a page of another site.
pub(crate) async fn only_ours(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path != NO_SECRET {
        let named = request.headers().get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or("?"));
        let whole = request.uri().authority().map(Authority::as_str);
        if let Some(strange) = named.chain(whole).find(|host| !hosts.serves(host)) {
            return not_ours(strange).into_response();
        }
    }
    if LONG.contains(&path) && is_foreign(&hosts, request.headers()) {
        let detail = "a page of another site may not hold this open; if it is yours, allow its host name with \
                      HEADCOUNT_HOSTS, or with `hosts` in the configuration's section [serve]";
        return Problem::new(Code::ForeignPage, detail).into_response();
    }
    next.run(request).await
}

fn not_ours(host: &str) -> Problem {
    let host: String = host.chars().take(REPEATED_MAX).collect();
    let detail = format!(
        "this is not served under the name \"{host}\", so that no page of another site can read it; ask by address or as \
         localhost, or allow the name with HEADCOUNT_HOSTS, or with `hosts` in the configuration's section [serve]"
    );
    Problem::new(Code::UnknownHost, detail)
}

/// Whether a browser says that a page of another site asks. Following a link is no such thing.
fn is_foreign(hosts: &Hosts, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let crosses = text(FETCH_SITE) == Some("cross-site") && text(FETCH_MODE) != Some("navigate");
    match text(header::ORIGIN) {
        Some(origin) => !hosts.takes_from(origin, text(header::HOST)),
        None => crosses && !hosts.is_any,
    }
}

#[cfg(test)]
mod tests;
