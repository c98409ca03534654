//! Real servers, on free ports and folders of their own, read back through their own query APIs.
//!
//! They are Debian packages that `cargo xtask test` installs; without what it sets, these tests say that they are left out.

use crate::sending::settings_for;
use crate::stand_in::{BUCKET, StandIn};
use crate::world::{World, event, history, settings};
use influx::{Schema, Settings};
use reqwest::Client;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Whether real servers are there.
pub fn left_out(test: &str) -> bool {
    let out = std::env::var_os("HEADCOUNT_E2E").is_none();
    if out {
        let note = format!("left out: {test} (it needs what `cargo xtask test` installs)\n");
        let _nobody_reads = std::io::Write::write_all(&mut std::io::stderr(), note.as_bytes());
    }
    out
}

/// A server's process. It is killed when this goes.
pub struct Server {
    program: &'static str,
    arguments: Vec<String>,
    child: Option<Child>,
    pub url: String,
    folder: PathBuf,
}

impl Server {
    async fn start(program: &'static str, arguments: Vec<String>, url: String, folder: &Path) -> Self {
        let mut server = Self { program, arguments, child: None, url, folder: folder.to_owned() };
        server.up().await;
        server
    }

    /// InfluxDB 1.x with a database.
    pub async fn influxd(folder: &Path) -> Self {
        let (http, rpc) = (free_port(), free_port());
        let data = folder.display();
        let configuration = format!(
            "reporting-disabled = true\nbind-address = \"{rpc}\"\n[meta]\ndir = \"{data}/meta\"\n[data]\ndir = \
             \"{data}/data\"\nwal-dir = \"{data}/wal\"\nmax-series-per-database = 0\nmax-values-per-tag = 0\n[http]\nbind-address = \"{http}\"\nlog-enabled = false\n\
             [monitor]\nstore-enabled = false\n"
        );
        let file = folder.join("influxd.toml");
        std::fs::write(&file, configuration).unwrap();
        let arguments = vec!["-config".to_owned(), file.display().to_string()];
        let server = Self::start("influxd", arguments, format!("http://{http}"), folder).await;
        server.query(&format!("CREATE DATABASE {BUCKET}")).await;
        server
    }

    async fn victoria(folder: &Path) -> Self {
        let http = free_port();
        let arguments = vec![
            format!("-storageDataPath={}", folder.join("vm").display()),
            format!("-httpListenAddr={http}"),
            "-retentionPeriod=100y".to_owned(),
        ];
        Self::start("victoria-metrics", arguments, format!("http://{http}"), folder).await
    }

