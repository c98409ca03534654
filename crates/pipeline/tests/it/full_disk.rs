//! A disk that is full for a while: what was committed before is told, and what it held back is known when it is shown.

use crate::world::*;
use engine::*;
use pipeline::*;
use store::{Store, StoreError};
use tokio::sync::oneshot;

/// More than fits in what is free of the file's pages.
const FACTS: u64 = 2_000;

fn recover(folder: &std::path::Path, now: i64) -> Keeper {
    Keeper::recover(Store::open(folder, 7).unwrap(), Limits::default(), now).unwrap().0
}

fn take(keeper: &mut Keeper, deliveries: Vec<(u64, Delivery)>, now: i64) {
    let mut mail = Mail { deliveries, ..Mail::default() };
    keeper.take(&mut mail, now).unwrap();
    keeper.pass_time(now);
}

fn facts(numbers: impl Iterator<Item = u64>) -> Vec<(u64, Delivery)> {
    numbers.map(|n| (n, event("c", n, What::State, "connected"))).collect()
}

fn known_at(keeper: &Keeper, at: i64) -> usize {
    let now = NOON + 60 * SECOND;
    let then = keeper.about_at(&id("c"), Some(at), now, |shown| shown.timeline().len());
    then.unwrap().value.unwrap_or_default()
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

/// What a question is answered with; none when it is not answered.
fn answer<T>(keeper: &Keeper, query: impl FnOnce(oneshot::Sender<Answer<T>>) -> Query) -> Option<Answer<T>> {
    let (to, mut told) = oneshot::channel();
    keeper.answer(query(to), NOON + 30 * SECOND);
    told.try_recv().ok()
}

fn list(keeper: &Keeper, filter: Filter) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let ask = |to| Query::List {
            filter: filter.clone(),
            after: after.clone(),
            limit: 2,
            when: When::default(),
            to,
        };
        let page = answer(keeper, ask).unwrap().value;
        found.extend(page.items.iter().map(|view| (view.id.to_string(), view.active)));
        after = page.next;
        if after.is_none() {
            let active = found.iter().filter(|(_, active)| *active).count() as u64;
            assert!(filter.active == Some(false) || page.active == active, "the count is that of the list");
            return found;
        }
    }
}

#[test]
fn what_a_full_disk_held_back_is_known_only_when_it_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = recover(folder.path(), NOON);
    take(&mut keeper, facts(0..1), NOON);
    keeper.commit(NOON).unwrap();
    keeper.store().bound_growth(Some(0)).unwrap();
    take(&mut keeper, facts(0..FACTS), NOON + SECOND);
    for second in 1..=5 {
        assert!(matches!(keeper.commit(NOON + second * SECOND), Err(StoreError::Full)));
    }
    keeper.store().bound_growth(None).unwrap();
    let shown = keeper.commit(NOON + 6 * SECOND).unwrap();
    assert_eq!(shown.changes.len() as u64, FACTS - 1);
    let stands = |keeper: &Keeper| [0, 1, 5, 6].map(|second| known_at(keeper, NOON + second * SECOND));
    let should = [1, 1, 1, FACTS as usize];
    assert_eq!(stands(&keeper), should);
    keeper.close().unwrap();
    assert_eq!(stands(&recover(folder.path(), NOON + 10 * SECOND)), should, "after a restart too");
}

#[test]
fn what_was_shown_in_the_same_instant_before_the_disk_was_full_was_known_then() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = recover(folder.path(), NOON);
    take(&mut keeper, facts(0..1), NOON);
    keeper.commit(NOON).unwrap();
    keeper.store().bound_growth(Some(0)).unwrap();
    take(&mut keeper, facts(1..FACTS), NOON);
    assert!(matches!(keeper.commit(NOON), Err(StoreError::Full)));
    keeper.store().bound_growth(None).unwrap();
    keeper.commit(NOON + SECOND).unwrap();
    let stands = |keeper: &Keeper| [0, 1].map(|second| known_at(keeper, NOON + second * SECOND));
    assert_eq!(stands(&keeper), [1, FACTS as usize]);
    keeper.close().unwrap();
    assert_eq!(
        stands(&recover(folder.path(), NOON + 10 * SECOND)),
        [1, FACTS as usize],
        "after a restart too"
    );
}

#[test]
fn two_commits_never_share_an_instant() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = recover(folder.path(), NOON);
    let mut last = None;
    for (n, now) in [(0, NOON), (1, NOON), (2, NOON), (3, NOON + 1), (4, NOON + SECOND)] {
        take(&mut keeper, facts(n..n + 1), now);
        keeper.commit(now).unwrap();
        assert!(keeper.last_commit() > last, "{n}");
        last = keeper.last_commit();
    }
    assert_eq!(last, Some(NOON + SECOND), "while the clock is ahead it is what counts");
    keeper.close().unwrap();
    let mut keeper = recover(folder.path(), NOON + SECOND);
    take(&mut keeper, facts(5..6), NOON + SECOND);
    keeper.commit(NOON + SECOND).unwrap();
    assert!(keeper.last_commit() > last, "nor over a restart");
    take(&mut keeper, facts(6..7), NOON - SECOND);
    keeper.commit(NOON - SECOND).unwrap();
    assert_eq!(keeper.last_commit(), Some(NOON - SECOND), "unless the clock is set back");
}

