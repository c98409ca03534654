//! A server that is away, busy, strict or closed: nothing is lost, everything is said, no secret is told.

use crate::sending::{by_conversation, settings_for};
use crate::stand_in::StandIn;
use crate::world::{NOON, World, event, history, settings};
use engine::SECOND;
use influx::Schema;
use pipeline::FollowerName;
use store::{OutboxBounds, Sent};

const NAME: FollowerName = FollowerName { follower: influx::NAME };

#[tokio::test]
async fn a_server_that_answers_503_for_a_while_gets_everything_in_the_end() {
    let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(2).await);
    server.look(|inside| {
        inside.script.extend((0..6).map(|n| (if n % 2 == 0 { 503 } else { 500 }, "busy".to_owned())))
    });
    let world = World::start(folder.path(), settings_for(&server, None));
    world.submit(history(5, 10)).await;
    world.settled(50).await;
    assert!(server.look(|inside| inside.writes) > 6);
    assert_eq!(by_conversation(&server.points()).values().sum::<usize>(), 50);
    assert_eq!(world.status().trouble, None);
    world.stop().await;
}

#[tokio::test]
async fn a_missing_permission_is_named_and_waited_out() {
    for version in [1, 2, 3] {
        let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(version).await);
        server.look(|inside| inside.forbidden = true);
        let world = World::start(folder.path(), settings_for(&server, None));
        world.submit(history(2, 5)).await;
        world.until("the trouble is told", || world.status().trouble.is_some()).await;
        let trouble = world.status().trouble.unwrap();
        assert!(trouble.contains("INFLUX_TOKEN") && trouble.contains("calls"), "{trouble}");
        assert!(!trouble.contains("canary"), "{trouble}");
        assert_eq!(world.status().lag_changes, world.seq());
        server.look(|inside| inside.forbidden = false);
        world.settled(10).await;
        assert_eq!(by_conversation(&server.points()).values().sum::<usize>(), 10);
        world.stop().await;
    }
}

#[tokio::test]
async fn an_outage_over_a_restart_only_grows_the_lag() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there: the port was let go.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let world = World::start(folder.path(), settings(&format!("http://{nobody}/"), "calls"));
    world.submit(history(20, 5)).await;
    world.until("the trouble is told", || world.status().trouble.is_some()).await;
    let reader = world.pipeline.reader();
    world.until("all is committed", || reader.summary().activity.counts.iter().sum::<u64>() == 100).await;
    assert_eq!(world.status().lag_changes, 100);
    world.stop().await;

    let server = StandIn::start(1).await;
    let world = World::start(folder.path(), settings_for(&server, Some(Schema::Compact)));
    world.submit(vec![event("c1", 99, 500, "connected")]).await;
    world.settled(101).await;
    assert_eq!(by_conversation(&server.points()).values().sum::<usize>(), 101);
    assert_eq!(world.telemetry.follower_lag.get_or_create(&NAME).get(), 0);
    world.stop().await;
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_a_new_one_begun() {
    // Its first page is met when it is opened, any other in the middle of the work.
    for from_page in [0, 2] {
        let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(1).await);
        let world = World::start(folder.path(), settings_for(&server, None));
        world.submit(history(4, 10)).await;
        world.settled(40).await;
        world.stop().await;
        let file = folder.path().join("follower-influxdb.db");
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[from_page * 4_096..].fill(0xa5);
        std::fs::write(&file, &bytes).unwrap();

        let world = World::start(folder.path(), settings_for(&server, None));
        world.submit(vec![event("c1", 99, 500, "connected"), event("c2", 99, 0, "connected")]).await;
        world.settled(42).await;
        assert_eq!(by_conversation(&server.points()).values().sum::<usize>(), 42);
        assert_eq!((world.status().trouble, world.status().missed_changes), (None, 0));
        world.stop().await;
        assert_eq!(std::fs::read(folder.path().join("follower-influxdb.db.damaged")).unwrap(), bytes);
        let sent = Sent::open(folder.path(), influx::NAME).unwrap();
        assert_eq!((sent.progress().unwrap().unwrap().seq, sent.damaged()), (42, None));
    }
}

