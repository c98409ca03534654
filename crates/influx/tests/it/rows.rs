//! InfluxDB 3 shows any of the points that were written for one key: whatever it shows, the reading that is documented is the truth.

use crate::real::{Server, left_out};
use crate::sending::settings_for;
use crate::stand_in::{BUCKET, StandIn, Taken};
use crate::world::{NOON, World, event, history};
use engine::{Delivery, Id, SECOND, TimelineEntry};
use influx::{Api, Schema};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

type Row = Map<String, Value>;

/// A query of `docs/influxdb.md`, by its language and the comment that it begins with.
pub fn documented(language: &str, name: &str) -> String {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/influxdb.md");
    let text = std::fs::read_to_string(file).unwrap();
    let fence = format!("```{language}\n-- {name}\n");
    let (_, block) = text.split_once(&fence).unwrap_or_else(|| panic!("no {language} {name}"));
    block.split("```").next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a query answers under each of some seeds; it is the same.
fn asked(server: &StandIn, q: &str) -> Vec<Row> {
    let mut answers = (0..8u64).map(|seed| {
        server.look(|inside| {
            inside.three.seed = seed;
            inside.three.ask(BUCKET, q)
        })
    });
    let first = answers.next().unwrap().unwrap_or_else(|why| panic!("{why:?}: {q}"));
    for answer in answers {
        assert_eq!(answer.unwrap(), first, "{q}");
    }
    first
}

fn text(row: &Row, name: &str) -> String {
    row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Of each conversation its changes in order: participant, state, role, clock.
type Timelines = BTreeMap<String, Vec<[String; 4]>>;

fn timelines(server: &StandIn, named: &str) -> Timelines {
    let mut found = Timelines::new();
    for row in asked(server, &documented("sql", named)) {
        let entry = [
            text(&row, "participantId"),
            text(&row, "state"),
            text(&row, "role"),
            row["vector_clock"].to_string(),
        ];
        found.entry(text(&row, "interactionId")).or_default().push(entry);
    }
    found
}

fn shown(entries: Vec<(Id, Vec<TimelineEntry>)>) -> Timelines {
    let word = |word: Option<engine::Word>| word.map(|word| word.to_string()).unwrap_or_default();
    let entry = |e: TimelineEntry| {
        let participant = e.participant.map(|id| id.to_string()).unwrap_or_default();
        [participant, word(e.state), word(e.role), e.vector_clock.to_string()]
    };
    entries.into_iter().map(|(id, t)| (id.to_string(), t.into_iter().map(entry).collect())).collect()
}

/// Holds every documented reading against what the program shows.
async fn equals_the_truth(server: &StandIn, world: &World, schema: Schema) {
    assert_eq!(server.look(|inside| inside.broken.clone()), Vec::<String>::new());
    assert_eq!(server.look(|inside| inside.three.rewritten()), Vec::<String>::new());
    let ours = shown(world.entries().await);
    for named in ["timelines", "rows that stand"] {
        assert_eq!(timelines(server, named), ours, "{schema:?} {named}");
    }
    let clocks = |of: Timelines| -> BTreeMap<String, u64> {
        let last = |t: Vec<[String; 4]>| t.iter().map(|e| e[3].parse::<u64>().unwrap()).max().unwrap();
        of.into_iter().map(|(id, timeline)| (id, last(timeline))).collect()
    };
    let answered = asked(server, &documented("sql", "clocks"));
    let answered = answered.iter().map(|row| (text(row, "interactionId"), row["clock"].as_u64().unwrap()));
    let answered: BTreeMap<String, u64> = answered.collect();
    for (id, clock) in clocks(ours.clone()) {
        assert!(answered[&id] >= clock, "{id}: {} of {clock}", answered[&id]);
    }
    let mut states: BTreeMap<String, i64> = BTreeMap::new();
    for entry in ours.values().flatten() {
        *states.entry(entry[1].clone()).or_default() += 1;
    }
    let mut counted: BTreeMap<String, i64> = BTreeMap::new();
    for row in asked(server, &documented("sql", "changes a minute")) {
        *counted.entry(text(&row, "state")).or_default() += row["changes"].as_i64().unwrap();
    }
    counted.retain(|_, count| *count != 0);
    assert_eq!(counted, states);
    let minute = |row: &Row| {
        let at = format!("{}Z", text(row, "time")).parse::<jiff::Timestamp>().unwrap();
        (at.as_second() / 60, row["events"].as_u64().unwrap())
    };
    let theirs: BTreeMap<i64, u64> =
        asked(server, &documented("sql", "events a minute")).iter().map(minute).collect();
    assert_eq!(theirs, minutes(world));
}

/// Minutes with events, as the program counts them.
fn minutes(world: &World) -> BTreeMap<i64, u64> {
    let activity = world.pipeline.reader().summary().activity.clone();
    let first = activity.newest_minute.unwrap() + 1 - i64::try_from(activity.counts.len()).unwrap();
    (first..).zip(activity.counts).filter(|(_, events)| *events > 0).collect()
}

/// Events with copies, out of order, in portions; of the second half those that come late.
pub fn disorder(seed: u64) -> Vec<Vec<Delivery>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut all: Vec<Delivery> = history(6, 24);
    // Several minutes, some of them hours away.
    all.extend((0..40).map(|n| event(&format!("c{}", n % 6), 100 + n, n.cast_signed() * 7_000, "held")));
    let copies: Vec<Delivery> = (0..all.len() / 5).map(|_| all[random.usize(..all.len())].clone()).collect();
    all.extend(copies);
    random.shuffle(&mut all);
    all.chunks(37).map(<[Delivery]>::to_vec).collect()
}

/// Events of [`disorder`].
pub const EVENTS: u64 = 6 * 24 + 40;

#[tokio::test]
async fn whatever_the_server_shows_the_documented_reading_is_the_truth() {
    for schema in [Schema::Tutorial, Schema::Compact] {
        for seed in 0..6 {
            let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(3).await);
            let world = World::start(folder.path(), settings_for(&server, Some(schema)));
            for part in disorder(seed) {
                let before = world.status().lag_changes;
                world.submit(part).await;
                // Now and then the server has it before the next comes.
                if seed % 2 == 0 {
                    world.until("sent", || before == 0 || world.status().lag_changes < before).await;
                }
            }
            world.settled(EVENTS).await;
            equals_the_truth(&server, &world, schema).await;
            world.stop().await;
        }
    }
}

