//! InfluxDB 1.x is down for long under full load, then busy, then killed: it has every change in the end, in both schemas.
//!
//! A few seconds with all other tests; `cargo xtask outage` makes it ten minutes of 5,000 changes a second.

use crate::real::{Server, client, left_out, of, own};
use crate::world::{NOON, World, event};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use engine::{Delivery, SECOND};
use influx::Schema;
use reqwest::Client;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::MissedTickBehavior;

/// Conversations that begin in each second, and the events of each: 5,000 changes a second.
const CONVERSATIONS: u64 = 50;
const EVENTS: u64 = 100;
const PER_SECOND: u64 = CONVERSATIONS * EVENTS;
/// How long InfluxDB is away, unless more is asked for.
const SECONDS_DEFAULT: u64 = 2;
/// How long it may take to send one second's changes afterwards, on a machine that does other things too.
const CATCH_UP: Duration = Duration::from_secs(5);
/// So many seconds' points are asked for at once.
const ASKED_S: u64 = 10;

/// Stands in front of a server, and answers 503 to so many of a hundred writes.
#[derive(Clone)]
struct Busy {
    to: String,
    of_a_hundred: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
    client: Client,
}

impl Busy {
    async fn start(to: &str) -> (Self, String) {
        let this = Self {
            to: to.to_owned(),
            of_a_hundred: Arc::default(),
            asked: Arc::default(),
            refused: Arc::default(),
            client: client(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (this, url)
    }
}

async fn pass(
    State(busy): State<Busy>,
    method: Method,
    uri: Uri,
    headers: axum::http::HeaderMap,
    body: Bytes,
) -> Response {
    // The same every run: multiples of 37 visit all hundredths in turn.
    let draw = busy.asked.fetch_add(1, Ordering::SeqCst) * 37 % 100;
    if method == Method::POST && draw < busy.of_a_hundred.load(Ordering::SeqCst) {
        busy.refused.fetch_add(1, Ordering::SeqCst);
        return (StatusCode::SERVICE_UNAVAILABLE, "busy").into_response();
    }
    let url = format!("{}{uri}", busy.to);
    let mut request = busy.client.request(method, url).body(body);
    for name in ["content-encoding", "content-type", "authorization"] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    match request.send().await {
        Ok(answer) => {
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut response = (status, answer.bytes().await.unwrap_or_default()).into_response();
            for (name, value) in headers.iter().filter(|(name, _)| name.as_str().starts_with("x-influxdb")) {
                response.headers_mut().insert(name.clone(), value.clone());
            }
            response
        }
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// What happens in one second.
fn second(s: u64) -> Vec<Delivery> {
    let states = ["alerting", "connected", "held", "connected", "disconnected"];
    let one = |n: u64, c: u64| {
        let ms = s * 1_000 + n * 9 + c % 3;
        event(&format!("s{s}-c{c}"), n, ms.cast_signed(), states[n as usize % states.len()])
    };
    (0..EVENTS).flat_map(|n| (0..CONVERSATIONS).map(move |c| one(n, c))).collect()
}

/// Plays some seconds, each in a second.
async fn play(world: &World, seconds: std::ops::Range<u64>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for s in seconds {
        ticks.tick().await;
        world.clock.set(NOON + (s + 1).cast_signed() * SECOND);
        for part in second(s).chunks(500) {
            world.submit(part.to_vec()).await;
        }
    }
}

/// Waits until the follower lags by no more than so many changes.
async fn lags_at_most(world: &World, changes: u64, limit: Duration) {
    let begun = Instant::now();
    while world.status().lag_changes > changes {
        assert!(begun.elapsed() < limit, "{:?}", world.status());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How many points each conversation has in the server, asked for a few seconds at a time by what is cheap to find there.
async fn counts(server: &Server, schema: Schema, seconds: u64) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for from in (0..=seconds).step_by(ASKED_S as usize) {
        let names: Vec<String> = (from..from + ASKED_S).map(|s| s.to_string()).collect();
        let instant = |s: u64| NOON + s.cast_signed() * SECOND;
        let condition = match schema {
            Schema::Tutorial => format!("interactionId =~ /^s({})-/", names.join("|")),
            Schema::Compact => format!("time >= {} AND time < {}", instant(from), instant(from + ASKED_S)),
        };
        for (conversation, points) in server.counts_of(schema, &condition).await {
            *counts.entry(conversation).or_default() += points;
        }
    }
    counts
}

async fn outage(schema: Schema, seconds: u64) {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut server = Server::influxd(folder.path()).await;
    let (busy, url) = Busy::start(&server.url).await;
    let world = World::start(data.path(), of(&url, schema));
    server.kill();
    play(&world, 0..seconds).await;
    let lag = seconds * PER_SECOND;
    world.until("it lags", || world.status().lag_changes == lag).await;
    busy.of_a_hundred.store(30, Ordering::SeqCst);
    server.up().await;
    let limit = CATCH_UP * u32::try_from(seconds + 2).unwrap();
    lags_at_most(&world, lag / 2, limit).await;
    assert!(busy.refused.load(Ordering::SeqCst) > 3, "503s were met");
    server.kill();
    play(&world, seconds..seconds + 2).await;
    server.up().await;
    // And what comes late, into the middle of what was sent.
    let late = |c: u64| event(&format!("s0-c{c}"), 1_000, 21, "consulting");
    world.submit((0..CONVERSATIONS).map(late).collect()).await;
    let told = (seconds + 2) * PER_SECOND + CONVERSATIONS;
    world.until("all is committed", || world.seq() >= told).await;
    let begun = Instant::now();
    lags_at_most(&world, 0, limit).await;
    let (theirs, ours) = (counts(&server, schema, seconds + 2).await, own(&world).await);
    let points: usize = theirs.values().sum();
    assert_eq!((theirs == ours, points as u64), (true, told));
    let note = format!(
        "{schema:?}: {seconds} s away at {PER_SECOND} changes a second, {} requests answered 503, all there {:.0} s after its last \
         restart: {points} points of {} conversations, 0 differ\n",
        busy.refused.load(Ordering::SeqCst),
        begun.elapsed().as_secs_f64(),
        ours.len()
    );
    let _nobody_reads = std::io::Write::write_all(&mut std::io::stderr(), note.as_bytes());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn influxdb_1_has_every_change_after_an_outage_503s_and_a_kill() {
    if left_out("InfluxDB 1 through an outage") {
        return;
    }
    let seconds = std::env::var("HEADCOUNT_OUTAGE_SECONDS").ok().and_then(|text| text.parse().ok());
    for schema in [Schema::Tutorial, Schema::Compact] {
        outage(schema, seconds.unwrap_or(SECONDS_DEFAULT)).await;
    }
}
