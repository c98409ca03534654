//! The dashboards of `docs/grafana`, query by query, against a real InfluxDB that the program wrote; held against its own answers.
//!
//! The one for InfluxDB 3 is asked over the rows that the program writes there, in an InfluxDB 1, which runs InfluxQL, too.
//! What Grafana would do to a query is done here: `$timeFilter`, `$__interval` and the variable are written out as its
//! documentation of the data source InfluxDB says.

use crate::influx::{Influx, differences, differences_by_rows};
use crate::influx3::in_front_of;
use crate::outside::installed;
use crate::program::{Cloud, Service, eventually};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const HOUR_MS: i64 = 3_600_000;

/// A dashboard as people import it.
struct Dashboard(Value);

impl Dashboard {
    fn read(name: &str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/grafana").join(name);
        Self(serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap())
    }

    /// Each panel's title with its query, as Grafana sends it to show the hours around an instant, in milliseconds since the
    /// epoch.
    fn queries(&self, queues: &[String], around_ms: i64) -> Vec<(String, String)> {
        let time = format!("time >= {}ms and time <= {}ms", around_ms - HOUR_MS, around_ms + HOUR_MS);
        let chosen = format!("({})", queues.join("|"));
        let mut queries = Vec::new();
        for panel in self.0["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().unwrap() {
                assert_eq!(target["datasource"]["uid"], "headcount-influxdb", "as in datasource.yml");
                let query = target["query"].as_str().unwrap().replace("$timeFilter", &time);
                let query = query.replace("$__interval", "1m").replace("$queue", &chosen);
                assert!(!query.replace("$/", "/").contains('$'), "Grafana knows nothing else: {query}");
                queries.push((panel["title"].as_str().unwrap().to_owned(), query));
            }
        }
        queries
    }

    fn variable(&self) -> &str {
        self.0["templating"]["list"][0]["query"].as_str().unwrap()
    }
}

/// All timelines of a service.
fn entries(service: &Service) -> Vec<Value> {
    let list = service.get("/api/v1/conversations?limit=1000");
    let ids = list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
    let timeline = |id: String| {
        let mut timeline = service.get(&format!("/api/v1/conversations/{id}/timeline"));
        timeline["entries"].as_array_mut().map(std::mem::take).unwrap()
    };
    ids.flat_map(timeline).collect()
}

/// The sums of a panel's series, by the tag that tells them apart.
fn sums(series: &[Value], tag: &str) -> BTreeMap<String, u64> {
    let sum = |one: &Value| one["values"].as_array().unwrap().iter().filter_map(|row| row[1].as_u64()).sum();
    series.iter().map(|one| (one["tags"][tag].as_str().unwrap_or_default().to_owned(), sum(one))).collect()
}

/// How many entries pass, by queue.
fn by_queue(entries: &[Value], pass: impl Fn(&Value) -> bool) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for entry in entries.iter().filter(|entry| pass(entry)) {
        if let Some(queue) = entry["queueId"].as_str() {
            *counts.entry(queue.to_owned()).or_default() += 1;
        }
    }
    counts
}

#[test]
fn every_panel_shows_what_headcount_knows() {
    if installed("HEADCOUNT_E2E", "the dashboard's queries against InfluxDB").is_none() {
        return;
    }
    let influx = Influx::start();
    let url = format!("http://{}", influx.address);
    panels("dashboard.json", &influx, &url);
}

#[test]
fn every_panel_for_influxdb_3_shows_what_headcount_knows() {
    if installed("HEADCOUNT_E2E", "the queries of the dashboard for InfluxDB 3").is_none() {
        return;
    }
    let influx = Influx::start();
    let url = in_front_of(&influx.address);
    panels("dashboard-influxdb3.json", &influx, &url);
}

