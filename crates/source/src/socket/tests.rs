//! Until when a socket was heard.

use super::*;

fn look(fresh: bool, emptied: bool) -> Ready {
    Ready { fresh, emptied, ..Ready::default() }
}

#[test]
fn what_comes_while_somebody_waits_proves_the_present() {
    let mut until = HeardUntil::new(1);
    assert_eq!(until.look(&look(true, true), 10), 10);
    assert_eq!(until.look(&look(true, false), 20), 20);
}

#[test]
fn what_had_piled_up_proves_no_more_than_the_last_look_that_took_all() {
    let mut until = HeardUntil::new(1);
    assert_eq!(until.look(&look(false, false), 10), 1, "it may have come right after the socket was opened");
    assert_eq!(until.look(&look(true, true), 20), 20);
    assert_eq!(until.look(&look(false, false), 90), 20);
    assert_eq!(until.look(&look(false, true), 95), 20);
    assert_eq!(until.look(&look(false, true), 96), 95);
}
