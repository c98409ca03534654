//! `headcount export`: of a folder that is at rest, of one on which a service runs, and killed on the way.

use crate::history;
use crate::program::{Cloud, Program, eventually};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

pub fn export(args: &[&str]) -> (Option<i32>, String) {
    let mut program = Program::start(&[&["export"], args].concat(), &[]);
    let code = program.wait(SOON);
    (code, program.said())
}

/// The folder of a file.
pub fn folder_of(file: &str) -> String {
    Path::new(file).parent().unwrap().display().to_string()
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("_manifest.json")).unwrap_or_default())
        .unwrap_or_default()
}

fn bytes(folder: &Path) -> Vec<Vec<u8>> {
    let files = manifest(folder)["files"].as_array().unwrap().clone();
    files.iter().map(|file| std::fs::read(folder.join(file["name"].as_str().unwrap())).unwrap()).collect()
}

#[test]
fn a_kill_costs_one_file_at_most_and_leaves_none_that_looks_whole() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    history::make(&data, 20_000);
    let (cut, whole) = (place.path().join("cut"), place.path().join("whole"));
    let args = |out: &Path| {
        let texts = [out, &data].map(|path| path.display().to_string());
        ["spells", "--format", "csv", "--part-rows", "500", "--out", &texts[0], "--data", &texts[1]]
            .map(str::to_owned)
    };
    let owned = args(&cut);
    let texts: Vec<&str> = owned.iter().map(String::as_str).collect();
    let mut kills = 0;
    for files in [1, 6, 15] {
        let program = Program::start(&[&["export"], &texts[..]].concat(), &[]);
        eventually(SOON, || {
            (manifest(&cut)["files"].as_array().map_or(0, Vec::len) < files).then(|| "no files".into())
        });
        program.kill();
        kills += u32::from(manifest(&cut)["finished"] == false);
        for entry in std::fs::read_dir(&cut).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let listed = manifest(&cut)["files"].as_array().unwrap().iter().any(|file| file["name"] == *name);
            // One that was renamed a moment before its manifest was put in place is whole, and is written again.
            let next = format!("spells-{:05}.csv", manifest(&cut)["files"].as_array().unwrap().len() + 1);
            assert!(
                listed || name == next || name == "_manifest.json" || name.ends_with(".unfinished"),
                "{name}"
            );
        }
    }
    assert!(kills > 0, "it was always faster than the kill");
    let (code, said) = export(&texts);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("100000 spells in 200 file(s)") && said.contains("were there already"), "{said}");
    let owned = args(&whole);
    assert_eq!(export(&owned.iter().map(String::as_str).collect::<Vec<_>>()).0, Some(0));
    assert_eq!(bytes(&cut), bytes(&whole));
    let (code, said) = export(&texts);
    assert!(code == Some(0) && said.contains("all of it was there already"), "{said}");
}

#[test]
fn a_service_that_runs_is_exported_as_it_answers() {
    let play =
        ["--dialect", "notifications", "--conversations", "6", "--rate", "50", "--pace", "20", "--seed", "3"];
    let cloud = Cloud::start(&play);
    let service = cloud.serve("notifications", &[]);
    cloud.played_out(SOON);
    eventually(SOON, || crate::compare::differences(&service, &cloud.truth(), "notifications"));
    let place = tempfile::tempdir().unwrap();
    let out = |name: &str| place.path().join(name).display().to_string();
    let data = cloud.folder.path().join("data").display().to_string();
    for what in ["spells", "changes"] {
        let file = out(&format!("{what}.ndjson"));
        let (code, said) = export(&[what, "--out", &file, "--data", &data]);
        assert_eq!(code, Some(0), "{said}");
        let written = std::fs::read_to_string(&file).unwrap();
        let (status, streamed) =
            crate::program::get(&service.address, &format!("/api/v1/export?what={what}"));
        assert_eq!(status, 200);
        let rows = |text: &str| -> Vec<String> {
            text.lines().filter(|line| line.starts_with('{')).map(str::to_owned).collect()
        };
        assert_eq!(rows(&written), rows(&streamed));
        assert!(!rows(&written).is_empty());
        as_answered(&service, what, &rows(&written));
    }
    assert_eq!(service.program.terminate(SOON).0, Some(0), "it was not disturbed");
    let (code, said) = export(&["spells", "--out", &out("later.ndjson"), "--data", &data]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        std::fs::read_to_string(out("later.ndjson")).unwrap().lines().count(),
        std::fs::read_to_string(out("spells.ndjson")).unwrap().lines().count()
    );
}

/// Each conversation's rows are those that the API answers, but for the two columns that only an export has.
fn as_answered(service: &crate::program::Service, what: &str, rows: &[String]) {
    let rows: Vec<Value> = rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
    let page = service.get("/api/v1/conversations?limit=1000");
    for item in page["items"].as_array().unwrap() {
        let id = item["id"].as_str().unwrap();
        let (path, list) = if what == "spells" { ("spells", "items") } else { ("timeline", "entries") };
        let answered = service.get(&format!("/api/v1/conversations/{id}/{path}"))[list].clone();
        let own = rows.iter().filter(|row| row["conversationId"] == *id).cloned().map(|mut row| {
            let row_of = row.as_object_mut().unwrap();
            row_of.remove("conversationId");
            row_of.remove("completeness");
            row
        });
        assert_eq!(Value::Array(own.collect()), answered, "{id}");
    }
}

#[test]
fn wrong_use_says_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out").display().to_string();
    let nowhere = place.path().join("nowhere").display().to_string();
    for (args, code, said) in [
        (&["cells", "--out", &out, "--queue", "q"][..], 2, "--queue"),
        (&["spells", "--out", &out, "--from", "yesterday"], 2, "2026-05-04"),
        (&["everything", "--out", &out], 2, "changes"),
        (&["spells"], 2, "--out"),
        (&["spells", "--out", &out, "--data", &nowhere], 1, "--data"),
    ] {
        let (is, text) = export(args);
        assert!(is == Some(code) && text.contains(said), "{args:?}: {is:?} {text}");
    }
    assert!(!Path::new(&out).exists());
}
