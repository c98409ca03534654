//! The access token: asked for once, however many need it.
//!
//! A token is kept until five minutes before its end, or for four fifths of a life too short for that. Whoever needs one
//! takes the lock; the first to find it stale asks, the others find what it got. A failure is kept like a token: until its
//! wait is over everybody gets the same error, so that twenty channels do not hammer a login host that is down. Wrong
//! credentials look permanent and are still tried again, slowly: somebody may be mending them. Rejected: a background
//! task that refreshes ahead (a second writer, and a token nobody may need).

use outward::Backoff;

use crate::{Settings, Timing};
use engine::Id;
use outward::host;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

/// A token is not used in the last five minutes of its life.
const MARGIN: Duration = Duration::from_secs(300);
/// A token's answer has some hundred bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The longest life the platform gives (450 days); more is a mistake of the sender.
const LIFE_SECONDS_MAX: u64 = 450 * 86_400;

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The login host does not know this pair of id and secret.
    #[error(
        "{host} refused the client id and secret ({code}): check that GENESYS_CLIENT_ID and GENESYS_CLIENT_SECRET \
         belong together, and that GENESYS_ENVIRONMENT is the region in which the OAuth client was made{hint}"
    )]
    Credentials {
        /// The login host.
        host: String,
        /// The OAuth error code.
        code: String,
        /// What stands out about the id.
        hint: &'static str,
    },
    /// The OAuth client is of another kind.
    #[error(
        "{host} refused the grant ({code}): the OAuth client must have the grant type Client Credentials"
    )]
    Grant {
        /// The login host.
        host: String,
        /// The OAuth error code.
        code: String,
    },
    /// Too many requests.
    #[error("{host} asks to wait {seconds} s before the next token request (429)")]
    RateLimited {
        /// The login host.
        host: String,
        /// The wait it asks for.
        seconds: u64,
    },
    /// Another status.
    #[error("{host} answered the token request with status {status}")]
    Status {
        /// The login host.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// No answer.
    #[error("{host} cannot be reached ({why}): check the network, a proxy, and GENESYS_ENVIRONMENT")]
    Unreachable {
        /// The login host.
        host: String,
        /// The cause.
        why: String,
    },
    /// An answer that is no token.
    #[error("{host} answered the token request with something that is no token; is it the login host?")]
    NoToken {
        /// The login host.
        host: String,
    },
}

/// A token, and which one it is.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    secret: Arc<SecretString>,
    number: u64,
    stale_at: Instant,
}

impl Token {
    /// For a header or a socket's query, nothing else.
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

/// A failure, and how long it will be answered without asking again.
#[derive(Clone, Debug)]
pub(crate) struct NoToken {
    pub error: TokenError,
    pub retry_in: Duration,
}

/// Keeps the token.
#[derive(Debug)]
pub(crate) struct Tokens {
    http: Client,
    url: Url,
    client_id: String,
    client_secret: SecretString,
    timing: Timing,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    token: Option<Token>,
    failure: Option<(TokenError, Instant)>,
    backoff: Backoff,
    asked: u64,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(deserialize_with = "secret")]
    access_token: SecretString,
    expires_in: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OauthError {
    error: String,
}

impl Tokens {
    pub fn new(settings: &Settings, http: Client, random: fastrand::Rng) -> Self {
        let mut url = settings.endpoints.login.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["oauth", "token"]);
        }
        let timing = settings.timing;
        let backoff = Backoff::new(timing.backoff_min, timing.backoff_max, random);
        Self {
            http,
            url,
            client_id: settings.client_id.clone(),
            client_secret: settings.client_secret.clone(),
            timing,
            kept: Mutex::new(Kept { token: None, failure: None, backoff, asked: 0 }),
        }
    }

    /// A token that can be used now.
    pub async fn get(&self) -> Result<Token, NoToken> {
        let mut kept = self.kept.lock().await;
        match &kept.token {
            Some(token) if Instant::now() < token.stale_at => Ok(token.clone()),
            _ => self.ask(&mut kept).await,
        }
    }

    /// A token in place of one that was refused; the one that another caller got in the meantime, if any.
    pub async fn replace(&self, refused: &Token) -> Result<Token, NoToken> {
        let mut kept = self.kept.lock().await;
        match &kept.token {
            Some(token) if token.number != refused.number && Instant::now() < token.stale_at => {
                Ok(token.clone())
            }
            _ => self.ask(&mut kept).await,
        }
    }

    async fn ask(&self, kept: &mut Kept) -> Result<Token, NoToken> {
        let now = Instant::now();
        if let Some((error, until)) = kept.failure.as_ref().filter(|(_, until)| now < *until) {
            return Err(NoToken { error: error.clone(), retry_in: until.duration_since(now) });
        }
        kept.token = None;
        match self.request().await {
            Ok(answer) => {
                kept.asked += 1;
                kept.backoff.reset();
                kept.failure = None;
                let stale_at =
                    Instant::now() + usable(Duration::from_secs(answer.expires_in.min(LIFE_SECONDS_MAX)));
                let token = Token { secret: Arc::new(answer.access_token), number: kept.asked, stale_at };
                kept.token = Some(token.clone());
                Ok(token)
            }
            Err(error) => {
                let retry_in = match &error {
                    TokenError::Credentials { .. } | TokenError::Grant { .. } => {
                        self.timing.credentials_retry
                    }
                    TokenError::RateLimited { seconds, .. } => Duration::from_secs(*seconds),
                    _ => kept.backoff.wait(),
                };
                kept.failure = Some((error.clone(), Instant::now() + retry_in));
                Err(NoToken { error, retry_in })
            }
        }
    }

    async fn request(&self) -> Result<Answer, TokenError> {
        let host = host(&self.url);
        let response = self
            .http
            .post(self.url.clone())
            .basic_auth(&self.client_id, Some(self.client_secret.expose_secret()))
            .form(&[("grant_type", "client_credentials")])
            .send()
            .await
            .map_err(|error| TokenError::Unreachable { host: host.clone(), why: outward::cause(&error) })?;
        let status = response.status().as_u16();
        let wait = outward::retry_after(response.headers()).unwrap_or(self.timing.rate_limit_wait);
        let body = outward::body(response, ANSWER_BYTES_MAX).await.unwrap_or_default();
        match status {
            200..=299 => serde_json::from_slice(&body).map_err(|_| TokenError::NoToken { host }),
            429 => Err(TokenError::RateLimited { host, seconds: wait.as_secs() }),
            400 | 401 => Err(self.refusal(host, &body)),
            _ => Err(TokenError::Status { host, status }),
        }
    }

    /// The platform does not say which of id, secret and region is wrong: all three end in `invalid_client`.
    fn refusal(&self, host: String, body: &[u8]) -> TokenError {
        let given: OauthError = serde_json::from_slice(body).unwrap_or_default();
        let known = ["unauthorized_client", "unsupported_grant_type", "invalid_grant", "invalid_scope"];
        if let Some(code) = known.into_iter().find(|code| *code == given.error) {
            return TokenError::Grant { host, code: code.to_owned() };
        }
        let is_uuid = Id::new(&self.client_id.to_ascii_lowercase()).is_ok_and(|id| id.as_uuid().is_some());
        let hint =
            if is_uuid { "" } else { "; the id is no UUID as the platform's are, so look there first" };
        TokenError::Credentials { host, code: "invalid_client".to_owned(), hint }
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// How much of a token's life it is used: all but five minutes, or four fifths where that is more.
fn usable(life: Duration) -> Duration {
    life.saturating_sub(MARGIN).max(life * 4 / 5)
}

#[cfg(test)]
mod tests;
