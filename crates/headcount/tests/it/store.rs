//! `headcount store`, and a service on a folder in which records are damaged.

use crate::program::{Cloud, Program, eventually};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// It lasts for longer than what a restart leaves in doubt.
const PLAY: [&str; 10] =
    ["--conversations", "40", "--rate", "20", "--pace", "60", "--dialect", "events", "--regions", "3"];
const LONG: Duration = Duration::from_secs(60);

struct Rig {
    cloud: Cloud,
    data: PathBuf,
}

impl Rig {
    /// A folder with a history, and nobody on it.
    fn stopped() -> Self {
        let cloud = Cloud::start(&PLAY);
        let service = cloud.serve("events", &[]);
        cloud.played_out(LONG);
        eventually(LONG, || crate::compare::differences(&service, &cloud.truth(), "events"));
        let (code, said) = service.program.terminate(LONG);
        assert_eq!(code, Some(0), "{said}");
        let data = cloud.folder.path().join("data");
        Self { cloud, data }
    }

    /// Inverts a byte in the newest row of the log that has facts, and in the first conversation that was laid down.
    fn flip_bits(&self) {
        let file = rusqlite::Connection::open(self.data.join("headcount.db")).unwrap();
        let newest = "SELECT rowid, body FROM log WHERE facts > 0 ORDER BY position DESC LIMIT 1";
        let first = "SELECT rowid, body FROM conversation LIMIT 1";
        for (table, which) in [("log", newest), ("conversation", first)] {
            let both = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?));
            let Ok((row, mut body)) = file.query_row(which, [], both) else { continue };
            let middle = body.len() / 2;
            body[middle] ^= 0x10;
            file.execute(&format!("UPDATE {table} SET body = ?1 WHERE rowid = ?2"), (body, row)).unwrap();
        }
    }
}

/// Runs `headcount store`; its exit code and what it said.
fn store(what: &str, data: &Path, more: &[&str]) -> (Option<i32>, String) {
    let data = data.display().to_string();
    let mut program = Program::start(&[&["store", what, "--data", &data], more].concat(), &[]);
    (program.wait(LONG), program.said())
}

#[test]
fn damage_is_listed_with_what_it_costs_and_the_rest_is_saved_and_served() {
    let rig = Rig::stopped();
    let (code, said) = store("check", &rig.data, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("0 findings of damage"), "{said}");

    rig.flip_bits();
    let file = std::fs::read(rig.data.join("headcount.db")).unwrap();
    let (code, said) = store("check", &rig.data, &["--json"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the checksum differs") && said.contains("headcount store repair"), "{said}");

    let new = rig.cloud.folder.path().join("new").display().to_string();
    let (code, said) = store("repair", &rig.data, &["--into", &new]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("were left out"), "{said}");
    assert_eq!(std::fs::read(rig.data.join("headcount.db")).unwrap(), file, "the old folder is left alone");
    let (code, said) = store("check", Path::new(&new), &[]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = store("repair", &rig.data, &["--into", &new]);
    assert_eq!(code, Some(1));
    assert!(said.contains("--into") && said.contains("holds data"), "{said}");

    for folder in [new.as_str(), &rig.data.display().to_string()] {
        let service = rig.cloud.serve("events", &[("HEADCOUNT_DATA", folder)]);
        let feeds = service.get("/api/v1/completeness").to_string();
        assert!(feeds.contains("could not be read"), "what is missing is said: {feeds}");
        assert_ne!(service.get("/api/v1/state")["completeness"], "complete");
    }
}

#[test]
fn sizes_are_told_by_kind_and_by_day() {
    let rig = Rig::stopped();
    let (code, said) = store("stats", &rig.data, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(["conversation", "log", "day (UTC)"].iter().all(|word| said.contains(word)), "{said}");
    let (_, said) = store("stats", &rig.data, &["--json"]);
    let stats: Value = serde_json::from_str(&said).unwrap();
    assert!(
        stats["fileBytes"].as_u64().unwrap() > 0 && !stats["days"].as_array().unwrap().is_empty(),
        "{said}"
    );
    let kinds: Vec<_> = stats["kinds"].as_array().unwrap().iter().map(|kind| kind["kind"].clone()).collect();
    let cells = ["cell_minutes", "cell_hours", "cell_days"];
    assert!(cells.iter().all(|kind| kinds.contains(&Value::from(*kind))), "{said}");
    let kept = &stats["keptFrom"];
    assert!(kept.get("minutes").is_some_and(Value::is_null) && kept.get("conversations").is_some(), "{said}");
}

#[test]
fn a_folder_that_cannot_be_looked_at_is_named_with_the_way_out() {
    let nothing = tempfile::tempdir().unwrap();
    for what in ["check", "stats"] {
        let (code, said) = store(what, nothing.path(), &[]);
        assert_eq!(code, Some(1));
        assert!(said.contains("holds no data of headcount"), "{said}");
    }
    let cloud = Cloud::start(&PLAY);
    let _service = cloud.serve("events", &[]);
    let (code, said) = store("check", &cloud.folder.path().join("data"), &[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("another headcount runs") && said.contains("stop it"), "{said}");
}
