//! What a source is told at its start.
//!
//! Nothing here is read from the environment or a file: the program does that, and says all that is wrong at once.
//! The secret is a [`SecretString`], so that no `Debug` of it shows anything.

use crate::{Endpoints, Timing, Topics};
use secrecy::SecretString;
use std::fmt;
use std::str::FromStr;

/// All that a source needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The label of the organisation in metrics.
    pub organisation: String,
    /// The OAuth client's id.
    pub client_id: String,
    /// The OAuth client's secret.
    pub client_secret: SecretString,
    /// Where to ask.
    pub endpoints: Endpoints,
    /// Which protocol to speak.
    pub dialect: Dialect,
    /// What to listen to, in the dialect `notifications`.
    pub topics: Topics,
    /// Bounds of a frame.
    pub limits: wire::Limits,
    /// How long to wait for what.
    pub timing: Timing,
}

/// The protocol of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Dialect {
    /// The platform's notification channels.
    #[default]
    Notifications,
    /// The socket of tutorials and in-house gateways.
    Events,
}

/// A text that names no dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no dialect; there are `notifications` and `events`")]
pub struct DialectError(String);

impl Dialect {
    /// The metric label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notifications => "notifications",
            Self::Events => "events",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Dialect {
    type Err = DialectError;

    fn from_str(text: &str) -> Result<Self, DialectError> {
        match text.trim() {
            "notifications" => Ok(Self::Notifications),
            "events" => Ok(Self::Events),
            other => Err(DialectError(other.chars().take(64).collect())),
        }
    }
}
