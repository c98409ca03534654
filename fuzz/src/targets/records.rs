//! The bodies of stored records: a row of the log, and a conversation laid down.
//!
//! The first byte says which, and whether the bytes are a body as it lies in the file or what is within one (so that the
//! fuzzer need not learn lz4); then come the number of facts, two bytes, and an incarnation. Any bytes are a record or said
//! not to be; what is read is written and read again as the same, and writing it again gives the same bytes.

use crate::cursor::Cursor;
use engine::{Admitted, Arrival};
use store::fuzzing::{Columns, conversation, conversation_body, log_body, log_facts, packed};

/// How far apart the receipt and the publication of a fact may lie in a record; more is cut off.
const WAITED_NS_MAX: i64 = i64::MAX >> 2;
/// Facts of one record for each of its bytes at most: the least that a fact takes is 20 bytes.
const FACT_BYTES_MIN: usize = 20;

/// Takes columns and a body.
pub(crate) fn run(bytes: &[u8]) {
    const HEAD: usize = 4;
    let Some((head, rest)) = bytes.split_at_checked(HEAD) else { return };
    let mut from = Cursor::new(head);
    let kind = from.byte();
    let committed_at = [1_780_000_000_000_000_000, 0, i64::MAX, i64::MIN][usize::from(kind >> 2 & 3)];
    let columns =
        Columns { facts: u64::from(from.pair()), committed_at, incarnation: u32::from(from.byte()) };
    let body = if kind & 1 == 0 { packed(rest).expect("few bytes") } else { rest.to_vec() };
    if kind & 2 == 0 { log_row(columns, &body) } else { laid_down(columns, &body) }
}

fn log_row(columns: Columns, body: &[u8]) {
    let Ok(facts) = log_facts(columns, body) else { return };
    assert_eq!(facts.len() as u64, columns.facts);
    assert!(facts.len() * FACT_BYTES_MIN <= body.len() * 255, "more facts than bytes");
    let written = log_body(columns, &facts).expect("it was read from as few bytes");
    let again = log_facts(columns, &written).expect("what was written can be read");
    if facts.iter().all(|admitted| fits(&admitted.arrival)) {
        assert_eq!(again, facts);
    }
    assert_eq!(log_body(columns, &again).expect("it fits"), written, "the same facts are other bytes");
    again.iter().for_each(check);
}

fn laid_down(columns: Columns, body: &[u8]) {
    let at = (columns.incarnation & 1 == 0).then_some(columns.committed_at);
    let Ok(stored) = conversation(columns.facts, at, body) else { return };
    let written = conversation_body(&stored).expect("it was read from as few bytes");
    let again = conversation(columns.facts, at, &written).expect("what was written can be read");
    if stored.facts.iter().all(|(_, arrival)| fits(arrival)) {
        assert_eq!(again, stored);
    }
    assert!(again.started_at.is_none_or(|at| at.digits <= 9));
    assert_eq!(conversation_body(&again).expect("it fits"), written, "the same facts are other bytes");
}

/// Whether a fact waited no longer than a record can say.
fn fits(arrival: &Arrival) -> bool {
    let waited = arrival.published.checked_sub(arrival.received);
    waited.is_some_and(|waited| waited.unsigned_abs() <= WAITED_NS_MAX.unsigned_abs())
}

/// That nothing is read which the engine could not have made.
fn check(admitted: &Admitted) {
    let Admitted { fact, .. } = admitted;
    assert!(fact.at.is_none_or(|at| at.digits <= 9) && fact.since.is_none_or(|at| at.digits <= 9));
    if let Some(stamp) = &fact.stamp {
        assert!(stamp.clock.iter().all(|(_, counter)| counter > 0));
    }
}
