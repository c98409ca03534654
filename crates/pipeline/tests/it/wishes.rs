//! What a gap makes the engine wish for reaches the source, however much it is, and whoever asks is told when.

use crate::world::*;
use engine::*;
use pipeline::*;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

/// What the channel to a source holds.
const CHANNEL: usize = 10_000;
const CONVERSATIONS: usize = CHANNEL + 300;

fn note(event: FeedEvent) -> FeedNote {
    FeedNote { feed: 0, at: NOON, event }
}

#[tokio::test]
async fn no_wish_of_a_gap_is_lost_for_want_of_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = world(folder.path(), MailboxSettings::default());
    let mut wishes = world.pipeline.take_wishes().unwrap();
    let (intake, reader) = (world.pipeline.intake(), world.pipeline.reader());
    intake.note(note(FeedEvent::Named { name: "f".into(), resends: false }));
    intake.note(note(FeedEvent::Listening));
    let deliveries = (0..CONVERSATIONS).map(|n| event(&format!("c{n}"), 1, What::Joined, "connected"));
    assert!(intake.submit(deliveries.collect(), Vec::new()).await);
    until(&reader, |s| s.active == CONVERSATIONS as u64).await;
    intake.note(note(FeedEvent::Lost { reason: "cut".into(), last_heard: NOON }));
    intake.note(note(FeedEvent::Listening));
    let mut settled = pin!(intake.settled());
    let full = async {
        while wishes.len() < CHANNEL {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), full).await.expect("the channel is filled");
    // Another turn, so that the one that filled it is over.
    assert!(intake.submit(vec![event("later", 1, What::Joined, "connected")], Vec::new()).await);
    until(&reader, |s| s.active == CONVERSATIONS as u64 + 1).await;
    let is_settled = settled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
    assert!(!is_settled, "300 wishes wait for room");
    let mut all = Vec::new();
    let settling = async {
        loop {
            tokio::select! {
                biased;
                () = &mut settled => return,
                Some(wish) = wishes.recv() => all.push(wish),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), settling).await.expect("it settles");
    assert!(all.len() >= CONVERSATIONS - CHANNEL, "settled when {} of the wishes were taken", all.len());
    while let Ok(wish) = wishes.try_recv() {
        all.push(wish);
    }
    assert!(all.iter().all(|wish| wish.reason == "gap"));
    let ids: BTreeSet<Id> = all.into_iter().map(|wish| wish.conversation).collect();
    assert_eq!(ids.len(), CONVERSATIONS);
    world.pipeline.drain(Duration::from_secs(10)).await.unwrap();
}

#[tokio::test]
async fn who_submits_is_told_what_is_dropped_and_a_read_that_was_taken_stays() {
    let telemetry = Telemetry::new(&mut prometheus_client::registry::Registry::default());
    let settings = MailboxSettings { facts_max: 2, when_full: WhenFull::Drop };
    let mailbox = std::sync::Arc::new(Mailbox::new(settings, telemetry));
    let intake = Intake::new(mailbox.clone());
    let read = Delivery { source: Source::Rest, ..event("read", 1, What::State, "connected") };
    assert!(intake.submit(vec![read], Vec::new()).await);
    assert!(intake.submit(vec![event("chatter", 1, What::State, "connected")], Vec::new()).await);
    assert!(intake.submit(vec![event("end", 1, What::LifeCycle, "ended")], Vec::new()).await, "chatter goes");
    assert!(!intake.submit(vec![event("end", 2, What::LifeCycle, "ended")], Vec::new()).await);
    let mut mail = Mail::default();
    mailbox.take(9, &mut mail);
    let left: Vec<String> = mail.deliveries.iter().map(|(_, d)| d.conversation.to_string()).collect();
    assert_eq!(left, ["read", "end"]);
}