#[tokio::test]
async fn a_kill_between_any_two_steps_counts_nothing_twice() {
    for schema in [Schema::Tutorial, Schema::Compact] {
        for (at, taken) in (0..4).flat_map(|at| {
            [Taken::Nothing, Taken::Half, Taken::All].into_iter().map(move |taken| (at, taken))
        }) {
            let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(3).await);
            let mut settings = settings_for(&server, Some(schema));
            settings.batch_lines = 60;
            let mut parts = disorder(at).into_iter();
            let world = World::start(folder.path(), settings.clone());
            world.submit(parts.next().unwrap()).await;
            world.until("some is there", || world.seq() > 0 && world.status().lag_changes == 0).await;
            server.look(|inside| inside.deaf_after = Some((at, taken)));
            let unanswered = || server.look(|inside| inside.unanswered > 0);
            while !unanswered() {
                let seq = world.seq();
                world.submit(parts.next().expect("enough to send")).await;
                world.until("committed", || world.seq() > seq).await;
                world
                    .until("sent, or not answered", || unanswered() || world.status().lag_changes == 0)
                    .await;
            }
            // And more comes while it waits, some of it before what is under way.
            world.submit(parts.next().unwrap()).await;
            world.stop().await;
            server.look(|inside| inside.deaf_after = None);
            // What was under way would come out differently now.
            let world = World::start(folder.path(), settings);
            for part in parts {
                world.submit(part).await;
            }
            world.settled(EVENTS).await;
            equals_the_truth(&server, &world, schema).await;
            world.stop().await;
        }
    }
}

