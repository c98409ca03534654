//! What is drawn, how often, and until when.

use super::*;
use crate::options::Options;

fn faults(options: FaultOptions) -> Faults {
    Faults::new(&options, 7, 1_000)
}

fn none() -> FaultOptions {
    Options::default().faults
}

#[test]
fn nothing_goes_wrong_unless_asked_for() {
    let mut faults = faults(none());
    for now in 1_000..2_000 {
        assert_eq!((faults.of_request(now), faults.date(now)), (None, None));
        assert!(!faults.leaves_out(now) && !faults.cuts_in_silence(now));
    }
}

#[test]
fn shares_are_kept() {
    let mut faults = faults(FaultOptions { fail_requests: 0.2, lose_answers: 0.5, ..none() });
    let drawn: Vec<_> = (0..10_000).map(|now| faults.of_request(now)).collect();
    let lost = drawn.iter().filter(|fault| **fault == Some(RequestFault::AnswerLost)).count();
    let well = drawn.iter().filter(|fault| fault.is_none()).count();
    assert!((3_800..4_200).contains(&lost) && (3_800..4_200).contains(&well), "{lost} lost, {well} well");
    for status in STATUSES {
        assert!(drawn.contains(&Some(RequestFault::Refused(status))), "{status}");
    }
}

#[test]
fn all_of_it_ends_together() {
    let lasting = FaultOptions {
        fail_requests: 1.0,
        leave_out_topics: 1.0,
        lying_dates: 1.0,
        silent_cuts: 1.0,
        faults_for: Duration::from_secs(60),
        ..none()
    };
    let mut faults = faults(lasting);
    let strikes = |faults: &mut Faults, now| {
        let (request, date) = (faults.of_request(now).is_some(), faults.date(now).is_some());
        [request, date, faults.leaves_out(now), faults.cuts_in_silence(now)]
    };
    assert_eq!(strikes(&mut faults, 60_999), [true; 4]);
    assert_eq!(strikes(&mut faults, 61_000), [false; 4]);
}
