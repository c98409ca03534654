//! Files, manifests, and what a second run makes of what a first one left.

use crate::history::{self, START};
use crate::rows::{LATER, all, stream};
use engine::SECOND;
use export::{Ask, Done, ExportError, Format, Manifest, Progress, Target, What, to_disk};
use pipeline::Past;
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

fn run(past: &Past, ask: &Ask, target: &Target) -> Result<Done, ExportError> {
    to_disk(past, ask, target, &mut |_| ())
}

fn spells(format: Format) -> Ask {
    all(What::Spells, format)
}

fn parts(folder: &Path) -> Target {
    Target::Folder(folder.to_owned(), 1_000)
}

/// All files of a folder but the manifest, with their bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let read = |e: fs::DirEntry| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap());
    entries.map(read).filter(|(name, _)| name != "_manifest.json").collect()
}

fn manifest(target: &Target) -> Manifest {
    serde_json::from_slice(&fs::read(target.manifest()).unwrap()).unwrap()
}

/// A run that dies once it has written so many rows.
fn killed(past: &Past, ask: &Ask, target: &Target, rows: u64) {
    let mut told = |progress: Progress| assert!(progress.rows < rows, "killed");
    let died = catch_unwind(AssertUnwindSafe(|| to_disk(past, ask, target, &mut told)));
    assert!(died.is_err());
}

struct Place {
    history: tempfile::TempDir,
    out: tempfile::TempDir,
}

impl Place {
    fn new(conversations: u64) -> Self {
        let place = Self { history: tempfile::tempdir().unwrap(), out: tempfile::tempdir().unwrap() };
        history::make(place.history.path(), conversations);
        place
    }

    fn past(&self) -> Past {
        Past::open(self.history.path(), LATER).unwrap()
    }

    fn folder(&self, name: &str) -> std::path::PathBuf {
        self.out.path().join(name)
    }
}

#[test]
fn parts_hold_what_one_stream_holds_and_the_manifest_says_so() {
    let place = Place::new(700);
    let (past, target) = (place.past(), parts(&place.folder("a")));
    let done = run(&past, &spells(Format::Ndjson), &target).unwrap();
    let files = files(&place.folder("a"));
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        ["spells-00001.ndjson", "spells-00002.ndjson", "spells-00003.ndjson", "spells-00004.ndjson"]
    );
    let joined: Vec<u8> = files.values().flatten().copied().collect();
    assert_eq!(joined, stream(&past, &spells(Format::Ndjson)));
    assert_eq!(manifest(&target), done.manifest);
    let told = done.manifest;
    assert!(told.finished && told.next.is_none());
    assert_eq!((told.rows, told.position.as_str()), (3_500, "7.4900"));
    assert_eq!(told.files.iter().map(|f| f.rows).collect::<Vec<_>>(), [1_000, 1_000, 1_000, 500]);
    for file in &told.files {
        let digest = ring::digest::digest(&ring::digest::SHA256, &files[&file.name]);
        let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((&file.sha256, file.bytes), (&hex, files[&file.name].len() as u64));
    }
    let counts = told.conversations;
    assert_eq!(counts.complete + counts.unknown, 700);
}

#[test]
fn a_killed_run_is_taken_up_and_ends_as_if_it_had_not_been() {
    let place = Place::new(700);
    for format in Format::ALL {
        let (ask, name) = (spells(format), format.as_str());
        let (whole, cut) =
            (parts(&place.folder(&format!("{name}-whole"))), place.folder(&format!("{name}-cut")));
        run(&place.past(), &ask, &whole).unwrap();
        for rows in [1, 900, 2_400, 2_700] {
            killed(&place.past(), &ask, &parts(&cut), rows);
            let left = files(&cut);
            let sealed = |name: &String| !name.ends_with(".unfinished");
            let named = if parts(&cut).manifest().exists() { manifest(&parts(&cut)).files.len() } else { 0 };
            assert_eq!(left.keys().filter(|name| sealed(name)).count(), named, "half a file looks whole");
        }
        let done = run(&place.past(), &ask, &parts(&cut)).unwrap();
        assert_eq!(done.files_before, 2);
        assert_eq!(files(&cut), files(&place.folder(&format!("{name}-whole"))));
        assert_eq!(manifest(&parts(&cut)), manifest(&whole));
        assert!(run(&place.past(), &ask, &parts(&cut)).unwrap().was_done);
    }
}

#[test]
fn one_file_begins_anew() {
    let place = Place::new(300);
    let target = Target::of(place.folder("spells.csv"), "csv", 10);
    assert_eq!(target, Target::File(place.folder("spells.csv")));
    killed(&place.past(), &spells(Format::Csv), &target, 700);
    assert!(!place.folder("spells.csv").exists());
    let done = run(&place.past(), &spells(Format::Csv), &target).unwrap();
    assert_eq!(done.manifest.files.len(), 1);
    assert_eq!(fs::read(place.folder("spells.csv")).unwrap(), stream(&place.past(), &spells(Format::Csv)));
    assert_eq!(files(place.out.path()).len(), 2, "the file and its manifest, nothing else");
    assert!(run(&place.past(), &spells(Format::Csv), &target).unwrap().was_done);
    let refused = run(&place.past(), &spells(Format::Parquet), &target).unwrap_err().to_string();
    assert!(refused.contains("finished export of spells as csv") && refused.contains("--out"), "{refused}");
}