/// Plays a while into a server at a URL, and holds what a dashboard shows of it against the program's own answers.
fn panels(dashboard: &str, influx: &Influx, url: &str) {
    let play = [
        "--conversations",
        "60",
        "--rate",
        "60",
        "--pace",
        "60",
        "--duplicates",
        "0.2",
        "--reorder-ms",
        "800",
    ];
    let cloud = Cloud::start(&[&play[..], &["--dialect", "notifications"]].concat());
    let with = [
        ("INFLUX_URL", url),
        ("INFLUX_BUCKET", "calls"),
        ("INFLUX_SCHEMA", "compact"),
        ("INFLUX_BATCH_MS", "50"),
    ];
    let service = cloud.serve("notifications", &with);
    cloud.played_out(Duration::from_secs(120));
    let ordered = dashboard == "dashboard.json";
    eventually(Duration::from_secs(60), || {
        if ordered { differences(&service, influx) } else { differences_by_rows(&service, influx) }
    });
    let shown =
        service.get("/api/v1/state")["lastUpdated"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let (entries, dashboard) = (entries(&service), Dashboard::read(dashboard));
    let agents = |entry: &Value| entry["role"] == "agent";
    let offers = |entry: &Value| agents(entry) && entry["kind"] == "joined";

    let known = influx.query(dashboard.variable());
    let queues: Vec<String> = known[0]["values"].as_array().unwrap().iter().map(second).collect();
    assert!(queues.len() > 1 && by_queue(&entries, agents).keys().all(|queue| queues.contains(queue)));
    for chosen in [&queues[..], &queues[..1], &[".*".to_owned()]] {
        let answers: Vec<_> = dashboard
            .queries(chosen, shown.as_millisecond())
            .into_iter()
            .map(|(t, q)| (t, influx.query(&q)))
            .collect();
        let panel = |title: &str| &answers.iter().find(|(of, _)| of == title).unwrap().1;
        let of_all = |counts: BTreeMap<String, u64>| {
            let some = counts.into_iter().filter(|(queue, _)| chosen.contains(queue) || chosen == [".*"]);
            some.collect::<BTreeMap<_, _>>()
        };
        assert_eq!(answers.len(), 4, "a panel more is a check more");
        let mut offered = sums(panel("Agents offered, by queue"), "queue");
        offered.remove("");
        assert!(!offered.is_empty());
        assert_eq!(offered, of_all(by_queue(&entries, offers)));
        let became: u64 = sums(panel("What agents' participants became"), "state").values().sum();
        let told = match chosen {
            [all] if all == ".*" => entries.iter().filter(|entry| agents(entry)).count() as u64,
            _ => of_all(by_queue(&entries, agents)).values().sum(),
        };
        assert_eq!((became, became > 0), (told, true));
        assert_eq!(sums(panel("Events a minute"), ""), BTreeMap::from([(String::new(), counted(&service))]));
        newest(&panel("The newest changes")[0], &entries, ordered);
    }
}

/// The events that the heatmap counts.
fn counted(service: &Service) -> u64 {
    let heatmap = service.get("/api/v1/state")["heatmap"]["data"].clone();
    let rows = heatmap.as_array().unwrap().iter();
    rows.flat_map(|row| row.as_array().unwrap()).filter_map(Value::as_u64).sum()
}

fn second(row: &Value) -> String {
    row[1].as_str().unwrap().to_owned()
}

/// A table of the newest changes, each of them one that the program tells of; the newest first, where they are `ordered` (1.x gives the
/// rows of a question within a question in no order, 3.x does).
fn newest(table: &Value, entries: &[Value], ordered: bool) {
    let rows = table["values"].as_array().unwrap();
    assert_eq!(rows.len(), entries.len().min(100));
    assert!(!ordered || rows.is_sorted_by(|a, b| a[0].as_i64() >= b[0].as_i64()));
    let column = |name: &str| table["columns"].as_array().unwrap().iter().position(|of| of == name).unwrap();
    for row in rows {
        let same = |entry: &&Value| {
            [
                ("role", "role"),
                ("kind", "kind"),
                ("queue", "queueId"),
                ("userId", "userId"),
                ("medium", "medium"),
            ]
            .iter()
            .all(|(theirs, ours)| row[column(theirs)] == entry[*ours])
                && row[column("vector_clock")] == entry["vectorClock"]
                && row[column("participantId")] == entry["participantId"]
        };
        assert!(entries.iter().any(|entry| same(&entry)), "{row}");
    }
}
