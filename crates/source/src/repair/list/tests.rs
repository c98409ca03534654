//! Ids out of the answers of the platform's queries.

use super::*;

#[test]
fn a_conversation_counts_as_before_the_hole_only_when_its_end_says_so() {
    let ended = |end: Option<&str>| {
        let end = end.map(str::to_owned);
        Conversation { conversation_id: "c".into(), conversation_end: end }
            .ended_before(1_000_000_000_000_000_000)
    };
    assert!(ended(Some("2001-09-09T01:46:39.999Z")));
    assert!(!ended(Some("2001-09-09T01:46:40.000Z")));
    assert!(!ended(None));
    assert!(!ended(Some("some day")));
}

#[test]
fn a_hole_is_asked_about_day_by_day() {
    let noon = DAY / 2;
    assert_eq!(days(noon, noon + 1).collect::<Vec<_>>(), [(noon, noon + 1)]);
    assert_eq!(
        days(noon, 2 * DAY + 5).collect::<Vec<_>>(),
        [(noon, DAY), (DAY, 2 * DAY), (2 * DAY, 2 * DAY + 5)]
    );
    assert_eq!(days(-noon, noon).collect::<Vec<_>>(), [(-noon, 0), (0, noon)]);
    assert_eq!(days(noon, noon - 1).collect::<Vec<_>>(), [(noon, noon)], "our clock was set back");
    assert_eq!(days(noon, DAY).collect::<Vec<_>>(), [(noon, DAY), (DAY, DAY)], "midnight is of the next day");
}
