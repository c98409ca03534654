//! The layout of the heatmap where zones make it interesting, and the cache of the body.

use super::*;
use engine::Completeness;
use jiff::Timestamp;
use pipeline::Position;

/// 1,440 minutes that end with the minute of `newest` (RFC 3339), each counted once.
fn one_each(newest: &str) -> Activity {
    Activity { newest_minute: Some(minute(newest)), counts: vec![1; 1_440] }
}

/// 1,440 minutes that end with the minute of `newest`; `counted` happened in that of each of `at`.
fn counted(newest: &str, at: &[(&str, u64)]) -> Activity {
    let newest = minute(newest);
    let mut counts = vec![0; 1_440];
    for (at, count) in at {
        let back = usize::try_from(newest - minute(at)).unwrap();
        counts[1_439 - back] += count;
    }
    Activity { newest_minute: Some(newest), counts }
}

fn minute(at: &str) -> i64 {
    at.parse::<Timestamp>().unwrap().as_second() / 60
}

fn zone(name: &str) -> Zone {
    crate::zone::ZoneRules::among(None).zone(name).unwrap()
}

#[test]
fn before_the_first_event_all_is_zero() {
    let none = Activity { newest_minute: None, counts: vec![0; 1_440] };
    assert_eq!(laid_out(&none, &zone("UTC")), [[0; 60]; 24]);
}

#[test]
fn a_day_fills_every_cell_once() {
    assert_eq!(laid_out(&one_each("2026-05-04T09:17:00Z"), &zone("UTC")), [[1; 60]; 24]);
    assert_eq!(laid_out(&one_each("2026-05-04T09:17:00Z"), &zone("Asia/Kathmandu")), [[1; 60]; 24]);
}

#[test]
fn a_minute_stands_at_its_hour_and_minute() {
    let activity =
        counted("2026-05-04T09:17:00Z", &[("2026-05-04T09:17:00Z", 3), ("2026-05-03T09:18:00Z", 5)]);
    let utc = laid_out(&activity, &zone("UTC"));
    assert_eq!((utc[9][17], utc[9][18]), (3, 5));
    let kathmandu = laid_out(&activity, &zone("Asia/Kathmandu"));
    assert_eq!((kathmandu[15][2], kathmandu[15][3]), (3, 5), "5 h 45 min ahead");
    assert_eq!(kathmandu.iter().flatten().sum::<u64>(), 8);
}

#[test]
fn when_the_clocks_go_back_two_minutes_share_a_cell() {
    let berlin = zone("Europe/Berlin");
    let activity =
        counted("2026-10-25T12:00:00Z", &[("2026-10-25T00:30:00Z", 2), ("2026-10-25T01:30:00Z", 5)]);
    assert_eq!(laid_out(&activity, &berlin)[2][30], 7);
    let day = laid_out(&one_each("2026-10-25T22:59:00Z"), &berlin);
    assert_eq!(day.iter().flatten().sum::<u64>(), 1_440);
    assert_eq!((day[2][0], day[2][59], day[3][0], day[0][0]), (2, 2, 1, 0));
}

#[test]
fn when_the_clocks_go_forward_the_skipped_hour_stays_empty() {
    let day = laid_out(&one_each("2026-03-29T21:59:00Z"), &zone("Europe/Berlin"));
    assert_eq!(day[2], [0; 60]);
    assert_eq!(day.iter().flatten().sum::<u64>(), 1_440);
    assert_eq!((day[1][59], day[3][0], day[23][0]), (1, 1, 2));
}

#[test]
fn an_offset_that_is_no_whole_hour_either_way() {
    let activity = counted("2026-01-01T00:10:00Z", &[("2026-01-01T00:10:00Z", 1)]);
    assert_eq!(
        laid_out(&activity, &zone("America/St_Johns"))[20][40],
        1,
        "3 h 30 min behind, on the day before"
    );
}

#[test]
fn a_newest_minute_that_no_calendar_reaches_is_no_panic() {
    let activity = Activity { newest_minute: Some(i64::MAX), counts: vec![1; 1_440] };
    assert_eq!(laid_out(&activity, &zone("UTC")), [[0; 60]; 24]);
    let negative = Activity { newest_minute: Some(i64::MIN), counts: vec![1; 1_440] };
    assert_eq!(laid_out(&negative, &zone("UTC")), [[0; 60]; 24]);
}

#[test]
fn the_body_is_written_once_per_summary() {
    let cache = Cache::new(zone("UTC"));
    let summary = Arc::new(Summary {
        position: Position { epoch: 1, seq: 2 },
        active: 3,
        activity: Activity { newest_minute: None, counts: vec![0; 1_440] },
        last_updated: None,
        suspects: 0,
        remembered: 0,
        completeness: Completeness::Complete,
        complete_from: None,
        feeds: Vec::new(),
        not_ready: Vec::new(),
        store_trouble: None,
    });
    let first = cache.body(summary.clone()).unwrap();
    let again = cache.body(summary.clone()).unwrap();
    assert_eq!(first.as_ptr(), again.as_ptr());
    let next = cache.body(Arc::new(Summary { active: 4, ..Summary::clone(&summary) })).unwrap();
    assert_ne!(first, next);
}

#[test]
fn a_law_of_2026_is_known_whatever_the_host_knows() {
    let activity = counted("2026-12-01T04:51:00Z", &[("2026-12-01T04:51:00Z", 5)]);
    assert_eq!(laid_out(&activity, &zone("America/Winnipeg"))[23][51], 5, "Winnipeg stays on summer time");
}