#[test]
fn a_clock_that_is_set_back_after_a_full_disk_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = recover(folder.path(), NOON);
    keeper.store().bound_growth(Some(0)).unwrap();
    take(&mut keeper, facts(0..FACTS), NOON);
    assert!(matches!(keeper.commit(NOON), Err(StoreError::Full)));
    keeper.store().bound_growth(None).unwrap();
    keeper.commit(NOON + 5 * SECOND).unwrap();
    assert_eq!(keeper.last_commit(), Some(NOON + 5 * SECOND));
    take(&mut keeper, facts(FACTS..FACTS + 1), NOON + SECOND);
    keeper.commit(NOON + SECOND).unwrap();
    assert_eq!(keeper.last_commit(), Some(NOON + SECOND));
}

/// `a` ends, `b` is not touched, `c` gets facts, `d` and `e` begin, in a batch that the disk does not take.
#[test]
fn while_the_disk_is_full_what_was_committed_is_told_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = recover(folder.path(), NOON);
    let one = |of: &str, what, state| (0, event(of, 0, what, state));
    let note = |event| FeedNote { feed: 0, at: NOON, event };
    let mut listening = Mail::default();
    listening.notes.push((0, note(FeedEvent::Named { name: "f".to_owned(), resends: false })));
    listening.notes.push((0, note(FeedEvent::Listening)));
    keeper.take(&mut listening, NOON).unwrap();
    take(&mut keeper, ["a", "b", "c"].map(|of| one(of, What::State, "connected")).to_vec(), NOON);
    keeper.commit(NOON).unwrap();
    let all = |keeper: &Keeper| list(keeper, Filter::default());
    let active = |keeper: &Keeper| list(keeper, Filter { active: Some(true), ..Filter::default() });
    let timeline = |keeper: &Keeper, of| answer(keeper, |to| Query::Timeline(id(of), None, to)).unwrap();
    assert_eq!(timeline(&keeper, "b").completeness, Completeness::Complete);
    let (before, position) = (all(&keeper), keeper.position());
    assert_eq!(before, ["a", "b", "c"].map(|of| (of.to_owned(), true)));

    keeper.store().bound_growth(Some(0)).unwrap();
    let mut held = facts(1..FACTS);
    held.push((FACTS, event("a", 1, What::LifeCycle, "terminated")));
    held.extend(["d", "e"].map(|of| one(of, What::State, "connected")));
    take(&mut keeper, held, NOON + SECOND);
    assert!(keeper.commit(NOON + SECOND).is_err());

    assert_eq!((all(&keeper), active(&keeper)), (before.clone(), before), "as at the last commit");
    let told = ["a", "b", "c", "d"].map(|of| timeline(&keeper, of).value.map(|entries| entries.len()));
    assert_eq!(told, [Some(1), Some(1), Some(1), None]);
    assert_eq!(timeline(&keeper, "b").position, position);
    assert_eq!(timeline(&keeper, "b").completeness, Completeness::Partial, "more is known than is told");
    let range = answer(&keeper, |to| Query::Range(NOON, NOON + 20 * SECOND, to)).unwrap();
    assert_eq!((range.completeness, range.position), (Completeness::Partial, position));

    keeper.store().bound_growth(None).unwrap();
    keeper.commit(NOON + 6 * SECOND).unwrap();
    assert_eq!(
        all(&keeper),
        [("a", false), ("b", true), ("c", true), ("d", true), ("e", true)]
            .map(|(of, is)| (of.to_owned(), is))
    );
    assert!(keeper.position().seq > position.seq);
}

#[test]
fn what_the_batch_has_replaced_already_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = recover(folder.path(), NOON);
    let presence = |value: &str| UserFact {
        user: id("u"),
        what: UserWhat::Presence,
        value: Word::new(value).unwrap(),
        at: None,
        received: NOON,
    };
    let mut mail = Mail { users: vec![presence("busy")], ..Mail::default() };
    keeper.take(&mut mail, NOON).unwrap();
    keeper.commit(NOON).unwrap();
    keeper.store().bound_growth(Some(0)).unwrap();
    mail.users.push(UserFact { received: NOON + SECOND, ..presence("away") });
    mail.deliveries = facts(0..FACTS);
    keeper.take(&mut mail, NOON + SECOND).unwrap();
    let user = |keeper: &Keeper, of| answer(keeper, |to| Query::User(id(of), to));
    assert!(keeper.commit(NOON + SECOND).is_err());
    assert!(user(&keeper, "u").is_none());
    assert!(user(&keeper, "somebody else").is_some());
    keeper.store().bound_growth(None).unwrap();
    keeper.commit(NOON + 2 * SECOND).unwrap();
    assert!(user(&keeper, "u").is_some());
}
