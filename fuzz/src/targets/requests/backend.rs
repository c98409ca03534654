//! The routes over a real keeper: conversations in memory and laid down, a user, a feed that listens.

use axum::Router;
use engine::*;
use pipeline::{Clock, Keeper, Mail, Telemetry, reader_pair};
use prometheus_client::registry::Registry;
use std::sync::Arc;
use store::Store;

/// Noon of some day, in nanoseconds since the epoch.
const NOON: i64 = 1_767_268_800 * SECOND;
/// When the questions are asked: the first two conversations have left memory by then.
const LATER: i64 = NOON + 300 * SECOND;
/// Conversations: the last two live on. One has an id that a URL must escape.
const NAMES: [&str; 4] =
    ["00000000-0000-4000-8000-000000000001", "gone/é ?", "live", "00000000-0000-4000-8000-000000000002"];

/// The routes; questions are answered while the runtime runs.
pub(super) fn routes() -> Router {
    let folder = tempfile::tempdir().expect("a folder");
    let (keeper, changes) = keeper(&folder);
    let (reader, mut backend) = reader_pair(keeper.summary(LATER, None));
    let seq = keeper.position().seq;
    backend.changes.publish(changes, seq);
    let data = folder.path().to_owned();
    tokio::spawn(async move {
        let _kept_until_the_end = folder;
        while let Some(query) = backend.queries.recv().await {
            keeper.answer(query, LATER);
        }
    });
    let mut registry = Registry::default();
    let telemetry = Telemetry::new(&mut registry);
    serve::router(serve::App {
        reader,
        registry: Arc::new(registry),
        telemetry,
        clock: Clock::manual(LATER),
        data,
        hosts: serve::Hosts::default(),
        zone: serve::ZoneRules::among(None).utc(),
        title: "fuzz".to_owned(),
        note: None,
    })
}

fn keeper(folder: &tempfile::TempDir) -> (Keeper, Vec<Change>) {
    let opened = Store::open(folder.path(), 1).expect("an empty folder");
    let (mut keeper, _) = Keeper::recover(opened, Limits::default(), NOON).expect("nothing to recover");
    let mut mail = Mail::default();
    let note = |event| (0, FeedNote { feed: 0, at: NOON, event });
    mail.notes.push(note(FeedEvent::Named { name: "events".to_owned(), resends: true }));
    mail.notes.push(note(FeedEvent::Listening));
    mail.users.push(UserFact {
        user: id("u"),
        what: UserWhat::Presence,
        value: Word::new("busy").expect("a word"),
        at: None,
        received: NOON,
    });
    for (number, name) in (1..).zip(NAMES) {
        mail.deliveries.push((number, delivery(name, number)));
    }
    keeper.take(&mut mail, NOON).expect("a store that can be read");
    let told = keeper.commit(NOON).expect("room on the disk");
    let changes = keeper.changes(&told.changes);
    keeper.pass_time(LATER);
    keeper.commit(LATER).expect("room on the disk");
    assert_eq!(keeper.engine().resident_count(), 2, "two have left memory");
    (keeper, changes)
}

/// An agent who joins; in the first two conversations everybody leaves.
fn delivery(conversation: &str, number: u64) -> Delivery {
    let fact = |what, participant: &str, state: &str, at| Fact {
        participant: Some(id(participant)),
        at: Some(Time::from_nanos(NOON + at)),
        authority: Authority::Recorded,
        state: Word::new(state),
        role: Word::new("agent"),
        user: Some(id("u")),
        queue: Some(id("q")),
        medium: Word::new("voice"),
        id: FactId::of_event(&format!("{state}{number}")),
        ..Fact::new(what)
    };
    let end = (number <= 2).then(|| fact(What::Left, "p", "disconnected", SECOND));
    Delivery {
        conversation: id(conversation),
        feed: 0,
        source: Source::Events,
        topic: 0,
        received: NOON,
        facts: [fact(What::Joined, "p", "connected", 0)].into_iter().chain(end).collect(),
        toggles: Vec::new(),
    }
}

fn id(text: &str) -> Id {
    Id::new(text).expect("an id")
}
