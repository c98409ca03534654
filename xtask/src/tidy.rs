//! The house rules that no compiler checks.
//!
//! Imports go down only, files are small and begin with a sentence on why they are there, time and randomness are asked
//! for in one place each, and the project speaks of itself alone.

use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// Each crate and its layer; a crate may depend only on lower ones. The simulator stands beside: it shares nothing with
/// what it tests.
const LAYERS: [(&str, u8); 13] = [
    ("causal", 0),
    ("engine", 1),
    ("wire", 2),
    ("store", 2),
    ("pipeline", 3),
    ("outward", 3),
    ("export", 4),
    ("source", 4),
    ("influx", 4),
    ("simulator", 4),
    ("serve", 5),
    ("headcount", 6),
    ("sim", 6),
];
const LINES_MAX: usize = 500;
/// Words that stand for unfinished work, wherever they are; put together here so that this file may name them.
const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];
/// Folders and files without I/O inside crates that have some, and what may not be named there.
const PURE: [&str; 3] =
    ["crates/source/src/listening", "crates/source/src/repairing", "crates/source/src/past.rs"];
const IMPURE: [&str; 4] = ["tokio", "reqwest", concat!("Instant::", "now"), "pipeline::Clock"];
/// Calls that only the files named may make.
const GUARDED: [(&str, &[&str]); 2] = [
    (concat!("SystemTime::", "now"), &["crates/pipeline/src/clock.rs", "crates/simulator/"]),
    (concat!("thread::", "sleep"), &["xtask/"]),
];

/// Every broken rule, with where it is broken.
#[must_use]
pub fn broken_rules(root: &Path) -> Vec<String> {
    let mut broken = layers(root);
    for file in sources(root) {
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        broken.extend(rules_of_a_file(&name, &text));
    }
    broken
}

fn rules_of_a_file(name: &str, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        broken.push(format!("{name}: {lines} lines; {LINES_MAX} are the most"));
    }
    if !text.starts_with("//!") {
        broken.push(format!("{name}: it does not begin with a `//!` paragraph"));
    }
    for word in UNFINISHED {
        if text.contains(word) {
            broken.push(format!("{name}: it says {word}"));
        }
    }
    if PURE.iter().any(|prefix| name.starts_with(prefix)) {
        for word in IMPURE.iter().filter(|word| text.contains(**word)) {
            broken
                .push(format!("{name}: it does no I/O and takes the time as an argument, and names {word}"));
        }
    }
    for (call, allowed) in GUARDED {
        if text.contains(call) && !allowed.iter().any(|prefix| name.starts_with(prefix)) {
            broken.push(format!("{name}: {call} belongs to {}", allowed.join(", ")));
        }
    }
    broken
}

fn layers(root: &Path) -> Vec<String> {
    let layer = |name: &str| LAYERS.iter().find(|(known, _)| *known == name).map(|(_, layer)| *layer);
    let mut broken = Vec::new();
    for (name, own) in LAYERS {
        let manifest = root.join("crates").join(name).join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap_or_default();
        if text.is_empty() {
            broken.push(format!("crates/{name}/Cargo.toml: it cannot be read"));
        }
        for dependency in dependencies(&text) {
            match layer(dependency) {
                Some(theirs) if theirs >= own => {
                    broken.push(format!("crates/{name}: it may not depend on {dependency} (layer {theirs})"));
                }
                Some(_) if name == "simulator" => {
                    broken
                        .push(format!("crates/simulator: it may not share {dependency} with what it tests"));
                }
                _ => {}
            }
        }
    }
    for folder in std::fs::read_dir(root.join("crates")).into_iter().flatten().flatten() {
        let name = folder.file_name().to_string_lossy().into_owned();
        if layer(&name).is_none() {
            broken.push(format!("crates/{name}: it has no layer; give it one in xtask/src/tidy.rs"));
        }
    }
    broken
}

/// The names under `[dependencies]`; what tests use is free.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    section.lines().filter_map(|line| line.split(['.', ' ', '=']).next()).filter(|name| !name.is_empty())
}

fn sources(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.join("crates"), root.join("fuzz"), root.join("xtask")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
