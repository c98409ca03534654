//! The rules hold here, and notice when they are broken.

use super::*;

#[test]
fn the_house_is_tidy() {
    let broken = broken_rules(&crate::steps::root());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_broken_rule_is_named() {
    let long = format!("//! Why.\n{}", "\n".repeat(LINES_MAX));
    assert_eq!(rules_of_a_file("crates/a/src/b.rs", &long).len(), 1);
    assert_eq!(rules_of_a_file("crates/a/src/b.rs", "fn f() {}").len(), 1);
    let asks = format!("//! Why.\nfn f() {{ {}(); }}", GUARDED[0].0);
    assert_eq!(rules_of_a_file("crates/engine/src/b.rs", &asks).len(), 1);
    assert!(rules_of_a_file("crates/pipeline/src/clock.rs", &asks).is_empty());
    let waits = "//! Why.\nuse tokio::time::sleep;";
    assert_eq!(rules_of_a_file("crates/source/src/listening/b.rs", waits).len(), 1);
    assert!(rules_of_a_file("crates/source/src/b.rs", waits).is_empty());
}

#[test]
fn dependencies_are_read_to_the_end_of_their_section() {
    let manifest = "[package]\nname = \"a\"\n\n[dependencies]\nengine.workspace = true\nserde = \"1\"\n\n[dev-dependencies]\nserve.workspace = true\n";
    assert_eq!(dependencies(manifest).collect::<Vec<_>>(), ["engine", "serde"]);
}
