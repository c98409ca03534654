//! What was shown at an instant is shown again when it is asked for, whatever was learnt since.

use crate::order_of_arrival::{arrivals, causal_history, plain_events, snapshot_facts};
use crate::revisions::frames;
use crate::world::*;
use engine::*;
use proptest::prelude::*;

/// All that a reader could see of the conversation, but for what is said of today.
fn seen(shown: &Shown<'_>) -> String {
    let mut view = shown.conversation();
    (view.completeness, view.suspect) = (Completeness::Complete, None);
    format!("{view:?}\n{:?}\n{:?}", shown.timeline(), shown.spells())
}

fn now_seen(engine: &Engine) -> Option<String> {
    engine.show(&id("call"), NOON).map(|shown| seen(&shown))
}

/// Hands in deliveries, a second apart but for those that come together, and lays the conversation down and takes it up
/// again in between. In the end each instant's answer must be given again.
fn remembered(
    deliveries: Vec<Delivery>,
    laid_down_after: usize,
    together: usize,
) -> Result<(), TestCaseError> {
    let (mut engine, mut answers) = (engine(), Vec::new());
    let mut now = NOON;
    for (n, mut delivery) in deliveries.into_iter().enumerate() {
        if n == 0 || n % together.max(1) == 0 {
            now += SECOND;
        }
        delivery.received = now;
        engine.expire_held(now);
        engine.handle(delivery, now);
        answers.push((now, now_seen(&engine)));
        if n == laid_down_after {
            now += SECOND;
            engine.release_all(now);
            answers.push((now, now_seen(&engine)));
            let stored = engine.lay_down(&id("call")).unwrap();
            engine = crate::world::engine();
            engine.restore(&stored, now);
        }
    }
    now += 60 * SECOND;
    engine.release_all(now);
    let shown = engine.show(&id("call"), now).unwrap();
    for (n, (at, told)) in answers.iter().enumerate() {
        if answers.get(n + 1).is_some_and(|(next, _)| next == at) {
            continue;
        }
        let next = answers.get(n + 1).map_or(now, |(next, _)| *next);
        for at in [*at, next - 1] {
            let again = shown.known_at(at).map(|then| seen(&then));
            prop_assert_eq!(&again, told, "as known {} s after noon", (at - NOON) / SECOND);
        }
    }
    prop_assert!(shown.known_at(NOON).is_none());
    let today = shown.known_at(now).map(|then| seen(&then));
    prop_assert_eq!(today, Some(seen(&shown)));
    Ok(())
}

fn each(source: Source, facts: Vec<Fact>) -> Vec<Delivery> {
    facts.into_iter().map(|fact| deliver(source, vec![fact])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn of_events((_, arrived) in plain_events().prop_flat_map(arrivals), cut in 0..20usize, together in 1..4usize) {
        remembered(each(Source::Events, arrived), cut, together)?;
    }

    #[test]
    fn of_events_with_clocks((_, arrived) in causal_history().prop_flat_map(arrivals), cut in 0..20usize) {
        remembered(each(Source::Events, arrived), cut, 1)?;
    }

    #[test]
    fn of_snapshots((_, arrived) in snapshot_facts().prop_flat_map(arrivals), cut in 0..20usize, together in 1..4usize) {
        remembered(each(Source::Snapshot, arrived), cut, together)?;
    }

    #[test]
    fn of_whole_frames_with_toggles(frames in frames(), cut in 0..20usize) {
        prop_assume!(frames.iter().any(|frame| !frame.facts.is_empty()));
        remembered(frames, cut, 1)?;
    }
}
