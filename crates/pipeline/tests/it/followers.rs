//! Followers: nothing is lost over restarts, what went too early is told, and nobody is waited for.

use crate::world::*;
use engine::*;
use pipeline::*;
use prometheus_client::registry::Registry;
use std::path::Path;
use std::time::Duration;
use store::OutboxBounds;

const NAME: FollowerName = FollowerName { follower: "test" };

fn followed(folder: &Path, bounds: OutboxBounds) -> World {
    let telemetry = Telemetry::new(&mut Registry::default());
    let clock = Clock::manual(NOON);
    let settings = Settings { outbox: Some(bounds), ..Settings::default() };
    let pipeline = Pipeline::start(folder, settings, telemetry.clone(), clock.clone(), 7).unwrap();
    World { pipeline, telemetry, clock }
}

fn follower(world: &World, folder: &Path) -> Follower {
    Follower::open(folder, "test", &world.pipeline.reader(), world.telemetry.clone()).unwrap()
}

async fn say(world: &World, conversation: &str, n: u64) {
    let before = events_in(&world.pipeline.reader().summary());
    world.pipeline.intake().submit(vec![event(conversation, n, What::State, "connected")], Vec::new()).await;
    until(&world.pipeline.reader(), |s| events_in(s) > before).await;
}

fn names(portion: &Portion) -> Vec<String> {
    portion.conversations.iter().map(Id::to_string).collect()
}

#[tokio::test]
async fn a_follower_goes_on_where_its_sink_stands_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let one = followed(folder.path(), OutboxBounds::default());
    let mut first = follower(&one, folder.path());
    say(&one, "c1", 1).await;
    say(&one, "c2", 1).await;
    say(&one, "c1", 2).await;
    first.more().await;
    assert_eq!(first.lag(), 3);
    let portion = first.take(2).unwrap().unwrap();
    assert_eq!(names(&portion), ["c1", "c2"], "as many rows as hold two changes");
    first.acknowledge(&portion).unwrap();
    assert_eq!((first.lag(), one.telemetry.follower_lag.get_or_create(&NAME).get()), (1, 1));
    tokio::time::timeout(Duration::from_secs(5), first.more())
        .await
        .expect("what was left over waits for no commit");
    let unsent = first.take(100).unwrap().unwrap();
    drop(first);
    one.pipeline.drain(Duration::from_secs(5)).await.unwrap();

    let two = followed(folder.path(), OutboxBounds::default());
    say(&two, "c3", 1).await;
    let mut again = follower(&two, folder.path());
    let portion = again.take(1).unwrap().unwrap();
    assert_eq!(portion, unsent, "what was not acknowledged comes again");
    let timelines = again.timelines(&portion.conversations).await.unwrap();
    assert_eq!((timelines.len(), timelines[0].1.len()), (1, 2));
    assert_eq!(timelines[0].1[1].state, Word::new("connected"));
    assert_eq!(again.cells(&portion.minutes), Ok(vec![(NOON / MINUTE, 4)]));
    again.acknowledge(&portion).unwrap();
    let portion = again.take(100).unwrap().unwrap();
    again.acknowledge(&portion).unwrap();
    assert_eq!((again.take(100), again.lag()), (Ok(None), 0));
    let status = two.pipeline.reader().followers().status();
    assert_eq!((status.len(), status[0].missed_changes, status[0].gap.clone()), (1, 0, None));
}

#[tokio::test]
async fn what_was_not_kept_for_so_long_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let bounds = OutboxBounds { age_ns_max: 10 * SECOND, ..OutboxBounds::default() };
    let world = followed(folder.path(), bounds);
    let mut slow = follower(&world, folder.path());
    for n in 1..=4 {
        say(&world, "c1", n).await;
    }
    world.clock.set(NOON + 60 * SECOND);
    say(&world, "c2", 1).await;
    let portion = slow.take(100).unwrap().unwrap();
    assert_eq!(names(&portion), ["c2"]);
    slow.acknowledge(&portion).unwrap();
    let status = world.pipeline.reader().followers().status();
    assert_eq!((status[0].missed_changes, status[0].gap.as_deref()), (4, Some("4 of the changes 1 to 5")));
    assert_eq!(world.telemetry.follower_missed.get_or_create(&NAME).get(), 4);
}

