//! The targets as plain tests: the committed inputs as they are, then a fixed number of seeded mutations.
//!
//! A build without optimisations runs a quarter of them. One input alone: `cargo run -p fuzz --example replay -- TARGET FILE`.

use fastrand::Rng;
use fuzz::corpus;

/// Runs a target over its corpus and so many mutations of it. A panic says which input broke it.
fn run(name: &str, mutations: usize) {
    let target = fuzz::target(name).expect("a target of that name");
    let inputs = corpus::load(name).expect("a corpus that can be read");
    assert!(inputs.len() >= 10, "{name} has {} inputs; a corpus has more", inputs.len());
    let mut rng = Rng::with_seed(0x4845_4144);
    let told = |bytes: &[u8], what: &str| {
        let outcome = std::panic::catch_unwind(|| (target.run)(bytes));
        assert!(outcome.is_ok(), "{name} broke on {what}: {}", bytes.escape_ascii());
    };
    inputs.iter().for_each(|(file, bytes)| told(bytes, file));
    let mutations = if cfg!(debug_assertions) { mutations / 4 } else { mutations };
    for number in 0..mutations {
        told(&corpus::mutated(&inputs, &mut rng), &format!("mutation {number}"));
    }
}

#[test]
fn frames() {
    run("frames", 20_000);
}

#[test]
fn clocks() {
    run("clocks", 20_000);
}

#[test]
fn engine() {
    run("engine", 2_000);
}

#[test]
fn records() {
    run("records", 20_000);
}

#[test]
fn reorder() {
    run("reorder", 8_000);
}

#[test]
fn config() {
    run("config", 8_000);
}

#[test]
fn requests() {
    run("requests", 8_000);
}
