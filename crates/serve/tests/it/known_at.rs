//! What a client was answered at an instant, it is answered again, to the byte, whatever has been learnt since: over a real
//! pipeline and its disk, with late facts, better evidence, facts that waited for their causes, and restarts.

use crate::world::{Board, id, routes_over_at, word};
use causal::Dot;
use engine::{Authority, Delivery, Fact, FactId, FeedEvent, FeedNote, SECOND, Source, Stamp, Time, What};
use pipeline::{Clock, MailboxSettings, Pipeline, Settings, Telemetry};
use prometheus_client::registry::Registry;
use serde_json::Value;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const START: i64 = crate::world::NOON;
const PATHS: [&str; 4] = ["", "/call", "/call/timeline", "/call/spells"];

fn start(folder: &Path, clock: &Clock) -> Pipeline {
    let settings = Settings { mailbox: MailboxSettings::default(), ..Settings::default() };
    Pipeline::start(folder, settings, Telemetry::new(&mut Registry::default()), clock.clone(), 7).unwrap()
}

fn fact(what: What, leg: Option<&str>, state: &str, at: Option<i64>) -> Fact {
    let mut fact = Fact::new(what);
    (fact.participant, fact.communication) = (Some(id("p")), leg.map(id));
    fact.state = engine::Word::new(state);
    fact.at = at.map(|seconds| Time::from_millis((START + seconds * SECOND) / 1_000_000));
    fact.authority = if at.is_some() { Authority::Reported } else { Authority::Received };
    fact.identified()
}

/// The same, with a time from a better clock.
fn recorded(mut better: Fact, millis: i64) -> Fact {
    better.at = Some(Time::from_millis(START / 1_000_000 + millis));
    better.authority = Authority::Recorded;
    better.identified()
}

fn stamped(name: &str, counter: u64, role: &str) -> Fact {
    let mut fact = Fact::new(What::Role);
    (fact.participant, fact.role, fact.id) = (Some(id("p")), Some(word(role)), FactId::of_event(name));
    (fact.at, fact.authority) = (Some(Time::from_nanos(START + 5 * SECOND)), Authority::Recorded);
    let dot = Dot { actor: word("use1"), counter: NonZeroU64::new(counter).unwrap() };
    fact.stamp = Some(Arc::new(Stamp { clock: [(word("use1"), counter)].into_iter().collect(), dot }));
    fact
}

/// What comes, frame by frame, with a restart where there is none.
fn story() -> Vec<Option<(Source, Fact)>> {
    let connected = fact(What::State, Some("l"), "connected", Some(10));
    let mut medium = fact(What::Joined, Some("l"), "", None);
    medium.medium = Some(word("voice"));
    vec![
        Some((Source::Snapshot, fact(What::State, Some("l"), "alerting", None))),
        Some((Source::MediaSnapshot, connected.clone())),
        Some((Source::Snapshot, medium)),
        None,
        Some((Source::Detail, recorded(connected.clone(), 10_025))),
        Some((Source::Events, stamped("two", 2, "supervisor"))),
        Some((Source::Snapshot, fact(What::State, Some("m"), "connected", Some(3)))),
        Some((Source::Snapshot, fact(What::State, Some("l"), "terminated", Some(90)))),
        None,
        Some((Source::Events, stamped("one", 1, "agent"))),
        Some((Source::Rest, recorded(connected, 9_000))),
        Some((Source::Snapshot, fact(What::State, Some("m"), "terminated", Some(40)))),
        None,
        Some((Source::Detail, recorded(fact(What::State, Some("m"), "terminated", None), 39_990))),
    ]
}

/// Hands in one fact with one of another conversation behind it, and waits until that one is answered for.
async fn hear(pipeline: &Pipeline, (source, fact): (Source, Fact), n: i64, now: i64) {
    let delivery = |conversation: &str, source, fact| Delivery {
        conversation: id(conversation),
        feed: 0,
        source,
        topic: 1,
        received: now,
        facts: std::iter::once(fact).collect(),
        toggles: Vec::new(),
    };
    let marker = id(&format!("marker-{n}"));
    let both = vec![
        delivery("call", source, fact),
        delivery(
            &marker.to_string(),
            Source::Snapshot,
            self::fact(What::State, Some("x"), "connected", Some(0)),
        ),
    ];
    pipeline.intake().submit(both, Vec::new()).await;
    let taken = async {
        while pipeline
            .reader()
            .conversation(marker.clone(), pipeline::When::default())
            .await
            .unwrap()
            .value
            .is_none()
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), taken).await.expect("the turn came");
}

