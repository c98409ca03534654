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
    for command in ["serve", "demo", "simulate", "check", "why"] {
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