#[tokio::test]
async fn refused_lines_are_set_aside_and_the_others_arrive() {
    for version in [1, 2, 3] {
        let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(version).await);
        let world = World::start(folder.path(), settings_for(&server, Some(Schema::Tutorial)));
        let mut all = history(6, 10);
        all.extend((0..3).map(|n| event("poison", n, n.cast_signed(), "connected")));
        world.submit(all).await;
        world.settled(63).await;
        let counts = by_conversation(&server.points());
        assert_eq!((counts.len(), counts.values().sum::<usize>()), (6, 60), "v{version}");
        assert_eq!(world.telemetry.follower_refused.get_or_create(&NAME).get(), 3);
        world.stop().await;
        let refused = Sent::open(folder.path(), influx::NAME).unwrap().refused().unwrap();
        assert!(
            refused.iter().all(|(line, why)| line.contains("poison") && why.contains("poisoned")),
            "{refused:?}"
        );
        assert_eq!(refused.len(), 3);
    }
}

#[tokio::test]
async fn lines_refused_without_a_name_are_found_by_halves() {
    let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(1).await);
    let conflict = r#"{"error":"partial write: field type conflict: input field \"vector_clock\" is type integer, already exists as type float dropped=1"}"#;
    server.look(|inside| inside.script.push_back((400, conflict.to_owned())));
    let world = World::start(folder.path(), settings_for(&server, None));
    world.submit(history(4, 10)).await;
    world.settled(40).await;
    assert_eq!(by_conversation(&server.points()).values().sum::<usize>(), 40);
    assert_eq!(world.telemetry.follower_refused.get_or_create(&NAME).get(), 0);
    world.stop().await;
}

#[tokio::test]
async fn a_server_that_takes_small_bodies_only_gets_small_ones() {
    for version in [2, 3] {
        let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(version).await);
        server.look(|inside| inside.body_bytes_max = Some(2_000));
        let world = World::start(folder.path(), settings_for(&server, None));
        world.submit(history(10, 10)).await;
        world.settled(100).await;
        assert_eq!(by_conversation(&server.points()).values().sum::<usize>(), 100);
        world.stop().await;
    }
}

#[tokio::test]
async fn points_older_than_what_is_kept_are_set_aside_and_the_others_arrive() {
    let why = "partial write: points beyond retention policy dropped=2";
    for (version, status) in [(1, 400), (2, 500), (2, 422)] {
        let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(version).await);
        let body = match version {
            1 => format!(r#"{{"error":"{why}"}}"#),
            _ => format!(
                r#"{{"code":"internal error","message":"failure writing points to database: {why}"}}"#
            ),
        };
        server.look(|inside| inside.script.push_back((status, body)));
        let world = World::start(folder.path(), settings_for(&server, None));
        let mut all = history(4, 10);
        // A change, and its minute.
        all.push(event("ancient", 1, -9 * 86_400_000, "held"));
        world.submit(all).await;
        world.settled(40).await;
        assert_eq!(by_conversation(&server.points()).values().sum::<usize>(), 40, "v{version} {status}");
        assert_eq!(world.telemetry.follower_refused.get_or_create(&NAME).get(), 2);
        assert_eq!(world.status().trouble, None);
        world.stop().await;
    }
}

#[tokio::test]
async fn what_was_not_kept_for_so_long_is_missing_and_counted() {
    let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(1).await);
    server.look(|inside| inside.forbidden = true);
    let bounds = OutboxBounds { age_ns_max: 10 * SECOND, ..OutboxBounds::default() };
    let world = World::with(folder.path(), settings_for(&server, None), bounds);
    world.submit(vec![event("early", 1, 1, "connected")]).await;
    world.until("the first batch is held", || world.status().trouble.is_some()).await;
    for n in 1..=5 {
        world.submit(vec![event("lost", n, n.cast_signed(), "connected")]).await;
        world.until("committed", || world.seq() == n + 1).await;
    }
    world.clock.set(NOON + 60 * SECOND);
    world.submit(vec![event("late", 1, 9, "connected")]).await;
    world.until("committed", || world.seq() == 7).await;
    server.look(|inside| inside.forbidden = false);
    world.settled(7).await;
    let status = world.status();
    assert_eq!(by_conversation(&server.points()).into_keys().collect::<Vec<_>>(), ["early", "late"]);
    assert_eq!((status.missed_changes, status.gap.as_deref()), (5, Some("5 of the changes 2 to 7")));
    world.stop().await;
}
