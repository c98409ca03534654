//! The configuration: defaults, then one file, then the environment, then options.
//!
//! Every value is a text with an origin until all are gathered; then all are judged, and every problem is told at once,
//! each with where it stands. Rejected: stopping at the first problem (a user mends one, starts, mends the next), and a
//! merging library (it loses the line).

mod file;
mod influx;
mod judge;
mod retention;
mod unknown;

pub use influx::Influx;

use crate::cli::ServeOptions;
use pipeline::{MailboxSettings, Retention};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

#[cfg(test)]
mod tests;

/// Everything `serve` runs with.
#[derive(Debug)]
pub struct Config {
    /// What to follow.
    pub source: source::Settings,
    /// Where to serve.
    pub listen: SocketAddr,
    /// Under which names it is served besides the machine's own.
    pub hosts: serve::Hosts,
    /// The heatmap's zone.
    pub zone: serve::Zone,
    /// By whose rules it is one.
    pub zone_rules: serve::ZoneRules,
    /// The data folder.
    pub data: PathBuf,
    /// How long, and how much, history is kept.
    pub retention: Retention,
    /// The queue before the engine.
    pub mailbox: MailboxSettings,
    /// Where the history goes besides; none: nowhere.
    pub influx: Option<Influx>,
    /// Hosts, with their ports, that are talked to without TLS because they were named for it.
    pub unencrypted: Vec<String>,
    /// What is to be said of variables that look like ours and are not known.
    pub unknown: Vec<String>,
}

/// All that is wrong with a configuration.
#[derive(Debug, Default)]
pub struct Problems(Vec<String>);

/// Where a value comes from, in words.
type Origin = String;

/// Values by their dotted name, before they are judged.
type Raw = BTreeMap<&'static str, (String, Origin)>;

/// Each setting: its dotted name in the file, and its environment variable.
const SETTINGS: [(&str, &str); 31] = [
    ("genesys.client_id", "GENESYS_CLIENT_ID"),
    ("genesys.client_secret", "GENESYS_CLIENT_SECRET"),
    ("genesys.environment", "GENESYS_ENVIRONMENT"),
    ("genesys.login_url", "GENESYS_LOGIN_URL"),
    ("genesys.api_url", "GENESYS_API_URL"),
    ("genesys.events_url", "GENESYS_EVENTS_URL"),
    ("genesys.organisation", "HEADCOUNT_ORGANISATION"),
    ("genesys.dialect", "HEADCOUNT_DIALECT"),
    ("genesys.topics", "HEADCOUNT_TOPICS"),
    ("serve.listen", "HEADCOUNT_LISTEN"),
    ("serve.hosts", "HEADCOUNT_HOSTS"),
    ("serve.zone", "HEADCOUNT_ZONE"),
    ("store.data", "HEADCOUNT_DATA"),
    ("store.keep_facts", "HEADCOUNT_KEEP_FACTS"),
    ("store.keep_minutes", "HEADCOUNT_KEEP_MINUTES"),
    ("store.keep_hours", "HEADCOUNT_KEEP_HOURS"),
    ("store.keep_days", "HEADCOUNT_KEEP_DAYS"),
    ("store.max_size", "HEADCOUNT_MAX_SIZE"),
    ("mailbox.facts", "HEADCOUNT_MAILBOX_FACTS"),
    ("mailbox.when_full", "HEADCOUNT_WHEN_FULL"),
    ("network.plain_hosts", "HEADCOUNT_PLAIN_HOSTS"),
    ("influx.url", "INFLUX_URL"),
    ("influx.org", "INFLUX_ORG"),
    ("influx.bucket", "INFLUX_BUCKET"),
    ("influx.token", "INFLUX_TOKEN"),
    ("influx.api", "INFLUX_API"),
    ("influx.schema", "INFLUX_SCHEMA"),
    ("influx.batch_lines", "INFLUX_BATCH_LINES"),
    ("influx.batch_ms", "INFLUX_BATCH_MS"),
    ("influx.keep_hours", "INFLUX_KEEP_HOURS"),
    ("influx.keep_mb", "INFLUX_KEEP_MB"),
];

/// Reads the configuration of this process.
///
/// # Errors
/// All [`Problems`] at once.
pub fn read(options: &ServeOptions) -> Result<Config, Problems> {
    let text = match &options.config {
        None => None,
        Some(path) => match std::fs::read_to_string(path) {
            Ok(text) => Some((path.display().to_string(), text)),
            Err(error) => return Err(Problems(vec![format!("--config {}: {error}", path.display())])),
        },
    };
    let outcome = gather(
        text.as_ref().map(|(name, text)| (name.as_str(), text.as_str())),
        |name| std::env::var(name).ok(),
        options,
    );
    let lossy = |text: OsString| text.to_string_lossy().into_owned();
    let unknown = unknown::unknown(std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))));
    match outcome {
        Ok(config) => Ok(Config { unknown, ..config }),
        // What is missing may well be there, under another name.
        Err(mut problems) => {
            problems.0.extend(unknown);
            Err(problems)
        }
    }
}

/// The same from injected sources: a file's name and text, and an environment in which an empty variable counts as unset.
///
/// # Errors
/// All [`Problems`] at once.
pub fn gather(
    file: Option<(&str, &str)>,
    environment: impl Fn(&str) -> Option<String>,
    options: &ServeOptions,
) -> Result<Config, Problems> {
    let mut raw = Raw::new();
    let mut problems = Problems::default();
    if let Some((name, text)) = file {
        file::read(name, text, &mut raw, &mut problems);
    }
    for (setting, variable) in SETTINGS {
        if let Some(value) = environment(variable).filter(|value| !value.trim().is_empty()) {
            raw.insert(setting, (value, variable.to_owned()));
        }
    }
    let given = [
        ("serve.listen", "--listen", &options.listen),
        ("store.data", "--data", &options.data),
        ("genesys.dialect", "--dialect", &options.dialect),
        ("genesys.topics", "--topics", &options.topics),
        ("serve.zone", "--zone", &options.zone),
        ("genesys.environment", "--environment", &options.environment),
    ];
    for (setting, option, value) in given {
        if let Some(value) = value {
            raw.insert(setting, (value.clone(), option.to_owned()));
        }
    }
    let rules = serve::ZoneRules::newest(environment("TZDIR").as_deref());
    judge::judge(&raw, rules, problems)
}

impl Problems {
    fn add(&mut self, origin: &str, what: impl fmt::Display) {
        self.0.push(format!("{origin}: {what}"));
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "the configuration is not complete or not right: {one}"),
            many => {
                write!(f, "the configuration is not complete or not right:")?;
                many.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
            }
        }
    }
}

impl std::error::Error for Problems {}
