//! The disk fails under the running program: it says so, keeps answering, goes on by itself, and every number is right.
//!
//! A small library in front of the system's makes syncs and writes of the data file fail on request (`bad_disk.c`, compiled
//! here); a file system of a few megabytes is really filled up, where the test may mount one.

use crate::outside::left_out;
use crate::program::{Cloud, Service, eventually, get};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PLAY: [&str; 10] =
    ["--conversations", "150", "--rate", "150", "--pace", "40", "--dialect", "events", "--regions", "3"];
const LONG: Duration = Duration::from_secs(120);

/// A program whose disk can be made bad.
pub struct Rig {
    cloud: Cloud,
    library: String,
    control: PathBuf,
}

/// Compiles a library for `LD_PRELOAD` from its source beside this file; its path.
pub fn preloaded(name: &str, into: &Path) -> String {
    let library = into.join(name).with_extension("so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(name).with_extension("c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .args(["-ldl"])
        .status();
    assert!(compiled.unwrap().success());
    library.display().to_string()
}

impl Rig {
    pub fn new() -> Self {
        let cloud = Cloud::start(&PLAY);
        let library = preloaded("bad_disk", cloud.folder.path());
        let control = cloud.folder.path().join("control");
        std::fs::create_dir(&control).unwrap();
        Self { library, control, cloud }
    }

    pub fn serve(&self) -> Service {
        let control = self.control.display().to_string();
        self.cloud.serve("events", &[("LD_PRELOAD", &self.library), ("BAD_DISK", &control)])
    }

    pub fn break_it(&self, how: &str) {
        std::fs::write(self.control.join(how), "").unwrap();
    }

    fn mend(&self) {
        for how in std::fs::read_dir(&self.control).unwrap() {
            std::fs::remove_file(how.unwrap().path()).unwrap();
        }
    }
}

/// Waits until something is shown.
pub fn shows_something(service: &Service) {
    let enough = || {
        (service.get("/api/v1/state")["activeInteractions"].as_u64().unwrap() < 5)
            .then(|| "too few".to_owned())
    };
    eventually(LONG, enough);
}

/// The service says what is wrong in `/readyz` and on the page, and answers what it answered before; what it shows.
pub fn stands_still(service: &Service, why: &str) -> Value {
    let says = || {
        let (status, body) = get(&service.address, "/readyz");
        (status != 503 || !body.contains(why)).then(|| format!("{status} {body}"))
    };
    eventually(LONG, says);
    let state = service.get("/api/v1/state");
    let trouble = state["storeTrouble"].as_str().unwrap();
    assert!(trouble.starts_with("nothing new can be stored") && trouble.contains(why), "{trouble}");
    assert_ne!(state["completeness"], "complete", "more is known than is shown");
    let list = service.get("/api/v1/conversations?active=true&limit=1000");
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len() as u64, state["activeInteractions"].as_u64().unwrap());
    assert_eq!(list["position"], state["position"]);
    for item in items.iter().take(20) {
        let timeline =
            service.get(&format!("/api/v1/conversations/{}/timeline", item["id"].as_str().unwrap()));
        assert!(!timeline["entries"].as_array().unwrap().is_empty());
    }
    state
}

/// It came back by itself, and shows what happened: nothing is missing, nothing is there twice.
fn comes_back(rig: &Cloud, service: &Service) {
    service.program.wait_for("the store accepts writes again", LONG);
    let ready = || {
        let (status, body) = get(&service.address, "/readyz");
        (status != 200).then_some(body)
    };
    eventually(LONG, ready);
    assert!(service.get("/api/v1/state").get("storeTrouble").is_none());
    rig.played_out(LONG);
    eventually(LONG, || crate::compare::differences(service, &rig.truth(), "events"));
}

fn fails_and_comes_back(how: &str) {
    let rig = Rig::new();
    let service = rig.serve();
    shows_something(&service);
    rig.break_it(how);
    let then = stands_still(&service, "disk");
    assert_eq!(
        stands_still(&service, "disk")["position"],
        then["position"],
        "nothing is shown that is not stored"
    );
    rig.mend();
    comes_back(&rig.cloud, &service);
    service.program.kill();
    let again = rig.cloud.serve("events", &[]);
    eventually(LONG, || crate::compare::differences(&again, &rig.cloud.truth(), "events"));
}

