//! The committed inputs, and seeded changes to them.
//!
//! The changes are those that found something in formats like ours: bytes, cuts, splices of two inputs, repeats, and pieces
//! that matter to a parser. A seed gives the same inputs on every machine. What the coverage-guided runs find interesting
//! is merged into the corpus, so that the plain tests profit from hours that were run once.

use fastrand::Rng;
use std::io;
use std::path::PathBuf;

/// Pieces that parsers trip over.
const PIECES: [&str; 18] = [
    "18446744073709551616",
    "18446744073709551615",
    "-9223372036854775809",
    "9999-12-31T23:59:59Z",
    "1e999",
    "null",
    "true",
    "{}",
    "[]",
    "\"\"",
    "\\ud800",
    "\u{0}",
    "%00",
    "%ff",
    "&",
    "=",
    "\n",
    "\u{e9}",
];
/// The longest run that is repeated.
const REPEAT_BYTES_MAX: usize = 64;

/// The folder of a target's inputs.
#[must_use]
pub fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// A target's inputs with their names, by name.
///
/// # Errors
/// When the folder or a file of it cannot be read.
pub fn load(target: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut inputs = Vec::new();
    for entry in std::fs::read_dir(folder(target))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        inputs.push((name, std::fs::read(path)?));
    }
    inputs.sort();
    Ok(inputs)
}

/// An input changed in one to four ways.
#[must_use]
pub fn mutated(inputs: &[(String, Vec<u8>)], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = other(inputs, rng).to_vec();
    for _ in 0..rng.u8(1..=4) {
        change(&mut bytes, inputs, rng);
    }
    bytes
}

fn other<'a>(inputs: &'a [(String, Vec<u8>)], rng: &mut Rng) -> &'a [u8] {
    rng.choice(inputs).map_or(&[], |(_, bytes)| bytes)
}

fn change(bytes: &mut Vec<u8>, inputs: &[(String, Vec<u8>)], rng: &mut Rng) {
    let at = rng.usize(..=bytes.len());
    match rng.u8(..8) {
        0..=2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = if rng.bool() { rng.u8(..) } else { *byte ^ 1 << rng.u8(..8) };
            }
        }
        3 => bytes.truncate(at),
        4 => {
            let tail = other(inputs, rng);
            bytes.truncate(at);
            bytes.extend_from_slice(&tail[rng.usize(..=tail.len())..]);
        }
        5 => {
            let end = (at + rng.usize(..REPEAT_BYTES_MAX)).min(bytes.len());
            let run = bytes[at..end].to_vec();
            bytes.splice(at..at, run);
        }
        6 => {
            let end = (at + rng.usize(..REPEAT_BYTES_MAX)).min(bytes.len());
            bytes.drain(at..end);
        }
        _ => drop(bytes.splice(at..at, PIECES[rng.usize(..PIECES.len())].bytes())),
    }
}
