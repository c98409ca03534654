//! Stopping, killing, starting again: what was shown comes back.

use crate::program::{Cloud, Program, Service, eventually};
use serde_json::Value;
use std::time::Duration;

const SHORT: [&str; 10] =
    ["--conversations", "12", "--rate", "30", "--pace", "60", "--dialect", "events", "--regions", "3"];

/// Everything that must not change over a restart.
fn shown(service: &Service) -> Value {
    let state = service.get("/api/v1/state");
    let mut list = service.get("/api/v1/conversations?limit=1000")["items"].clone();
    for item in list.as_array_mut().unwrap() {
        item.as_object_mut().unwrap().remove("completeness");
    }
    serde_json::json!({
        "active": state["activeInteractions"], "heatmap": state["heatmap"],
        "lastUpdated": state["lastUpdated"], "conversations": list,
    })
}

fn settled(cloud: &Cloud, service: &Service) {
    cloud.played_out(Duration::from_secs(120));
    eventually(Duration::from_secs(30), || crate::compare::differences(service, &cloud.truth(), "events"));
}

#[test]
fn a_clean_stop_drains_and_comes_back_the_same() {
    let cloud = Cloud::start(&SHORT);
    let service = cloud.serve("events", &[]);
    settled(&cloud, &service);
    let before = shown(&service);
    let (code, said) = service.program.terminate(Duration::from_secs(15));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("SIGTERM") && said.contains("drained"), "{said}");
    assert!(said.contains(" is open: 0 conversations are in memory, 0 of them active, 0 facts"), "{said}");
    let again = cloud.serve("events", &[]);
    assert_eq!(shown(&again), before);
    let line = again.program.wait_for(" is open: ", Duration::from_secs(10));
    let count = before["conversations"].as_array().unwrap().len();
    assert!(
        line.contains(&format!("{count} conversations are in memory, {} of them active", before["active"])),
        "{line}"
    );
    let seq = again.get("/api/v1/state")["position"].as_str().unwrap().split_once('.').unwrap().1.to_owned();
    assert!(line.contains(&format!("of changes up to {seq}")) && !line.contains(" 0 bytes"), "{line}");
}

#[test]
fn a_kill_loses_nothing_that_was_shown() {
    let cloud = Cloud::start(&SHORT);
    let service = cloud.serve("events", &[]);
    settled(&cloud, &service);
    let before = shown(&service);
    service.program.kill();
    let again = cloud.serve("events", &[]);
    again.program.wait_for("incarnation=2", Duration::from_secs(10));
    assert_eq!(shown(&again), before);
}

#[test]
fn a_second_program_on_the_same_folder_is_refused() {
    let cloud = Cloud::start(&SHORT);
    let _first = cloud.serve("events", &[]);
    let data = cloud.folder.path().join("data").display().to_string();
    let environment = [
        ("GENESYS_CLIENT_ID", "demo"),
        ("GENESYS_CLIENT_SECRET", "demo"),
        ("GENESYS_ENVIRONMENT", "mypurecloud.de"),
        ("HEADCOUNT_LISTEN", "127.0.0.1:0"),
        ("HEADCOUNT_DATA", data.as_str()),
    ];
    let mut second = Program::start(&["serve"], &environment);
    assert_eq!(second.wait(Duration::from_secs(10)), Some(1));
    assert!(second.said().contains("--data"), "{}", second.said());
}
