//! What the follower is told at its start.
//!
//! The token is a [`SecretString`], so that no `Debug` of it shows anything. Which API and schema are wanted may be left
//! open: the server tells its version, and the version decides.

use crate::server::{Correction, Found};
use outward::PlainHosts;
use secrecy::SecretString;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use url::Url;

/// The most lines of one request that may be asked for: what the servers advise is 5,000.
pub const BATCH_LINES_MAX: usize = 100_000;

/// All that the follower needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server; what it is asked is appended to the path.
    pub url: Url,
    /// The organisation, which 2.x asks for.
    pub org: Option<String>,
    /// The bucket; the database of 1.x (`DATABASE` or `DATABASE/RETENTION_POLICY`) and 3.x.
    pub bucket: String,
    /// The token; for 1.x, `USER:PASSWORD`.
    pub token: Option<SecretString>,
    /// Which API to speak; none: ask the server.
    pub api: Option<Api>,
    /// Which schema to write; none: the one that suits the API.
    pub schema: Option<Schema>,
    /// Lines of a request.
    pub batch_lines: usize,
    /// How long a change may wait for others.
    pub batch_wait: Duration,
    /// How long to wait for what.
    pub timing: Timing,
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// TCP and TLS. 10 s.
    pub connect_timeout: Duration,
    /// A whole request. 30 s: a server that compacts answers late.
    pub request_timeout: Duration,
    /// The scale of the first waits between attempts. 0.5 s.
    pub backoff_min: Duration,
    /// The longest wait between attempts. 30 s: a server that comes back is noticed within a minute.
    pub backoff_max: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            backoff_min: Duration::from_millis(500),
            backoff_max: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// Settings with all that may be left out left out.
    #[must_use]
    pub fn new(url: Url, bucket: &str) -> Self {
        Self {
            url,
            org: None,
            bucket: bucket.to_owned(),
            token: None,
            api: None,
            schema: None,
            batch_lines: 5_000,
            batch_wait: Duration::from_secs(1),
            timing: Timing::default(),
        }
    }

    /// What the sink is and how it is written to, for the follower's file: points that went elsewhere say nothing here.
    pub(crate) fn target(&self, found: &Found, schema: Schema) -> String {
        let api = found.api;
        let org = self.org.as_deref().filter(|_| api == Api::V2).unwrap_or_default();
        let way = if found.correction == Correction::TakeBack { " by rows" } else { "" };
        format!("{api} {} {org} {} {schema}{way}", outward::host(&self.url), self.bucket)
    }
}

/// Which API of InfluxDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// 1.x: `/write`.
    V1,
    /// 2.x: `/api/v2/write`.
    V2,
    /// 3.x: `/api/v3/write_lp`.
    V3,
}

impl Api {
    /// The schema that suits it: series cost memory in 1.x and 2.x, and nothing in 3.x.
    #[must_use]
    pub fn schema(self) -> Schema {
        match self {
            Self::V1 | Self::V2 => Schema::Compact,
            Self::V3 => Schema::Tutorial,
        }
    }
}

/// What are tags and what are fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Tags `interactionId`, `participantId`, `state`; fields `vector_clock`, `role`. A series a participant and state.
    Tutorial,
    /// Tags `state`, `role`, `queue`, `medium`; ids are fields. A few hundred series, however long it runs.
    Compact,
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// No such API.
    #[error("{0:?} is no API of InfluxDB; there are `v1`, `v2`, `v3` and `detect`")]
    Api(String),
    /// No such schema.
    #[error("{0:?} is no schema; there are `tutorial` and `compact`")]
    Schema(String),
    /// The URL cannot be read.
    #[error("the InfluxDB URL cannot be read as a URL; give it whole, such as https://host:8086")]
    Unreadable,
    /// Its scheme is another.
    #[error("the InfluxDB URL must begin with https://")]
    Scheme,
    /// A token would go over the network in the clear.
    #[error(
        "the InfluxDB URL is unencrypted, which is accepted for loopback hosts only; use https://, or name its \
         host in HEADCOUNT_PLAIN_HOSTS where nobody can listen in on the way to it"
    )]
    Plain,
    /// It carries a credential.
    #[error("the InfluxDB URL must not carry a user name, password or token; they go into INFLUX_TOKEN")]
    Credential,
}

/// Reads the URL of a server: `https`, or `http` on loopback and to hosts that were named for it, without a credential, a query or a fragment.
///
/// # Errors
/// What is wrong with it.
pub fn read_url(text: &str, plain: &PlainHosts) -> Result<Url, SettingsError> {
    let mut url = Url::parse(text.trim()).map_err(|_| SettingsError::Unreadable)?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(SettingsError::Credential);
    }
    url.set_fragment(None);
    match url.scheme() {
        "https" => Ok(url),
        "http" if plain.allow(&url) => Ok(url),
        "http" => Err(SettingsError::Plain),
        _ => Err(SettingsError::Scheme),
    }
}

impl FromStr for Api {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Self, SettingsError> {
        match text.trim() {
            "v1" => Ok(Self::V1),
            "v2" => Ok(Self::V2),
            "v3" => Ok(Self::V3),
            other => Err(SettingsError::Api(other.chars().take(64).collect())),
        }
    }
}

impl FromStr for Schema {
    type Err = SettingsError;

    fn from_str(text: &str) -> Result<Self, SettingsError> {
        match text.trim() {
            "tutorial" => Ok(Self::Tutorial),
            "compact" => Ok(Self::Compact),
            other => Err(SettingsError::Schema(other.chars().take(64).collect())),
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V3 => "v3",
        })
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tutorial => "tutorial",
            Self::Compact => "compact",
        })
    }
}
