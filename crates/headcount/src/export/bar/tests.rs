//! What the bar says.

use super::*;

#[test]
fn it_goes_from_nothing_to_all_and_no_further() {
    let at = |conversations, seconds| {
        let progress = Progress { conversations, conversations_in_all: 200, rows: 7, files: 1 };
        line(progress, Duration::from_secs(seconds))
    };
    assert_eq!(at(0, 0), format!("[{}]   0 %  7 rows, 1 files, 0 s, about 0 s left", " ".repeat(24)));
    assert_eq!(
        at(50, 10),
        format!("[######{}]  25 %  7 rows, 1 files, 10 s, about 30 s left", " ".repeat(18))
    );
    assert_eq!(at(900, 90), format!("[{}] 100 %  7 rows, 1 files, 90 s, about 0 s left", "#".repeat(24)));
}

#[test]
fn cells_have_no_conversations_to_go_by() {
    let progress = Progress { rows: 1_440, ..Progress::default() };
    assert_eq!(line(progress, Duration::from_secs(2)), "1440 rows, 0 files, 2 s");
}
