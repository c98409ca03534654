//! A memory comes back as it was written, within its bound, and is never read from bytes that are not one.

use super::*;

fn memory(participants: usize) -> Memory {
    let told = |n: usize| MemoryOfParticipant {
        id: Id::new(&format!("{n:0>100}")).unwrap(),
        state: Word::new("connected"),
        role: Word::new("agent").filter(|_| n.is_multiple_of(2)),
        user: Id::new("someone").ok(),
        queue: None,
        medium: Word::new("a medium of their own"),
    };
    Memory { told_at: -17, participants: (0..participants).map(told).collect() }
}

#[test]
fn one_comes_back_as_it_was() {
    for participants in [0, 1, 2, 20] {
        assert_eq!(read(&write(&memory(participants))), Ok(memory(participants)));
    }
}

#[test]
fn of_very_many_participants_the_first_are_kept() {
    let bytes = write(&memory(1_000));
    assert!(bytes.len() <= BYTES_MAX);
    let back = read(&bytes).unwrap();
    assert!(back.participants.len() > 40);
    assert_eq!(back.participants, memory(back.participants.len()).participants);
}

#[test]
fn a_changed_bit_or_a_missing_end_is_damage() {
    let bytes = write(&memory(3));
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&changed).is_err(), "bit {bit}");
    }
    for end in 0..bytes.len() {
        assert!(read(&bytes[..end]).is_err(), "the first {end}");
    }
}
