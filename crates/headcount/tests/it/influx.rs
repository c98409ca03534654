//! The whole program with a real InfluxDB behind it: killed again and again, and every change is there once.

use crate::influx3::{in_front_of, message};
use crate::outside::installed;
use crate::program::{Cloud, Service, eventually, get};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
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
        query(&self.address, q)
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

/// The series of a statement's answer, of the InfluxDB at an address.
pub fn query(address: &str, q: &str) -> Vec<Value> {
    let mut socket = TcpStream::connect(address).unwrap();
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

/// What stands by rows: for each conversation role and clock, in the order of their times.
fn standing(influx: &Influx) -> BTreeMap<String, Vec<(Value, Value)>> {
    let columns = "interactionId, participantId, state, role, vector_clock, weight";
    let mut sums = BTreeMap::new();
    for series in influx.query(&format!("SELECT {columns} FROM participant_state")) {
        for row in series["values"].as_array().unwrap() {
            let (id, at) = (row[1].as_str().unwrap().to_owned(), row[0].as_i64().unwrap());
            let told = (row[4].clone(), row[5].clone());
            let key = (id, at, Value::from(&row.as_array().unwrap()[2..6]).to_string());
            sums.entry(key).or_insert((0i64, told)).0 += row[6].as_i64().unwrap();
        }
    }
    let mut found: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for ((id, ..), (sum, told)) in sums {
        // What stands twice, or less than not at all, differs from any timeline.
        let times = usize::try_from(sum.unsigned_abs()).unwrap();
        found.entry(id).or_default().extend(std::iter::repeat_n(told, times));
    }
    found.retain(|_, stand| !stand.is_empty());
    found
}

impl Drop for Influx {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// What is not the same in the service's timelines and in InfluxDB.
pub fn differences(service: &Service, influx: &Influx) -> Option<String> {
    let points =
        |points: Vec<(_, Value, Value)>| points.into_iter().map(|(_, role, clock)| (role, clock)).collect();
    differences_to(service, influx.conversations().into_iter().map(|(id, all)| (id, points(all))).collect())
}

/// The same of rows.
pub fn differences_by_rows(service: &Service, influx: &Influx) -> Option<String> {
    differences_to(service, standing(influx))
}

fn differences_to(service: &Service, mut theirs: BTreeMap<String, Vec<(Value, Value)>>) -> Option<String> {
    let list = service.get("/api/v1/conversations?limit=1000");
    for item in list["items"].as_array().unwrap() {
        let id = item["id"].as_str().unwrap();
        let timeline = service.get(&format!("/api/v1/conversations/{id}/timeline"));
        let entries = timeline["entries"].as_array().unwrap();
        let own: Vec<_> =
            entries.iter().map(|entry| (entry["role"].clone(), entry["vectorClock"].clone())).collect();
        let points = theirs.remove(id).unwrap_or_default();
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
        killed_again_and_again(dialect, &influx, &url, differences);
    }
}

#[test]
fn after_kills_at_any_moment_the_rows_for_influxdb_3_sum_up_to_every_change() {
    if installed("HEADCOUNT_E2E", "the program with rows for InfluxDB 3 behind it").is_none() {
        return;
    }
    for dialect in ["events", "notifications"] {
        let influx = Influx::start();
        let url = in_front_of(&influx.address);
        killed_again_and_again(dialect, &influx, &url, differences_by_rows);
    }
}

/// Kills the program in the middle of a play; in the end nothing may differ.
fn killed_again_and_again(
    dialect: &str,
    influx: &Influx,
    url: &str,
    differ: fn(&Service, &Influx) -> Option<String>,
) {
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
    let with = [
        ("INFLUX_URL", url),
        ("INFLUX_BUCKET", "calls"),
        ("INFLUX_SCHEMA", "compact"),
        ("INFLUX_BATCH_MS", "50"),
    ];
    let mut service = cloud.serve(dialect, &with);
    let said = service.program.said();
    assert!(!said.contains("WARN") || !said.contains("InfluxDB"), "a first start: {said}");
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
    eventually(Duration::from_secs(60), || differ(&service, influx));
    let (_, ready) = get(&service.address, "/readyz");
    let ready: Value = serde_json::from_str(&ready).unwrap();
    assert_eq!(ready["followers"][0]["missedChanges"], 0, "{ready}");
    let (code, said) = service.program.terminate(Duration::from_secs(15));
    assert_eq!(code, Some(0), "{said}");
}

/// Each conversation's clock, as the service answers it: of those with facts, or of those that are only remembered.
fn clocks_of(service: &Service, remembered: bool) -> BTreeMap<String, u64> {
    let list = service.get("/api/v1/conversations?limit=1000");
    let items = list["items"].as_array().unwrap();
    let items = items.iter().filter(|i| i["remembered"].is_null() != remembered);
    items.map(|i| (i["id"].as_str().unwrap().to_owned(), i["vectorClock"].as_u64().unwrap())).collect()
}

fn clocks(service: &Service) -> BTreeMap<String, u64> {
    clocks_of(service, false)
}

/// Each conversation that is only remembered shows who was last told of in InfluxDB, and did not end there.
fn remembered_is_what_was_last_told(service: &Service, influx: &Influx) -> usize {
    let list = service.get("/api/v1/conversations?active=true&limit=1000");
    let state = service.get("/api/v1/state");
    let points =
        influx.query("SELECT interactionId, participantId, state, role, vector_clock FROM participant_state");
    let mut last: BTreeMap<(&str, &str), (&str, &str)> = BTreeMap::new();
    let mut rows: Vec<&Value> =
        points.iter().flat_map(|series| series["values"].as_array().unwrap()).collect();
    rows.sort_by_key(|row| row[0].as_i64());
    for row in rows {
        let text = |at: usize| row[at].as_str().unwrap_or_default();
        last.insert((text(1), text(2)), (text(3), text(4)));
    }
    let mut remembered = 0;
    for item in list["items"].as_array().unwrap().iter().filter(|item| !item["remembered"].is_null()) {
        let id = item["id"].as_str().unwrap();
        let own: BTreeMap<&str, (&str, &str)> = item["participants"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| {
                (
                    p["id"].as_str().unwrap(),
                    (p["state"].as_str().unwrap_or_default(), p["role"].as_str().unwrap_or_default()),
                )
            })
            .collect();
        let live = |(_, (state, _)): &(&(&str, &str), &(&str, &str))| {
            !["disconnected", "terminated", "ended"].contains(state)
        };
        let theirs =
            last.iter().filter(|((of, participant), _)| *of == id && !participant.is_empty()).filter(live);
        let theirs: BTreeMap<&str, (&str, &str)> =
            theirs.map(|((_, participant), told)| (*participant, *told)).collect();
        assert_eq!(own, theirs, "{item}");
        assert_eq!((item["active"].as_bool(), item["completeness"].as_str()), (Some(true), Some("partial")));
        assert_eq!(item["remembered"]["from"], "influxdb");
        remembered += 1;
    }
    assert!(remembered == 0 || state["completeness"] != "complete", "{state}");
    remembered
}

#[test]
fn after_a_lost_disk_no_clock_runs_backwards_and_who_was_there_is_remembered() {
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
    let said = service.program.said();
    assert!(said.contains("clocks go on from where InfluxDB has them"), "{said}");
    assert!(said.contains("are shown as remembered until they are heard of"), "{said}");
    assert!(remembered_is_what_was_last_told(&service, &influx) > 0, "{said}");
    eventually(Duration::from_secs(60), || {
        let now = clocks(&service);
        let back: Vec<_> =
            now.iter().filter(|(id, clock)| before.get(*id).is_some_and(|was| *clock <= was)).collect();
        assert!(back.is_empty(), "run backwards: {back:?}, before {before:?}");
        let remembered = clocks_of(&service, true);
        let back: Vec<_> =
            remembered.iter().filter(|(id, clock)| before.get(*id).is_some_and(|was| *clock < was)).collect();
        assert!(back.is_empty(), "remembered behind where they stood: {back:?}, before {before:?}");
        let again = now.keys().filter(|id| before.contains_key(*id)).count();
        (again < 5).then(|| format!("{again} conversations are heard of again"))
    });
}

/// A server that refuses every token.
fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut from = BufReader::new(socket);
                while message(&mut from).is_some() {
                    let refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
                    if from.get_mut().write_all(refusal).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

#[test]
fn a_token_that_is_refused_at_the_first_start_is_said_with_what_brings_the_clocks_back() {
    let (url, soon) = (refusing(), Duration::from_secs(20));
    let cloud = Cloud::start(&["--conversations", "1", "--dialect", "events"]);
    let with = [("INFLUX_URL", url.as_str()), ("INFLUX_BUCKET", "calls"), ("INFLUX_TOKEN", "canary-token")];
    let service = cloud.serve("events", &with);
    let folder = cloud.folder.path().join("data").display().to_string();
    let line = service.program.wait_for("not all clocks can be had from InfluxDB", soon);
    assert!(
        line.contains("token") && line.contains(&format!("move {folder} away and start again")),
        "{line}"
    );
    let (code, said) = service.program.terminate(soon);
    assert!(code == Some(0) && !said.contains("canary"), "{said}");

    let again = cloud.serve("events", &with);
    assert!(!again.program.said().contains("the data folder is new"), "{}", again.program.said());
    drop(again);
    std::fs::rename(&folder, format!("{folder}-aside")).unwrap();
    let third = cloud.serve("events", &with);
    third.program.wait_for("not all clocks can be had from InfluxDB", soon);
}
