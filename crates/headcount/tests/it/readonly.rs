//! Folders that may be read and not written, by a user whom permissions hold: where the tests run as root, one of no rights.

use crate::history;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Neither root nor anybody who owns what a test makes.
const NOBODY: u32 = 65_534;
const CONVERSATIONS: u64 = 300;

/// A data folder that only its owner may write, the program, and a folder that anybody may write.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        fs::set_permissions(place.folder.path(), Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(place.path("free")).unwrap();
        fs::set_permissions(place.path("free"), Permissions::from_mode(0o777)).unwrap();
        // The one that was built may lie where only its owner gets to.
        fs::copy(env!("CARGO_BIN_EXE_headcount"), place.path("headcount")).unwrap();
        history::make(&place.path("data"), CONVERSATIONS);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Takes everybody's leave to write.
    fn close(&self, data: &str) {
        fs::set_permissions(self.path(data), Permissions::from_mode(0o555)).unwrap();
    }

    /// Runs it with places filled in; whether it ended well, and what it said.
    fn run(&self, args: &[&str]) -> (bool, String) {
        let args = args.iter().map(|arg| arg.replace('@', &self.folder.path().display().to_string()));
        let mut command = Command::new(self.path("headcount"));
        command.args(args).current_dir(self.path("free"));
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    fn content(&self, data: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = fs::read_dir(self.path(data)).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let _goes_all_the_same =
                fs::set_permissions(entry.unwrap().path(), Permissions::from_mode(0o755));
        }
    }
}

#[test]
fn a_folder_that_was_closed_cleanly_is_read_where_nothing_may_be_written() {
    let place = Place::new();
    let before = place.content("data");
    let log = place.path("data/headcount.db-wal");
    assert!(fs::metadata(&log).map_or(0, |found| found.len()) == 0, "it was closed cleanly");
    place.close("data");
    let (id, sound) = (history::conversation(7).to_string(), "0 findings of damage");
    for (args, said) in [
        (&["export", "spells", "--out", "@/free/spells.csv", "--data", "@/data"][..], "1500 spells"),
        (&["store", "check", "--data", "@/data"], sound),
        (&["store", "stats", "--data", "@/data"], "conversation"),
        (&["store", "repair", "--data", "@/data", "--into", "@/free/new"], "nothing is damaged"),
        (&["store", "check", "--data", "@/free/new"], sound),
        (&["why", &id, "--data", "@/data"], &id),
    ] {
        let (well, text) = place.run(args);
        assert!(well && text.contains(said), "{args:?}: {text}");
        assert_eq!(place.content("data"), before, "{args:?}");
    }
    let (well, text) = place.run(&["store", "repair", "--data", "@/data", "--into", "@/data/new"]);
    assert!(!well && text.contains("--into needs a folder that may be made and written"), "{text}");
    assert!(!text.contains("give --data"), "{text}");
}

#[test]
fn a_log_that_needs_an_index_is_named_with_what_to_do() {
    let place = Place::new();
    copy_as_killed(&place.path("data"), &place.path("killed"));
    place.close("killed");
    let before = place.content("killed");
    for args in [
        &["export", "cells", "--out", "@/free/cells.csv", "--data", "@/killed"][..],
        &["store", "check", "--data", "@/killed"],
        &["store", "stats", "--data", "@/killed"],
        &["store", "repair", "--data", "@/killed", "--into", "@/free/new"],
        &["why", "x", "--data", "@/killed"],
    ] {
        let (well, text) = place.run(args);
        let said = ["was not closed cleanly", "copy the whole folder", "headcount serve"];
        assert!(!well && said.iter().all(|said| text.contains(said)), "{args:?}: {text}");
    }
    assert_eq!(place.content("killed"), before);
    assert!(!place.path("free/new").exists());

    // What is advised helps.
    copy(&place.path("killed"), &place.path("free/copy"), &["headcount.db", "headcount.db-wal", "lock"]);
    for file in fs::read_dir(place.path("free/copy")).unwrap() {
        fs::set_permissions(file.unwrap().path(), Permissions::from_mode(0o666)).unwrap();
    }
    fs::set_permissions(place.path("free/copy"), Permissions::from_mode(0o777)).unwrap();
    let (well, text) = place.run(&["store", "check", "--data", "@/free/copy"]);
    assert!(well && text.contains("0 findings of damage"), "{text}");
}

/// Copies a folder as a kill leaves it: with what was committed last in the log alone, and without the index.
fn copy_as_killed(from: &Path, to: &Path) {
    let file = rusqlite::Connection::open(from.join("headcount.db")).unwrap();
    file.execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE meta SET value = 9 WHERE key = 'incarnation'")
        .unwrap();
    copy(from, to, &["headcount.db", "headcount.db-wal", "lock"]);
    assert!(fs::metadata(to.join("headcount.db-wal")).unwrap().len() > 0);
}

fn copy(from: &Path, to: &Path, names: &[&str]) {
    fs::create_dir(to).unwrap();
    for name in names {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[test]
fn a_log_whose_index_is_there_is_read() {
    let place = Place::new();
    let file = rusqlite::Connection::open(place.path("data/headcount.db")).unwrap();
    file.execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE meta SET value = 9 WHERE key = 'incarnation'")
        .unwrap();
    let names = ["headcount.db", "headcount.db-wal", "headcount.db-shm", "lock"];
    copy(&place.path("data"), &place.path("killed"), &names);
    place.close("killed");
    let before = place.content("killed");
    for args in [
        &["export", "cells", "--out", "@/free/cells.csv", "--data", "@/killed"][..],
        &["store", "check", "--data", "@/killed"],
    ] {
        let (well, text) = place.run(args);
        assert!(well, "{args:?}: {text}");
    }
    assert_eq!(place.content("killed"), before);
}
