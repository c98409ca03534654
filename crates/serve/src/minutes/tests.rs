//! Minutes end with now, whatever the newest event was.

use super::*;

fn activity(newest: Option<i64>) -> Activity {
    let counts = (1..=1_440).collect();
    Activity { newest_minute: newest, counts: if newest.is_some() { counts } else { vec![0; 1_440] } }
}

#[test]
fn what_is_older_than_a_day_is_left_out_and_what_is_ahead_of_our_clock_is_in() {
    for (newest, first, begin, end) in [
        (100_000, 98_561, [1, 2], [1_439, 1_440]),
        (99_990, 98_561, [11, 12], [0, 0]),
        (100_001, 98_562, [1, 2], [1_439, 1_440]),
        (1_000, 98_561, [0, 0], [0, 0]),
    ] {
        let (from, events) = until_now(&activity(Some(newest)), 100_000);
        assert_eq!(
            (from, events.len(), &events[..2], &events[1_438..]),
            (first, 1_440, &begin[..], &end[..])
        );
    }
    let (from, events) = until_now(&activity(None), 100_000);
    assert_eq!((from, events.iter().sum::<u64>()), (98_561, 0));
}

#[test]
fn offsets_are_written_as_clocks_are_set() {
    for (seconds, text) in [(0, "+00:00"), (19_800, "+05:30"), (-12_600, "-03:30"), (-2_670, "-00:44:30")] {
        assert_eq!(written(seconds), text);
    }
}
