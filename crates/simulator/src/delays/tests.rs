//! Frames come late and twice as ordered, and not otherwise.

use super::*;

fn send_all(delays: &mut Delays, count: usize) -> Vec<String> {
    for index in 0..count {
        delays.send(0, Target::Gateway { type_bit: 1 }, None, index.to_string().into());
    }
    let mut out = Vec::new();
    while let Some(due) = delays.due() {
        out.extend(delays.next(due).map(|frame| frame.text.to_string()));
    }
    out
}

#[test]
fn without_faults_frames_are_due_at_once_in_order() {
    let mut delays = Delays::new(1, 0.0, 0);
    let sent: Vec<String> = (0..1000).map(|index| index.to_string()).collect();
    assert_eq!(send_all(&mut delays, 1000), sent);
}

#[test]
fn duplicates_and_reordering_lose_nothing_and_keep_to_their_share() {
    let mut delays = Delays::new(1, 0.2, 500);
    let out = send_all(&mut delays, 1000);
    assert!((1150..1250).contains(&out.len()), "{} frames of 1000", out.len());
    let mut distinct: Vec<usize> = out.iter().map(|text| text.parse().expect("a number")).collect();
    assert!(!distinct.is_sorted(), "some overtake others");
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct, (0..1000).collect::<Vec<_>>());
}

#[test]
fn no_frame_is_later_than_allowed() {
    let mut delays = Delays::new(1, 0.0, 500);
    for _ in 0..1000 {
        delays.send(10, Target::Gateway { type_bit: 1 }, None, "".into());
    }
    let mut latest = 0;
    while let Some(frame) = delays.next(Millis::MAX) {
        latest = latest.max(frame.due);
    }
    assert!((400..=510).contains(&latest), "{latest}");
}
