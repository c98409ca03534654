//! The page in a real browser, where something is wrong or unusual: what it says then.

use crate::world::World;
use engine::{Completeness, MINUTE};
use pipeline::Clock;
use serve::Bounds;
use std::path::PathBuf;
use std::process::Command;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// An instant in nanoseconds since the epoch.
fn instant(text: &str) -> i64 {
    let at: jiff::Timestamp = text.parse().unwrap();
    at.as_nanosecond().try_into().unwrap()
}

/// A world of three conversations; so many events happened in these minutes.
fn counted(now: &str, events: &[(&str, u64)]) -> World {
    let mut world = World::of(3);
    let newest = instant(now) / MINUTE;
    world.summary.activity.newest_minute = Some(newest);
    world.summary.activity.counts = vec![0; 1_440];
    for (at, count) in events {
        let back = usize::try_from(newest - instant(at) / MINUTE).unwrap();
        world.summary.activity.counts[1_439 - back] = *count;
    }
    world
}

/// Nobody listened from one instant to another.
fn unheard(mut world: World, from: &str, to: &str) -> World {
    world.unknown = vec![(instant(from), instant(to))];
    world
}

fn never() -> World {
    let mut world = World::of(0);
    let summary = &mut world.summary;
    (summary.completeness, summary.complete_from) = (Completeness::Unknown, None);
    (summary.activity.newest_minute, summary.last_updated) = (None, None);
    summary.feeds.clear();
    summary.not_ready = vec!["the client's secret was refused".to_owned()];
    world
}

fn lost() -> World {
    let mut world = World::of(3);
    let feed = &mut world.summary.feeds[0];
    (feed.connected, feed.completeness) = (false, Completeness::Unknown);
    feed.reason = Some("the token was refused".to_owned());
    world
}

fn partly() -> World {
    let mut world = lost();
    "second".clone_into(&mut world.summary.feeds[0].name);
    world.summary.feeds.extend(World::of(0).summary.feeds);
    world
}

/// All feeds are connected, and yet something is not listened to.
fn lacking() -> World {
    let mut world = World::of(3);
    world.summary.not_ready = vec!["the list of queues could not be read".to_owned()];
    world
}

fn law() -> World {
    let mut world = counted("2026-12-01T04:51:00Z", &[("2026-12-01T04:50:00Z", 4)]);
    world.summary.feeds[0].since = instant("2026-12-01T04:41:00Z");
    world
}

/// Each state with its world, its zone and the time.
fn states() -> Vec<(&'static str, World, &'static str, &'static str)> {
    let (noon, back, forward) = ("2026-01-01T12:01:30Z", "2026-10-25T10:00:30Z", "2026-03-29T10:00:30Z");
    let twice = counted(back, &[("2026-10-25T00:30:00Z", 2), ("2026-10-25T01:30:00Z", 5)]);
    let skipped = counted(forward, &[("2026-03-29T01:00:00Z", 3), ("2026-03-28T10:30:00Z", 9)]);
    let (half, howe) = ("2026-04-04T16:00:30Z", "Australia/Lord_Howe");
    let halves = counted(half, &[("2026-04-04T14:45:00Z", 3), ("2026-04-04T15:15:00Z", 4)]);
    vec![
        ("never", never(), "UTC", noon),
        ("lost", lost(), "UTC", noon),
        ("partly", partly(), "UTC", noon),
        ("lacking", lacking(), "UTC", noon),
        ("live", World::of(3), "UTC", noon),
        ("back", unheard(twice, "2026-10-25T06:00:00Z", "2026-10-25T07:00:00Z"), "Europe/Berlin", back),
        (
            "forward",
            unheard(skipped, "2026-03-29T06:00:00Z", "2026-03-29T07:00:00Z"),
            "Europe/Berlin",
            forward,
        ),
        ("half", unheard(halves, half, half), howe, half),
        (
            "law",
            unheard(law(), "2026-12-01T00:00:00Z", "2026-12-01T01:00:00Z"),
            "America/Winnipeg",
            "2026-12-01T04:51:30Z",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_what_is_wrong_and_lays_out_days_on_which_clocks_change() {
    let (Ok(node), Ok(chromium)) = (std::env::var("HEADCOUNT_NODE"), std::env::var("HEADCOUNT_CHROMIUM"))
    else {
        let note = b"left out: the page's states in a browser (it needs what `cargo xtask test` installs)\n";
        return drop(std::io::Write::write_all(&mut std::io::stderr(), note));
    };
    let stop = CancellationToken::new();
    let (mut servers, mut args) = (Vec::new(), Vec::new());
    for (name, world, zone, now) in states() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        args.push(format!("{name}=http://{}@{now}", listener.local_addr().unwrap()));
        let router = world.board_on(zone, Clock::manual(instant(now))).router;
        servers.push(tokio::spawn(serve::run(listener, router, stop.clone(), Bounds::default())));
    }
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/page/states_check.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg(chromium).args(args).current_dir(node);
    if let Ok(folder) = std::env::var("HEADCOUNT_PICTURES") {
        command.args(["--pictures", &folder]);
    }
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    stop.cancel();
    for server in servers {
        server.await.unwrap().unwrap();
    }
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "{said}");
}
