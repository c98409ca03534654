//! Until when a socket was heard.

use super::*;

const SILENCE: Duration = Duration::from_nanos(40);

fn look(fresh: bool, emptied: bool) -> Ready {
    Ready { fresh, emptied, ..Ready::default() }
}

fn at(nanos: i64) -> Moment {
    Moment { wall: nanos, boot: nanos }
}

#[test]
fn what_comes_while_somebody_waits_proves_the_present() {
    let mut until = HeardUntil::new(at(1), SILENCE);
    assert_eq!(until.look(&look(true, true), at(1), at(10)), Some(10));
    assert_eq!(until.look(&look(true, false), at(10), at(20)), Some(20));
}

#[test]
fn what_had_piled_up_proves_no_more_than_the_last_look_that_took_all() {
    let mut until = HeardUntil::new(at(1), SILENCE);
    let look = |until: &mut HeardUntil, fresh, emptied, now| {
        until.look(&look(fresh, emptied), at(now), at(now)).unwrap()
    };
    assert_eq!(look(&mut until, false, false, 10), 1, "it may have come right after the socket was opened");
    assert_eq!(look(&mut until, true, true, 20), 20);
    assert_eq!(look(&mut until, false, false, 90), 20);
    assert_eq!(look(&mut until, false, true, 95), 20);
    assert_eq!(look(&mut until, false, true, 96), 95);
}

#[test]
fn what_comes_after_a_longer_silence_than_any_proves_nothing() {
    for now in [Moment { wall: 51, boot: 30 }, Moment { wall: 12, boot: 51 }] {
        let mut until = HeardUntil::new(at(1), SILENCE);
        until.look(&look(true, true), at(1), at(10));
        assert_eq!(until.look(&look(true, true), at(10), now), None, "{now:?}");
        assert_eq!(until.last(), 10);
    }
    let mut until = HeardUntil::new(at(1), SILENCE);
    assert_eq!(until.look(&look(false, true), at(100), at(100)), Some(1), "nobody read: that is no silence");
}
