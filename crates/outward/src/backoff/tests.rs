//! Waits grow, stay within their bounds, and differ from one another.

use super::*;

fn backoff(seed: u64) -> Backoff {
    Backoff::new(Duration::from_millis(500), Duration::from_secs(60), fastrand::Rng::with_seed(seed))
}

#[test]
fn waits_start_near_zero_double_and_stay_within_their_bounds() {
    for seed in 0..50 {
        let mut backoff = backoff(seed);
        assert!(backoff.wait() <= Duration::from_millis(125));
        for doubling in 0..40 {
            let ceiling =
                Duration::from_millis(500).saturating_mul(1 << doubling.min(20)).min(Duration::from_secs(60));
            let wait = backoff.wait();
            assert!(wait >= ceiling / 2 && wait <= ceiling, "{wait:?} for {ceiling:?}");
        }
        backoff.reset();
        assert!(backoff.wait() <= Duration::from_millis(125));
    }
}

#[test]
fn the_same_seed_gives_the_same_waits_and_another_seed_others() {
    let waits = |seed| {
        std::iter::repeat_with({
            let mut b = backoff(seed);
            move || b.wait()
        })
        .take(8)
        .collect::<Vec<_>>()
    };
    assert_eq!(waits(7), waits(7));
    assert_ne!(waits(7), waits(8));
}

#[test]
fn a_wait_is_said_to_a_tenth_of_a_second() {
    let said = [0, 49, 51, 1_249, 60_000].map(|ms| in_seconds(Duration::from_millis(ms)));
    assert_eq!(said.map(|seconds| seconds.to_string()), ["0", "0", "0.1", "1.2", "60"]);
}
