//! The vendor's own SDK, and a real browser: what they need is installed by `cargo xtask test`.

use crate::program::{Cloud, Program};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The value of a variable that `cargo xtask test` sets; without it the test says that it is left out.
pub fn installed(variable: &str, test: &str) -> Option<String> {
    let value = std::env::var(variable).ok();
    if value.is_none() {
        left_out(test, "it needs what `cargo xtask test` installs");
    }
    value
}

/// Says that a test is left out, and why.
pub fn left_out(test: &str, why: &str) {
    let note = format!("left out: {test} ({why})\n");
    let _nobody_reads = std::io::Write::write_all(&mut std::io::stderr(), note.as_bytes());
}

fn crates() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{said}");
}

#[test]
fn the_official_sdk_works_unmodified_against_the_simulator() {
    let Some(python) = installed("HEADCOUNT_PYTHON", "the official Python SDK") else {
        return;
    };
    let cloud = Cloud::start(&["--rate", "200", "--pace", "40"]);
    let script = crates().join("simulator/tests/sdk/sdk_check.py");
    let schemas = crates().join("../../shared/genesys/schemas");
    run(Command::new(python).arg(script).arg(cloud.url("GENESYS_API_URL")).arg(schemas));
}

#[test]
fn the_page_works_in_a_real_browser() {
    let Some(node) = installed("HEADCOUNT_NODE", "the page in a browser") else {
        return;
    };
    let chromium = std::env::var("HEADCOUNT_CHROMIUM").unwrap();
    let demo = Program::start(&["demo", "--listen", "127.0.0.1:0", "--drop-socket-every", "5s"], &[]);
    let line = demo.wait_for("the page", Duration::from_secs(10));
    let base = line.split_whitespace().last().unwrap().to_owned();
    let script = crates().join("serve/tests/page/page_check.mjs");
    let copy = PathBuf::from(&node).join("page_check.mjs");
    std::fs::copy(script, &copy).unwrap();
    run(Command::new("node").arg(copy).arg(base).arg(chromium).current_dir(node));
}

#[test]
fn the_demo_shows_its_first_conversations_soon() {
    let demo = Program::start(&["demo", "--listen", "127.0.0.1:0"], &[]);
    let line = demo.wait_for("the page", Duration::from_secs(10));
    let address = line.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
    crate::program::eventually(Duration::from_secs(20), || {
        let (_, body) = crate::program::get(&address, "/api/v1/state");
        let state: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        (state["activeInteractions"].as_u64() < Some(1)).then(|| body.chars().take(80).collect())
    });
}
