//! `headcount why`, of a service that runs and of one that was stopped.

use crate::compare::differences;
use crate::program::{Cloud, Program, eventually};
use serde_json::Value;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn why(args: &[&str]) -> (Option<i32>, String) {
    let mut program = Program::start(&[&["why"], args].concat(), &[("COLUMNS", "100")]);
    let code = program.wait(SOON);
    program.wait_quiet();
    (code, program.said())
}

#[test]
fn a_service_that_runs_and_one_that_was_stopped_explain_alike() {
    let play =
        ["--dialect", "notifications", "--conversations", "5", "--rate", "50", "--pace", "20", "--seed", "3"];
    let cloud = Cloud::start(&play);
    let service = cloud.serve("notifications", &[]);
    cloud.played_out(Duration::from_secs(60));
    eventually(Duration::from_secs(30), || differences(&service, &cloud.truth(), "notifications"));
    let page = service.get("/api/v1/conversations");
    let id = page["items"][0]["id"].as_str().unwrap().to_owned();
    let (code, text) = why(&[&id, "--url", &service.address]);
    assert_eq!(code, Some(0), "{text}");
    let timeline = service.get(&format!("/api/v1/conversations/{id}/timeline"));
    let shown = timeline["entries"].as_array().unwrap().len();
    assert!(text.contains(&format!("conversation {id}")) && text.contains(&format!("#{shown} ")), "{text}");
    assert!(
        !text.contains(&format!("#{} ", shown + 1)) && text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );

    let data = cloud.folder.path().join("data").display().to_string();
    let (code, text) = why(&[&id, "--data", &data]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("another headcount runs on the data folder"), "{text}");

    let (code, running) = why(&[&id, "--url", &service.address, "--json"]);
    assert_eq!(code, Some(0));
    assert_eq!(service.program.terminate(SOON).0, Some(0));
    let (code, stopped) = why(&[&id, "--data", &data, "--json"]);
    assert_eq!(code, Some(0), "{stopped}");
    let facts = |text: &str| serde_json::from_str::<Value>(text).unwrap()["facts"].clone();
    assert_eq!(facts(&running), facts(&stopped));
    assert!(facts(&stopped).as_array().unwrap().len() >= shown);

    let participant = facts(&stopped)[1]["participantId"].as_str().unwrap().to_owned();
    let (code, text) = why(&[&id, "--data", &data, "--participant", &participant]);
    assert!(code == Some(0) && text.contains(&format!("participant {participant} alone")), "{text}");
    let (code, text) = why(&[&id, "--data", &data, "--participant", "nobody"]);
    assert!(code == Some(1) && text.contains("participant nobody"), "{text}");
    let (code, text) = why(&["nothing", "--data", &data]);
    assert!(code == Some(1) && text.contains("nothing is known of a conversation"), "{text}");
}

#[test]
fn whoever_cannot_be_asked_is_named_with_what_to_do() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (code, text) = why(&["x", "--url", &closed]);
    assert!(code == Some(1) && text.contains("--url") && text.contains("--data"), "{text}");
    let (code, text) = why(&["x", "--url", "http://headcount.example"]);
    assert!(code == Some(2) && text.contains("loopback"), "{text}");
    let (code, text) = why(&["x", "--url", &closed, "--data", "."]);
    assert!(code == Some(2) && text.contains("cannot be used with"), "{text}");
    let (code, text) = why(&[""]);
    assert!(code == Some(2) && text.contains("the id is empty"), "{text}");
}
