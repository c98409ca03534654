//! Batches: what went in comes out, in few bytes, and changed bytes do no harm.

use super::*;
use crate::record::pack::Packer;
use crate::testing;
use engine::{Id, Time};
use proptest::prelude::*;

fn head(facts: usize) -> Head {
    Head { position: 3, committed_at: 1_780_000_000_000_000_000, incarnation: 7, seq: 9, facts: facts as u64 }
}

#[test]
fn golden() {
    let received = head(1).committed_at - 1;
    let admitted = [Admitted {
        conversation: Id::new("c").expect("an id"),
        fact: engine::Fact::new(engine::What::LifeCycle),
        arrival: engine::Arrival { incarnation: 7, ..testing::heard(received) },
    }];
    let mut scratch = Scratch::default();
    let body = encode(&mut scratch, &head(1), &admitted).expect("encoded").to_vec();
    let (raw, _) = unpack(&body).expect("unpacked");
    let mut expected = vec![1, 1, b'c', 0, 0, 1];
    expected.extend([0; 16]);
    assert_eq!(raw, expected);
    assert_eq!(head(1).checksum(b"body"), 0x0d4e_5cdb);
}

#[test]
fn the_checksum_is_over_every_column() {
    let good = head(5);
    let others = [
        Head { position: 4, ..good },
        Head { committed_at: 0, ..good },
        Head { incarnation: 8, ..good },
        Head { seq: 0, ..good },
        Head { facts: 4, ..good },
    ];
    assert!(others.iter().all(|other| other.checksum(b"body") != good.checksum(b"body")));
    assert_ne!(good.checksum(b"bodz"), good.checksum(b"body"));
}

/// A batch as a busy line gives it: many conversations at once, a few facts of each in one batch.
#[test]
fn a_fact_of_the_events_dialect_takes_less_than_60_bytes() {
    let uuid = |kind: u64, number: u64| {
        let mixed =
            u128::from(kind * 1_000_003 + number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        Id::from_uuid(mixed.to_le_bytes())
    };
    let base = head(500).committed_at;
    let admitted: Vec<_> = (0..500_u64)
        .map(|n| {
            let received = base + 47_000 * n as i64;
            let at = Time::from_millis(received / 1_000_000 - (n * 37 % 1500) as i64);
            let fact = testing::event(n, uuid(2, n % 400), at);
            Admitted { conversation: uuid(1, n % 300), fact, arrival: testing::heard(received) }
        })
        .collect();
    let mut scratch = Scratch::default();
    let body = encode(&mut scratch, &head(500), &admitted).expect("encoded");
    let bytes_per_fact = body.len() / admitted.len();
    assert!(bytes_per_fact < 60, "{bytes_per_fact}");
}

proptest! {
    #[test]
    fn batches_come_back(admitted in testing::admitted()) {
        let (mut scratch, head) = (Scratch::default(), head(admitted.len()));
        let body = encode(&mut scratch, &head, &admitted).expect("encoded");
        let back = decode(&head, body).expect("decoded");
        prop_assert_eq!(format!("{back:?}"), format!("{admitted:?}"), "digits of times included");
        prop_assert_eq!(back, admitted);
    }

    #[test]
    fn a_reused_scratch_writes_the_same(first in testing::admitted(), second in testing::admitted()) {
        let (mut fresh, mut used, head) = (Scratch::default(), Scratch::default(), head(second.len()));
        encode(&mut used, &head, &first).expect("encoded");
        let again = encode(&mut used, &head, &second).expect("encoded");
        prop_assert_eq!(again, encode(&mut fresh, &head, &second).expect("encoded"));
    }

    #[test]
    fn changed_bytes_are_facts_or_refused(
        admitted in testing::admitted(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        facts in 0..20_usize,
    ) {
        let mut scratch = Scratch::default();
        let body = encode(&mut scratch, &head(admitted.len()), &admitted).expect("encoded");
        let (mut raw, _) = unpack(body).expect("unpacked");
        for (at, byte) in changes {
            if !raw.is_empty() {
                let at = at.index(raw.len());
                raw[at] = byte;
            }
        }
        let mut packer = Packer::default();
        let _either = decode(&head(facts), packer.pack(&raw).expect("packed"));
    }
}