/// The body but for what is always today's.
async fn body(board: &Board, path: &str, query: &str) -> String {
    let mut body: Value = board.json(&format!("/api/v1/conversations{path}{query}")).await;
    leave_out_todays(&mut body);
    if let Some(items) = body.get_mut("items").and_then(Value::as_array_mut) {
        items.iter_mut().filter(|item| item.is_object()).for_each(leave_out_todays);
    }
    body.to_string()
}

fn leave_out_todays(body: &mut Value) {
    for todays in ["position", "completeness", "knownAt", "activeInteractions"] {
        body.as_object_mut().map(|body| body.remove(todays));
    }
}

async fn bodies(pipeline: &Pipeline, clock: &Clock, query: &str) -> Vec<String> {
    let board = routes_over_at(pipeline.reader(), clock.clone());
    let mut told = Vec::new();
    for path in PATHS {
        told.push(body(&board, path, query).await);
    }
    told
}

#[tokio::test]
async fn what_was_answered_then_is_answered_again() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::manual(START));
    let mut pipeline = start(folder.path(), &clock);
    let mut answers = Vec::new();
    for (n, next) in (1..).zip(story()) {
        let now = START + n * 100 * SECOND;
        clock.set(now);
        match next {
            Some(heard) => hear(&pipeline, heard, n, now).await,
            None => {
                assert!(pipeline.drain(Duration::from_secs(10)).await.unwrap().complete);
                pipeline = start(folder.path(), &clock);
            }
        }
        answers.push((now, bodies(&pipeline, &clock, "").await));
    }
    clock.set(START + 9_000 * SECOND);
    let different: std::collections::BTreeSet<_> = answers.iter().map(|(_, told)| told).collect();
    assert!(different.len() >= 9, "the story changes what is shown: {}", different.len());
    for (n, (at, told)) in answers.iter().enumerate() {
        // A fact that waits shows by itself when its time is over, between two steps.
        let until = answers.get(n + 1).map_or(at + SECOND, |(next, _)| next - 95 * SECOND);
        for instant in [*at, until] {
            let query = format!("?known_at={}", jiff::Timestamp::from_nanosecond(instant.into()).unwrap());
            assert_eq!(&bodies(&pipeline, &clock, &query).await, told, "step {n}, {query}");
        }
    }
    let before = board_problem(&pipeline, &clock).await;
    assert_eq!((before.0, before.1.as_str()), (404, "unknown_conversation"));
    pipeline.drain(Duration::from_secs(10)).await.unwrap();
}

async fn board_problem(pipeline: &Pipeline, clock: &Clock) -> (u16, String) {
    let board = routes_over_at(pipeline.reader(), clock.clone());
    let answer = board.get("/api/v1/conversations/call?known_at=2026-01-01T12:00:00Z").await;
    (answer.status.as_u16(), answer.json()["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_ledger_is_answered_from_the_disk() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::manual(START));
    let pipeline = start(folder.path(), &clock);
    let note = |at, event| FeedNote { feed: 0, at: START + at * SECOND, event };
    let intake = pipeline.intake();
    intake.note(note(0, FeedEvent::Named { name: "f".into(), resends: false }));
    intake.note(note(10, FeedEvent::Listening));
    intake.note(note(20, FeedEvent::Refused { reason: "too_large".into(), conversation: None }));
    clock.set(START + 50 * SECOND);
    hear(
        &pipeline,
        (Source::Snapshot, fact(What::State, Some("l"), "connected", Some(45))),
        1,
        START + 50 * SECOND,
    )
    .await;
    pipeline.drain(Duration::from_secs(10)).await.unwrap();
    clock.set(START + 60 * SECOND);
    let pipeline = start(folder.path(), &clock);
    let board = routes_over_at(pipeline.reader(), clock.clone());
    let got = board.json("/api/v1/completeness?from=2026-01-01T12:00:00Z").await;
    let told: Vec<(&str, &str)> = got["feeds"][0]["intervals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| (i["to"].as_str().unwrap(), i["completeness"].as_str().unwrap()))
        .collect();
    let expected = [
        ("2026-01-01T12:00:10.000Z", "unknown"),
        ("2026-01-01T12:00:20.000Z", "complete"),
        ("2026-01-01T12:00:20.000001Z", "partial"),
        // Ten seconds before what was told last: clocks differ.
        ("2026-01-01T12:00:35.000Z", "complete"),
        ("2026-01-01T12:01:00.000Z", "unknown"),
    ];
    assert_eq!((told.as_slice(), &got["completeness"]), (&expected[..], &"unknown".into()));
    assert_eq!(got["feeds"][0]["intervals"][2]["reason"], "frames were refused: too_large");
    assert_eq!(got["feeds"][0]["intervals"][4]["reason"], "Headcount was not running");
    pipeline.drain(Duration::from_secs(10)).await.unwrap();
}
