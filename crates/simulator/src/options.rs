//! The options of `headcount simulate`.
//!
//! Defaults are written once, on the fields; [`Options::default`] is what an empty command line gives. What cannot
//! be told from one value alone (a listening address that others could reach, a share above 1) is checked at start,
//! so that code which builds the options meets the same rules as the command line.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum};
use serde::Serialize;

use crate::centre::Settings;
use crate::centre::causal::REGIONS;
use crate::faults::FaultOptions;

#[cfg(test)]
mod tests;

/// Users and queues that one centre can have.
const PEOPLE_MAX: u32 = 20_000;

/// Which of the two dialects the simulator speaks.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// The tutorial's: one socket with small events.
    Events,
    /// The platform's own: channels, topics and whole-conversation snapshots.
    Notifications,
    /// Both at once, of the same conversations.
    Both,
}

impl Dialect {
    /// Whether `other` is spoken.
    #[must_use]
    pub fn speaks(self, other: Self) -> bool {
        self == other || self == Self::Both
    }
}

/// What to play and how to misbehave.
#[derive(Args, Clone)]
pub struct Options {
    /// Address to listen on; loopback only, port 0 takes any
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// Which dialect to speak
    #[arg(long, value_enum, default_value = "both")]
    pub dialect: Dialect,
    /// The same seed plays the same conversations
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
    /// Transitions a second over the whole centre
    #[arg(long, value_name = "R", default_value = "20")]
    pub rate: f64,
    /// How many conversations to start in all; 0 is without limit
    #[arg(long, value_name = "N", default_value = "0")]
    pub conversations: u32,
    /// How long new conversations start (30s, 10m; a bare number is seconds); 0 is until stopped
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = parse_duration)]
    pub duration: Duration,
    /// Share of conversations, in a run with an end, that never end
    #[arg(long, value_name = "F", default_value = "0.1")]
    pub leave_live: f64,
    /// Share of frames that are sent twice
    #[arg(long, value_name = "F", default_value = "0")]
    pub duplicates: f64,
    /// Each frame is late by 0 to N milliseconds
    #[arg(long, value_name = "N", default_value = "0")]
    pub reorder_ms: u64,
    /// Number of regions that stamp events causally; 0 is no stamps (events dialect only)
    #[arg(long, value_name = "N", default_value = "0")]
    pub regions: u32,
    /// How far the provider's clock is ahead of the cloud's, and each region's of the one before, in milliseconds
    #[arg(long, value_name = "N", default_value = "0")]
    pub clock_skew_ms: u64,
    /// Cut every socket after this long
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub drop_socket_every: Option<Duration>,
    /// The events socket does not send its last 10 s again after a reconnect
    #[arg(long)]
    pub no_resend: bool,
    /// Play nothing until the first socket has subscribed
    #[arg(long)]
    pub await_subscriber: bool,
    /// Where to write what really happened, every second and at the end
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// Time between the heartbeats of a notification socket
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    pub heartbeat: Duration,
    /// Requests a minute and token before 429; 0 is without limit
    #[arg(long, value_name = "N", default_value = "0")]
    pub requests_per_minute: u32,
    /// How long a token lives
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_duration)]
    pub token_lifetime: Duration,
    /// The client id that is let in
    #[arg(long, value_name = "ID", default_value = "demo")]
    pub client_id: String,
    /// Its secret
    #[arg(long, value_name = "SECRET", default_value = "demo")]
    pub client_secret: String,
    /// How many users work there
    #[arg(long, value_name = "N", default_value = "40")]
    pub users: u32,
    /// How many queues there are
    #[arg(long, value_name = "N", default_value = "6")]
    pub queues: u32,
    /// How many times faster than life conversations run
    #[arg(long, value_name = "X", default_value = "12")]
    pub pace: f64,
    /// What goes wrong by chance
    #[command(flatten)]
    pub faults: FaultOptions,
}

impl Default for Options {
    fn default() -> Self {
        #[derive(Parser)]
        struct Bare {
            #[command(flatten)]
            options: Options,
        }
        Bare::parse_from(["simulate"]).options
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("listen", &self.listen)
            .field("dialect", &self.dialect)
            .field("seed", &self.seed)
            .field("rate", &self.rate)
            .field("conversations", &self.conversations)
            .field("duration", &self.duration)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Everything that is wrong with the values, each in a sentence that names its option.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let regions_max = REGIONS.len();
        let checks = [
            (self.listen.ip().is_loopback(), "--listen must be a loopback address".to_owned()),
            (
                positive(self.rate) && self.rate <= 100_000.0,
                "--rate must be above 0, up to 100000".to_owned(),
            ),
            (positive(self.pace) && self.pace <= 10_000.0, "--pace must be above 0, up to 10000".to_owned()),
            (share(self.duplicates), "--duplicates must be from 0 to 1".to_owned()),
            (share(self.leave_live), "--leave-live must be from 0 to 1".to_owned()),
            (self.reorder_ms <= 60_000, "--reorder-ms must be at most 60000".to_owned()),
            (self.clock_skew_ms <= 60_000, "--clock-skew-ms must be at most 60000".to_owned()),
            (self.regions as usize <= regions_max, format!("--regions must be at most {regions_max}")),
            ((1..=PEOPLE_MAX).contains(&self.users), format!("--users must be from 1 to {PEOPLE_MAX}")),
            ((1..=PEOPLE_MAX).contains(&self.queues), format!("--queues must be from 1 to {PEOPLE_MAX}")),
            (!self.heartbeat.is_zero(), "--heartbeat must be above 0".to_owned()),
            (!self.token_lifetime.is_zero(), "--token-lifetime must be above 0".to_owned()),
            (
                self.drop_socket_every.is_none_or(|every| every >= Duration::from_millis(100)),
                "--drop-socket-every must be at least 100ms".to_owned(),
            ),
        ];
        let shares =
            self.faults.shares().map(|(name, value)| (share(value), format!("{name} must be from 0 to 1")));
        checks.into_iter().chain(shares).filter(|(holds, _)| !holds).map(|(_, problem)| problem).collect()
    }

    /// The whole truth of every conversation is kept.
    pub(crate) fn keeps_all(&self) -> bool {
        self.truth.is_some() || self.conversations > 0
    }

    /// What the centre needs of them.
    pub(crate) fn settings(&self) -> Settings {
        let bounded = self.conversations > 0 || !self.duration.is_zero();
        Settings {
            seed: self.seed,
            rate: self.rate,
            conversations: self.conversations,
            duration_ms: i64::try_from(self.duration.as_millis()).unwrap_or(i64::MAX / 4),
            users: self.users as usize,
            queues: self.queues as usize,
            regions: self.regions as usize,
            pace: self.pace,
            leave_live: if bounded { self.leave_live } else { 0.0 },
            events_only: self.dialect == Dialect::Events,
            keep_all: self.keeps_all(),
        }
    }
}

/// Reads `30s`, `10m`, `2h`, `250ms` or a bare number of seconds.
///
/// # Errors
/// What is wrong with the text, for the command line.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| "expected a time such as 30s, 10m or 250ms".to_owned())?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(format!("unknown unit {unit:?}; use ms, s, m or h")),
    };
    if !(0.0..=31_536_000.0).contains(&seconds) {
        return Err("a time of more than a year".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}
