//! Authorised REST calls.
//!
//! A 401 is answered by one fresh token and one more try; a 429 stops every call, not only its own, for as long as the
//! server asks, since the limit is the client's; a 403 is told by the name of the permission that is missing. No error
//! carries a query, an id of a channel or a body. Rejected: retries of 5xx in here (the callers know how urgent it is,
//! and have waits of their own).

use crate::token::{NoToken, Token, Tokens};
use crate::{Settings, TokenError};
use outward::{BodyError, PlainHosts, host};
use pipeline::Clock;
use reqwest::{Client, Method, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use url::Url;
use wire::CloudTime;

/// The answer to a call that failed says why in some hundred bytes.
const REFUSAL_BYTES_MAX: usize = 1 << 20;
/// How often a call is repeated for a 429 before its caller is told.
const RATE_LIMITED_TRIES_MAX: u32 = 4;
/// The longest part of a server's message that is repeated.
const MESSAGE_CHARS_MAX: usize = 200;

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// There is no token to call with.
    #[error("{error}")]
    Token {
        /// Why.
        error: TokenError,
        /// How long the token is not asked for again.
        retry_in: Duration,
    },
    /// Fresh tokens are refused.
    #[error(
        "{host} refuses a token that was just issued (401): login and API host must belong to the same region"
    )]
    Unauthorised {
        /// The API host.
        host: String,
    },
    /// A permission is missing.
    #[error(
        "the OAuth client lacks the permission {permission}: give it to a role of the client, in the right divisions"
    )]
    Forbidden {
        /// Its name.
        permission: String,
    },
    /// There is no such thing, or no longer.
    #[error("{host} does not know what was asked for (404)")]
    NotFound {
        /// The API host.
        host: String,
    },
    /// Too many calls, even after waiting.
    #[error(
        "{host} still limits the rate after several waits (429): something else may use the same OAuth client"
    )]
    RateLimited {
        /// The API host.
        host: String,
    },
    /// Another status.
    #[error("{host} answered with status {status} ({message})")]
    Status {
        /// The API host.
        host: String,
        /// The HTTP status.
        status: u16,
        /// What the server said.
        message: String,
    },
    /// No answer.
    #[error("{host} cannot be reached ({why}): check the network, a proxy, and GENESYS_ENVIRONMENT")]
    Unreachable {
        /// The API host.
        host: String,
        /// The cause.
        why: String,
    },
    /// An answer of another shape.
    #[error("{host} answered with something of another shape; is it the API host?")]
    Unreadable {
        /// The API host.
        host: String,
    },
    /// An answer that is larger than any that is read.
    #[error("{host} answered with more than {bytes_max} bytes, and no more are read")]
    TooLarge {
        /// The API host.
        host: String,
        /// The bound.
        bytes_max: usize,
    },
    /// The source is stopping.
    #[error("the program is shutting down")]
    Cancelled,
}

impl ApiError {
    /// How long it is of no use to try again, as far as that is known.
    pub(crate) fn retry_in(&self) -> Duration {
        match self {
            Self::Token { retry_in, .. } => *retry_in,
            _ => Duration::ZERO,
        }
    }
}

impl From<NoToken> for ApiError {
    fn from(NoToken { error, retry_in }: NoToken) -> Self {
        Self::Token { error, retry_in }
    }
}

/// A call to make.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    method: Method,
    path: &'a [&'a str],
    query: &'a [(&'a str, &'a str)],
    body: Option<Value>,
    /// The permission that it takes, by the SDK's documentation, for where a 403 does not name it.
    permission: &'static str,
}

impl<'a> Call<'a> {
    /// `GET {api}/api/v2/{path}`.
    pub fn get(path: &'a [&'a str], permission: &'static str) -> Self {
        Self { method: Method::GET, path, query: &[], body: None, permission }
    }

    /// `POST {api}/api/v2/{path}` with a JSON body.
    pub fn post(path: &'a [&'a str], body: Value, permission: &'static str) -> Self {
        Self { method: Method::POST, path, query: &[], body: Some(body), permission }
    }

    pub fn query(self, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { query, ..self }
    }
}

/// An answer: its body, and the server's time as it says it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub body: Vec<u8>,
    /// In seconds since the epoch.
    pub date: Option<i64>,
}

/// Makes calls.
#[derive(Debug)]
pub(crate) struct Api {
    http: Client,
    base: Url,
    plain: PlainHosts,
    tokens: Tokens,
    rate_limit_wait: Duration,
    body_bytes_max: usize,
    clock: Clock,
    cloud: CloudTime,
    /// No call before this instant.
    paused_until: Mutex<Option<Instant>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorBody {
    message: String,
    code: String,
}

impl Api {
    pub fn new(settings: &Settings, http: Client, random: fastrand::Rng, clock: Clock) -> Self {
        Self {
            tokens: Tokens::new(settings, http.clone(), random),
            http,
            base: settings.endpoints.api.clone(),
            plain: settings.endpoints.plain().clone(),
            rate_limit_wait: settings.timing.rate_limit_wait,
            body_bytes_max: settings.limits.body_bytes_max,
            clock,
            cloud: CloudTime::default(),
            paused_until: Mutex::new(None),
        }
    }

