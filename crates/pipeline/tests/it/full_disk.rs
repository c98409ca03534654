//! A disk that is full for a while: what it held back is known when it is shown.

use crate::world::*;
use engine::*;
use pipeline::*;
use store::{Store, StoreError};

/// More than fits in what is free of the file's pages.
const FACTS: u64 = 2_000;

fn recover(folder: &std::path::Path, now: i64) -> Keeper {
    Keeper::recover(Store::open(folder, 7).unwrap(), Limits::default(), now).unwrap().0
}

fn take(keeper: &mut Keeper, facts: impl Iterator<Item = u64>, now: i64) {
    let deliveries = facts.map(|n| (n, event("c", n, What::State, "connected"))).collect();
    let mut mail = Mail { deliveries, ..Mail::default() };
    keeper.take(&mut mail, now).unwrap();
    keeper.pass_time(now);
}

fn known_at(keeper: &Keeper, at: i64) -> usize {
    let now = NOON + 60 * SECOND;
    let then = keeper.about_at(&Id::new("c").unwrap(), Some(at), now, |shown| shown.timeline().len());
    then.value.unwrap_or_default()
}

#[test]
fn what_a_full_disk_held_back_is_known_only_when_it_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = recover(folder.path(), NOON);
    take(&mut keeper, 0..1, NOON);
    keeper.commit(NOON).unwrap();
    keeper.store().bound_growth(Some(0)).unwrap();
    take(&mut keeper, 0..FACTS, NOON + SECOND);
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
    take(&mut keeper, 0..1, NOON);
    keeper.commit(NOON).unwrap();
    keeper.store().bound_growth(Some(0)).unwrap();
    take(&mut keeper, 1..FACTS, NOON);
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
        take(&mut keeper, n..n + 1, now);
        keeper.commit(now).unwrap();
        assert!(keeper.last_commit() > last, "{n}");
        last = keeper.last_commit();
    }
    assert_eq!(last, Some(NOON + SECOND), "while the clock is ahead it is what counts");
    keeper.close().unwrap();
    let mut keeper = recover(folder.path(), NOON + SECOND);
    take(&mut keeper, 5..6, NOON + SECOND);
    keeper.commit(NOON + SECOND).unwrap();
    assert!(keeper.last_commit() > last, "nor over a restart");
    take(&mut keeper, 6..7, NOON - SECOND);
    keeper.commit(NOON - SECOND).unwrap();
    assert_eq!(keeper.last_commit(), Some(NOON - SECOND), "unless the clock is set back");
}

#[test]
fn a_clock_that_is_set_back_after_a_full_disk_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = recover(folder.path(), NOON);
    keeper.store().bound_growth(Some(0)).unwrap();
    take(&mut keeper, 0..FACTS, NOON);
    assert!(matches!(keeper.commit(NOON), Err(StoreError::Full)));
    keeper.store().bound_growth(None).unwrap();
    keeper.commit(NOON + 5 * SECOND).unwrap();
    assert_eq!(keeper.last_commit(), Some(NOON + 5 * SECOND));
    take(&mut keeper, FACTS..FACTS + 1, NOON + SECOND);
    keeper.commit(NOON + SECOND).unwrap();
    assert_eq!(keeper.last_commit(), Some(NOON + SECOND));
}