#[tokio::test]
async fn several_requests_are_under_way_and_the_position_moves_over_all_of_them() {
    let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(3).await);
    server.look(|inside| inside.forbidden = true);
    let mut settings = settings_for(&server, Some(Schema::Compact));
    settings.batch_lines = 50;
    let world = World::start(folder.path(), settings);
    world.submit(history(20, 19)).await;
    world.until("all is committed", || world.seq() == 380).await;
    // One after the other, none of these would ever be answered.
    server.look(|inside| {
        inside.together = Some(Arc::new(tokio::sync::Barrier::new(8)));
        inside.script.extend([(503, "busy".to_owned()), (500, "busy".to_owned())]);
        inside.forbidden = false;
    });
    world.until("some are under way", || server.look(|inside| inside.writes) >= 4).await;
    assert_eq!(world.status().lag_changes, 380, "the position waits for all");
    world.settled(380).await;
    assert!(server.look(|inside| inside.together.is_none()));
    assert!(server.look(|inside| inside.lines_most) <= 50);
    equals_the_truth(&server, &world, Schema::Compact).await;
    world.stop().await;
}

#[tokio::test]
async fn whoever_lost_what_was_noted_asks_the_server() {
    for schema in [Schema::Tutorial, Schema::Compact] {
        let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(3).await);
        // No question may be about more than two minutes.
        server.look(|inside| inside.three.files = 2_000);
        let mut parts = disorder(3).into_iter();
        for part in [2, 2, 9] {
            let world = World::start(folder.path(), settings_for(&server, Some(schema)));
            for part in parts.by_ref().take(part) {
                told(&world, part).await;
            }
            if parts.len() == 0 {
                world.settled(EVENTS).await;
                server.look(|inside| inside.three.files = 0);
                equals_the_truth(&server, &world, schema).await;
            }
            world.stop().await;
            // All that the outbox holds is told anew.
            for name in std::fs::read_dir(folder.path()).unwrap().flatten() {
                if name.file_name().to_string_lossy().starts_with("follower-") {
                    let _gone_with_its_connection = std::fs::remove_file(name.path());
                }
            }
        }
    }
}

/// Submits what has something new, and waits until the server has it.
async fn told(world: &World, part: Vec<Delivery>) {
    let seq = world.seq();
    world.submit(part).await;
    world.until("it is committed", || world.seq() > seq).await;
    world.until("the server has all", || world.status().lag_changes == 0).await;
}

/// Copies the files of a folder into another, in place of what is there.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::remove_dir_all(to).unwrap();
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[tokio::test]
async fn an_older_copy_of_the_data_folder_is_noticed() {
    for schema in [Schema::Tutorial, Schema::Compact] {
        let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(3).await);
        let backup = tempfile::tempdir().unwrap();
        let parts = disorder(4);
        for (round, few) in [&parts[..2], &parts[2..5], &parts[2..]].into_iter().enumerate() {
            let world = World::start(folder.path(), settings_for(&server, Some(schema)));
            // In another order than before, so that what is told on the way differs.
            for part in few.iter().rev() {
                told(&world, part.clone()).await;
            }
            if round == 2 {
                world.settled(EVENTS).await;
                equals_the_truth(&server, &world, schema).await;
            }
            world.stop().await;
            match round {
                0 => copy(folder.path(), backup.path()),
                _ => copy(backup.path(), folder.path()),
            }
        }
    }
}