#[tokio::test]
async fn a_life_in_which_nobody_followed_is_a_gap_for_who_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let one = followed(folder.path(), OutboxBounds::default());
    drop(follower(&one, folder.path()));
    say(&one, "c1", 1).await;
    one.pipeline.drain(Duration::from_secs(5)).await.unwrap();
    let two = world(folder.path(), MailboxSettings::default());
    say(&two, "c1", 2).await;
    two.pipeline.drain(Duration::from_secs(5)).await.unwrap();
    let three = followed(folder.path(), OutboxBounds::default());
    say(&three, "c2", 1).await;
    let mut back = follower(&three, folder.path());
    let portion = back.take(100).unwrap().unwrap();
    back.acknowledge(&portion).unwrap();
    assert_eq!(three.pipeline.reader().followers().status()[0].missed_changes, 2);
}

#[tokio::test]
async fn a_follower_whose_file_is_lost_gets_all_that_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let one = followed(folder.path(), OutboxBounds::default());
    let mut first = follower(&one, folder.path());
    say(&one, "c1", 1).await;
    say(&one, "c2", 1).await;
    let portion = first.take(1).unwrap().unwrap();
    first.acknowledge(&portion).unwrap();
    drop(first);
    one.pipeline.drain(Duration::from_secs(5)).await.unwrap();
    for file in ["follower-test.db", "follower-test.db-wal", "follower-test.db-shm"] {
        let _some_are_not_there = std::fs::remove_file(folder.path().join(file));
    }
    let two = followed(folder.path(), OutboxBounds::default());
    let mut again = follower(&two, folder.path());
    let portion = again.take(100).unwrap().unwrap();
    assert_eq!(names(&portion), ["c1", "c2"]);
    again.acknowledge(&portion).unwrap();
    assert_eq!(two.pipeline.reader().followers().status()[0].missed_changes, 0);
}

#[tokio::test]
async fn a_conversation_that_is_gone_before_it_was_sent_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let world = followed(folder.path(), OutboxBounds::default());
    let mut slow = follower(&world, folder.path());
    say(&world, "c1", 1).await;
    let mut portion = slow.take(100).unwrap().unwrap();
    portion.conversations.push(Id::new("gone").unwrap());
    let known = slow.timelines(&portion.conversations).await.unwrap();
    assert_eq!(known.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>(), ["c1"]);
    portion.miss(portion.conversations.len() - known.len());
    slow.acknowledge(&portion).unwrap();
    assert_eq!(world.telemetry.follower_missed.get_or_create(&NAME).get(), 1);
}

#[tokio::test]
async fn more_than_one_answer_holds_is_told_in_several() {
    let folder = tempfile::tempdir().unwrap();
    let world = followed(folder.path(), OutboxBounds::default());
    let asking = follower(&world, folder.path());
    let (names, each) = (["c1", "c2", "c3"], 2_500);
    for name in names {
        let told = (1..=each).map(|n| event(name, n, What::State, "connected")).collect();
        world.pipeline.intake().submit(told, Vec::new()).await;
    }
    until(&world.pipeline.reader(), |s| events_in(s) == each * 3).await;
    let ids = names.map(|name| Id::new(name).unwrap()).to_vec();
    let once = world.pipeline.reader().timelines(ids.clone()).await.unwrap().value;
    assert_eq!(once.len(), 2, "the shard is not held up by what is too much for one answer");
    let all = asking.timelines(&ids).await.unwrap();
    let told: Vec<_> = all.iter().map(|(id, timeline)| (id.to_string(), timeline.len() as u64)).collect();
    assert_eq!(told, names.map(|name| (name.to_owned(), each)));
}
