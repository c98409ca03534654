//! Where an organisation lives: its region, and the three hosts that follow from it.
//!
//! An organisation belongs to one region, and a client id is known there only: asking another region's login host looks
//! exactly like a wrong secret. So an environment that is not known is refused at once with the list of those that are.
//! Plain text is for loopback, where the simulator and gateways under test live, and for hosts that were named for it.
//! Rejected: guessing `{name}.mypurecloud.com` from a short name (no region is a subdomain of it), and accepting any
//! domain (a typing mistake would send the client secret to whoever owns it; a private host is named by its own URL
//! instead).

use outward::PlainHosts;
use url::Url;

/// AWS region and environment domain of each region (Genesys SDKs, `PureCloudRegionHosts`).
const ENVIRONMENTS: [(&str, &str); 18] = [
    ("us-east-1", "mypurecloud.com"),
    ("us-east-2", "use2.us-gov-pure.cloud"),
    ("us-west-2", "usw2.pure.cloud"),
    ("ca-central-1", "cac1.pure.cloud"),
    ("mx-central-1", "mxc1.pure.cloud"),
    ("sa-east-1", "sae1.pure.cloud"),
    ("eu-west-1", "mypurecloud.ie"),
    ("eu-west-2", "euw2.pure.cloud"),
    ("eu-central-1", "mypurecloud.de"),
    ("eu-central-2", "euc2.pure.cloud"),
    ("eusc-de-east-1", "edee1.eusc-pure.cloud"),
    ("ap-south-1", "aps1.pure.cloud"),
    ("ap-southeast-1", "apse1.pure.cloud"),
    ("ap-southeast-2", "mypurecloud.com.au"),
    ("ap-northeast-1", "mypurecloud.jp"),
    ("ap-northeast-2", "apne2.pure.cloud"),
    ("ap-northeast-3", "apne3.pure.cloud"),
    ("me-central-1", "mec1.pure.cloud"),
];

/// The hosts that are talked to. None of the URLs carries a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// `POST {login}/oauth/token`.
    pub login: Url,
    /// `{api}/api/v2/...`.
    pub api: Url,
    /// The whole socket URL of the `events` dialect, without the token.
    pub events: Url,
    /// What may be reached without TLS, sockets of channels among it.
    plain: PlainHosts,
}

/// An environment that no region has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is neither a region's domain nor an AWS region; there are {}", list())]
pub struct EnvironmentError {
    /// What was given, cut to 64 characters.
    pub given: String,
}

/// A URL that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It cannot be read.
    #[error("the {0} URL cannot be read as a URL; give it whole, such as https://host:port")]
    Unreadable(&'static str),
    /// Its scheme is of another protocol.
    #[error("the {endpoint} URL must begin with {wanted}://")]
    Scheme {
        /// Which URL.
        endpoint: &'static str,
        /// `https` or `wss`.
        wanted: &'static str,
    },
    /// Credentials would go over the network in the clear.
    #[error(
        "the {endpoint} URL is unencrypted, which is accepted for loopback hosts only; use {wanted}://, or name its \
         host in HEADCOUNT_PLAIN_HOSTS where nobody can listen in on the way to it"
    )]
    Plain {
        /// Which URL.
        endpoint: &'static str,
        /// `https` or `wss`.
        wanted: &'static str,
    },
    /// It carries a user name, a password or a token.
    #[error(
        "the {0} URL must not carry a user name, password or token; credentials have variables of their own"
    )]
    Credential(&'static str),
}

/// Every region: AWS name and domain.
#[must_use]
pub fn environments() -> &'static [(&'static str, &'static str)] {
    &ENVIRONMENTS
}

impl Endpoints {
    /// The hosts of a region, by its domain (`mypurecloud.de`) or its AWS name (`eu-central-1`).
    ///
    /// # Errors
    /// [`EnvironmentError`], which lists what there is.
    pub fn for_environment(environment: &str) -> Result<Self, EnvironmentError> {
        let name = environment.trim().to_ascii_lowercase();
        let unknown = || EnvironmentError { given: environment.chars().take(64).collect() };
        let (_, domain) =
            ENVIRONMENTS.iter().find(|(aws, domain)| *aws == name || *domain == name).ok_or_else(unknown)?;
        let url = |text: String| Url::parse(&text).map_err(|_| unknown());
        Ok(Self {
            login: url(format!("https://login.{domain}"))?,
            api: url(format!("https://api.{domain}"))?,
            events: url(format!("wss://api.{domain}/api/v2/events"))?,
            plain: PlainHosts::default(),
        })
    }

    /// Lets hosts be reached without TLS, besides loopback.
    #[must_use]
    pub fn allowing_plain(self, plain: PlainHosts) -> Self {
        Self { plain, ..self }
    }

    /// What may be reached without TLS.
    pub(crate) fn plain(&self) -> &PlainHosts {
        &self.plain
    }

    /// Takes other hosts in place of the region's, where given.
    ///
    /// # Errors
    /// The first [`EndpointError`] found.
    pub fn with_overrides(
        mut self,
        login: Option<&str>,
        api: Option<&str>,
        events: Option<&str>,
    ) -> Result<Self, EndpointError> {
        if let Some(text) = login {
            self.login = endpoint("login", text, "https", &self.plain)?;
        }
        if let Some(text) = api {
            self.api = endpoint("API", text, "https", &self.plain)?;
        }
        if let Some(text) = events {
            self.events = endpoint("events", text, "wss", &self.plain)?;
        }
        Ok(self)
    }

    /// True when nothing is reached through TLS, so that no trust store is needed.
    pub(crate) fn all_plain(&self) -> bool {
        [&self.login, &self.api, &self.events].iter().all(|url| matches!(url.scheme(), "http" | "ws"))
    }
}

fn endpoint(
    name: &'static str,
    text: &str,
    wanted: &'static str,
    plain_hosts: &PlainHosts,
) -> Result<Url, EndpointError> {
    let url = Url::parse(text.trim()).map_err(|_| EndpointError::Unreadable(name))?;
    let credential = url.query_pairs().any(|(key, _)| key.eq_ignore_ascii_case("access_token"));
    if credential || !url.username().is_empty() || url.password().is_some() {
        return Err(EndpointError::Credential(name));
    }
    let plain = if wanted == "wss" { "ws" } else { "http" };
    match url.scheme() {
        scheme if scheme == wanted => Ok(url),
        scheme if scheme == plain && plain_hosts.allow(&url) => Ok(url),
        scheme if scheme == plain => Err(EndpointError::Plain { endpoint: name, wanted }),
        _ => Err(EndpointError::Scheme { endpoint: name, wanted }),
    }
}

fn list() -> String {
    ENVIRONMENTS.map(|(aws, domain)| format!("{domain} ({aws})")).join(", ")
}

#[cfg(test)]
mod tests;
