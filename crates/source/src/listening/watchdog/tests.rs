//! When silence turns into a ping, and a ping into a loss.

use super::*;

fn dog() -> Watchdog {
    Watchdog::new(0, Duration::from_secs(20), Duration::from_secs(5))
}

#[test]
fn silence_is_pinged_then_lost_and_any_sound_begins_anew() {
    let mut dog = dog();
    assert_eq!(dog.check(19_999), Verdict::Wait);
    assert_eq!(dog.check(20_000), Verdict::Ping);
    assert_eq!(dog.due(), 25_000);
    assert_eq!(dog.check(24_000), Verdict::Wait);
    dog.heard(24_000);
    assert_eq!(dog.due(), 44_000);
    assert_eq!(dog.check(44_000), Verdict::Ping);
    assert_eq!(dog.check(49_000), Verdict::Lost);
}

#[test]
fn after_a_pause_nobody_waits_for_another_ping() {
    assert_eq!(dog().check(25_000), Verdict::Ping);
    assert_eq!(dog().check(25_001), Verdict::Lost);
}
