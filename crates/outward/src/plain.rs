//! Which hosts may be talked to without TLS.
//!
//! What goes out carries a secret or names people, so it goes out encrypted, but for hosts that never leave this machine, and
//! for those that whoever runs the program names: a network of containers, in which a database has no certificate. They are
//! named one by one. Rejected: a switch for all hosts (it would cover a typing mistake in a public URL, too), and private
//! address ranges by themselves (a company's whole network lies in one).

use crate::http::is_loopback;
use std::net::IpAddr;
use std::str::FromStr;
use url::{Host, Url};

/// How many hosts may be named.
const HOSTS_MAX: usize = 64;
/// How much of a wrong name is repeated, in characters.
const REPEATED_MAX: usize = 64;

/// The hosts that were named, besides loopback. None by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlainHosts(Vec<String>);

/// A text is no list of hosts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPlainHosts {
    /// One of them is no host.
    #[error(
        "`{0}` is no host: names or addresses alone are wanted, without scheme, port and path, as in influxdb or 10.0.0.7"
    )]
    NoHost(String),
    /// There are too many.
    #[error("at most {HOSTS_MAX} hosts may be named")]
    TooMany,
}

impl PlainHosts {
    /// Whether a URL's host may be talked to without TLS.
    #[must_use]
    pub fn allow(&self, url: &Url) -> bool {
        is_loopback(url) || url.host().is_some_and(|host| self.0.contains(&host.to_string()))
    }

    /// Whether it may only because it was named, and is talked to so: secrets go there in the clear.
    #[must_use]
    pub fn are_used_by(&self, url: &Url) -> bool {
        matches!(url.scheme(), "http" | "ws") && !is_loopback(url) && self.allow(url)
    }
}

impl FromStr for PlainHosts {
    type Err = NoPlainHosts;

    /// Names and addresses with commas between them.
    fn from_str(text: &str) -> Result<Self, NoPlainHosts> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let hosts = names.map(host).collect::<Result<Vec<_>, _>>()?;
        if hosts.len() > HOSTS_MAX {
            return Err(NoPlainHosts::TooMany);
        }
        Ok(Self(hosts))
    }
}

/// A host as a URL has it.
fn host(name: &str) -> Result<String, NoPlainHosts> {
    let no_host = || NoPlainHosts::NoHost(name.chars().take(REPEATED_MAX).collect());
    if let Ok(IpAddr::V6(address)) = name.parse() {
        return Ok(Host::<String>::Ipv6(address).to_string());
    }
    match Host::parse(name) {
        Ok(host) if !name.contains('*') => Ok(host.to_string()),
        _ => Err(no_host()),
    }
}

#[cfg(test)]
mod tests;
