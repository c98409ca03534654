//! Facts: identity and the laws of the join.

use super::*;
use proptest::prelude::*;

fn state(word: &str, at: i64) -> Fact {
    let mut fact = Fact::new(What::State);
    fact.participant = Id::new("p").ok();
    fact.communication = Id::new("c").ok();
    fact.state = Word::new(word);
    fact.at = Some(Time::from_millis(at));
    fact.authority = Authority::Recorded;
    fact.identified()
}

#[test]
fn a_communication_connects_once_whatever_time_a_surface_gives() {
    assert_eq!(state("connected", 5).id, state("connected", 30).id);
    assert_eq!(state("disconnected", 5).id, state("terminated", 30).id);
    assert_ne!(state("connected", 5).id, state("disconnected", 5).id);
}

#[test]
fn borders_between_parts_matter() {
    assert_ne!(FactId::of_content(&[b"ab", b"c"]), FactId::of_content(&[b"a", b"bc"]));
}

#[test]
fn the_better_evidence_wins_and_the_earlier_of_equals() {
    let mut a = state("connected", 30);
    let b = state("connected", 5);
    assert!(a.join(&b));
    assert_eq!(a.at, Some(Time::from_millis(5)));
    let mut reported = state("connected", 1);
    reported.authority = Authority::Reported;
    assert!(!a.join(&reported));
    assert_eq!(a.at, Some(Time::from_millis(5)));
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let words = prop::option::of(prop::sample::select(vec!["connected", "terminated", "odd"]));
    (words.clone(), words, prop::option::of(0..3i64), 0..3u8, any::<bool>()).prop_map(
        |(s, r, at, authority, on)| {
            let mut fact = Fact::new(What::State);
            fact.state = s.and_then(Word::new);
            fact.reason = r.and_then(Word::new);
            fact.at = at.map(Time::from_millis);
            fact.authority = match authority {
                0 => Authority::Derived,
                1 => Authority::Reported,
                _ => Authority::Recorded,
            };
            fact.on = on;
            fact
        },
    )
}

fn joined(a: &Fact, b: &Fact) -> Fact {
    let mut a = a.clone();
    a.join(b);
    a
}

/// Sameness of what a join decides: an authority without a time says nothing.
fn essence(f: &Fact) -> (Option<Time>, Option<Authority>, Option<Word>, Option<Word>, bool) {
    (f.at, f.at.map(|_| f.authority), f.state.clone(), f.reason.clone(), f.on)
}

proptest! {
    #[test]
    fn join_is_a_semilattice(a in any_fact(), b in any_fact(), c in any_fact()) {
        prop_assert_eq!(essence(&joined(&a, &b)), essence(&joined(&b, &a)));
        prop_assert_eq!(essence(&joined(&joined(&a, &b), &c)), essence(&joined(&a, &joined(&b, &c))));
        prop_assert_eq!(essence(&joined(&a, &a)), essence(&a));
    }
}
