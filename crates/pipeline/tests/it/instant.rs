//! What the state was at an instant equals what was shown then, and what a program would show that had heard no more.

use crate::retention::{at, recover, turn};
use crate::world::*;
use engine::*;
use pipeline::*;
use std::path::Path;
use tokio::sync::oneshot;

const HOUR: i64 = 3_600 * SECOND;

/// An event on its way.
struct Sent {
    delivery: Delivery,
    at: i64,
    /// When it is taken, and shown.
    shown: i64,
}

/// Two days of conversations of some minutes each, one in ten of whose events comes hours late, and one in twenty
/// ahead of its time, in the order in which they come.
fn story(rng: &mut fastrand::Rng) -> Vec<Sent> {
    let mut all = Vec::new();
    for c in 0..100 {
        let (name, begin) = (format!("c{c}"), NOON + rng.i64(0..48 * HOUR));
        let steps = [
            (What::LifeCycle, "in-progress"),
            (What::Joined, "connected"),
            (What::State, "held"),
            (What::State, "connected"),
            (What::Left, "disconnected"),
            (What::LifeCycle, "disconnected"),
        ];
        let mut happened = begin;
        for (n, (what, state)) in (0..).zip(steps).take(if c % 9 == 0 { 4 } else { 6 }) {
            happened += rng.i64(SECOND..300 * SECOND) / 1_000_000 * 1_000_000;
            let late = match rng.u8(0..20) {
                0 | 1 => rng.i64(0..6 * HOUR),
                // By a clock that is ahead of ours.
                2 => -rng.i64(0..600 * SECOND),
                _ => rng.i64(0..3 * SECOND),
            };
            let delivery = at(&name, n, what, state, happened);
            all.push(Sent { at: delivery.facts[0].at.unwrap().nanos, delivery, shown: happened + late });
        }
    }
    all.sort_by_key(|sent| sent.shown);
    // No two turns share an instant.
    (1..all.len()).for_each(|n| all[n].shown = all[n].shown.max(all[n - 1].shown + 1));
    all
}

fn play(keeper: &mut Keeper, sent: &Sent) {
    turn(keeper, vec![Delivery { received: sent.shown, ..sent.delivery.clone() }], sent.shown);
}

/// What a program shows that has heard of these alone.
fn shows<'a>(told: impl Iterator<Item = &'a Sent>) -> (u64, Activity) {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = recover(folder.path(), NOON);
    told.for_each(|sent| play(&mut keeper, sent));
    let summary = keeper.summary(NOON + 100 * HOUR, None);
    (summary.active, summary.activity)
}

fn state(keeper: &Keeper, at: Option<i64>, known_at: Option<i64>, now: i64) -> (u64, Activity) {
    let looked = keeper.look_at(When { at, known_at }, now).unwrap().value;
    let then = looked.finish().unwrap();
    assert_eq!(then.completeness, Completeness::Complete);
    let listed = active(keeper, When { at, known_at }, now);
    assert_eq!(
        listed.len() as u64,
        then.active,
        "the count is the length of the list of {at:?}, {known_at:?}"
    );
    (then.active, then.activity)
}

/// Who was active, by ascending id, in short pages.
fn active(keeper: &Keeper, when: When, now: i64) -> Vec<Id> {
    let (filter, mut after) = (Filter { active: Some(true), ..Filter::default() }, None);
    let mut found: Vec<Id> = Vec::new();
    loop {
        let (to, mut answer) = oneshot::channel();
        let ask = Query::List { filter: filter.clone(), after: after.clone(), limit: 2, when, to };
        keeper.answer(ask, now);
        let page = answer.try_recv().unwrap().value;
        assert!(
            page.items.len() == 2 || page.next.is_none(),
            "no page comes short where little has to be read"
        );
        found.extend(page.items.into_iter().map(|view| view.id));
        after = page.next;
        if after.is_none() {
            assert!(found.is_sorted_by(|a, b| a < b));
            return found;
        }
    }
}

