//! `kill -9` at random moments under load, round after round, with an oracle outside the process.
//!
//! The oracle sends the facts itself (`gateway.rs`), so it knows all that ever happened, and follows the change stream
//! (`oracle.rs`), so it knows all that was visible when the program died. After each start it asks for every conversation
//! that was visible: every fact must be there, once, and no other.
//!
//! Behind it stands a sink (`sink.rs`) to which it follows, and which remembers what it acknowledged. After each kill the
//! follower's position must not be ahead of that, nor behind it by more than the batch that was under way; at the end the
//! sink has every fact of the store, once, and nothing else.
//!
//! A few rounds run with the tests; `cargo xtask crash --rounds N` runs as many as wanted, on a release build.

mod gateway;
mod oracle;
mod sink;

use crate::program::{Program, Service, eventually, get};
use gateway::{Event, Gateway, PER_SECOND};
use oracle::{Client, Stream};
use serde_json::Value;
use sink::Sink;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

/// Rounds with the other tests.
const ROUNDS_DEFAULT: u64 = 4;
/// Facts sent between the moment that the stream shows something and the kill.
const FACTS_BEFORE_KILL: std::ops::Range<u64> = 500..PER_SECOND * 3 / 2;
const LONG: Duration = Duration::from_secs(60);
/// Conversations that are asked for once more at the end.
const ASKED_AT_THE_END: usize = 20_000;

/// Facts by conversation.
type Seen = BTreeMap<u64, BTreeSet<u64>>;

#[derive(Default)]
struct Found {
    visible: u64,
    /// Facts sent, duplicates among them, and in how long.
    sent: u64,
    under_load: Duration,
    slowest_start: Duration,
    newest: u64,
    /// Facts shown whose place behind the follower's position was looked up in the sink.
    behind: u64,
    /// Rounds in which the position lagged at the kill, so that there was something to resume.
    lagged: u64,
}

#[test]
fn what_was_visible_before_a_kill_is_there_after_it() {
    let rounds = std::env::var("HEADCOUNT_CRASH_ROUNDS").ok().and_then(|text| text.parse().ok());
    let rounds = rounds.unwrap_or(ROUNDS_DEFAULT);
    let seed = std::env::var("HEADCOUNT_CRASH_SEED").ok().and_then(|text| text.parse().ok());
    let mut rng = fastrand::Rng::with_seed(seed.unwrap_or_else(|| fastrand::u64(..)));
    say(&format!("seed {}; the moments of kills also depend on the machine", rng.get_seed()));
    let data = tempfile::tempdir().unwrap();
    let gateway = Gateway::start();
    let sink = Sink::start(data.path());
    let (mut found, mut seen) = (Found::default(), Seen::new());
    for round in 1..=rounds {
        let visible = live_and_die((&gateway, &sink), data.path(), &mut rng, &mut found);
        found.visible += visible.values().map(|facts| facts.len() as u64).sum::<u64>();
        let begun = Instant::now();
        let service = start((&gateway, &sink), data.path());
        found.slowest_start = found.slowest_start.max(begun.elapsed());
        check(&gateway, &service, &visible, found.newest);
        for (conversation, facts) in visible {
            seen.entry(conversation).or_default().extend(facts);
        }
        if round == rounds {
            let step = (seen.len() / ASKED_AT_THE_END).max(1);
            let some: Seen = seen.iter().step_by(step).map(|(c, f)| (*c, f.clone())).collect();
            check(&gateway, &service, &some, found.newest);
            the_sink_has_what_the_store_has(&sink, &service);
        }
        service.program.kill();
        sink.life_ended(sink::position(data.path()));
        say(&format!("round {round}: {} facts were visible so far, {} sent", found.visible, gateway.sent()));
    }
    assert!(found.behind > 0, "no position was ever held against the sink");
    say(&format!(
        "{rounds} rounds at {:.0} facts a second: {} facts were visible, in {} conversations, and every one is there; nothing \
         was invented; the slowest start took {} ms; {} facts stood behind the follower's position at a kill, and the sink had \
         each; in {} rounds it lagged; at the end the sink's {} points, of {} writes, are the store's",
        found.sent as f64 / found.under_load.as_secs_f64(),
        found.visible,
        seen.len(),
        found.slowest_start.as_millis(),
        found.behind,
        found.lagged,
        sink.counts().0,
        sink.counts().1
    ));
}

