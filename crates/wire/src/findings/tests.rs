//! How good each time of a leg is, and what a leg without any says.

use super::{Findings, Leg, SKEW_MAX};
use crate::Origin;
use engine::{Authority, Id, Time, What, Word};

fn leg<'a>(participant: &'a Id, state: &str) -> Leg<'a> {
    Leg {
        participant,
        communication: None,
        state: Word::new(state),
        alerting: None,
        connected: None,
        ended: None,
        end_reason: None,
        parked: None,
        resumed: None,
    }
}

fn states(leg: &Leg) -> Vec<(String, Option<i64>, Authority)> {
    states_at(leg, i64::MAX)
}

/// What is read off a leg of a frame that was received long ago by our clock, and at `sent_by` by the sender's.
fn states_at(leg: &Leg, sent_by: i64) -> Vec<(String, Option<i64>, Authority)> {
    let mut findings = Findings::default();
    findings.leg(leg, Origin { feed: 0, received: 0, sent_by });
    let state = |fact: engine::Fact| {
        assert_eq!(fact.what, What::State);
        (fact.state.unwrap().to_string(), fact.at.map(|at| at.nanos), fact.authority)
    };
    findings.facts.into_iter().map(state).collect()
}

#[test]
fn an_end_time_beats_a_state_that_lags() {
    let id = Id::new("p1").unwrap();
    let ended = Some((Time::from_nanos(9), Authority::Recorded));
    let lagging = Leg { ended, ..leg(&id, "connected") };
    assert!(lagging.is_over());
    assert_eq!(states(&lagging), [("disconnected".to_owned(), Some(9), Authority::Recorded)]);
}

#[test]
fn an_end_state_ends_without_a_time() {
    let id = Id::new("p1").unwrap();
    assert_eq!(states(&leg(&id, "terminated")), [("terminated".to_owned(), None, Authority::Received)]);
    assert_eq!(states(&leg(&id, "none")), []);
}

#[test]
fn a_plan_to_resume_after_the_end_never_happened() {
    let id = Id::new("p1").unwrap();
    let times = |resumed: i64| Leg {
        parked: Some(Time::from_nanos(5)),
        resumed: Some(Time::from_nanos(resumed)),
        ended: Some((Time::from_nanos(9), Authority::Recorded)),
        ..leg(&id, "disconnected")
    };
    assert_eq!(states(&times(8)).len(), 3);
    assert_eq!(states(&times(10)).len(), 2);
}

#[test]
fn whether_a_plan_has_come_about_the_senders_clock_tells() {
    let id = Id::new("p1").unwrap();
    let leg = Leg {
        parked: Some(Time::from_nanos(5)),
        resumed: Some(Time::from_nanos(8 + SKEW_MAX)),
        ..leg(&id, "connected")
    };
    let resumed_at = |sent_by| states_at(&leg, sent_by).iter().filter_map(|(_, at, _)| *at).max();
    assert_eq!(resumed_at(8), Some(8 + SKEW_MAX));
    assert_eq!(resumed_at(7), Some(5), "it lies ahead of the sender too");
}
