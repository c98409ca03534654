//! A store that cannot be read for a while, in the middle of a turn: what was taken is committed, what was not waits.

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
    let withheld = reader.conversation(Id::new("elsewhere").unwrap(), None).await;
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
