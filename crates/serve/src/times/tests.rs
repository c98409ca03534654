//! The spelling of instants, at the edges of what an `i64` of nanoseconds can say.

use super::*;
use engine::Time;

fn written(nanos: i64, digits: u8) -> String {
    Written(Time { nanos, digits }).to_string()
}

#[test]
fn as_many_digits_as_the_source_gave() {
    let nanos = 1_767_225_600_123_456_789;
    assert_eq!(written(nanos, 0), "2026-01-01T00:00:00Z");
    assert_eq!(written(nanos, 1), "2026-01-01T00:00:00.1Z");
    assert_eq!(written(nanos, 3), "2026-01-01T00:00:00.123Z");
    assert_eq!(written(nanos, 6), "2026-01-01T00:00:00.123456Z");
    assert_eq!(written(nanos, 9), "2026-01-01T00:00:00.123456789Z");
}

#[test]
fn zeros_that_the_source_wrote_stay() {
    assert_eq!(written(0, 0), "1970-01-01T00:00:00Z");
    assert_eq!(written(0, 3), "1970-01-01T00:00:00.000Z");
    assert_eq!(written(120_000_000, 9), "1970-01-01T00:00:00.120000000Z");
}

#[test]
fn more_than_nine_digits_are_nine() {
    assert_eq!(written(1, 200), "1970-01-01T00:00:00.000000001Z");
}

#[test]
fn digits_are_cut_and_not_rounded() {
    assert_eq!(written(999_999_999, 3), "1970-01-01T00:00:00.999Z");
    assert_eq!(written(59_999_999_999, 0), "1970-01-01T00:00:59Z");
}

#[test]
fn every_instant_has_a_spelling() {
    assert_eq!(written(i64::MAX, 9), "2262-04-11T23:47:16.854775807Z");
    assert_eq!(written(i64::MIN, 9), "1677-09-21T00:12:43.145224192Z");
    assert_eq!(written(-1, 9), "1969-12-31T23:59:59.999999999Z");
}

#[test]
fn what_is_written_reads_back() {
    for step in -500..500_i64 {
        let nanos = step * 987_654_321_987_654;
        let back: Timestamp = written(nanos, 9).parse().unwrap();
        assert_eq!(back.as_nanosecond(), i128::from(nanos));
    }
}

#[test]
fn in_json_it_is_a_string() {
    assert_eq!(
        serde_json::to_string(&Written(Time::from_millis(5))).unwrap(),
        r#""1970-01-01T00:00:00.005Z""#
    );
}

#[test]
fn a_time_of_a_query_has_a_zone() {
    let noon = Some(1_767_268_800_000_000_000);
    for text in [
        "2026-01-01T12:00:00Z",
        "2026-01-01T14:00:00+02:00",
        "2026-01-01T14:00:00 02:00",
        "2026-01-01 12:00:00.000z",
    ] {
        assert_eq!(read(text), noon, "{text}");
    }
    for text in [
        "",
        "2026-01-01",
        "2026-01-01T12:00:00",
        "noon",
        "12:00:00Z",
        " ",
        "\u{e4}\u{e4}\u{e4}\u{e4}",
        "9999-12-31T23:59:59Z",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn our_own_instants_have_the_digits_that_they_need() {
    let at = |nanos| ours(nanos).to_string();
    assert_eq!(at(1_000_000), "1970-01-01T00:00:00.001Z");
    assert_eq!(at(1_000), "1970-01-01T00:00:00.000001Z");
    assert_eq!(at(1_001), "1970-01-01T00:00:00.000001001Z");
}
