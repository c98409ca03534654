//! Under load from a rig that shares nothing with this project: nothing lost, every cell right.
//!
//! The rig stands beside the project (`../shared/baseline/loadgen`); where it is not there, or without what
//! `cargo xtask test` sets, the test says that it is left out.

use crate::outside::installed;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

const PLAY: [&str; 14] = [
    "--events",
    "200000",
    "--interactions",
    "20000",
    "--rate",
    "20000",
    "--duplicates",
    "0.2",
    "--window",
    "500",
    "--cut-at",
    "80000,160000",
    "--replay",
    "5000",
];
/// Hands the rig's addresses on under the names that the program knows.
const WRAP: &str = "GENESYS_EVENTS_URL=$GENESYS_WS_URL HEADCOUNT_LISTEN=$LISTEN_ADDR HEADCOUNT_DIALECT=events \
                    exec \"$0\" serve";

#[test]
fn at_20_000_events_a_second_with_cuts_nothing_is_lost() {
    let Some(_) = installed("HEADCOUNT_E2E", "the load rig") else { return };
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let rig = root.join("../shared/baseline/loadgen/Cargo.toml");
    if !rig.is_file() {
        let _ = installed("HEADCOUNT_RIG", "the load rig, which is not beside the project");
        return;
    }
    let target = root.join("target/xtask/loadgen");
    let built = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--locked", "--manifest-path"])
        .arg(&rig)
        .arg("--target-dir")
        .arg(&target)
        .status()
        .unwrap();
    assert!(built.success());
    let data = tempfile::tempdir().unwrap();
    let run = Command::new(target.join("release/loadgen"))
        .args(PLAY)
        .args(["--", "sh", "-c", WRAP, env!("CARGO_BIN_EXE_headcount")])
        .env("HEADCOUNT_DATA", data.path())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(report["state"]["heatmap_l1"], 0, "{report}");
    assert_eq!(report["state"]["active_interactions"], report["truth"]["active_interactions"], "{report}");
    assert_eq!(report["stream"]["connections"], 3, "{report}");
    assert_eq!(report["stop"]["exited_on_sigterm"], true, "{report}");
}
