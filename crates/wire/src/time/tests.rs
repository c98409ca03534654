//! The path by hand against jiff, and back.

use super::{civil, days, format_time, parse_any, parse_time, parse_zulu};
use engine::Time;
use proptest::prelude::*;

#[test]
fn times_as_written() {
    for (text, nanos, digits) in [
        ("1970-01-01T00:00:00Z", 0, 0),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000, 1),
        ("1969-12-31T23:59:59.999Z", -1_000_000, 3),
        ("2024-02-29T12:00:00.123456789Z", 1_709_208_000_123_456_789, 9),
        ("2024-02-29T12:00:00.100000+00:00", 1_709_208_000_100_000_000, 6),
        ("2024-02-29T14:00:00+02:00", 1_709_208_000_000_000_000, 0),
        ("2024-02-29t12:00:00z", 1_709_208_000_000_000_000, 0),
    ] {
        let time = parse_time(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((time.nanos, time.digits), (nanos, digits), "{text}");
    }
}

#[test]
fn no_times() {
    for text in [
        "",
        "Z",
        "2024-02-30T12:00:00Z",
        "2023-02-29T12:00:00Z",
        "2100-02-29T12:00:00Z",
        "2024-13-01T12:00:00Z",
        "2024-00-01T12:00:00Z",
        "2024-01-00T12:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T12:60:00Z",
        "2024-01-01T12:00:61Z",
        "2024-01-01T12:00:00.Z",
        "2024-01-01T12:00:00.1234567890Z",
        "2024-01-01T12:00:00.12a4Z",
        "2024-01-01T12:00:00",
        "2024-01-01",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2024-01-01T12:00:00Zxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "２024-01-01T12:00:00Z",
    ] {
        assert!(parse_time(text).is_none(), "{text}");
    }
}

#[test]
fn the_ends_of_the_range_are_written_and_read() {
    for nanos in [i64::MIN, -1, 0, 1, i64::MAX] {
        let text = format_time(Time { nanos, digits: 9 });
        assert_eq!(parse_time(&text).map(|time| time.nanos), Some(nanos), "{text}");
    }
    assert_eq!(format_time(Time { nanos: 1_999_999_999, digits: 3 }), "1970-01-01T00:00:01.999Z");
    assert_eq!(format_time(Time { nanos: -1, digits: 0 }), "1969-12-31T23:59:59Z");
}

#[test]
fn every_day_of_the_range_is_its_own_inverse() {
    for day in -107_000..107_000 {
        let (year, month, date) = civil(day);
        assert_eq!(days(year, month, date), day);
    }
}

proptest! {
    #[test]
    fn round_trip(nanos in any::<i64>(), digits in 0u8..=9) {
        let step = 10_i64.pow(9 - u32::from(digits));
        let nanos = nanos.div_euclid(step).saturating_mul(step);
        let text = format_time(Time { nanos, digits });
        let back = parse_time(&text).unwrap();
        prop_assert_eq!((back.nanos, back.digits), (nanos, digits));
        prop_assert_eq!(text, format_time(back));
    }

    #[test]
    fn both_paths_agree(nanos in any::<i64>(), digits in 0u8..=9) {
        let text = format_time(Time { nanos, digits });
        let (fast, slow) = (parse_zulu(text.as_bytes()).unwrap(), parse_any(&text).unwrap());
        prop_assert_eq!((fast.nanos, fast.digits), (slow.nanos, slow.digits));
    }

    #[test]
    fn the_fast_path_takes_nothing_that_jiff_does_not(
        text in "[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?Z",
    ) {
        if let Some(fast) = parse_zulu(text.as_bytes()) {
            prop_assert_eq!(parse_any(&text).map(|slow| slow.nanos), Some(fast.nanos));
        }
    }

    #[test]
    fn offsets_shift(nanos in 0..2_000_000_000_000_000_000_i64, minutes in -1_439..=1_439_i32) {
        let shifted = Time { nanos: nanos + i64::from(minutes) * engine::MINUTE, digits: 9 };
        let sign = if minutes < 0 { '-' } else { '+' };
        let offset = format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
        let text = format_time(shifted).replace('Z', &offset);
        prop_assert_eq!(parse_time(&text).map(|time| time.nanos), Some(nanos));
    }
}