#[tokio::test]
async fn after_a_lost_disk_nothing_is_counted_twice_or_taken_back() {
    for schema in [Schema::Tutorial, Schema::Compact] {
        let server = StandIn::start(3).await;
        let lives = [&[1, 2, 3, 4][..], &[2, 9]];
        for (round, numbers) in lives.into_iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let world = World::start(folder.path(), settings_for(&server, Some(schema)));
            // One after the other: what is told again may come long after the first of its conversation.
            for n in numbers.iter().rev() {
                told(&world, vec![event("c", *n, n.cast_signed() * 10, "held")]).await;
            }
            world.stop().await;
            let facts = asked(&server, &documented("sql", "rows that stand")).len();
            let events = asked(&server, &documented("sql", "events a minute"));
            assert_eq!((facts, events[0]["events"].as_i64()), (4 + round, Some(4)), "{schema:?} {round}");
            let changes = asked(&server, &documented("sql", "changes a minute"));
            assert_eq!(changes[0]["changes"].as_i64().unwrap(), facts as i64);
            assert_eq!(server.look(|inside| inside.three.rewritten()), Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn a_database_that_is_dropped_is_noticed_and_said() {
    let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(3).await);
    let world = World::start(folder.path(), settings_for(&server, None));
    world.submit(history(3, 6)).await;
    world.settled(18).await;
    assert_eq!(world.status().gap, None);
    server.look(|inside| inside.three.databases.clear());
    world.submit(vec![event("c1", 3, 40, "held"), event("c1", 90, 50, "talking")]).await;
    world.settled(19).await;
    let gap = world.status().gap.unwrap();
    assert!(gap.contains("up to 18") && gap.contains("`calls` was dropped"), "{gap}");
    // What is told anew is told from the beginning: no sum lacks what went.
    let whole = shown(world.entries().await)["c1"].clone();
    assert_eq!(timelines(&server, "timelines"), BTreeMap::from([("c1".to_owned(), whole)]));
    world.stop().await;
}

#[tokio::test]
async fn a_database_that_is_dropped_under_a_write_is_noticed_a_minute_later() {
    let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(3).await);
    let world = World::start(folder.path(), settings_for(&server, None));
    told(&world, vec![event("c1", 1, 1, "held"), event("c2", 1, 1, "held")]).await;
    told(&world, vec![event("c1", 2, 2, "held")]).await;
    server.look(|inside| inside.three.dropped_at_write = true);
    told(&world, vec![event("c2", 2, 3, "held")]).await;
    assert_eq!(world.status().gap, None, "the write has made it again");
    for (n, minutes) in [(3, 2), (4, 4)] {
        world.clock.set(NOON + minutes * 60 * SECOND);
        told(&world, vec![event("c1", n, n.cast_signed() + 2, "held")]).await;
        let gap = world.status().gap.unwrap();
        assert!(gap.contains("up to 4") && gap.contains("`calls` was dropped"), "{n}: {gap}");
    }
    // What is told from then on is whole, and nothing stands twice.
    let mut wanted = shown(world.entries().await);
    wanted.get_mut("c2").unwrap().remove(0);
    assert_eq!(timelines(&server, "timelines"), wanted);
    assert_eq!(timelines(&server, "rows that stand"), wanted);
    assert_eq!(server.look(|inside| inside.three.rewritten()), Vec::<String>::new());
    world.stop().await;
}

#[tokio::test]
async fn tables_that_do_not_fit_are_left_alone_and_said() {
    let older =
        "participant_state,interactionId=a,participantId=b,state=held vector_clock=1i,role=\"agent\" 5";
    let other = "participant_state,fact=1,role=agent,row=1 interactionId=\"a\",vector_clock=1i,revision=1i,weight=1i 5";
    for (line, wanted) in [(older, "points that overwrite one another"), (other, "INFLUX_SCHEMA to compact")]
    {
        let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(3).await);
        server.look(|inside| inside.three.databases.entry(BUCKET.to_owned()).or_default().with(line));
        let world = World::start(folder.path(), settings_for(&server, None));
        world.submit(history(2, 3)).await;
        world.until("the trouble is told", || world.status().trouble.is_some()).await;
        let trouble = world.status().trouble.unwrap();
        assert!(trouble.contains(wanted), "{trouble}");
        assert_eq!(server.look(|inside| inside.writes), 0);
        // Whoever follows the advice goes on.
        server.look(|inside| inside.three.databases.clear());
        world.settled(6).await;
        assert_eq!(world.status().trouble, None);
        equals_the_truth(&server, &world, Schema::Tutorial).await;
        world.stop().await;
    }
}

#[tokio::test]
async fn a_3_that_is_written_to_by_an_older_way_takes_moved_points() {
    for api in [Api::V1, Api::V2] {
        let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(3).await);
        let mut settings = settings_for(&server, Some(Schema::Compact));
        settings.api = Some(api);
        let world = World::start(folder.path(), settings.clone());
        world.submit(vec![event("c", 2, 20, "connected")]).await;
        world.settled(1).await;
        // The first one moves.
        world.submit(vec![event("c", 4, 20, "alerting"), event("c", 6, 20, "held")]).await;
        world.settled(3).await;
        equals_the_truth(&server, &world, Schema::Compact).await;
        world.stop().await;
        let told = influx::legacy(&settings, NOON).await;
        assert_eq!((told.conversations.len(), told.clocks_cut, told.states_cut), (1, None, None), "{api:?}");
    }
}

