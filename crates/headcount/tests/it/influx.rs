//! The whole program with a real InfluxDB behind it: killed again and again, and every change is there once.

use crate::outside::installed;
use crate::program::{Cloud, Service, eventually, get};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// InfluxDB 1.x on a free port and a folder of its own. It is killed when this goes.
pub struct Influx {
    child: Child,
    pub address: String,
    _folder: tempfile::TempDir,
}

impl Influx {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let (address, rpc, data) = (free(), free(), folder.path().display());
        let configuration = format!(
            "reporting-disabled = true\nbind-address = \"{rpc}\"\n[meta]\ndir = \"{data}/meta\"\n[data]\ndir = \
             \"{data}/data\"\nwal-dir = \"{data}/wal\"\n[http]\nbind-address = \"{address}\"\nlog-enabled = false\n\
             [monitor]\nstore-enabled = false\n"
        );
        let file = folder.path().join("influxd.toml");
        std::fs::write(&file, configuration).unwrap();
        let mut command = Command::new("influxd");
        command.arg("-config").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let this = Self { child: command.spawn().unwrap(), address, _folder: folder };
        eventually(Duration::from_secs(60), || {
            TcpStream::connect(&this.address).err().map(|e| e.to_string())
        });
        this.query("CREATE DATABASE calls");
        this
    }

    /// The series of a statement's answer.
    pub fn query(&self, q: &str) -> Vec<Value> {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let body: String = q.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let body = format!("db=calls&epoch=ns&q={body}");
        let head = format!(
            "POST /query HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        write!(socket, "{head}{body}").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        // Chunked: the one line that is JSON.
        let line = answer.lines().find(|line| line.starts_with("{\"results\"")).unwrap_or_default();
        let mut answer: Value = serde_json::from_str(line).unwrap_or_default();
        answer["results"][0]["series"].as_array_mut().map(std::mem::take).unwrap_or_default()
    }

    /// For each conversation its points: state, role and clock, in the order of their times.
    fn conversations(&self) -> BTreeMap<String, Vec<(Value, Value, Value)>> {
        let mut found: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for series in self.query("SELECT interactionId, state, role, vector_clock FROM participant_state") {
            for row in series["values"].as_array().unwrap() {
                let point = (row[2].clone(), row[3].clone(), row[4].clone());
                found.entry(row[1].as_str().unwrap().to_owned()).or_default().push(point);
            }
        }
        found
    }
}

impl Drop for Influx {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// What is not the same in the service's timelines and in InfluxDB.
pub fn differences(service: &Service, influx: &Influx) -> Option<String> {
    let mut theirs = influx.conversations();
    let list = service.get("/api/v1/conversations?limit=1000");
    for item in list["items"].as_array().unwrap() {
        let id = item["id"].as_str().unwrap();
        let timeline = service.get(&format!("/api/v1/conversations/{id}/timeline"));
        let entries = timeline["entries"].as_array().unwrap();
        let own: Vec<_> =
            entries.iter().map(|entry| (entry["role"].clone(), entry["vectorClock"].clone())).collect();
        let points = theirs.remove(id).unwrap_or_default();
        let points: Vec<_> = points.into_iter().map(|(_, role, clock)| (role, clock)).collect();
        if own != points {
            return Some(format!("{id}: {own:?} here, {points:?} there"));
        }
    }
    let unknown: Vec<&String> = theirs.keys().collect();
    (!unknown.is_empty()).then(|| format!("only there: {unknown:?}"))
}

#[test]
fn after_kills_at_any_moment_influxdb_has_every_change_once_and_in_order() {
    if installed("HEADCOUNT_E2E", "the program with InfluxDB behind it").is_none() {
        return;
    }
    for dialect in ["events", "notifications"] {
        let influx = Influx::start();
        let url = format!("http://{}", influx.address);
        let cloud = Cloud::start(&[
            "--conversations",
            "40",
            "--rate",
            "60",
            "--pace",
            "60",
            "--dialect",
            dialect,
            "--regions",
            "3",
            "--duplicates",
            "0.2",
            "--reorder-ms",
            "800",
        ]);
        let with = [("INFLUX_URL", url.as_str()), ("INFLUX_BUCKET", "calls"), ("INFLUX_BATCH_MS", "50")];
        let mut service = cloud.serve(dialect, &with);
        for round in 0..6u64 {
            let points = influx.conversations().values().map(Vec::len).sum::<usize>();
            eventually(Duration::from_secs(30), || {
                let now = influx.conversations().values().map(Vec::len).sum::<usize>();
                (now < points + 10).then(|| format!("round {round}: {now} points"))
            });
            service.program.kill();
            service = cloud.serve(dialect, &with);
        }
        cloud.played_out(Duration::from_secs(120));
        eventually(Duration::from_secs(60), || differences(&service, &influx));
        let (_, ready) = get(&service.address, "/readyz");
        let ready: Value = serde_json::from_str(&ready).unwrap();
        assert_eq!(ready["followers"][0]["missedChanges"], 0, "{ready}");
        let (code, said) = service.program.terminate(Duration::from_secs(15));
        assert_eq!(code, Some(0), "{said}");
    }
}

/// Each conversation's clock, as the service answers it.
fn clocks(service: &Service) -> BTreeMap<String, u64> {
    let list = service.get("/api/v1/conversations?limit=1000");
    let items = list["items"].as_array().unwrap();
    items.iter().map(|i| (i["id"].as_str().unwrap().to_owned(), i["vectorClock"].as_u64().unwrap())).collect()
}

#[test]
fn after_a_lost_disk_no_clock_runs_backwards() {
    if installed("HEADCOUNT_E2E", "a lost disk with InfluxDB behind it").is_none() {
        return;
    }
    let influx = Influx::start();
    let url = format!("http://{}", influx.address);
    let cloud =
        Cloud::start(&["--conversations", "60", "--rate", "40", "--pace", "30", "--dialect", "events"]);
    let with = [("INFLUX_URL", url.as_str()), ("INFLUX_BUCKET", "calls"), ("INFLUX_BATCH_MS", "50")];
    let service = cloud.serve("events", &with);
    eventually(Duration::from_secs(60), || {
        let told: u64 = clocks(&service).values().sum();
        (told < 200).then(|| format!("{told} facts"))
    });
    let before = clocks(&service);
    eventually(Duration::from_secs(30), || {
        let sent = influx.conversations();
        let lacks = before
            .iter()
            .find(|(id, clock)| sent.get(*id).is_none_or(|points| (points.len() as u64) < **clock));
        lacks.map(|(id, clock)| format!("{id} has not {clock} points"))
    });
    service.program.kill();
    std::fs::remove_dir_all(cloud.folder.path().join("data")).unwrap();

    let service = cloud.serve("events", &with);
    assert!(
        service.program.said().contains("clocks go on from where InfluxDB has them"),
        "{}",
        service.program.said()
    );
    eventually(Duration::from_secs(60), || {
        let now = clocks(&service);
        let back: Vec<_> =
            now.iter().filter(|(id, clock)| before.get(*id).is_some_and(|was| *clock <= was)).collect();
        assert!(back.is_empty(), "run backwards: {back:?}, before {before:?}");
        let again = now.keys().filter(|id| before.contains_key(*id)).count();
        (again < 5).then(|| format!("{again} conversations are heard of again"))
    });
}
