//! Every entry has a point, times ascend with the order, keep the source's digits, and are the same every time.

use super::*;
use engine::{FactId, Time, Word};
use proptest::collection::vec;
use proptest::prelude::*;

const NOON: i64 = 1_767_268_800_000_000_000;

pub fn entry(n: u128, at: Time) -> TimelineEntry {
    let word = |text| Word::new(text);
    TimelineEntry {
        fact: FactId(n),
        at: Some(at),
        effective_at: at,
        received_at: at,
        participant: Id::new("p 1").ok(),
        communication: None,
        kind: "state",
        from: None,
        to: word("connected"),
        state: word("connected"),
        role: word("agent"),
        user: Id::new("u").ok(),
        queue: None,
        medium: word("voice"),
        reason: None,
        source: "events",
        late: false,
        concurrent: false,
        vector_clock: 17,
        clock: Vec::new(),
    }
}

fn id(text: &str) -> Id {
    Id::new(text).expect("an id")
}

fn times(of: &str, timeline: &[TimelineEntry]) -> Vec<i64> {
    points(&id(of), timeline, Schema::Compact).iter().map(|point| point.time).collect()
}

#[test]
fn the_two_schemas_are_as_documented() {
    let mut timeline =
        vec![entry(1, Time { nanos: NOON, digits: 9 }), entry(2, Time { nanos: NOON + 9, digits: 9 })];
    (timeline[1].participant, timeline[1].role, timeline[1].user, timeline[1].medium) =
        (None, None, None, None);
    timeline[1].kind = "lifeCycle";
    let lines =
        |schema| points(&id("c-1"), &timeline, schema).iter().map(|p| p.line.at(p.time)).collect::<Vec<_>>();
    assert_eq!(
        lines(Schema::Tutorial),
        [
            r#"participant_state,interactionId=c-1,participantId=p\ 1,state=connected vector_clock=17i,role="agent" 1767268800000000000"#,
            "participant_state,interactionId=c-1,state=connected vector_clock=17i 1767268800000000009",
        ]
    );
    assert_eq!(
        lines(Schema::Compact),
        [
            r#"participant_state,medium=voice,role=agent,state=connected interactionId="c-1",participantId="p 1",userId="u",kind="state",vector_clock=17i 1767268800000000000"#,
            r#"participant_state,state=connected interactionId="c-1",kind="lifeCycle",vector_clock=17i 1767268800000000009"#,
        ]
    );
}

#[test]
fn digits_below_the_sources_own_tell_the_place() {
    let milli = |n, ms| entry(n, Time::from_millis(NOON / 1_000_000 + ms));
    let own = SentPoint::hash(id("c").key()).rem_euclid(10_000);
    let timeline = [milli(1, 5), milli(2, 5), milli(3, 5), milli(4, 6)];
    let base = NOON + 5_000_000;
    assert_eq!(
        times("c", &timeline),
        [base + own, base + 10_000 + own, base + 20_000 + own, base + 1_000_000 + own]
    );
    let micro = [
        entry(1, Time { nanos: NOON + 123_456_000, digits: 6 }),
        entry(2, Time { nanos: NOON + 123_456_000, digits: 6 }),
    ];
    let digit = SentPoint::hash(id("c").key()).rem_euclid(10);
    assert_eq!(times("c", &micro), [NOON + 123_456_000 + digit, NOON + 123_456_010 + digit]);
    let nano = [entry(1, Time::from_nanos(NOON + 1)), entry(2, Time::from_nanos(NOON + 1))];
    assert_eq!(times("c", &nano), [NOON + 1, NOON + 2]);
}

#[test]
fn a_hundred_and_more_changes_of_one_instant_keep_apart() {
    let timeline: Vec<_> = (0..300).map(|n| entry(n, Time::from_millis(NOON / 1_000_000))).collect();
    let times = times("c", &timeline);
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(times.iter().all(|time| (NOON..NOON + 1_000_000).contains(time)));
}

proptest! {
    #[test]
    fn times_ascend_and_stay_in_their_instant(mut steps in vec((0..3_i64, 0..=9_u8), 1..60)) {
        let mut at = NOON;
        let timeline: Vec<_> = steps.iter_mut().enumerate().map(|(n, (step, digits))| {
            let digits = (*digits).max(3);
            at += *step * 10i64.pow(u32::from(9 - digits));
            entry(n as u128, Time { nanos: at, digits })
        }).collect();
        let times = times("c", &timeline);
        prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
