//! What cannot be read. A store, for a while, in the middle of a turn: what was taken is committed, what was not waits. A
//! conversation on the platform: it lacks something, and nothing else does.

use crate::retention::{history, id};
use crate::world::*;
use engine::*;
use pipeline::*;
use std::path::Path;
use std::time::Duration;

/// Takes a table away, or puts it back: what looks for it fails, and nothing else does.
fn rename(folder: &Path, from: &str, to: &str) {
    let file = rusqlite::Connection::open(folder.join("headcount.db")).unwrap();
    file.busy_timeout(Duration::from_secs(5)).unwrap();
    file.execute_batch("DROP VIEW IF EXISTS readable_conversation").unwrap();
    file.execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}")).unwrap();
}

async fn until_trouble(reader: &Reader, is: bool) {
    until(reader, |summary| summary.store_trouble.is_some() == is).await;
}

#[tokio::test]
async fn a_turn_that_cannot_look_something_up_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = world(folder.path(), MailboxSettings::default());
    let (intake, reader) = (world.pipeline.intake(), world.pipeline.reader());
    intake.submit(vec![event("known", 1, What::State, "connected")], Vec::new()).await;
    until(&reader, |summary| events_in(summary) == 1).await;

    rename(folder.path(), "conversation", "away");
    world.clock.set(NOON + SECOND);
    let told = [("known", 2), ("new", 1), ("newer", 1), ("known", 3)];
    let told = told.map(|(id, n)| event(id, n, What::State, "connected"));
    intake.submit(told.to_vec(), Vec::new()).await;
    until_trouble(&reader, true).await;
    let withheld = reader.conversation(Id::new("elsewhere").unwrap(), When::default()).await;
    assert!(matches!(withheld, Err(NoAnswer::Withheld(_))), "{withheld:?}");
    let known = reader.timeline(Id::new("known").unwrap(), None).await.unwrap();
    assert_eq!(known.value.map(|entries| entries.len()), Some(1), "as committed, whatever was taken since");

    rename(folder.path(), "away", "conversation");
    until_trouble(&reader, false).await;
    until(&reader, |summary| events_in(summary) == 5).await;
    let known = reader.timeline(Id::new("known").unwrap(), None).await.unwrap();
    assert_eq!(known.value.map(|entries| entries.len()), Some(3));
    assert!(world.pipeline.take_wishes().is_some());
    world.pipeline.drain(Duration::from_secs(5)).await.unwrap();
}

#[test]
fn a_conversation_that_left_memory_and_cannot_be_read_by_rest_is_partial_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (mut keeper, now) = history(folder.path(), 3);
    let note = |at, event| (0, FeedNote { feed: 0, at, event });
    let round = FeedEvent::RepairedBut { unread: vec![id("day-1")], reason: "too large".to_owned() };
    let notes = vec![
        note(now, FeedEvent::Lost { reason: "silent".to_owned(), last_heard: now - SECOND }),
        note(now + SECOND, FeedEvent::Listening),
        note(now + 2 * SECOND, round),
    ];
    assert!(!keeper.engine().knows(&id("day-1")));
    keeper.take(&mut Mail { notes, ..Mail::default() }, now + 2 * SECOND).unwrap();
    let done = keeper.commit(now + 2 * SECOND).unwrap();
    keeper.reuse(done);
    let range = keeper.engine().range(now - SECOND, now + SECOND, now + 3 * SECOND);
    assert_eq!(range.completeness, Completeness::Repaired, "the hole is closed");
    let of = |keeper: &Keeper, name: &str| {
        let told = keeper.about(&id(name), now + 3 * SECOND, |shown| shown.completeness()).unwrap();
        told.value.unwrap()
    };
    assert_eq!((of(&keeper, "day-1"), of(&keeper, "day-2")), (Completeness::Partial, Completeness::Complete));
    keeper.close().unwrap();
    let keeper = crate::retention::recover(folder.path(), now + 60 * SECOND);
    assert_eq!(of(&keeper, "day-1"), Completeness::Partial, "a restart knows it");
}