    pub async fn up(&mut self) {
        let log =
            std::fs::File::options().create(true).append(true).open(self.folder.join("server.log")).unwrap();
        let mut command = Command::new(self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        let waited = tokio::time::timeout(Duration::from_secs(60), async {
            while client().get(format!("{}/ping", self.url)).send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        waited.await.expect("the server never answered");
    }

    /// Without a word, as a power cut does.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Writes lines.
    pub async fn write(&self, lines: &[String]) {
        let url = format!("{}/write?db={BUCKET}&precision=ns", self.url);
        let answer = client().post(url).body(lines.join("\n")).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// InfluxQL; the series of the answer.
    pub async fn query(&self, q: &str) -> Vec<Value> {
        let parameters = [("db", BUCKET), ("epoch", "ns"), ("q", q)];
        let answer = client().post(format!("{}/query", self.url)).form(&parameters).send().await.unwrap();
        let mut answer: Value = answer.json().await.unwrap();
        assert!(answer["results"][0]["error"].is_null(), "{answer}");
        answer["results"][0]["series"].as_array_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Every point as it is: series and time, fields.
    async fn dump(&self) -> Vec<String> {
        let mut all = Vec::new();
        for series in self.query("SELECT * FROM participant_state, participant_activity GROUP BY *").await {
            let rows = series["values"].as_array().unwrap();
            all.extend(rows.iter().map(|row| format!("{} {} {row}", series["name"], series["tags"])));
        }
        all.sort();
        all
    }

    /// How many points each conversation has, of those of which a condition holds.
    pub async fn counts_of(&self, schema: Schema, condition: &str) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        let within = format!("FROM participant_state WHERE {condition}");
        let q = match schema {
            Schema::Tutorial => format!("SELECT count(vector_clock) {within} GROUP BY interactionId"),
            Schema::Compact => format!("SELECT interactionId {within}"),
        };
        for series in self.query(&q).await {
            for row in series["values"].as_array().unwrap() {
                match schema {
                    Schema::Tutorial => {
                        let id = series["tags"]["interactionId"].as_str().unwrap().to_owned();
                        counts.insert(id, usize::try_from(row[1].as_u64().unwrap()).unwrap());
                    }
                    Schema::Compact => *counts.entry(row[1].as_str().unwrap().to_owned()).or_default() += 1,
                }
            }
        }
        counts
    }

    async fn counts(&self, schema: Schema) -> BTreeMap<String, usize> {
        self.counts_of(schema, "time >= 0").await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _already_gone = child.kill();
            let _ended = child.wait();
        }
    }
}

fn free_port() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

pub fn client() -> Client {
    outward::client(
        outward::tls(true).unwrap(),
        true,
        outward::Waits { connect_timeout: Duration::from_secs(5), request_timeout: Duration::from_secs(120) },
    )
    .unwrap()
}

pub fn of(url: &str, schema: Schema) -> Settings {
    let mut settings = settings(url, BUCKET);
    (settings.schema, settings.batch_lines) = (Some(schema), 500);
    settings
}

pub async fn own(world: &World) -> BTreeMap<String, usize> {
    world.entries().await.into_iter().map(|(id, timeline)| (id.to_string(), timeline.len())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_history_sent_twice_leaves_influxdb_1_unchanged() {
    if left_out("InfluxDB 1, the same twice") {
        return;
    }
    for schema in [Schema::Tutorial, Schema::Compact] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::influxd(folder.path()).await;
        let mut dumps = Vec::new();
        for round in 0..2 {
            let data = tempfile::tempdir().unwrap();
            let world = World::start(data.path(), of(&server.url, schema));
            let mut all = history(50, 20);
            if round == 1 {
                // Another order of arrival: everything that is corrected on the way comes out the same.
                all.reverse();
            }
            for part in all.chunks(100) {
                world.submit(part.to_vec()).await;
            }
            world.settled(1_000).await;
            world.submit(crate::hydration::ends()).await;
            world.until("the ends are committed", || world.seq() == 1_016).await;
            world.until("the server has all", || world.status().lag_changes == 0).await;
            let wanted = crate::hydration::own_clocks(&world).await;
            let live = crate::hydration::shown(&world).await;
            world.stop().await;
            // And after a lost disk its clocks come back.
            assert_eq!(crate::hydration::told(&of(&server.url, schema)).await, (wanted, None));
            // And who was on those that lived.
            assert_eq!(crate::hydration::remembered(&of(&server.url, schema)).await, live);
            dumps.push(server.dump().await);
        }
        assert_eq!(dumps[0].iter().filter(|line| line.contains("participant_state")).count(), 1_016);
        assert_eq!(dumps[0], dumps[1], "{schema:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn influxdb_1_refuses_what_is_older_than_it_keeps_and_takes_the_rest() {
    if left_out("InfluxDB 1 with a retention policy") {
        return;
    }
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::influxd(folder.path()).await;
    let ping = client().get(format!("{}/ping", server.url)).send().await.unwrap();
    let now = jiff::fmt::rfc2822::parse(ping.headers()["date"].to_str().unwrap()).unwrap();
    // Between the day of the tests and what is nine days older.
    let hours = (now.timestamp().as_second() - crate::world::NOON / engine::SECOND) / 3_600 + 100;
    let policy = format!("CREATE RETENTION POLICY short ON {BUCKET} DURATION {hours}h REPLICATION 1 DEFAULT");
    server.query(&policy).await;
    let world = World::start(data.path(), of(&server.url, Schema::Compact));
    let mut all = history(4, 10);
    all.insert(7, event("ancient", 1, -9 * 86_400_000, "held"));
    all.insert(20, event("ancient", 2, -9 * 86_400_000 - 60_000, "held"));
    world.submit(all).await;
    world.settled(40).await;
    let counts = server.counts(Schema::Compact).await;
    assert_eq!((counts.len(), counts.values().sum::<usize>()), (4, 40));
    let name = pipeline::FollowerName { follower: influx::NAME };
    // Two changes, and the minutes of these.
    assert_eq!(world.telemetry.follower_refused.get_or_create(&name).get(), 4);
    assert_eq!(world.status().trouble, None);
    world.stop().await;
    let refused = store::Sent::open(data.path(), influx::NAME).unwrap().refused().unwrap();
    assert!(refused.iter().all(|(_, why)| why.contains("points beyond retention policy dropped=4")));
    let changes: Vec<&str> =
        refused.iter().map(|(line, _)| line.as_str()).filter(|l| l.contains("state")).collect();
    assert!(changes.len() == 2 && changes.iter().all(|line| line.contains("ancient")), "{refused:?}");
}

/// The stand-in answers as the real one does.
#[tokio::test(flavor = "multi_thread")]
async fn the_stand_in_and_influxdb_1_end_with_the_same_points() {
    if left_out("the stand-in against InfluxDB 1") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (server, stand_in) = (Server::influxd(folder.path()).await, StandIn::start(1).await);
    let mut counts = Vec::new();
    for settings in [of(&server.url, Schema::Compact), settings_for(&stand_in, Some(Schema::Compact))] {
        let data = tempfile::tempdir().unwrap();
        let world = World::start(data.path(), settings);
        world.submit(vec![event("c", 2, 20, "connected"), event("c", 4, 20, "held")]).await;
        world.settled(2).await;
        world.submit(vec![event("c", 0, 10, "alerting"), event("c", 6, 20, "talking")]).await;
        world.settled(4).await;
        counts.push(own(&world).await);
        world.stop().await;
    }
    assert_eq!(server.counts(Schema::Compact).await, counts[0]);
    assert_eq!(crate::sending::by_conversation(&stand_in.points()), counts[1]);
    let times = server.query("SELECT vector_clock FROM participant_state").await;
    let real: Vec<i64> =
        times[0]["values"].as_array().unwrap().iter().map(|row| row[0].as_i64().unwrap()).collect();
    let mut stood: Vec<i64> =
        stand_in.points().keys().filter(|(s, _)| s.contains("state")).map(|(_, t)| *t).collect();
    stood.sort_unstable();
    assert_eq!(real, stood);
}

#[tokio::test(flavor = "multi_thread")]
async fn victoriametrics_has_every_change() {
    if left_out("VictoriaMetrics") {
        return;
    }
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::victoria(folder.path()).await;
    let world = World::start(data.path(), of(&server.url, Schema::Tutorial));
    world.submit(history(50, 20)).await;
    world.settled(1_000).await;
    let wanted = own(&world).await;
    let mut counts = BTreeMap::new();
    for _ in 0..100 {
        // What it took is read back after about a second.
        let export =
            client().get(format!("{}/api/v1/export?match[]=participant_state_vector_clock", server.url));
        let text = export.send().await.unwrap().text().await.unwrap();
        counts.clear();
        for line in text.lines() {
            let series: Value = serde_json::from_str(line).unwrap();
            let id = series["metric"]["interactionId"].as_str().unwrap().to_owned();
            *counts.entry(id).or_insert(0) += series["values"].as_array().unwrap().len();
        }
        if counts == wanted {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(counts, wanted);
    world.stop().await;
}
