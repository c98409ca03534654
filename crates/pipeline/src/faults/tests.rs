//! Names while a part is down, and waits that grow.

use super::*;

#[test]
fn a_part_is_named_until_it_is_started_and_waits_grow_to_a_bound() {
    let faults = Faults::default();
    let mut restarts = Restarts::new("feeds", faults.clone());
    assert!(faults.reasons().is_empty());
    let mut waits = Vec::new();
    for _ in 0..9 {
        waits.push(restarts.panicked().as_secs());
        assert!(matches!(faults.reasons().as_slice(), [one] if one.contains("feeds")));
        restarts.started();
        assert!(faults.reasons().is_empty());
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
}
