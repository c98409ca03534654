//! The simulation itself: the same seed is the same world, and no world breaks a rule.

/// Seeds that are played with every test run; `cargo xtask sim` plays as many as one likes.
const SEEDS: std::ops::Range<u64> = 0..60;

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in [3, 4, 5, 6] {
        let (one, two) = (sim::play(seed, true).unwrap(), sim::play(seed, true).unwrap());
        assert!(one.trace.lines().count() > 50, "seed {seed} has no story: {}", one.trace);
        assert_eq!(one, two, "seed {seed}");
    }
}

#[test]
fn no_seed_breaks_a_rule() {
    for seed in SEEDS {
        let outcome = sim::play(seed, false).unwrap();
        assert_eq!(outcome.broken, None, "replay it: cargo xtask sim --seed {seed}");
    }
}
