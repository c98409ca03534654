//! What `headcount check` finds out about an organisation: what is missing, and how to mend it.
//!
//! Each finding is one call that the program would make, made once, without waiting for better times: a token, the
//! clocks, a channel, a topic of each kind, the lists, the repair queries; for `events` the handshake. A step whose ground
//! is missing is left out rather than failed for the same reason again.

use crate::api::{Answer, Api, ApiError};
use crate::channel::Channel;
use crate::context::clients;
use crate::listening::ListKind;
use crate::repair::{details_query, live_query};
use crate::socket::Connector;
use crate::{Dialect, Settings, TopicTarget, Topics, discovery, events};
use engine::Id;
use outward::{Finding, Level};
use pipeline::Clock;

/// Clocks that differ by less are good enough: times are taken from the platform.
const SKEW_SECONDS_MAX: i64 = 5;
const HOUR: i64 = 3_600 * engine::SECOND;

/// What a failed call says, and how to mend it where a permission is missing.
fn failed(name: &'static str, level: Level, error: &ApiError) -> Finding {
    let remedy = match error {
        ApiError::Forbidden { permission } => {
            Some(format!("give a role with {permission} to the OAuth client"))
        }
        _ => None,
    };
    Finding { name, level, detail: error.to_string(), remedy }
}

/// Checks what a source would need of the organisation.
pub async fn check(settings: &Settings) -> Vec<Finding> {
    let (api, connector) = match clients(settings, Clock::system()) {
        Ok(clients) => clients,
        Err(error) => {
            let detail = error.to_string();
            return vec![Finding { name: "set-up", level: Level::Problem, detail, remedy: None }];
        }
    };
    let mut findings = Vec::new();
    if let Err(no_token) = api.tokens().get().await {
        findings.push(failed("token", Level::Problem, &no_token.into()));
        return findings;
    }
    findings.push(Finding::ok("token", "the client id and secret are accepted"));
    match settings.dialect {
        Dialect::Events => findings.push(handshake(settings, &api, &connector).await),
        Dialect::Notifications => notifications(settings, &api, &mut findings).await,
    }
    findings
}

async fn handshake(settings: &Settings, api: &Api, connector: &Connector) -> Finding {
    let name = "events socket";
    let opened = match api.tokens().get().await {
        Ok(token) => events::open(connector, &settings.endpoints.events, &token).await,
        Err(no_token) => return failed(name, Level::Problem, &no_token.into()),
    };
    match opened {
        Ok(socket) => {
            socket.close().await;
            Finding::ok(name, "the handshake was accepted")
        }
        Err(error) => Finding {
            name,
            level: Level::Problem,
            detail: error.to_string(),
            remedy: Some(
                "check GENESYS_EVENTS_URL, and that the gateway accepts tokens of this client".to_owned(),
            ),
        },
    }
}

async fn notifications(settings: &Settings, api: &Api, findings: &mut Vec<Finding>) {
    let queues = discovery::ids(api, ListKind::Queues).await;
    let users = discovery::ids(api, ListKind::Users).await;
    let level = if settings.topics == Topics::Discover { Level::Problem } else { Level::Warning };
    findings.push(listed("queues", &queues, level));
    findings.push(listed("users", &users, level));
    match Channel::make(api).await {
        Err(error) => findings.push(failed("channel", Level::Problem, &error)),
        Ok(channel) => {
            findings.push(Finding::ok("channel", "a notification channel can be made"));
            for target in samples(&settings.topics, queues.ok(), users.ok()) {
                findings.push(topic(api, &channel, &target).await);
            }
        }
    }
    let clock = Clock::system();
    let (now, hour_ago) = (clock.now(), clock.now() - HOUR);
    let live = api.send(live_query(None)).await;
    if let Ok(answer) = &live {
        findings.push(skew(answer, clock.now()));
    }
    findings.push(query("live conversations", live));
    findings.push(query("conversation details", api.send(details_query(hour_ago, now, 1, 1)).await));
}

fn listed(name: &'static str, ids: &Result<Vec<Id>, ApiError>, level: Level) -> Finding {
    match ids {
        Ok(ids) if ids.is_empty() => Finding {
            name,
            level: Level::Warning,
            detail: format!("no {name} are visible"),
            remedy: Some("look at the divisions of the OAuth client's roles".to_owned()),
        },
        Ok(ids) => Finding::ok(name, format!("{} are visible", ids.len())),
        Err(error) => failed(name, level, error),
    }
}

/// A queue and a user to try: of those named, else of those found.
fn samples(topics: &Topics, queues: Option<Vec<Id>>, users: Option<Vec<Id>>) -> Vec<TopicTarget> {
    let targets: Vec<TopicTarget> = match topics {
        Topics::Named(targets) => targets.clone(),
        Topics::Discover => {
            let queues = queues.unwrap_or_default().into_iter().map(TopicTarget::Queue);
            queues.chain(users.unwrap_or_default().into_iter().map(TopicTarget::User)).collect()
        }
    };
    let queue = targets.iter().find(|target| matches!(target, TopicTarget::Queue(_)));
    let user = targets.iter().find(|target| matches!(target, TopicTarget::User(_)));
    queue.into_iter().chain(user).cloned().collect()
}

async fn topic(api: &Api, channel: &Channel, target: &TopicTarget) -> Finding {
    let name = match target {
        TopicTarget::Queue(_) => "queue topic",
        TopicTarget::User(_) => "user topic",
    };
    match channel.subscribe(api, &[target.topic()]).await {
        Err(error) => failed(name, Level::Problem, &error),
        Ok(answer) => match answer.rejected.first() {
            None => Finding::ok(name, format!("{target} may be heard")),
            Some(rejection) => Finding {
                name,
                level: Level::Problem,
                detail: rejection.to_string(),
                remedy: Some(format!(
                    "give a role with {} to the OAuth client",
                    rejection.missing.join(", ")
                )),
            },
        },
    }
}

fn query(name: &'static str, answer: Result<Answer, ApiError>) -> Finding {
    match answer {
        Ok(_) => Finding::ok(name, "may be read, so that a hole can be closed"),
        Err(error) => failed(name, Level::Warning, &error),
    }
}

/// How far the clocks are apart, by the header `Date` (whole seconds).
fn skew(answer: &Answer, now: i64) -> Finding {
    let name = "clock";
    let Some(seconds) = answer.date else {
        return Finding::ok(name, "the server does not say its time");
    };
    let apart = now / engine::SECOND - seconds;
    if apart.abs() <= SKEW_SECONDS_MAX {
        return Finding::ok(name, "agrees with the server's to a few seconds");
    }
    Finding {
        name,
        level: Level::Warning,
        detail: format!("this machine is {apart} s ahead of the server (negative: behind)"),
        remedy: Some("set the clock by NTP".to_owned()),
    }
}

#[cfg(test)]
mod tests;
