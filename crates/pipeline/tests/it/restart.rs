//! What was committed comes back: the same states, clocks and counts, under a new incarnation.

use crate::world::*;
use engine::*;
use pipeline::*;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::Inherited;

async fn stand(
    reader: &Reader,
    ids: &[&str],
) -> (u64, Activity, Option<Time>, Vec<ConversationView>, Position) {
    let summary = reader.summary();
    let mut views = Vec::new();
    for id in ids {
        let answer = reader.conversation(Id::new(id).unwrap(), When::default()).await.unwrap();
        let mut view = answer.value.unwrap();
        view.completeness = Completeness::Complete;
        views.push(view);
    }
    (summary.active, summary.activity.clone(), summary.last_updated, views, summary.position)
}

#[tokio::test]
async fn a_stop_and_a_start_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let one = world(folder.path(), MailboxSettings::default());
    let intake = one.pipeline.intake();
    let mut deliveries: Vec<Delivery> = (0..50).map(|n| event("c1", n, What::State, "connected")).collect();
    deliveries.push(event("c2", 1, What::Joined, "connected"));
    deliveries.push(event("c2", 2, What::Left, "disconnected"));
    intake.submit(deliveries, Vec::new()).await;
    let reader = one.pipeline.reader();
    until(&reader, |s| events_in(s) == 52).await;
    let before = stand(&reader, &["c1", "c2"]).await;
    let drained = one.pipeline.drain(Duration::from_secs(5)).await.unwrap();
    assert!(drained.complete);

    let two = world(folder.path(), MailboxSettings::default());
    assert_eq!(two.pipeline.recovered().incarnation, 2);
    let reader = two.pipeline.reader();
    // The first answer of all is about what came back.
    assert_eq!((reader.summary().active, events_in(&reader.summary())), (1, 52));
    assert_eq!(stand(&reader, &["c1", "c2"]).await, before);

    two.pipeline.intake().submit(vec![event("c1", 99, What::State, "connected")], Vec::new()).await;
    until(&reader, |s| events_in(s) == 53).await;
    let view = reader.conversation(Id::new("c1").unwrap(), When::default()).await.unwrap().value.unwrap();
    assert_eq!(view.vector_clock, 51);
    let clock: Vec<String> = view.clock.iter().map(|(actor, n)| format!("{actor} {n}")).collect();
    assert_eq!(clock, ["headcount-1 50", "headcount-2 1"]);
    two.pipeline.drain(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn an_ended_conversation_is_found_in_the_store_and_takes_late_facts() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), MailboxSettings::default());
    let (intake, reader) = (world.pipeline.intake(), world.pipeline.reader());
    let ended = vec![event("old", 1, What::Joined, "connected"), event("old", 2, What::Left, "disconnected")];
    intake.submit(ended, Vec::new()).await;
    until(&reader, |s| events_in(s) == 2).await;
    world.clock.set(NOON + 3_600 * SECOND);
    intake.submit(vec![event("new", 1, What::Joined, "connected")], Vec::new()).await;
    until(&reader, |s| events_in(s) == 3).await;

    let list = reader.list(Filter::default(), None, 10, When::default()).await.unwrap().value;
    let ids: Vec<String> = list.items.iter().map(|c| c.id.to_string()).collect();
    assert_eq!(ids, ["new", "old"]);
    let mut again = event("old", 2, What::Left, "disconnected");
    again.received = NOON + 3_600 * SECOND;
    let mut late = event("old", 0, What::LifeCycle, "in-progress");
    late.received = NOON + 3_600 * SECOND;
    intake.submit(vec![again, late], Vec::new()).await;
    until(&reader, |s| events_in(s) == 4 && s.active == 2).await;
    let list = reader.list(Filter::default(), None, 10, When::default()).await.unwrap().value;
    let ids: Vec<String> = list.items.iter().map(|c| format!("{} {}", c.id, c.active)).collect();
    assert_eq!(ids, ["new true", "old true"], "each once, and as it stands in memory");
    let timeline = reader.timeline(Id::new("old").unwrap(), None).await.unwrap().value.unwrap();
    assert_eq!(
        timeline.iter().map(|e| (e.kind, e.late)).collect::<Vec<_>>(),
        [("lifeCycle", true), ("joined", false), ("left", false)]
    );
    world.pipeline.drain(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn followers_get_what_is_published_after_their_position() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), MailboxSettings::default());
    let (intake, reader) = (world.pipeline.intake(), world.pipeline.reader());
    let mut following = reader.changes().follow(None);
    assert!(following.missed.is_none());
    intake.submit(vec![event("c", 1, What::Joined, "connected")], Vec::new()).await;
    let batch = tokio::time::timeout(Duration::from_secs(10), following.live.recv()).await.unwrap().unwrap();
    assert_eq!((batch[0].seq, batch[0].entry.as_ref().unwrap().kind), (1, "joined"));
    intake.submit(vec![event("c", 0, What::Role, "connected")], Vec::new()).await;
    until(&reader, |s| s.position.seq == 2).await;
    let back = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            let back = reader.changes().follow(Some(1));
            if back.seq == 2 {
                return back;
            }
            tokio::task::yield_now().await;
        }
    });
    let missed = back.await.unwrap().missed.unwrap();
    assert_eq!(missed.len(), 1);
    assert_eq!(missed[0].revision, Some(Revision { place: 0, moved: 1 }));
    assert!(reader.changes().follow(Some(77)).missed.is_none(), "a position that was never published");
    world.pipeline.drain(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_fact_that_waits_is_counted_once_however_often_the_program_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut waits = event("c", 2, What::Joined, "connected");
    let region = Word::new("a").unwrap();
    let clock = [(region.clone(), 2)].into_iter().collect();
    let dot = causal::Dot { actor: region, counter: std::num::NonZeroU64::new(2).unwrap() };
    waits.facts[0].stamp = Some(Arc::new(Stamp { dot, clock }));
    for _ in 0..3 {
        let world = world(folder.path(), MailboxSettings::default());
        let reader = world.pipeline.reader();
        world.pipeline.intake().submit(vec![waits.clone()], Vec::new()).await;
        until(&reader, |s| events_in(s) == 1).await;
        assert!(world.pipeline.drain(Duration::from_secs(5)).await.unwrap().complete);
    }
    let world = world(folder.path(), MailboxSettings::default());
    let reader = world.pipeline.reader();
    until(&reader, |s| events_in(s) == 1 && s.active == 1).await;
    world.pipeline.drain(Duration::from_secs(5)).await.unwrap();
}

