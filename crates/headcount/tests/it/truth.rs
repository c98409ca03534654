//! Every answer equals the truth, whatever the network does.

use crate::compare::differences;
use crate::program::{Cloud, Service, eventually};
use std::time::Duration;

const FAULTS: [&str; 14] = [
    "--conversations",
    "60",
    "--rate",
    "40",
    "--pace",
    "20",
    "--duplicates",
    "0.2",
    "--reorder-ms",
    "2000",
    "--drop-socket-every",
    "5s",
    "--clock-skew-ms",
    "25",
];
const PLAYED_OUT: Duration = Duration::from_secs(150);
const SETTLED: Duration = Duration::from_secs(60);

fn cloud(dialect: &str, more: &[&str]) -> Cloud {
    Cloud::start(&[&FAULTS[..], &["--dialect", dialect], more].concat())
}

fn equals_the_truth(cloud: &Cloud, service: &Service, dialect: &str) {
    cloud.played_out(PLAYED_OUT);
    eventually(SETTLED, || differences(service, &cloud.truth(), dialect));
}

/// While events flow, a hole is known to be closed soon after it was made: by REST, or by the proof of a re-send.
fn says_repaired(service: &Service) {
    eventually(Duration::from_secs(60), || {
        let completeness = service.get("/api/v1/state")["completeness"].clone();
        (completeness != "repaired").then(|| format!("the state says {completeness}"))
    });
}

fn kill_and_restart(cloud: &Cloud, dialect: &str) -> Service {
    let service = cloud.serve(dialect, &[]);
    eventually(Duration::from_secs(60), || {
        let begun = cloud.truth()["conversations"].as_array().map_or(0, Vec::len);
        (begun < 30).then(|| format!("{begun} conversations have begun"))
    });
    service.program.kill();
    cloud.serve(dialect, &[])
}

#[test]
fn notifications_equal_the_truth() {
    let cloud = cloud("notifications", &["--seed", "11"]);
    let service = cloud.serve("notifications", &[]);
    says_repaired(&service);
    equals_the_truth(&cloud, &service, "notifications");
}

#[test]
fn notifications_equal_the_truth_after_a_kill() {
    let cloud = cloud("notifications", &["--seed", "12"]);
    let service = kill_and_restart(&cloud, "notifications");
    says_repaired(&service);
    equals_the_truth(&cloud, &service, "notifications");
}

#[test]
fn events_equal_the_truth() {
    let cloud = cloud("events", &["--seed", "13", "--regions", "3"]);
    let service = cloud.serve("events", &[]);
    says_repaired(&service);
    equals_the_truth(&cloud, &service, "events");
}

#[test]
fn events_equal_the_truth_after_a_kill() {
    let cloud = cloud("events", &["--seed", "14", "--regions", "3"]);
    let service = kill_and_restart(&cloud, "events");
    equals_the_truth(&cloud, &service, "events");
}

#[test]
fn what_is_never_sent_again_is_missing_and_said_to_be() {
    let cloud = cloud("events", &["--seed", "15", "--regions", "3", "--no-resend"]);
    let service = cloud.serve("events", &[]);
    cloud.played_out(PLAYED_OUT);
    eventually(SETTLED, || {
        let completeness = service.get("/api/v1/state")["completeness"].clone();
        let honest = completeness == "unknown" || completeness == "partial";
        (!honest).then(|| format!("the state claims to be {completeness}"))
    });
}