#[test]
fn syncs_that_fail_are_waited_out() {
    fails_and_comes_back("sync");
}

#[test]
fn writes_that_are_cut_short_are_waited_out() {
    fails_and_comes_back("write");
}

#[test]
fn killed_while_a_sync_fails_it_starts_with_all_that_was_shown() {
    let rig = Rig::new();
    let service = rig.serve();
    shows_something(&service);
    rig.break_it("sync");
    let before = stands_still(&service, "disk");
    service.program.kill();
    rig.mend();
    let again = rig.cloud.serve("events", &[]);
    let seq = |state: &Value| {
        state["position"].as_str().unwrap().split_once('.').unwrap().1.parse::<u64>().unwrap()
    };
    assert!(seq(&again.get("/api/v1/state")) >= seq(&before));
    rig.cloud.played_out(LONG);
    eventually(LONG, || crate::compare::differences(&again, &rig.cloud.truth(), "events"));
}

#[test]
fn another_file_in_the_place_of_the_data_ends_it_with_the_word_to_start_again() {
    let rig = Rig::new();
    let mut service = rig.serve();
    shows_something(&service);
    rig.break_it("sync");
    stands_still(&service, "disk");
    let (data, other) = (rig.cloud.folder.path().join("data"), rig.cloud.folder.path().join("other"));
    store::Store::open(&other, 4).unwrap().store.close().unwrap();
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("headcount.db") {
            std::fs::remove_file(path).unwrap();
        }
    }
    std::fs::rename(other.join("headcount.db"), data.join("headcount.db")).unwrap();
    assert_eq!(service.program.wait(LONG), Some(1));
    let said = service.program.said();
    assert!(said.contains("is not the one that was opened") && said.contains("start it again"), "{said}");
    rig.mend();
    let again = rig.serve();
    shows_something(&again);
}

#[test]
fn a_data_folder_that_is_moved_away_while_it_runs_ends_it_with_the_word_to_start_again() {
    let rig = Rig::new();
    let mut service = rig.serve();
    shows_something(&service);
    let data = rig.cloud.folder.path().join("data");
    std::fs::rename(&data, rig.cloud.folder.path().join("away")).unwrap();
    assert_eq!(service.program.wait(LONG), Some(1));
    let said = service.program.said();
    assert!(said.contains("was deleted or moved away") && said.contains("start it again"), "{said}");
    let again = rig.serve();
    shows_something(&again);
}

/// A file system of its own, gone with this.
struct Mounted(PathBuf);

impl Mounted {
    /// None where this user may not mount.
    fn of(megabytes: u32, on: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&on).unwrap();
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&on).output();
        mounted.is_ok_and(|run| run.status.success()).then_some(Self(on))
    }

    /// Takes all that is free.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        let chunk = vec![7; 4 << 10];
        while std::io::Write::write_all(&mut file, &chunk).is_ok() {}
    }

    fn empty(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }

    /// Bytes that are kept for a start.
    fn reserve(&self) -> u64 {
        std::fs::metadata(self.0.join("reserve")).map_or(0, |found| found.len())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _stays_until_the_machine_stops = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_file_system_is_waited_out_with_a_restart_in_between() {
    let cloud = Cloud::start(&PLAY);
    let Some(disk) = Mounted::of(56, cloud.folder.path().join("data")) else {
        return left_out("a full file system", "this user may not mount one");
    };
    let service = cloud.serve("events", &[]);
    shows_something(&service);
    let reserve = disk.reserve();
    assert!(reserve > 0);
    disk.fill();
    stands_still(&service, "no space is left");
    assert_eq!(disk.reserve(), reserve, "it is kept for a start");
    disk.fill();
    service.program.kill();
    let again = cloud.serve("events", &[]);
    stands_still(&again, "no space is left");
    assert!(disk.reserve() < reserve, "some of it was needed");
    disk.empty();
    comes_back(&cloud, &again);
    let whole = || (disk.reserve() != reserve).then(|| "it is not made whole again".to_owned());
    eventually(LONG, whole);

    let (code, said) = again.program.terminate(LONG);
    assert_eq!(code, Some(0), "{said}");
    disk.fill();
    let third = cloud.serve("events", &[]);
    stands_still(&third, "no space is left");
    disk.empty();
    comes_back(&cloud, &third);
}
