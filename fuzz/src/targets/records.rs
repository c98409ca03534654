//! The bodies of stored records: a row of the log, a conversation laid down, and a page of cells.
//!
//! The first byte says which, and whether the bytes are a body as it lies in the file or what is within one (so that the
//! fuzzer need not learn lz4); then come the number of facts, two bytes, and an incarnation. Any bytes are a record or said
//! not to be; what is read is written and read again as the same, and writing it again gives the same bytes.

use crate::cursor::Cursor;
use engine::{Admitted, Arrival, Facets};
use std::collections::BTreeMap;
use store::fuzzing::{
    Columns, cells, cells_body, cells_passing, conversation, conversation_body, log_body, log_facts, packed,
};

/// How far apart the receipt and the publication of a fact may lie in a record; more is cut off.
const WAITED_NS_MAX: i64 = i64::MAX >> 2;
/// Facts of one record for each of its bytes at most: the least that a fact takes is 19 bytes.
const FACT_BYTES_MIN: usize = 19;

/// The upper half of a first byte behind which a page of cells comes.
const PAGE: u8 = 7;

/// Takes columns and a body.
pub(crate) fn run(bytes: &[u8]) {
    const HEAD: usize = 4;
    let Some((head, rest)) = bytes.split_at_checked(HEAD) else { return };
    let mut from = Cursor::new(head);
    let kind = from.byte();
    if kind >> 4 == PAGE {
        return page(rest);
    }
    let committed_at = [1_780_000_000_000_000_000, 0, i64::MAX, i64::MIN][usize::from(kind >> 2 & 3)];
    let columns =
        Columns { facts: u64::from(from.pair()), committed_at, incarnation: u32::from(from.byte()) };
    let body = if kind & 1 == 0 { packed(rest).expect("few bytes") } else { rest.to_vec() };
    if kind & 2 == 0 { log_row(columns, &body) } else { laid_down(columns, &body) }
}

/// A page says one thing, whatever of it is asked for.
fn page(body: &[u8]) {
    let Ok(counts) = cells(body) else {
        // What is not checked as a whole may be asked for all the same, and must end.
        let _refused_or_not = cells_passing(body, &Facets::default());
        return;
    };
    assert!(counts.len() <= body.len(), "more counts than bytes");
    let written = cells_body(counts.clone()).expect("it was read from as few bytes");
    assert_eq!(cells(&written).as_ref(), Ok(&counts), "what was written can be read");
    let some = counts.get(counts.len() / 2).map(|(of, ..)| of.clone()).unwrap_or_default();
    let by_queue = Facets { queue: some.queue.clone(), ..Facets::default() };
    for filter in [Facets::default(), Facets { queue: None, user: None, ..some.clone() }, by_queue, some] {
        let mut should = BTreeMap::new();
        for (_, unit, events) in counts.iter().filter(|(of, ..)| of.pass(&filter)) {
            let sum: &mut i128 = should.entry(*unit).or_default();
            *sum += i128::from(*events);
        }
        let mut told = BTreeMap::new();
        for (unit, events) in cells_passing(&written, &filter).expect("it is one") {
            *told.entry(unit).or_insert(0_i128) += i128::from(events);
        }
        let bounded = counts.iter().all(|(.., events)| events.unsigned_abs() < 1 << 40);
        should.retain(|_, events| *events != 0);
        told.retain(|_, events| *events != 0);
        assert!(!bounded || told == should, "a scan sums what passes");
    }
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
