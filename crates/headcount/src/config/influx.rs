//! The section `[influx]`: without a URL there is no InfluxDB, and nothing else of it is asked for.

use super::judge::Judge;
use influx::{Api, BATCH_LINES_MAX, Schema, Settings, read_url};
use outward::PlainHosts;
use secrecy::SecretString;
use std::time::Duration;
use store::OutboxBounds;

/// The longest that changes may wait for others: the tutorial's own flush interval.
const BATCH_MS_MAX: u64 = 10_000;
/// The longest that changes are kept for an InfluxDB that is away: a year.
const KEEP_HOURS_MAX: u64 = 366 * 24;
/// The most that is kept for it, in megabytes.
const KEEP_MB_MAX: u64 = 1_000_000;

/// Where the history goes, and what is kept for it.
#[derive(Clone, Debug)]
pub struct Influx {
    /// The server, and how to write to it.
    pub settings: Settings,
    /// How much is kept while it is away.
    pub outbox: OutboxBounds,
}

impl Judge<'_> {
    /// The follower that is wanted, if any.
    pub(super) fn influx(&mut self, plain: &PlainHosts) -> Option<Influx> {
        let given = self.text("influx.url").is_some_and(|url| !url.trim().is_empty());
        let url = self.parsed("influx.url", None, |text| read_url(text, plain).map(Some));
        let api = self.parsed("influx.api", None, |text| match text.trim() {
            "detect" => Ok(None),
            other => other.parse::<Api>().map(Some),
        });
        let schema = self.parsed("influx.schema", None, |text| text.parse::<Schema>().map(Some));
        let batch_lines = self.number("influx.batch_lines", 5_000, 1, BATCH_LINES_MAX as u64);
        let batch_ms = self.number("influx.batch_ms", 1_000, 0, BATCH_MS_MAX);
        let token = self.parsed("influx.token", None, token);
        let outbox = self.outbox();
        if !given {
            return None;
        }
        self.missing_for_influx(api);
        let bucket = self.text("influx.bucket").unwrap_or_default().trim();
        let mut settings = Settings::new(url?, bucket);
        settings.org = self.text("influx.org").map(|org| org.trim().to_owned());
        (settings.api, settings.schema, settings.token) = (api, schema, token);
        settings.batch_lines = usize::try_from(batch_lines).unwrap_or(BATCH_LINES_MAX);
        settings.batch_wait = Duration::from_millis(batch_ms);
        Some(Influx { settings, outbox })
    }

    fn outbox(&mut self) -> OutboxBounds {
        let hours = self.number("influx.keep_hours", 7 * 24, 1, KEEP_HOURS_MAX);
        let megabytes = self.number("influx.keep_mb", 1_024, 1, KEEP_MB_MAX);
        let age_ns_max = i64::try_from(hours * 3_600).unwrap_or(i64::MAX).saturating_mul(engine::SECOND);
        OutboxBounds { bytes_max: megabytes << 20, age_ns_max }
    }

    fn missing_for_influx(&mut self, api: Option<Api>) {
        let mut missing = Vec::new();
        let mut need = |setting, name: &'static str, wanted: bool| {
            if wanted && self.text(setting).is_none_or(|value| value.trim().is_empty()) {
                missing.push(name);
            }
        };
        need("influx.bucket", "INFLUX_BUCKET (the bucket; of 1.x and 3.x the database)", true);
        need("influx.org", "INFLUX_ORG (the organisation)", api == Some(Api::V2));
        need("influx.token", "INFLUX_TOKEN (a token that may write)", api == Some(Api::V2));
        if !missing.is_empty() {
            let what = format!("{}; or unset INFLUX_URL to do without InfluxDB", missing.join(", "));
            self.add("missing for InfluxDB", what);
        }
    }

    fn number(&mut self, setting: &str, default: u64, min: u64, max: u64) -> u64 {
        self.parsed(setting, default, |text| {
            let number: Option<u64> = text.trim().parse().ok();
            number
                .filter(|n| (min..=max).contains(n))
                .ok_or(format!("a number from {min} to {max} is wanted"))
        })
    }
}

/// A token goes into a header as it is. What is wrong with one is said without it.
fn token(text: &str) -> Result<Option<SecretString>, &'static str> {
    let token = text.trim();
    if token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Some(SecretString::from(token)));
    }
    Err("the InfluxDB token holds a space, a line end, or a character beyond ASCII")
}