fn left(conversation: Id, clock: u64, remembered: Option<Memory>) -> Inherited {
    Inherited { conversation, clock, removed_until: None, remembered }
}

fn start_from(folder: &Path, left: &[Inherited]) -> Pipeline {
    let telemetry = Telemetry::new(&mut prometheus_client::registry::Registry::default());
    Pipeline::start_from(folder, Settings::default(), telemetry, Clock::manual(NOON), 7, left).unwrap()
}

/// The ids of the live conversations, and of those among them that are only remembered.
async fn live(reader: &Reader) -> (Vec<String>, Vec<String>) {
    let filter = Filter { active: Some(true), ..Filter::default() };
    let items = reader.list(filter, None, 100, When::default()).await.unwrap().value.items;
    assert_eq!(items.len() as u64, reader.summary().active, "the count is the size of the list");
    let id = |view: &ConversationView| view.id.to_string();
    let remembered = items.iter().filter(|view| view.remembered_at.is_some()).map(id).collect();
    (items.iter().map(id).collect(), remembered)
}

#[tokio::test]
async fn what_a_copy_had_is_remembered_over_restarts_until_facts_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let id = |text: &str| Id::new(text).unwrap();
    let memory = |at: i64| {
        let (state, medium) = (Word::new("held"), Word::new("voice"));
        let told = MemoryOfParticipant { id: id("p"), state, role: None, user: None, queue: None, medium };
        Some(Memory { told_at: at, participants: vec![told] })
    };
    let all = [
        left(id("c1"), 17, memory(NOON - SECOND)),
        left(id("c2"), 3, memory(NOON - SECOND)),
        left(id("days ago"), 3, memory(NOON - 2 * 86_400 * SECOND)),
        left(id("over"), 9, None),
    ];
    for restart in 0..2 {
        let pipeline = start_from(folder.path(), if restart == 0 { &all } else { &[] });
        let reader = pipeline.reader();
        assert_eq!(live(&reader).await, (vec!["c1".into(), "c2".into()], vec!["c1".into(), "c2".into()]));
        let summary = reader.summary();
        assert_eq!(summary.remembered, 2);
        assert_eq!((events_in(&summary), summary.position.seq), (0, 0), "no fact was made of it");
        let answer = reader.conversation(id("c1"), When::default()).await.unwrap();
        assert_eq!(answer.completeness, Completeness::Partial);
        assert_eq!(answer.value.unwrap().vector_clock, 17);
        let none = reader.timeline(id("c1"), None).await.unwrap();
        assert_eq!(none.value, Some(Vec::new()));
        // Of the past nothing is claimed.
        let then = When { at: Some(NOON), known_at: None };
        assert!(reader.conversation(id("c1"), then).await.unwrap().value.is_none());
        assert!(reader.timeline(id("c1"), Some(NOON)).await.unwrap().value.is_none());
        assert!(reader.conversation(id("over"), When::default()).await.unwrap().value.is_none());
        if restart == 0 {
            // A feed that misses nothing makes nothing whole that is only remembered.
            let named = FeedEvent::Named { name: "f".into(), resends: true };
            let notes = [named, FeedEvent::Listening].map(|event| FeedNote { feed: 0, at: NOON, event });
            notes.into_iter().for_each(|note| pipeline.intake().note(note));
            let summary = until(&reader, |s| s.feeds.iter().any(|feed| feed.connected)).await;
            assert_eq!((summary.remembered, summary.completeness), (2, Completeness::Partial));
            let none = reader.timeline(id("c1"), None).await.unwrap();
            assert_eq!((none.value, none.completeness), (Some(Vec::new()), Completeness::Partial));
            let page = reader.list(Filter::default(), None, 100, When::default()).await.unwrap();
            assert_eq!(page.completeness, Completeness::Partial);
        }
        pipeline.drain(Duration::from_secs(5)).await.unwrap();
    }
    // One is heard of; later it has ended and left memory. It is not remembered again.
    let telemetry = Telemetry::new(&mut prometheus_client::registry::Registry::default());
    let clock = Clock::manual(NOON);
    let pipeline = Pipeline::start(folder.path(), Settings::default(), telemetry, clock.clone(), 7).unwrap();
    let reader = pipeline.reader();
    pipeline.intake().submit(vec![event("c1", 1, What::State, "connected")], Vec::new()).await;
    until(&reader, |s| events_in(s) == 1).await;
    assert_eq!(live(&reader).await, (vec!["c1".into(), "c2".into()], vec!["c2".into()]));
    pipeline.intake().submit(vec![event("c1", 2, What::Left, "disconnected")], Vec::new()).await;
    until(&reader, |s| events_in(s) == 2).await;
    clock.set(NOON + 90 * SECOND);
    pipeline.intake().submit(vec![event("c3", 3, What::State, "connected")], Vec::new()).await;
    until(&reader, |s| events_in(s) == 3).await;
    pipeline.drain(Duration::from_secs(5)).await.unwrap();
    let pipeline = start_from(folder.path(), &[]);
    assert_eq!(live(&pipeline.reader()).await, (vec!["c2".into(), "c3".into()], vec!["c2".into()]));
    pipeline.drain(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn after_a_lost_disk_a_clock_goes_on_from_where_a_copy_had_it() {
    let folder = tempfile::tempdir().unwrap();
    let start = |clocks: &[(Id, u64)]| {
        let left: Vec<Inherited> = clocks.iter().map(|(id, clock)| left(id.clone(), *clock, None)).collect();
        start_from(folder.path(), &left)
    };
    let id = |text: &str| Id::new(text).unwrap();
    // The second time the folder is not new any more: what it holds stands.
    for (clocks, n) in [([(id("c1"), 17)], 1), ([(id("c1"), 99)], 2)] {
        let pipeline = start(&clocks);
        let reader = pipeline.reader();
        let submitted =
            vec![event("c1", n, What::State, "connected"), event("c2", n, What::State, "connected")];
        pipeline.intake().submit(submitted, Vec::new()).await;
        until(&reader, |s| events_in(s) == 2 * n).await;
        let clock_of = async |of: &str| {
            let view = reader.conversation(id(of), When::default()).await.unwrap().value.unwrap();
            let timeline = reader.timeline(id(of), None).await.unwrap().value.unwrap();
            assert_eq!(timeline.last().unwrap().vector_clock, view.vector_clock);
            assert_eq!(view.clock.iter().map(|(_, n)| n).sum::<u64>(), view.vector_clock);
            (view.vector_clock, timeline[0].vector_clock)
        };
        assert_eq!((clock_of("c1").await, clock_of("c2").await), ((17 + n, 18), (n, 1)));
        pipeline.drain(Duration::from_secs(5)).await.unwrap();
    }
}