    /// What may be reached without TLS.
    pub fn plain(&self) -> &PlainHosts {
        &self.plain
    }

    /// The token's keeper.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// What time it is on the platform's clock, by the answers that came.
    pub fn cloud(&self) -> &CloudTime {
        &self.cloud
    }

    /// Makes a call and reads its answer as JSON.
    pub async fn json<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, ApiError> {
        let answer = self.send(call).await?;
        serde_json::from_slice(&answer.body).map_err(|_| ApiError::Unreadable { host: host(&self.base) })
    }

    /// Makes a call.
    pub async fn send(&self, call: Call<'_>) -> Result<Answer, ApiError> {
        let mut token = self.tokens.get().await?;
        let mut replaced = false;
        let mut limited = 0;
        loop {
            self.wait_for_pause().await;
            let response = self.attempt(&call, &token).await?;
            match response.status() {
                StatusCode::UNAUTHORIZED if !replaced => {
                    replaced = true;
                    token = self.tokens.replace(&token).await?;
                }
                StatusCode::TOO_MANY_REQUESTS if limited < RATE_LIMITED_TRIES_MAX => {
                    limited += 1;
                    self.pause(outward::retry_after(response.headers()).unwrap_or(self.rate_limit_wait));
                }
                status if status.is_success() => return self.answer(response).await,
                status => return Err(self.failure(status, response, call.permission).await),
            }
        }
    }

    async fn attempt(&self, call: &Call<'_>, token: &Token) -> Result<Response, ApiError> {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v2"]).extend(call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(call.query);
        }
        let mut request = self.http.request(call.method.clone(), url).bearer_auth(token.expose());
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let asked = self.clock.now();
        let response = request.send().await.map_err(|error| self.unreachable(outward::cause(&error)))?;
        if let Some(date) = outward::date(response.headers()) {
            let arrived = self.clock.now();
            self.cloud.reads(arrived, self.clock.boot());
            self.cloud.heard(date, asked, arrived);
            self.clock.witness(date.saturating_mul(engine::SECOND));
        }
        Ok(response)
    }

    async fn answer(&self, response: Response) -> Result<Answer, ApiError> {
        let date = outward::date(response.headers());
        match outward::body(response, self.body_bytes_max).await {
            Ok(body) => Ok(Answer { body, date }),
            Err(BodyError::BrokeOff(why)) => Err(self.unreachable(why)),
            Err(BodyError::TooLarge) => {
                Err(ApiError::TooLarge { host: host(&self.base), bytes_max: self.body_bytes_max })
            }
        }
    }

    async fn failure(&self, status: StatusCode, response: Response, permission: &str) -> ApiError {
        let host = host(&self.base);
        let body = outward::body(response, REFUSAL_BYTES_MAX).await.unwrap_or_default();
        let said: ErrorBody = serde_json::from_slice(&body).unwrap_or_default();
        match status {
            StatusCode::UNAUTHORIZED => ApiError::Unauthorised { host },
            StatusCode::FORBIDDEN => {
                ApiError::Forbidden { permission: missing_permission(&said).unwrap_or(permission.to_owned()) }
            }
            StatusCode::NOT_FOUND => ApiError::NotFound { host },
            StatusCode::TOO_MANY_REQUESTS => ApiError::RateLimited { host },
            _ => ApiError::Status { host, status: status.as_u16(), message: said.in_short() },
        }
    }

    fn unreachable(&self, why: String) -> ApiError {
        ApiError::Unreachable { host: host(&self.base), why }
    }

    async fn wait_for_pause(&self) {
        while let Some(until) = self.paused().filter(|until| Instant::now() < *until) {
            tokio::time::sleep_until(until).await;
        }
    }

    fn paused(&self) -> Option<Instant> {
        *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut paused = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        if paused.is_none_or(|earlier| earlier < until) {
            tracing::warn!(
                wait_s = wait.as_secs(),
                "{} limits the rate (429): every call waits as long as it asks",
                host(&self.base)
            );
            *paused = Some(until);
        }
    }
}

impl ErrorBody {
    fn in_short(&self) -> String {
        let said = if self.message.is_empty() { &self.code } else { &self.message };
        let short: String = said.chars().filter(|c| !c.is_control()).take(MESSAGE_CHARS_MAX).collect();
        if short.is_empty() { "without a message".to_owned() } else { short }
    }
}

/// The permissions that a 403 names: behind the colon of "You are missing the following permission(s): ...".
fn missing_permission(said: &ErrorBody) -> Option<String> {
    if !said.code.starts_with("missing.") {
        return None;
    }
    let (_, names) = said.message.split_once(": ")?;
    let names: String = names.chars().filter(|c| !c.is_control()).take(MESSAGE_CHARS_MAX).collect();
    let names = names.trim_matches(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | '.'));
    (!names.is_empty()).then(|| names.to_owned())
}

#[cfg(test)]
mod tests;
