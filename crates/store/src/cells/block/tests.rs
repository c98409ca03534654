//! Bodies say what they were made of, for any filter, and hostile ones say that they are none.

use super::*;
use crate::testing::{id, word};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn facets() -> impl Strategy<Value = Facets> {
    let of = (option::of(word()), option::of(id()), option::of(id()), option::of(word()));
    of.prop_map(|(role, queue, user, medium)| Facets { role, queue, user, medium })
}

fn sums() -> impl Strategy<Value = Sums> {
    let events = prop_oneof![1..9_i64, any::<i32>().prop_map(i64::from)];
    vec((facets(), -50..30_000_000_i64, events), 0..40).prop_map(|all| {
        let mut sums = Sums::default();
        all.into_iter().for_each(|(of, unit, events)| sums.add(of, unit, events));
        sums
    })
}

/// The sum of each unit, by a scan.
fn scanned(body: &[u8], filter: &Facets) -> Result<BTreeMap<i64, i64>, Malformed> {
    let mut found = BTreeMap::new();
    scan(body, filter, |unit, events| *found.entry(unit).or_insert(0_i64) += events)?;
    found.retain(|_, events| *events != 0);
    Ok(found)
}

proptest! {
    #[test]
    fn a_body_is_read_as_it_was_written(sums in sums()) {
        let body = encode(&sums).expect("it fits");
        let read = decode(&body).expect("it was written");
        prop_assert!(read.each().eq(sums.each()));
    }

    #[test]
    fn a_scan_sums_what_passes(sums in sums(), other in facets(), parts in any::<[bool; 4]>(), at in any::<prop::sample::Index>()) {
        let body = encode(&sums).expect("it fits");
        let of = if sums.0.is_empty() { other } else { at.get(&sums.0.keys().cloned().collect::<Vec<_>>()).clone() };
        let [role, queue, user, medium] = parts;
        let filter = Facets {
            role: of.role.filter(|_| role),
            queue: of.queue.filter(|_| queue),
            user: of.user.filter(|_| user),
            medium: of.medium.filter(|_| medium),
        };
        let mut should = Sums::default();
        sums.each().filter(|(of, ..)| of.pass(&filter)).for_each(|(_, unit, n)| should.add(Facets::default(), unit, n));
        let should = should.each().map(|(_, unit, events)| (unit, events)).collect();
        prop_assert_eq!(scanned(&body, &filter), Ok(should));
    }

    #[test]
    fn no_bytes_make_it_panic(sums in sums(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut body = encode(&sums).expect("it fits");
        let at = at.index(body.len());
        if cut { body.truncate(at) } else { body[at] = byte }
        let _any = (decode(&body), scanned(&body, &Facets::default()));
        if let Ok(read) = decode(&body) {
            prop_assert_eq!(decode(&encode(&read).expect("it fits")).map(|again| again.total()), Ok(read.total()));
        }
    }
}

#[test]
fn the_layout_is_pinned() {
    let agent = Facets { role: Word::new("agent"), queue: Some(Id::from_uuid([7; 16])), ..Facets::default() };
    let mut sums = Sums::default();
    sums.add(agent.clone(), 100, 1);
    sums.add(agent, 103, 9);
    sums.add(Facets { medium: Word::new("fax-2"), ..Facets::default() }, 103, -2);
    let body = encode(&sums).expect("it fits");
    let mut should = vec![0xc8, 0x01, 2];
    should.extend([17]);
    should.extend([0, 5]);
    should.extend(b"fax-2");
    should.extend([1, 0]);
    should.extend([7; 16]);
    should.extend([2]);
    should.extend([1, 0, 1, 1, 2, 0, 1, 0, 1, 1, 0, 0, 1, 2, 3]);
    should.extend([3 << 3, 3, 1, 3 << 3, 18]);
    assert_eq!(body, should);
}
