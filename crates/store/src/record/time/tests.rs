//! Times: pinned bytes, and digits come back too.

use super::*;
use crate::testing;
use proptest::prelude::*;

const BASE: i64 = 1_780_000_000_123_456_789;

fn bytes(time: Time) -> Vec<u8> {
    let mut out = Vec::new();
    put_time(&mut out, time, BASE);
    out
}

#[test]
fn golden() {
    assert_eq!(bytes(Time::from_millis(1_780_000_000_123)), [3, 0]);
    assert_eq!(bytes(Time::from_millis(1_779_999_999_000)), [3, 0xc5, 0x11]);
    assert_eq!(bytes(Time { nanos: BASE + 1, digits: 3 }), [0x13, 2]);
    assert_eq!(bytes(Time { nanos: BASE, digits: 9 }), [9, 0]);
}

#[test]
fn impossible_times_are_refused() {
    let mut far = vec![0];
    put_signed(&mut far, i64::MAX);
    assert!(take_time(&mut Reader::new(&far), 0).is_err());
    assert!(take_time(&mut Reader::new(&[10, 0]), 0).is_err());
}

proptest! {
    #[test]
    fn times_come_back_with_their_digits(time in testing::time(), base: i64) {
        let mut out = Vec::new();
        put_time(&mut out, time, base);
        let back = take_time(&mut Reader::new(&out), base).expect("a time");
        prop_assert_eq!((back.nanos, back.digits), (time.nanos, time.digits));
    }
}
