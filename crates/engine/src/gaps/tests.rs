//! The cover of a range, against the claim that is worst at each instant.

use super::*;
use proptest::prelude::*;

const STATES: [Completeness; 3] = [Completeness::Repaired, Completeness::Partial, Completeness::Unknown];

fn claims() -> impl Strategy<Value = Vec<(i64, Option<i64>, usize)>> {
    prop::collection::vec((0..40i64, prop::option::of(0..12i64), 0..3usize), 0..9)
}

proptest! {
    #[test]
    fn each_instant_is_as_complete_as_its_worst_claim(drawn in claims(), from in 0..40i64, length in 1..40i64) {
        let to = from + length;
        let claim = |&(from, length, state): &(i64, Option<i64>, usize)| Claim {
            from,
            to: length.map(|length| from + length),
            state: STATES[state],
            reason: ["a", "b", "c"][state],
        };
        let claims: Vec<Claim<'_>> = drawn.iter().map(claim).collect();
        let (list, truncated) = cover(&within(claims.clone(), from, to), from, to, 100);
        prop_assert!(!truncated);
        prop_assert_eq!(check_intervals(&list, from, to, &[]), Ok(()));
        for at in from..to {
            let there = |c: &&Claim<'_>| c.from <= at && c.to.is_none_or(|end| at < end.max(c.from + 1));
            let worst = claims.iter().filter(there).map(|c| c.state).max().unwrap_or_default();
            let told = list.iter().find(|i| (i.from..i.to).contains(&at)).unwrap();
            prop_assert_eq!(told.completeness, worst);
        }
    }

    #[test]
    fn a_list_that_is_cut_is_the_beginning_of_the_whole(drawn in claims(), max in 1..5usize) {
        let claim = |&(from, length, state): &(i64, Option<i64>, usize)| Claim {
            from,
            to: length.map(|length| from + length),
            state: STATES[state],
            reason: "why",
        };
        let claims: Vec<Claim<'_>> = drawn.iter().map(claim).collect();
        let claims = within(claims, 0, 60);
        let (whole, _) = cover(&claims, 0, 60, 100);
        let (cut, truncated) = cover(&claims, 0, 60, max);
        prop_assert_eq!(truncated, whole.len() > max);
        prop_assert_eq!(&whole[..whole.len().min(max)], &cut[..]);
    }
}

#[test]
fn the_rule_names_what_is_broken() {
    let of = |from, to, completeness: Completeness| Interval {
        from,
        to,
        completeness,
        reason: (completeness != Completeness::Complete).then(|| "why".to_owned()),
    };
    let list = [of(0, 5, Completeness::Complete), of(5, 9, Completeness::Unknown)];
    assert_eq!(check_intervals(&list, 0, 9, &[5, 8]), Ok(()), "what is missing lies in what is unknown");
    assert_eq!(check_intervals(&list, 0, 9, &[4]), Err(Broken::Hole(list[0].clone(), 4)));
    assert_eq!(check_intervals(&list, 0, 10, &[]), Err(Broken::NotCovered(9)));
    assert_eq!(check_intervals(&list[1..], 0, 9, &[]), Err(Broken::NotCovered(0)));
    let twice = [of(0, 5, Completeness::Complete), of(5, 9, Completeness::Complete)];
    assert_eq!(check_intervals(&twice, 0, 9, &[]), Err(Broken::Malformed(twice[0].clone())));
}