/// One life under load, ended at a random moment; what it showed until then.
fn live_and_die(
    (gateway, sink): (&Gateway, &Sink),
    data: &Path,
    rng: &mut fastrand::Rng,
    found: &mut Found,
) -> Seen {
    let service = start((gateway, sink), data);
    let stream = Stream::follow(&service.address);
    let (first, begun) = (gateway.begin_again(), Instant::now());
    let wait = |what: &dyn Fn() -> bool, why: &str| {
        eventually(LONG, || (!what()).then(|| format!("{why}; it said:\n{}", service.program.said())));
    };
    wait(&|| stream.changes() > 0, "the stream shows nothing");
    let until = gateway.sent() + rng.u64(FACTS_BEFORE_KILL);
    let deadline = Instant::now() + LONG;
    while gateway.sent() < until {
        assert!(Instant::now() < deadline, "the load does not move on");
        std::thread::park_timeout(Duration::from_micros(rng.u64(100..2_000)));
    }
    service.program.kill();
    gateway.pause();
    found.sent += gateway.sent() - first;
    found.under_load += begun.elapsed();
    let (seen, numbers, newest) = stream.all_until_it_ended(gateway);
    found.newest = found.newest.max(newest);
    let at = sink::position(data);
    sink.life_ended(at);
    let (held, at) = (sink.holds(), at.map_or(0, |at| at.seq));
    let behind: Vec<_> = numbers.iter().filter(|(seq, _)| *seq <= at).collect();
    let lost: Vec<_> = behind.iter().filter(|(_, event)| !held.contains(event)).collect();
    assert!(lost.is_empty(), "the follower stands at {at}, and the sink lacks {lost:?}");
    found.behind += behind.len() as u64;
    found.lagged += u64::from(behind.len() < numbers.len());
    seen
}

fn start((gateway, sink): (&Gateway, &Sink), data: &Path) -> Service {
    let (data, lines) = (data.display().to_string(), sink::LINES_MAX.to_string());
    let environment = [
        ("GENESYS_CLIENT_ID", "crash"),
        ("GENESYS_CLIENT_SECRET", "crash"),
        ("GENESYS_LOGIN_URL", &gateway.url("http")),
        ("GENESYS_API_URL", &gateway.url("http")),
        ("GENESYS_EVENTS_URL", &format!("{}/api/v2/events", gateway.url("ws"))),
        ("HEADCOUNT_DIALECT", "events"),
        ("HEADCOUNT_LISTEN", "127.0.0.1:0"),
        ("HEADCOUNT_DATA", data.as_str()),
        ("INFLUX_URL", &sink.url),
        ("INFLUX_BUCKET", "calls"),
        ("INFLUX_SCHEMA", "compact"),
        ("INFLUX_BATCH_LINES", &lines),
        ("INFLUX_BATCH_MS", "10"),
    ];
    let program = Program::start(&["serve"], &environment);
    let line = program.wait_for("serving on http://", LONG);
    let address = line.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
    Service { program, address }
}

/// Every fact that was visible is there, once, and no fact that never happened.
fn check(gateway: &Gateway, service: &Service, seen: &Seen, newest: u64) {
    let state: Value = serde_json::from_str(&get(&service.address, "/api/v1/state").1).unwrap();
    let seq = oracle::number(state["position"].as_str().unwrap());
    assert!(seq >= newest, "the position went back from {newest} to {seq}");
    let mut client = Client::connect(&service.address);
    for (conversation, facts) in seen {
        let id = gateway::conversation_id(*conversation);
        let (status, body) = client.get(&format!("/api/v1/conversations/{id}/timeline"));
        assert_eq!(status, 200, "{id} was visible: {body}");
        let timeline: Value = serde_json::from_str(&body).unwrap();
        let mut there = BTreeSet::new();
        for entry in timeline["entries"].as_array().unwrap() {
            let event = Event::told_by(entry).unwrap_or_else(|| panic!("{id}: this never happened: {entry}"));
            assert!(
                event.number < gateway.sent() && event.conversation() == *conversation,
                "{id}: invented: {entry}"
            );
            assert!(there.insert(event.number), "{id}: twice: {entry}");
        }
        let lost: Vec<_> = facts.difference(&there).collect();
        assert!(lost.is_empty(), "{id} lost {lost:?}, which were visible");
    }
}

/// When the follower has caught up, the sink has every fact of the store, once, and nothing else.
fn the_sink_has_what_the_store_has(sink: &Sink, service: &Service) {
    eventually(LONG * 5, || {
        let (_, ready) = get(&service.address, "/readyz");
        let ready: Value = serde_json::from_str(&ready).unwrap_or_default();
        let follower = &ready["followers"][0];
        (follower["lagChanges"] != 0).then(|| format!("it lags: {follower}"))
    });
    let (mut client, mut cursor, mut own) =
        (Client::connect(&service.address), String::new(), BTreeSet::new());
    loop {
        let (_, page) = client.get(&format!("/api/v1/conversations?limit=1000{cursor}"));
        let page: Value = serde_json::from_str(&page).unwrap();
        for item in page["items"].as_array().unwrap() {
            let id = item["id"].as_str().unwrap();
            let (_, timeline) = client.get(&format!("/api/v1/conversations/{id}/timeline"));
            let timeline: Value = serde_json::from_str(&timeline).unwrap();
            own.extend(
                timeline["entries"].as_array().unwrap().iter().filter_map(Event::told_by).map(|e| e.number),
            );
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let held = sink.holds();
    assert_eq!(held.len(), sink.counts().0, "a fact has two points");
    let (lacks, more) = (own.difference(&held).take(5), held.difference(&own).take(5));
    let (lacks, more): (Vec<_>, Vec<_>) = (lacks.collect(), more.collect());
    assert!(lacks.is_empty() && more.is_empty(), "the sink lacks {lacks:?}; only it has {more:?}");
}

fn say(text: &str) {
    let _nobody_reads = std::io::Write::write_all(&mut std::io::stderr(), format!("{text}\n").as_bytes());
}
