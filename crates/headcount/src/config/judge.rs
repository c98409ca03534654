//! From texts to values: every one is judged, none stops the others.

use super::{Config, Influx, Problems, Raw};
use outward::PlainHosts;
use pipeline::{MailboxSettings, WhenFull};
use secrecy::SecretString;
use source::{Dialect, Endpoints, Topics};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::PathBuf;

/// The region whose hosts stand in until overrides replace those that are used.
const STAND_IN: &str = "mypurecloud.com";

/// Judges all values.
pub fn judge(raw: &Raw, zone_rules: serve::ZoneRules, problems: Problems) -> Result<Config, Problems> {
    let mut judge = Judge { raw, problems };
    let dialect = judge.parsed("genesys.dialect", Dialect::Notifications, |t| t.parse::<Dialect>());
    judge.missing(dialect);
    let plain = judge.parsed("network.plain_hosts", PlainHosts::default(), |t| t.parse::<PlainHosts>());
    let endpoints = judge.endpoints(&plain);
    let topics = judge.parsed("genesys.topics", Topics::Discover, |t| t.parse::<Topics>());
    let listen = judge.parsed("serve.listen", ([127, 0, 0, 1], 8080).into(), |t| {
        t.trim().parse().map_err(|_| "an address and a port are wanted, as in 127.0.0.1:8080")
    });
    let hosts = judge.parsed("serve.hosts", serve::Hosts::default(), |t| t.parse::<serve::Hosts>());
    let zone = judge.parsed("serve.zone", zone_rules.utc(), |t| {
        let zone = zone_rules.zone(t.trim());
        zone.ok_or_else(|| format!("`{}` is no IANA time zone, as in Europe/Berlin", short(t)))
    });
    let retention = judge.retention();
    let mailbox = judge.mailbox();
    let influx = judge.influx(&plain);
    let data = PathBuf::from(judge.text("store.data").unwrap_or("./headcount-data"));
    let text = |name| judge.text(name).unwrap_or_default().trim().to_owned();
    let (client_id, client_secret) =
        (text("genesys.client_id"), SecretString::from(text("genesys.client_secret")));
    let named = [text("genesys.organisation"), text("genesys.environment")];
    let organisation =
        named.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "default".to_owned());
    let unencrypted = endpoints.as_ref().map_or_else(Vec::new, |e| unencrypted(e, influx.as_ref(), &plain));
    match (judge.problems.0.is_empty(), endpoints) {
        (true, Some(endpoints)) => Ok(Config {
            source: source::Settings {
                organisation,
                client_id,
                client_secret,
                endpoints,
                dialect,
                topics,
                limits: wire::Limits::default(),
                timing: source::Timing::default(),
            },
            listen,
            hosts,
            zone,
            zone_rules,
            data,
            retention,
            mailbox,
            unencrypted,
            unknown: Vec::new(),
            influx,
        }),
        _ => Err(judge.problems),
    }
}

/// The hosts to which secrets go in the clear, since they were named for it.
fn unencrypted(endpoints: &Endpoints, influx: Option<&Influx>, plain: &PlainHosts) -> Vec<String> {
    let urls = [&endpoints.login, &endpoints.api, &endpoints.events].into_iter();
    let urls = urls.chain(influx.map(|influx| &influx.settings.url));
    let hosts: BTreeSet<String> = urls.filter(|url| plain.are_used_by(url)).map(outward::host).collect();
    hosts.into_iter().collect()
}

/// As much of a wrong value as is repeated.
pub(super) fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

pub(super) struct Judge<'a> {
    pub(super) raw: &'a Raw,
    pub(super) problems: Problems,
}

