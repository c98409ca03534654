//! How a time is written.

use super::*;

#[test]
fn dates_are_written_as_http_does() {
    let date = http_date(1_767_225_600_000).expect("a date");
    assert_eq!(date, "Thu, 01 Jan 2026 00:00:00 GMT");
}
