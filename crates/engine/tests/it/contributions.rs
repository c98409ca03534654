//! Cells by what events are about follow from the set alone, add up to the cells of all events, and name what the timeline
//! shows.

use crate::order_of_arrival::{arrivals, causal_history, plain_events, snapshot_facts};
use crate::revisions::frames;
use crate::world::*;
use engine::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const ALL: std::ops::Range<i64> = i64::MIN / MINUTE..i64::MAX / MINUTE;

fn of_stored(stored: &StoredConversation, until: Option<i64>) -> Vec<(i64, Facets)> {
    let mut found = Vec::new();
    contributions(stored, until, |minute, facets| found.push((minute, facets)));
    found
}

fn in_memory(engine: &Engine, filter: &Facets) -> (BTreeMap<i64, u64>, usize) {
    let mut cells = BTreeMap::new();
    let outgrown = engine.contribute(filter, &ALL, |minute| *cells.entry(minute).or_default() += 1);
    (cells, outgrown.len())
}

fn counted<'a>(found: impl Iterator<Item = &'a (i64, Facets)>) -> BTreeMap<i64, u64> {
    let mut cells = BTreeMap::new();
    found.for_each(|(minute, _)| *cells.entry(*minute).or_default() += 1);
    cells
}

fn follows_from_the_set(deliveries: Vec<Delivery>) -> Result<(), TestCaseError> {
    let mut engine = engine();
    deliveries.into_iter().for_each(|delivery| engine.handle(delivery, NOON));
    engine.release_all(NOON);
    let Some(shown) = engine.show(&id("call"), NOON) else { return Ok(()) };
    let found = of_stored(&engine.lay_down(&id("call")).unwrap(), None);
    let recounted = shown.recounted();
    prop_assert_eq!(counted(found.iter()), recounted.clone());
    prop_assert_eq!(in_memory(&engine, &Facets::default()), (recounted, 0));
    let mut told: Vec<(i64, Facets)> = shown
        .timeline()
        .into_iter()
        .filter_map(|entry| {
            let TimelineEntry { role, queue, user, medium, .. } = entry;
            Some((entry.at?.minute(), Facets { role, queue, user, medium }))
        })
        .collect();
    for one in &found {
        let at = told.iter().position(|told| told == one);
        prop_assert!(at.is_some(), "the timeline tells nothing like {:?}", one);
        told.swap_remove(at.unwrap());
        let Facets { role, medium, .. } = one.1.clone();
        let filter = Facets { role, medium, ..Facets::default() };
        let passing = counted(found.iter().filter(|(_, of)| of.pass(&filter)));
        prop_assert_eq!(in_memory(&engine, &filter).0, passing);
    }
    Ok(())
}

fn each(source: Source, facts: Vec<Fact>) -> Vec<Delivery> {
    facts.into_iter().map(|fact| deliver(source, vec![fact])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn those_of_events_do((_, arrived) in plain_events().prop_flat_map(arrivals)) {
        follows_from_the_set(each(Source::Events, arrived))?;
    }

    #[test]
    fn those_of_events_with_clocks_do((_, arrived) in causal_history().prop_flat_map(arrivals)) {
        follows_from_the_set(each(Source::Events, arrived))?;
    }

    #[test]
    fn those_of_snapshots_do((_, arrived) in snapshot_facts().prop_flat_map(arrivals)) {
        follows_from_the_set(each(Source::Snapshot, arrived))?;
    }

    #[test]
    fn those_of_whole_frames_do(frames in frames()) {
        follows_from_the_set(frames)?;
    }
}

fn role(engine: &mut Engine, event_id: &str, at: i64) {
    let fact = event(event_id, What::Joined, "p", "connected", "agent", at);
    engine.handle(deliver(Source::Events, vec![fact]), NOON);
}

#[test]
fn what_pages_hold_is_told_again_only_when_it_has_changed() {
    let mut before = engine();
    role(&mut before, "1", 0);
    let stored = StoredConversation { resident: false, ..before.lay_down(&id("call")).unwrap() };
    let mut engine = engine();
    engine.restore(&stored, NOON);
    let none = Facets::default();
    assert_eq!(in_memory(&engine, &none), (BTreeMap::new(), 0));
    role(&mut engine, "1", 0);
    assert_eq!(in_memory(&engine, &none), (BTreeMap::new(), 0), "it was known");
    role(&mut engine, "2", 60_000);
    let both = BTreeMap::from([(ms(0).minute(), 1), (ms(60_000).minute(), 1)]);
    assert_eq!(in_memory(&engine, &none), (both.clone(), 1));
    let later = ms(60_000).minute()..ms(60_000).minute() + 1;
    let mut minutes = Vec::new();
    assert_eq!(engine.contribute(&none, &later, |minute| minutes.push(minute)), [id("call")]);
    assert_eq!(minutes, [later.start]);
    engine.laid_down([id("call")].iter());
    assert_eq!(in_memory(&engine, &none), (both, 0));
    let resident = StoredConversation { resident: true, ..stored };
    let mut other = crate::world::engine();
    other.restore(&resident, NOON);
    assert_eq!(in_memory(&other, &none).0.len(), 1, "pages hold nothing of it");
}

#[test]
fn what_was_counted_before_it_was_removed_is_not_told_again() {
    let mut engine = engine();
    let until = ms(60_000).nanos;
    engine.inherit_removed(id("call"), 3, until);
    role(&mut engine, "1", 0);
    role(&mut engine, "2", 60_000);
    assert_eq!(in_memory(&engine, &Facets::default()).0, BTreeMap::from([(ms(60_000).minute(), 1)]));
    let stored = engine.lay_down(&id("call")).unwrap();
    assert_eq!(of_stored(&stored, Some(until)).len(), 1);
    assert_eq!(of_stored(&stored, None).len(), 2);
}