impl Judge<'_> {
    /// A problem at no place of its own.
    pub(super) fn add(&mut self, origin: &str, what: impl Display) {
        self.problems.add(origin, what);
    }

    pub(super) fn text(&self, setting: &str) -> Option<&str> {
        self.raw.get(setting).map(|(value, _)| value.as_str())
    }

    /// The value of a setting, or its default; a wrong one is a problem, and the default stands in.
    pub(super) fn parsed<T, E: Display>(
        &mut self,
        setting: &str,
        default: T,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> T {
        let Some((value, origin)) = self.raw.get(setting) else {
            return default;
        };
        match parse(value) {
            Ok(value) => value,
            Err(what) => {
                self.problems.add(origin, what);
                default
            }
        }
    }

    /// Names all that is missing, in one message.
    fn missing(&mut self, dialect: Dialect) {
        let has = |setting: &str| self.text(setting).is_some_and(|value| !value.trim().is_empty());
        let mut missing = Vec::new();
        let mut need = |setting, name: &'static str, where_from: &'static str| {
            if !has(setting) {
                missing.push(format!("{name} ({where_from})"));
            }
        };
        need("genesys.client_id", "GENESYS_CLIENT_ID", "the OAuth client's id");
        need("genesys.client_secret", "GENESYS_CLIENT_SECRET", "the OAuth client's secret");
        let hosts = match dialect {
            Dialect::Notifications => has("genesys.api_url"),
            Dialect::Events => has("genesys.events_url") && has("genesys.login_url"),
        };
        if !hosts {
            need("genesys.environment", "GENESYS_ENVIRONMENT", "the region's domain, such as mypurecloud.de");
        }
        if !missing.is_empty() {
            let what = format!(
                "{}; set them in the environment, or in a file given with --config; or try `headcount demo`, which needs none",
                missing.join(", ")
            );
            self.problems.add("missing", what);
        }
    }

    fn endpoints(&mut self, plain: &PlainHosts) -> Option<Endpoints> {
        let environment = self.text("genesys.environment").map_or(STAND_IN, str::trim).to_owned();
        let base = match Endpoints::for_environment(&environment) {
            Ok(base) => base.allowing_plain(plain.clone()),
            Err(what) => {
                let origin = self.raw.get("genesys.environment").map_or("", |(_, origin)| origin.as_str());
                self.problems.add(origin, what);
                return None;
            }
        };
        let mut endpoints = Some(base);
        for setting in ["genesys.login_url", "genesys.api_url", "genesys.events_url"] {
            let Some((url, origin)) = self.raw.get(setting) else {
                continue;
            };
            let only = |name| (name == setting).then_some(url.as_str());
            let taken = endpoints.clone().map(|e| {
                e.with_overrides(
                    only("genesys.login_url"),
                    only("genesys.api_url"),
                    only("genesys.events_url"),
                )
            });
            match taken {
                Some(Ok(taken)) => endpoints = Some(taken),
                Some(Err(what)) => self.problems.add(origin, what),
                None => {}
            }
        }
        self.sign_in_where_the_api_is(endpoints)
    }

    /// An API host of one's own, without a region and a login host, signs in as well.
    fn sign_in_where_the_api_is(&self, endpoints: Option<Endpoints>) -> Option<Endpoints> {
        let mut endpoints = endpoints?;
        let alone = self.text("genesys.environment").is_none() && self.text("genesys.login_url").is_none();
        if alone && self.text("genesys.api_url").is_some() {
            endpoints.login = endpoints.api.clone();
        }
        Some(endpoints)
    }

    fn mailbox(&mut self) -> MailboxSettings {
        let default = MailboxSettings::default();
        let facts_max = self.parsed("mailbox.facts", default.facts_max, |t| {
            let number: Option<usize> = t.trim().parse().ok();
            number.filter(|n| (1..=10_000_000).contains(n)).ok_or("a number from 1 to 10000000 is wanted")
        });
        let when_full = self.parsed("mailbox.when_full", default.when_full, |t| match t.trim() {
            "block" => Ok(WhenFull::Block),
            "drop" => Ok(WhenFull::Drop),
            _ => Err("`block` or `drop` is wanted"),
        });
        MailboxSettings { facts_max, when_full }
    }
}