#[test]
fn rows_of_two_states_are_never_mixed() {
    let place = Place::new(700);
    let (ask, folder) = (spells(Format::Ndjson), place.folder("a"));
    killed(&place.past(), &ask, &parts(&folder), 2_400);
    // The service ran in between.
    let opened = store::Store::open(place.history.path(), 1).unwrap();
    let (mut keeper, _) = pipeline::Keeper::recover(opened, engine::Limits::default(), LATER).unwrap();
    history::turn(&mut keeper, 700..701, &mut history::Truth::default());
    keeper.close().unwrap();
    let done = run(&place.past(), &ask, &parts(&folder)).unwrap();
    assert_eq!((done.files_before, done.manifest.rows), (0, 3_505));
    let joined: Vec<u8> = files(&folder).into_values().flatten().collect();
    assert_eq!(joined, stream(&place.past(), &ask));
}

#[test]
fn a_file_that_got_its_name_and_no_place_in_the_manifest_is_written_again() {
    let place = Place::new(700);
    let (ask, whole, cut) = (spells(Format::Csv), place.folder("whole"), place.folder("cut"));
    run(&place.past(), &ask, &parts(&whole)).unwrap();
    for rows in [900, 2_400] {
        killed(&place.past(), &ask, &parts(&cut), rows);
        let next = format!("spells-{:05}.csv", manifest(&parts(&cut)).files.len() + 1);
        fs::write(cut.join(&next), "half").unwrap();
    }
    let mut moved = manifest(&parts(&cut));
    let done = run(&place.past(), &ask, &parts(&cut)).unwrap();
    assert_eq!((done.files_before, files(&cut) == files(&whole)), (2, true));
    // Nor does one survive that belongs to another state of the history.
    moved.position = "7.1".to_owned();
    fs::write(cut.join("_manifest.json"), serde_json::to_vec(&moved).unwrap()).unwrap();
    fs::remove_file(cut.join("spells-00004.csv")).unwrap();
    let short = Ask { to: Some(START + SECOND), ..ask };
    moved.to = Some("2026-01-01T00:00:01.000Z".to_owned());
    fs::write(cut.join("_manifest.json"), serde_json::to_vec(&moved).unwrap()).unwrap();
    assert_eq!(run(&place.past(), &short, &parts(&cut)).unwrap().files_before, 0);
    assert_eq!(files(&cut).keys().collect::<Vec<_>>(), ["spells-00001.csv"]);
}

#[test]
fn a_file_that_changed_is_not_believed() {
    let place = Place::new(700);
    let (ask, folder) = (spells(Format::Csv), place.folder("a"));
    killed(&place.past(), &ask, &parts(&folder), 2_400);
    let first = folder.join("spells-00001.csv");
    let mut bytes = fs::read(&first).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&first, bytes).unwrap();
    let done = run(&place.past(), &ask, &parts(&folder)).unwrap();
    assert_eq!((done.files_before, done.manifest.rows), (0, 3_500));
    fs::write(&first, "conversationId\r\n").unwrap();
    let refused = run(&place.past(), &ask, &parts(&folder)).unwrap_err().to_string();
    assert!(refused.contains("changed"), "{refused}");
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let place = Place::new(20);
    let folder = place.folder("photos");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("cat.jpg"), "a cat").unwrap();
    let (ask, target) = (spells(Format::Csv), parts(&folder));
    let refused = run(&place.past(), &ask, &target).unwrap_err().to_string();
    assert!(refused.contains("no manifest") && refused.contains("--out"), "{refused}");
    fs::write(folder.join("_manifest.json"), "{}").unwrap();
    assert!(run(&place.past(), &ask, &target).unwrap_err().to_string().contains("no manifest of an export"));
    fs::remove_file(folder.join("_manifest.json")).unwrap();
    assert_eq!(files(&folder).len(), 1);

    // A manifest that names what is not beside it.
    let other = place.folder("b");
    killed(&place.past(), &ask, &Target::Folder(other.clone(), 10), 60);
    let mut left = manifest(&parts(&other));
    left.files[0].name = "../photos/cat.jpg".to_owned();
    fs::write(other.join("_manifest.json"), serde_json::to_vec(&left).unwrap()).unwrap();
    let refused = run(&place.past(), &ask, &Target::Folder(other, 10)).unwrap_err().to_string();
    assert!(refused.contains("not beside it"), "{refused}");
    assert_eq!(fs::read(folder.join("cat.jpg")).unwrap(), b"a cat");
}

#[test]
fn another_export_does_not_go_on_with_it() {
    let place = Place::new(700);
    let folder = place.folder("a");
    killed(&place.past(), &spells(Format::Csv), &parts(&folder), 2_400);
    let before = files(&folder);
    let other = Ask { from: Some(START + SECOND), ..spells(Format::Csv) };
    let refused = run(&place.past(), &other, &parts(&folder)).unwrap_err().to_string();
    assert!(refused.contains("unfinished export of spells as csv"), "{refused}");
    assert_eq!(files(&folder), before);
}

#[test]
fn two_runs_do_not_write_to_one_folder() {
    let place = Place::new(300);
    let (ask, target) = (spells(Format::Csv), parts(&place.folder("a")));
    let mut second = None;
    let first = to_disk(&place.past(), &ask, &target, &mut |_| {
        second.get_or_insert_with(|| run(&place.past(), &ask, &target).unwrap_err().to_string());
    });
    assert!(first.unwrap().manifest.finished);
    assert!(second.unwrap().contains("another export is being written"));
}

#[test]
fn nothing_is_an_export_too() {
    let place = Place::new(10);
    for format in Format::ALL {
        let ask = Ask { from: Some(START - 10 * SECOND), to: Some(START - SECOND), ..spells(format) };
        let done = run(&place.past(), &ask, &parts(&place.folder(format.as_str()))).unwrap();
        assert_eq!((done.manifest.rows, done.manifest.files.len()), (0, 1));
        assert_eq!(done.manifest.completeness, "unknown", "nobody listened then");
    }
}
