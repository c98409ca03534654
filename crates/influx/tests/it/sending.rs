//! Whatever the version: every change is a point, sent twice is sent once, and what comes late corrects.

use crate::stand_in::{BUCKET, ORG, Points, StandIn, TOKEN, V1_TOKEN};
use crate::world::{World, event, history, settings, with_token};
use influx::{Schema, Settings};
use std::collections::BTreeMap;

pub fn settings_for(server: &StandIn, schema: Option<Schema>) -> Settings {
    let mut settings = settings(&server.url, BUCKET);
    settings.schema = schema;
    settings.org = Some(ORG.to_owned());
    with_token(settings, if server.version == 1 { V1_TOKEN } else { TOKEN })
}

/// Points of each conversation, whatever the schema.
pub fn by_conversation(points: &Points) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for ((series, _), fields) in points {
        if !series.starts_with("participant_state") {
            continue;
        }
        let tag = series.split(',').find_map(|tag| tag.strip_prefix("interactionId="));
        let field = fields.get("interactionId").map(|id| id.trim_matches('"'));
        *counts.entry(tag.or(field).expect("a conversation").to_owned()).or_default() += 1;
    }
    counts
}

async fn own_counts(world: &World) -> BTreeMap<String, usize> {
    world.entries().await.into_iter().map(|(id, timeline)| (id.to_string(), timeline.len())).collect()
}

#[tokio::test]
async fn every_change_is_a_point_in_every_version_and_schema() {
    for version in [1, 2, 3] {
        for schema in [None, Some(Schema::Tutorial), Some(Schema::Compact)] {
            let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(version).await);
            let world = World::start(folder.path(), settings_for(&server, schema));
            world.submit(history(40, 20)).await;
            world.settled(800).await;
            let points = server.points();
            assert_eq!(by_conversation(&points), own_counts(&world).await, "v{version} {schema:?}");
            let compact = points.keys().any(|(series, _)| series.starts_with("participant_state,role="));
            assert_eq!(compact, schema.map_or(version != 3, |schema| schema == Schema::Compact));
            let cells: u64 = points
                .iter()
                .filter(|((series, _), _)| series == "participant_activity")
                .map(|(_, fields)| fields["events"].trim_end_matches('i').parse::<u64>().unwrap())
                .sum();
            assert_eq!(cells, 800);
            world.stop().await;
        }
    }
}

#[tokio::test]
async fn the_same_history_in_another_order_from_another_folder_leaves_the_server_unchanged() {
    for schema in [Schema::Tutorial, Schema::Compact] {
        let server = StandIn::start(1).await;
        let mut first = None;
        for round in 0..2 {
            let folder = tempfile::tempdir().unwrap();
            let world = World::start(folder.path(), settings_for(&server, Some(schema)));
            let mut all = history(10, 30);
            if round == 1 {
                all.reverse();
            }
            for part in all.chunks(50) {
                world.submit(part.to_vec()).await;
            }
            world.settled(300).await;
            world.stop().await;
            let points = server.points();
            assert_eq!(
                points.keys().filter(|(series, _)| series.starts_with("participant_state")).count(),
                300
            );
            assert_eq!(first.get_or_insert(points.clone()), &points, "{schema:?}");
        }
    }
}

#[tokio::test]
async fn what_comes_late_corrects_the_points_it_changed() {
    for version in [1, 2] {
        for schema in [Schema::Tutorial, Schema::Compact] {
            let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(version).await);
            let world = World::start(folder.path(), settings_for(&server, Some(schema)));
            world.submit(vec![event("c", 2, 20, "connected"), event("c", 4, 20, "held")]).await;
            world.settled(2).await;
            let before = server.points();
            // Before both, and between them in their own instant: clocks and places change.
            world.submit(vec![event("c", 0, 10, "alerting")]).await;
            world.settled(3).await;
            world.submit(vec![event("c", 6, 20, "wrapup"), event("c", 8, 20, "talking")]).await;
            world.settled(5).await;
            let points = server.points();
            assert_eq!(
                by_conversation(&points),
                BTreeMap::from([("c".to_owned(), 5)]),
                "v{version} {schema:?}"
            );
            let mut clocks: Vec<(i64, String)> = points
                .iter()
                .filter(|((series, _), _)| series.starts_with("participant_state"))
                .map(|((_, time), fields)| (*time, fields["vector_clock"].clone()))
                .collect();
            clocks.sort();
            let clocks: Vec<&str> = clocks.iter().map(|(_, clock)| clock.as_str()).collect();
            assert_eq!(clocks, ["1i", "2i", "3i", "4i", "5i"]);
            assert_ne!(before.len(), points.len());
            world.stop().await;
        }
    }
}

#[tokio::test]
async fn a_version_that_cannot_delete_says_what_stays_behind() {
    let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(1).await);
    server.look(|inside| inside.victoria = true);
    let world = World::start(folder.path(), settings_for(&server, Some(Schema::Compact)));
    world.submit(vec![event("c", 2, 20, "connected")]).await;
    world.settled(1).await;
    world
        .submit(vec![event("c", 4, 20, "alerting"), event("c", 6, 20, "held"), event("c", 8, 20, "talking")])
        .await;
    world.settled(4).await;
    let name = pipeline::FollowerName { follower: influx::NAME };
    let behind = world.telemetry.follower_left_behind.get_or_create(&name).get();
    assert_eq!(by_conversation(&server.points())["c"] as u64, 4 + behind);
    assert_eq!(server.look(|inside| inside.deletes), 0);
    world.stop().await;
}

#[tokio::test]
async fn batches_keep_to_their_bound() {
    let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(2).await);
    let mut settings = settings_for(&server, None);
    settings.batch_lines = 50;
    let world = World::start(folder.path(), settings);
    world.submit(history(30, 20)).await;
    world.settled(600).await;
    assert!(server.look(|inside| inside.lines_most) <= 50);
    assert_eq!(by_conversation(&server.points()), own_counts(&world).await);
    world.stop().await;
}
