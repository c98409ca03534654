//! Who may ask, how often, and what a test wants to go wrong.
//!
//! Tokens live in memory for as long as the options say. The rate limit is the platform's: a number of requests a
//! token and minute, counted from the first; above it 429 with the seconds until the minute is over.

use std::collections::{HashMap, VecDeque};

use axum::http::StatusCode;
use uuid::Uuid;

use super::errors::ApiError;
use crate::options::Options;
use crate::time::Millis;

/// Tokens that are remembered; beyond, the oldest goes.
const TOKENS_MAX: usize = 1_000;

/// The window of the rate limit.
const WINDOW_MS: Millis = 60_000;

struct Token {
    text: String,
    client: String,
    expires_at: Millis,
}

struct Window {
    from: Millis,
    requests: u32,
}

/// Tokens, limits and failures on order.
pub struct Access {
    lifetime_ms: Millis,
    requests_per_minute: u32,
    tokens: VecDeque<Token>,
    windows: HashMap<String, Window>,
    failing: VecDeque<StatusCode>,
    /// Paths that begin like one of these are forbidden, for want of the permission.
    forbidden: Vec<(String, String)>,
}

impl Access {
    /// Nobody is in yet.
    pub fn new(options: &Options) -> Self {
        Self {
            lifetime_ms: options.token_lifetime.as_millis() as Millis,
            requests_per_minute: options.requests_per_minute,
            tokens: VecDeque::new(),
            windows: HashMap::new(),
            failing: VecDeque::new(),
            forbidden: Vec::new(),
        }
    }

    /// A new token and its life in seconds.
    pub fn grant(&mut self, client: &str, now: Millis) -> (String, Millis) {
        if self.tokens.len() >= TOKENS_MAX {
            self.tokens.pop_front();
        }
        let text = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let token =
            Token { text: text.clone(), client: client.to_owned(), expires_at: now + self.lifetime_ms };
        self.tokens.push_back(token);
        (text, self.lifetime_ms / 1000)
    }

    /// The client that a token stands for.
    pub fn client_of(&self, token: &str, now: Millis) -> Option<String> {
        let known = self.tokens.iter().find(|known| known.text == token)?;
        (known.expires_at > now).then(|| known.client.clone())
    }

    /// Lets a request through, or says why not. Gives the client.
    pub fn admit(&mut self, token: Option<&str>, path: &str, now: Millis) -> Result<String, ApiError> {
        if let Some(status) = self.failing.pop_front() {
            return Err(ApiError::injected(status));
        }
        let token = token.ok_or_else(ApiError::authentication_required)?;
        let client = self.client_of(token, now).ok_or_else(ApiError::bad_credentials)?;
        self.count(token, now)?;
        match self.forbidden.iter().find(|(prefix, _)| path.starts_with(prefix)) {
            Some((_, permission)) => Err(ApiError::missing_permissions(permission)),
            None => Ok(client),
        }
    }

    /// Every token that was given is void.
    pub fn revoke_all(&mut self) {
        self.tokens.clear();
    }

    /// The next `count` requests fail with `status`.
    pub fn fail_next(&mut self, count: usize, status: StatusCode) {
        self.failing.extend(std::iter::repeat_n(status, count));
    }

    /// Requests to paths that begin with `prefix` miss `permission`.
    pub fn forbid(&mut self, prefix: &str, permission: &str) {
        self.forbidden.push((prefix.to_owned(), permission.to_owned()));
    }

    fn count(&mut self, token: &str, now: Millis) -> Result<(), ApiError> {
        if self.requests_per_minute == 0 {
            return Ok(());
        }
        self.windows.retain(|_, window| now - window.from < WINDOW_MS);
        let window = self.windows.entry(token.to_owned()).or_insert(Window { from: now, requests: 0 });
        window.requests += 1;
        if window.requests <= self.requests_per_minute {
            return Ok(());
        }
        let left_ms = window.from + WINDOW_MS - now;
        Err(ApiError::too_many_requests((left_ms as u64).div_ceil(1000), self.requests_per_minute))
    }
}