#[tokio::test]
async fn refused_rows_do_not_stand_by_any_way_of_writing() {
    for api in [Api::V1, Api::V2, Api::V3] {
        let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(3).await);
        let mut settings = settings_for(&server, Some(Schema::Tutorial));
        settings.api = Some(api);
        let world = World::start(folder.path(), settings);
        let mut all = history(3, 6);
        all.insert(4, event("poison", 1, 30, "held"));
        told(&world, all).await;
        // It moves, so what stood would be taken back.
        told(&world, vec![event("poison", 2, 10, "held")]).await;
        let name = pipeline::FollowerName { follower: influx::NAME };
        assert_eq!(world.telemetry.follower_refused.get_or_create(&name).get(), 3, "{api:?}");
        let mut ours = shown(world.entries().await);
        assert_eq!(ours.remove("poison").unwrap().len(), 2);
        assert_eq!(timelines(&server, "timelines"), ours, "{api:?}");
        assert_eq!(world.status().trouble, None);
        world.stop().await;
        let refused = store::Sent::open(folder.path(), influx::NAME).unwrap().refused().unwrap();
        assert!(
            refused.iter().all(|(line, _)| line.contains("poison") && line.contains("weight=1i")),
            "{refused:?}"
        );
    }
}

/// 3.x runs the InfluxQL of 1.x. Rows are never written twice with another content, so 1.x has them as 3.x has.
#[tokio::test(flavor = "multi_thread")]
async fn the_documented_influxql_reads_the_truth() {
    if left_out("the InfluxQL for rows, on InfluxDB 1") {
        return;
    }
    for schema in [Schema::Tutorial, Schema::Compact] {
        let (folder, server) = (tempfile::tempdir().unwrap(), StandIn::start(3).await);
        let world = World::start(folder.path(), settings_for(&server, Some(schema)));
        for part in disorder(1) {
            world.submit(part).await;
            world.until("the server has all", || world.status().lag_changes == 0).await;
        }
        world.settled(EVENTS).await;
        let folder = tempfile::tempdir().unwrap();
        let real = Server::influxd(folder.path()).await;
        real.write(&server.look(|inside| inside.three.lines(BUCKET))).await;
        let mut stand: BTreeMap<String, Vec<(i64, [String; 4])>> = BTreeMap::new();
        let series = real.query(&documented("influxql", "rows that stand")).await;
        let columns: Vec<&str> =
            series[0]["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        for row in series[0]["values"].as_array().unwrap() {
            let cell = |name: &str| &row[columns.iter().position(|column| *column == name).unwrap()];
            let text = |name: &str| cell(name).as_str().unwrap_or_default().to_owned();
            let entry =
                [text("participantId"), text("state"), text("role"), cell("vector_clock").to_string()];
            stand.entry(text("interactionId")).or_default().push((cell("time").as_i64().unwrap(), entry));
        }
        // 1.x gives the rows of a question within a question in no order.
        stand.values_mut().for_each(|timeline| timeline.sort());
        let stand: Timelines = stand
            .into_iter()
            .map(|(id, timeline)| (id, timeline.into_iter().map(|(_, entry)| entry).collect()))
            .collect();
        let ours = shown(world.entries().await);
        assert_eq!(stand, ours);
        let mut states: BTreeMap<String, i64> = BTreeMap::new();
        ours.values().flatten().for_each(|entry| *states.entry(entry[1].clone()).or_default() += 1);
        let counted = real.query(&documented("influxql", "changes a minute")).await;
        let sum = |series: &Value| -> i64 {
            series["values"].as_array().unwrap().iter().filter_map(|row| row[1].as_i64()).sum()
        };
        let counted = counted.iter().map(|s| (s["tags"]["state"].as_str().unwrap().to_owned(), sum(s)));
        assert_eq!(counted.collect::<BTreeMap<_, _>>(), states);
        let events = real.query(&documented("influxql", "events a minute")).await;
        let events = events[0]["values"].as_array().unwrap().iter();
        let events = events.map(|row| (row[0].as_i64().unwrap() / engine::MINUTE, row[1].as_u64().unwrap()));
        assert_eq!(events.collect::<BTreeMap<_, _>>(), minutes(&world));
        world.stop().await;
    }
}