/// Plays it all, with restarts between; what was shown after each turn.
fn played(folder: &Path, story: &[Sent]) -> (Keeper, Vec<(i64, u64, Activity)>) {
    let (mut keeper, mut shown) = (recover(folder, NOON), Vec::new());
    for (n, sent) in story.iter().enumerate() {
        if n % 150 == 100 {
            drop(keeper);
            keeper = recover(folder, sent.shown);
        }
        play(&mut keeper, sent);
        let summary = keeper.summary(sent.shown, None);
        shown.push((sent.shown, summary.active, summary.activity));
    }
    (keeper, shown)
}

#[test]
fn the_state_of_an_instant_is_what_was_shown_and_what_was_true() {
    let mut rng = fastrand::Rng::with_seed(4);
    let (story, folder) = (story(&mut rng), tempfile::tempdir().unwrap());
    let (keeper, shown) = played(folder.path(), &story);
    let now = story.last().unwrap().shown + 1;
    assert!(keeper.engine().resident_count() < 60, "most have left memory");
    assert!(shown.iter().any(|(_, active, _)| *active > 2));
    for (instant, active, activity) in &shown {
        assert_eq!(state(&keeper, None, Some(*instant), now), (*active, activity.clone()), "{instant}");
    }
    let before = state(&keeper, None, Some(shown[0].0 - 1), now);
    assert_eq!((before.0, before.1.newest_minute), (0, None), "nothing was known");
    for _ in 0..25 {
        let any = story[rng.usize(0..story.len())].at;
        let at =
            [any, any - 1, any.div_euclid(MINUTE) * MINUTE, NOON + rng.i64(0..52 * HOUR)][rng.usize(0..4)];
        let known = story[rng.usize(0..story.len())].shown;
        let by_then = |sent: &&Sent| sent.at <= at;
        assert_eq!(state(&keeper, Some(at), None, now.max(at)), shows(story.iter().filter(by_then)), "{at}");
        let both = |sent: &&Sent| sent.at <= at && sent.shown <= known;
        assert_eq!(state(&keeper, Some(at), Some(known), now.max(at)), shows(story.iter().filter(both)));
    }
}

#[test]
fn a_record_that_cannot_be_read_is_said_to_lack() {
    let mut rng = fastrand::Rng::with_seed(5);
    let (story, folder) = (story(&mut rng), tempfile::tempdir().unwrap());
    let (keeper, _) = played(folder.path(), &story);
    let now = story.last().unwrap().shown + 1;
    let file = rusqlite::Connection::open(folder.path().join("headcount.db")).unwrap();
    let (when, at) = (When { at: Some(NOON + 24 * HOUR), known_at: None }, NOON + 24 * HOUR);
    file.execute("UPDATE conversation SET dropped = dropped + 1", []).unwrap();
    let then = || keeper.look_at(when, now).unwrap().value.finish().unwrap();
    assert_eq!(then().completeness, Completeness::Partial, "conversations");
    file.execute("UPDATE conversation SET dropped = dropped - 1", []).unwrap();
    assert_eq!(then().completeness, Completeness::Complete);
    file.execute("UPDATE cell SET events = events + 1", []).unwrap();
    assert_eq!(then().completeness, Completeness::Partial, "minutes");
    assert!(keeper.look_at(when, at).unwrap().completeness > Completeness::Complete, "nobody listened");
}

#[test]
fn minutes_that_are_kept_no_longer_are_unknown_and_not_empty() {
    let mut rng = fastrand::Rng::with_seed(6);
    let (story, folder) = (story(&mut rng), tempfile::tempdir().unwrap());
    let (mut keeper, _) = played(folder.path(), &story);
    let now = NOON + 92 * HOUR;
    let then = |keeper: &Keeper, hours: i64| {
        let when = When { at: Some(NOON + hours * HOUR), known_at: None };
        keeper.look_at(when, now).unwrap().value.finish().unwrap().completeness
    };
    assert_eq!([then(&keeper, 24), then(&keeper, 80)], [Completeness::Complete; 2]);
    let kept = Retention { minutes_ns: Some(3 * 24 * HOUR), ..Retention::default() };
    while keeper.merge_cells(0).unwrap().next.is_some() {}
    assert!(keeper.forget_cells(kept, now).unwrap().by_age > 0);
    assert_eq!([then(&keeper, 24), then(&keeper, 80)], [Completeness::Unknown, Completeness::Complete]);
}
