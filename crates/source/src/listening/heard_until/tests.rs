//! Until when a socket was heard.

use super::*;

const SECOND: i64 = 1_000_000_000;
const SILENCE: Duration = Duration::from_secs(40);

fn at(seconds: i64) -> Moment {
    Moment { wall: seconds * SECOND, boot: seconds * SECOND }
}

/// A socket opened at 1 s, on which nothing comes until the last look that is given.
fn quiet_until(seconds: i64) -> HeardUntil {
    let mut until = HeardUntil::new(at(1), SILENCE);
    (2..=seconds).for_each(|second| until.empty(at(second)));
    until
}

fn until(heard: Heard) -> i64 {
    heard.until / SECOND
}

#[test]
fn a_frame_proves_the_last_instant_at_which_nothing_was_there() {
    let heard = quiet_until(70).found(false, at(71));
    assert_eq!((until(heard), heard.in_time), (69, true), "the last look but one");
    assert_eq!(until(HeardUntil::new(at(1), SILENCE).found(true, at(10))), 1, "right after it was opened");
}

#[test]
fn what_had_piled_up_proves_no_more_than_the_last_look_that_found_nothing() {
    let mut socket = quiet_until(20);
    for now in [30, 90, 95] {
        let heard = socket.found(true, at(now));
        assert_eq!((until(heard), heard.in_time), (19, true), "nobody read: that is no silence");
    }
    socket.empty(at(96));
    assert_eq!(until(socket.found(true, at(99))), 95);
}

#[test]
fn a_pause_is_not_heard_however_short_it_was() {
    for pause in [1, 3, 20, 38] {
        let mut socket = quiet_until(10);
        assert_eq!(until(socket.found(false, at(10 + pause))), 9, "{pause} s");
    }
}

#[test]
fn what_comes_after_a_longer_silence_than_any_ends_the_socket_by_either_clock() {
    for (wall, boot) in [(51, 30), (12, 51)] {
        let now = Moment { wall: wall * SECOND, boot: boot * SECOND };
        let heard = quiet_until(10).found(false, now);
        assert!(!heard.in_time, "{now:?}");
        assert!(heard.until <= 10 * SECOND, "{now:?}");
    }
}

#[test]
fn a_first_look_after_a_pause_proves_nothing() {
    let mut socket = quiet_until(10);
    socket.empty(at(30));
    assert_eq!(until(socket.found(false, at(30))), 10, "the kernel was not asked yet");
    let mut socket = quiet_until(10);
    (30..34).for_each(|second| socket.empty(at(second)));
    assert_eq!(until(socket.found(false, at(34))), 32);
}

#[test]
fn a_clock_that_is_set_moves_what_is_proved_with_it() {
    let set_back = Moment { wall: 5 * SECOND, boot: 11 * SECOND };
    assert_eq!(until(quiet_until(10).found(false, set_back)), 3);
    let ahead = Moment { wall: 500 * SECOND, boot: 11 * SECOND };
    assert_eq!(until(quiet_until(10).found(false, ahead)), 9, "that may have been a pause");
}
