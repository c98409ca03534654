//! A full mailbox: `block` waits, `drop` counts, role and life-cycle changes go first.

use crate::world::*;
use engine::*;
use pipeline::*;
use prometheus_client::registry::Registry;
use std::time::Duration;

fn dropped(telemetry: &Telemetry, reason: &'static str) -> u64 {
    telemetry.dropped_facts.get_or_create(&Reason { reason }).get()
}

#[tokio::test]
async fn block_loses_nothing_however_small_the_mailbox() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), MailboxSettings { facts_max: 3, when_full: WhenFull::Block });
    let intake = world.pipeline.intake();
    let deliveries = (0..500).map(|n| event("c", n, What::State, "connected")).collect();
    intake.submit(deliveries, Vec::new()).await;
    until(&world.pipeline.reader(), |s| events_in(s) == 500).await;
    assert_eq!(dropped(&world.telemetry, "mailbox_full"), 0);
    world.pipeline.drain(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_stop_drains_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    let first = world(folder.path(), MailboxSettings::default());
    let deliveries = (0..4_000).map(|n| event("c", n, What::State, "connected")).collect();
    first.pipeline.intake().submit(deliveries, Vec::new()).await;
    assert!(first.pipeline.drain(Duration::from_secs(10)).await.unwrap().complete);
    let second = world(folder.path(), MailboxSettings::default());
    until(&second.pipeline.reader(), |s| events_in(s) == 4_000).await;
    second.pipeline.drain(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn drop_lets_chatter_go_before_role_and_life_cycle_changes() {
    let telemetry = Telemetry::new(&mut Registry::default());
    let settings = MailboxSettings { facts_max: 4, when_full: WhenFull::Drop };
    let mailbox = Mailbox::new(settings, telemetry.clone());
    let chatter = (0..6).map(|n| event("chatter", n, What::State, "connected")).collect();
    mailbox.submit(chatter, Vec::new()).await;
    assert_eq!(dropped(&telemetry, "mailbox_full"), 2);
    let urgent = (0..2).map(|n| event("urgent", n, What::LifeCycle, "ended")).collect();
    mailbox.submit(urgent, Vec::new()).await;
    assert_eq!(dropped(&telemetry, "mailbox_full"), 4);
    assert_eq!(dropped(&telemetry, "mailbox_full_urgent"), 0);
    let mut mail = Mail::default();
    let order =
        |mail: &Mail| mail.deliveries.iter().map(|(_, d)| d.conversation.to_string()).collect::<Vec<_>>();
    assert!(mailbox.take(3, &mut mail));
    assert_eq!(order(&mail), ["chatter", "urgent", "urgent"], "urgent ones first, then in order of arrival");
    assert_eq!(
        mail.dropped,
        [((0, Id::new("chatter").unwrap()), Dropped { facts: 4, since: NOON, until: NOON })]
    );
    let mut mail = Mail::default();
    assert!(!mailbox.take(3, &mut mail));
    assert_eq!(order(&mail), ["chatter"]);
    assert_eq!(mailbox.tally(), (8, 4));
}

#[tokio::test]
async fn a_drop_makes_the_answer_partial_and_asks_for_a_repair() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = world(folder.path(), MailboxSettings { facts_max: 1, when_full: WhenFull::Drop });
    let mut wishes = world.pipeline.take_wishes().unwrap();
    let intake = world.pipeline.intake();
    intake.note(FeedNote { feed: 0, at: NOON, event: FeedEvent::Named { name: "f".into(), resends: false } });
    intake.note(FeedNote { feed: 0, at: NOON, event: FeedEvent::Listening });
    let reader = world.pipeline.reader();
    until(&reader, |s| s.completeness == Completeness::Complete).await;
    let deliveries = (0..2_000).map(|n| event("c", n, What::State, "connected")).collect();
    intake.submit(deliveries, Vec::new()).await;
    until(&reader, |s| s.completeness == Completeness::Partial).await;
    let answer = reader.conversation(Id::new("c").unwrap(), None).await.unwrap();
    assert_eq!(answer.completeness, Completeness::Partial);
    let wish = tokio::time::timeout(Duration::from_secs(10), wishes.recv()).await.unwrap().unwrap();
    assert_eq!((wish.conversation.to_string().as_str(), wish.reason), ("c", "dropped"));
    world.pipeline.drain(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_note_keeps_its_place_among_the_facts() {
    let telemetry = Telemetry::new(&mut Registry::default());
    let mailbox = std::sync::Arc::new(Mailbox::new(MailboxSettings::default(), telemetry));
    let intake = Intake::new(mailbox.clone());
    intake
        .submit(
            vec![event("c", 1, What::State, "connected"), event("c", 2, What::State, "connected")],
            Vec::new(),
        )
        .await;
    intake.note(FeedNote { feed: 0, at: NOON, event: FeedEvent::Listening });
    intake.submit(vec![event("c", 3, What::LifeCycle, "ended")], Vec::new()).await;
    let mut mail = Mail::default();
    assert!(mailbox.take(1, &mut mail));
    assert_eq!((mail.deliveries.len(), mail.notes.len()), (1, 0), "what came before the note still waits");
    let mut mail = Mail::default();
    assert!(!mailbox.take(9, &mut mail));
    assert_eq!(mail.notes.len(), 1);
    assert!(mail.deliveries.iter().all(|(number, _)| *number < mail.notes[0].0));
}
