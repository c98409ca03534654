//! When silence turns into a ping, and a ping into a loss.

use super::*;

#[test]
fn silence_is_pinged_then_lost_and_any_sound_begins_anew() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut dog = Watchdog::new(start, Duration::from_secs(20), Duration::from_secs(5));
    assert_eq!(dog.check(at(19)), Verdict::Wait);
    assert_eq!(dog.check(at(20)), Verdict::Ping);
    assert_eq!(dog.due(), at(25));
    assert_eq!(dog.check(at(24)), Verdict::Wait);
    dog.heard(at(24));
    assert_eq!(dog.due(), at(44));
    assert_eq!(dog.check(at(44)), Verdict::Ping);
    assert_eq!(dog.check(at(49)), Verdict::Lost);
}
