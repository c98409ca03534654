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
