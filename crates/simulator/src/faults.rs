//! What goes wrong by chance, at the edge of the cloud, while it plays.
//!
//! Orders of a test ([`crate::Control`]) make one thing go wrong at one moment. What wears a client down is all of it,
//! at moments that nobody chose: a request that fails, one that was carried out and whose answer got lost, topics that a
//! subscription's answer does not mention, a `Date` that lies, a socket that stays open and says nothing more. Each has a
//! share of its own, drawn from the seed; they end together, so that what can heal heals.
//!
//! Rejected: a proxy in front (it cannot leave a topic out, and does not know which frames a silent socket lost).

use axum::http::StatusCode;
use clap::Args;
use fastrand::Rng;
use std::time::Duration;

use crate::options::parse_duration;
use crate::time::Millis;

#[cfg(test)]
mod tests;

/// What requests fail with: what a platform and the balancers before it answer on bad days.
const STATUSES: [StatusCode; 6] = [
    StatusCode::INTERNAL_SERVER_ERROR,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::UNAUTHORIZED,
];
/// How far a `Date` that lies is off, at most, in milliseconds.
const LIE_MS_MAX: Millis = 12 * 3_600_000;

/// Shares of what goes wrong by chance.
#[derive(Args, Clone, Debug)]
pub struct FaultOptions {
    /// Share of requests that fail (500, 502, 503, 504, 429, 401), handshakes and token requests among them
    #[arg(long, value_name = "F", default_value = "0")]
    pub fail_requests: f64,
    /// Share of requests that are carried out, and whose answer breaks off
    #[arg(long, value_name = "F", default_value = "0")]
    pub lose_answers: f64,
    /// Share of topics that a subscription's answer leaves out, and that are not subscribed
    #[arg(long, value_name = "F", default_value = "0")]
    pub leave_out_topics: f64,
    /// Share of answers whose `Date` is off by up to 12 hours
    #[arg(long, value_name = "F", default_value = "0")]
    pub lying_dates: f64,
    /// Share of the cuts of --drop-socket-every that nobody sees: the socket stays open and says nothing more
    #[arg(long, value_name = "F", default_value = "0")]
    pub silent_cuts: f64,
    /// When all of these stop, counted from the start; 0 is never
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = parse_duration)]
    pub faults_for: Duration,
}

/// How a request goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestFault {
    /// It is refused with a status, and nothing is done.
    Refused(StatusCode),
    /// It is carried out, and the answer breaks off.
    AnswerLost,
}

/// Draws what goes wrong.
pub struct Faults {
    options: FaultOptions,
    until: Option<Millis>,
    rng: Rng,
}

impl FaultOptions {
    /// Each share, with the option that sets it.
    pub(crate) fn shares(&self) -> [(&'static str, f64); 5] {
        [
            ("--fail-requests", self.fail_requests),
            ("--lose-answers", self.lose_answers),
            ("--leave-out-topics", self.leave_out_topics),
            ("--lying-dates", self.lying_dates),
            ("--silent-cuts", self.silent_cuts),
        ]
    }
}

impl Faults {
    /// The faults of a cloud that starts at `now`.
    pub fn new(options: &FaultOptions, seed: u64, now: Millis) -> Self {
        let lasts = i64::try_from(options.faults_for.as_millis()).unwrap_or(i64::MAX / 4);
        Self {
            until: (lasts > 0).then(|| now + lasts),
            rng: Rng::with_seed(seed ^ 0x0fa0_17ed_5eed_0001),
            options: options.clone(),
        }
    }

    /// What becomes of a request that comes at `now`; `None` when it goes well.
    pub fn of_request(&mut self, now: Millis) -> Option<RequestFault> {
        if self.strikes(self.options.fail_requests, now) {
            return self.rng.choice(STATUSES).map(RequestFault::Refused);
        }
        self.strikes(self.options.lose_answers, now).then_some(RequestFault::AnswerLost)
    }

    /// The time that an answer's `Date` gives instead of `now`; `None` when it is true.
    pub fn date(&mut self, now: Millis) -> Option<Millis> {
        let lies = self.strikes(self.options.lying_dates, now);
        lies.then(|| now + self.rng.i64(-LIE_MS_MAX..=LIE_MS_MAX))
    }

    /// Whether a topic that was asked for is left out.
    pub fn leaves_out(&mut self, now: Millis) -> bool {
        self.strikes(self.options.leave_out_topics, now)
    }

    /// Whether a cut is one that nobody sees.
    pub fn cuts_in_silence(&mut self, now: Millis) -> bool {
        self.strikes(self.options.silent_cuts, now)
    }

    fn strikes(&mut self, share: f64, now: Millis) -> bool {
        share > 0.0 && self.until.is_none_or(|until| now < until) && self.rng.f64() < share
    }
}
