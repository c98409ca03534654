//! After a lost disk: every clock as it was, from each version, in both schemas; and a failure that stops nothing.

use crate::sending::settings_for;
use crate::stand_in::StandIn;
use crate::world::{NOON, World, event, history, settings};
use engine::SECOND;
use influx::{Schema, clocks};
use std::collections::BTreeMap;

pub async fn own_clocks(world: &World) -> BTreeMap<String, u64> {
    let last =
        |timeline: &[engine::TimelineEntry]| timeline.iter().map(|entry| entry.vector_clock).max().unwrap();
    world.entries().await.into_iter().map(|(id, timeline)| (id.to_string(), last(&timeline))).collect()
}

pub async fn told(settings: &influx::Settings) -> (BTreeMap<String, u64>, Option<String>) {
    let told = clocks(settings, NOON + 3_600 * SECOND).await;
    (told.clocks.into_iter().map(|(id, clock)| (id.to_string(), clock)).collect(), told.cut)
}

#[tokio::test]
async fn the_highest_clock_of_each_conversation_comes_back() {
    for version in [1, 2, 3] {
        for schema in [Schema::Tutorial, Schema::Compact] {
            let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(version).await);
            let world = World::start(folder.path(), settings_for(&server, Some(schema)));
            let mut all = history(30, 9);
            // One of two days ago, and one that is older than is asked for.
            all.push(event("yesterday", 1, -2 * 86_400_000, "connected"));
            all.push(event("long ago", 1, -8 * 86_400_000, "connected"));
            world.submit(all).await;
            // The day's activity has the newest events only.
            world.settled(270).await;
            let mut wanted = own_clocks(&world).await;
            assert_eq!(wanted.remove("long ago"), Some(1));
            world.stop().await;
            server.points();
            assert_eq!(
                told(&settings_for(&server, Some(schema))).await,
                (wanted, None),
                "v{version} {schema:?}"
            );
            let asked = server.look(|inside| inside.asked);
            assert!((8..30).contains(&asked), "slices grow: {asked}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_warning() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (clocks, cut) = told(&settings(&format!("http://{nobody}/"), "calls")).await;
    assert!(clocks.is_empty() && cut.unwrap().contains("cannot be reached"));
}
