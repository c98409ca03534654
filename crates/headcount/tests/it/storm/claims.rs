//! What was said of past instants, held against what was so.
//!
//! Where all time from the first listening to an instant is said to be `complete` or `repaired`, the list of that instant
//! must hold every conversation that was active then, and no other. Around the instant at which one began or ended either
//! answer is right: two clocks write those times.

use super::Service;
use crate::program::{eventually, get};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// How old an instant is that is asked about while things go wrong: a socket that died in silence is noticed by then.
const AGE_MS: i64 = 50_000;
/// Around a beginning or an end either answer is right: clocks differ, and frames are up to a second late.
const BLURRED_MS: i64 = 2_500;
/// How far apart the instants are that are asked about in the end.
const STEP_MS: i64 = 1_000;

/// An answer that claimed to be whole.
struct Claim {
    at_ms: i64,
    said_ms: i64,
    active: BTreeSet<String>,
}

/// Answers about past instants, as they were given.
pub struct Claims {
    /// From when on somebody listened.
    pub from_ms: i64,
    asked: usize,
    whole: Vec<Claim>,
}

/// When each conversation was active.
pub struct Past {
    until_ms: i64,
    lives: Vec<(String, i64, Option<i64>)>,
}

/// How many instants were asked about, and how many answers claimed to be whole.
#[derive(Debug, Default)]
pub struct Asked {
    pub asked: usize,
    pub whole: usize,
}

impl Claims {
    /// Waits until the service listens for the first time.
    pub fn begin(service: &Service) -> Self {
        eventually(Duration::from_secs(60), || {
            let feeds = service.get("/api/v1/feeds");
            (feeds["items"][0]["connected"] != true).then(|| format!("nobody listens: {feeds}"))
        });
        Self { from_ms: now_ms(), asked: 0, whole: Vec::new() }
    }

    /// Asks about an instant that is old enough for all to be known of it that will be known by itself.
    pub fn note(&mut self, service: &Service) {
        let said_ms = now_ms();
        let at_ms = said_ms - AGE_MS;
        if at_ms <= self.from_ms {
            return;
        }
        self.asked += 1;
        if let Some(active) = whole_answer(service, self.from_ms, at_ms) {
            self.whole.push(Claim { at_ms, said_ms, active });
        }
    }

    /// Fails on a claim that is false; how many answers there were, and how many of them claimed to be whole.
    pub fn check(&self, truth: &Past) -> (usize, usize) {
        for claim in &self.whole {
            if let Some(what) = truth.contradicts(claim.at_ms, &claim.active) {
                panic!("{} was said to be whole at {}: {what}", written(claim.at_ms), written(claim.said_ms));
            }
        }
        (self.asked, self.whole.len())
    }
}

/// Asks about every instant of the run from `from_ms` on, when all is over.
pub fn check_all(service: &Service, from_ms: i64, truth: &Past) -> Asked {
    let mut found = Asked::default();
    let mut at_ms = from_ms;
    while at_ms < truth.until_ms {
        found.asked += 1;
        if let Some(active) = whole_answer(service, from_ms, at_ms) {
            found.whole += 1;
            if let Some(what) = truth.contradicts(at_ms, &active) {
                panic!("{} is said to be whole in the end: {what}", written(at_ms));
            }
        }
        at_ms += STEP_MS;
    }
    found
}

/// Who was active then, when all time until then is said to be known; `None` when it is not, or nothing is answered now.
fn whole_answer(service: &Service, from_ms: i64, at_ms: i64) -> Option<BTreeSet<String>> {
    let ask = |path: &str| -> Option<Value> {
        let (status, body) = get(&service.address, path);
        serde_json::from_str(&body).ok().filter(|_| status == 200)
    };
    let to = written(at_ms + BLURRED_MS);
    let known = ask(&format!("/api/v1/completeness?from={}&to={to}", written(from_ms)))?;
    if !matches!(known["completeness"].as_str(), Some("complete" | "repaired")) {
        return None;
    }
    let answer = ask(&format!("/api/v1/conversations?active=true&limit=1000&at={}", written(at_ms)))?;
    let items = answer["items"].as_array()?;
    items.iter().map(|item| item["id"].as_str().map(str::to_owned)).collect()
}

impl Past {
    /// Reads the truth.
    pub fn of(truth: &Value) -> Self {
        let time =
            |value: &Value| value.as_str()?.parse().ok().map(|at: jiff::Timestamp| at.as_millisecond());
        let lives = truth["conversations"].as_array().into_iter().flatten();
        let lives = lives.filter_map(|one| {
            Some((one["id"].as_str()?.to_owned(), time(&one["startedAt"])?, time(&one["endedAt"])))
        });
        Self { until_ms: time(&truth["until"]).expect("an end"), lives: lives.collect() }
    }

    /// What is wrong with an answer about an instant.
    fn contradicts(&self, at_ms: i64, active: &BTreeSet<String>) -> Option<String> {
        for (id, from_ms, to_ms) in &self.lives {
            let blurred = |edge_ms: i64| (edge_ms - at_ms).abs() < BLURRED_MS;
            if blurred(*from_ms) || to_ms.is_some_and(blurred) {
                continue;
            }
            let lives = *from_ms <= at_ms && to_ms.is_none_or(|to_ms| at_ms < to_ms);
            if lives != active.contains(id) {
                let ended = to_ms.map_or("goes on".to_owned(), written);
                let said = if lives { "is missing" } else { "is said to be active" };
                return Some(format!("{id} {said}: it began {}, ended {ended}", written(*from_ms)));
            }
        }
        let known = |id: &&String| self.lives.iter().any(|(life, ..)| life == *id);
        active.iter().find(|id| !known(id)).map(|id| format!("{id} never was"))
    }
}

fn now_ms() -> i64 {
    pipeline::Clock::system().now() / 1_000_000
}

fn written(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|error| error.to_string(), |at| format!("{at:.3}"))
}
