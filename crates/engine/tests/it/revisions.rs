//! What is published is enough: a copy of spells and cells that only follows the changes is exactly what the engine shows.

use crate::order_of_arrival::{arrivals, causal_history, plain_events, snapshot_facts};
use crate::world::*;
use engine::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A reader that knows nothing but what is published.
#[derive(Default)]
struct Follower {
    spells: Vec<String>,
    cells: BTreeMap<i64, i64>,
}

impl Follower {
    fn apply(&mut self, effect: &Effect) {
        let moves = effect.spells.as_ref().expect("few enough to be told");
        for gone in moves.removed.iter().map(|s| format!("{s:?}")) {
            let at = self.spells.iter().position(|s| *s == gone).expect("only what stands is removed");
            self.spells.swap_remove(at);
        }
        self.spells.extend(moves.added.iter().map(|s| format!("{s:?}")));
        for (minute, difference) in &effect.cells {
            *self.cells.entry(*minute).or_default() += difference;
        }
    }

    fn sorted(&self) -> (Vec<String>, BTreeMap<i64, i64>) {
        let mut spells = self.spells.clone();
        spells.sort();
        (spells, self.cells.iter().filter(|(_, n)| **n != 0).map(|(m, n)| (*m, *n)).collect())
    }
}

/// Follows an engine through deliveries; after each, the copy must be what is shown.
fn follow(deliveries: Vec<Delivery>) -> Result<(), TestCaseError> {
    let mut engine = engine();
    engine.follow(true);
    let (mut follower, mut cells) = (Follower::default(), BTreeMap::new());
    let len = deliveries.len() as i64;
    for (n, delivery) in (0..).zip(deliveries) {
        engine.handle(delivery, NOON + n);
        check(&mut engine, &mut follower, &mut cells)?;
    }
    // What waits goes; the conversation stays, also when it has ended.
    engine.release_all(NOON + len);
    check(&mut engine, &mut follower, &mut cells)?;
    let (_, told) = follower.sorted();
    cells.retain(|_, count| *count != 0);
    prop_assert_eq!(&told, &cells);
    let recounted = engine.show(&id("call"), NOON).map(|shown| shown.recounted()).unwrap_or_default();
    let recounted: BTreeMap<i64, i64> = recounted.into_iter().map(|(minute, n)| (minute, n as i64)).collect();
    prop_assert_eq!(&cells, &recounted, "cells moved by differences are what the set counts");
    let (mut day, activity) = (BTreeMap::new(), engine.activity());
    for (back, count) in (0..).zip(activity.counts.iter().rev()).filter(|(_, count)| **count > 0) {
        day.insert(activity.newest_minute.unwrap() - back, *count as i64);
    }
    prop_assert_eq!(day, recounted, "and what is shown of the day");
    Ok(())
}

fn check(
    engine: &mut Engine,
    follower: &mut Follower,
    cells: &mut BTreeMap<i64, i64>,
) -> Result<(), TestCaseError> {
    let batch = engine.take_batch();
    for publish in &batch.changes {
        follower.apply(publish.effect.as_ref().expect("somebody follows"));
        let known = publish.revision.is_none() || publish.effect.is_some();
        prop_assert!(known);
    }
    for (minute, difference) in batch.cells {
        *cells.entry(minute).or_default() += difference;
    }
    let shown = engine.show(&id("call"), NOON).map(|shown| shown.spells()).unwrap_or_default();
    let mut shown: Vec<String> = shown.iter().map(|s| format!("{s:?}")).collect();
    shown.sort();
    prop_assert_eq!(&follower.sorted().0, &shown);
    Ok(())
}

fn each(source: Source, facts: Vec<Fact>) -> Vec<Delivery> {
    facts.into_iter().map(|fact| deliver(source, vec![fact])).collect()
}

/// How many facts a frame takes, a toggle (leg, on, since, mute), and its topic.
type Drawn = (usize, Option<(usize, bool, Option<i64>, bool)>, u64);

/// Snapshots with several facts and toggles each, received in the order they stand.
pub fn frames() -> impl Strategy<Value = Vec<Delivery>> {
    let toggle = (0..2usize, any::<bool>(), prop::option::of(0..40i64), any::<bool>());
    let frame = (0..4usize, prop::option::of(toggle), 1..3u64);
    (snapshot_facts(), prop::collection::vec(frame, 1..20)).prop_map(|(facts, frames)| {
        let mut facts = facts.into_iter();
        (0..).zip(frames).map(|(n, drawn)| make(n, drawn, &mut facts)).collect()
    })
}

fn make(n: i64, (take, toggle, topic): Drawn, facts: &mut impl Iterator<Item = Fact>) -> Delivery {
    let mut frame = deliver(Source::Snapshot, facts.take(take).collect());
    (frame.topic, frame.received) = (topic, NOON + n * SECOND);
    frame.toggles.extend(toggle.map(|(leg, on, since, mutes)| Toggle {
        what: if mutes { What::Muted } else { What::Held },
        on,
        since: since.map(|s| ms(s * 1_000)).filter(|_| on && !mutes),
        ..held("p", ["l", "m"][leg], None)
    }));
    frame
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_follower_of_events_knows_every_spell_and_cell((_, arrived) in plain_events().prop_flat_map(arrivals)) {
        follow(each(Source::Events, arrived))?;
    }

    #[test]
    fn a_follower_of_events_with_clocks_does((_, arrived) in causal_history().prop_flat_map(arrivals)) {
        follow(each(Source::Events, arrived))?;
    }

    #[test]
    fn a_follower_of_snapshots_does((_, arrived) in snapshot_facts().prop_flat_map(arrivals)) {
        follow(each(Source::Snapshot, arrived))?;
    }

    #[test]
    fn a_follower_of_whole_frames_with_toggles_does(frames in frames()) {
        follow(frames)?;
    }
}

fn told(engine: &mut Engine) -> Vec<Publish> {
    engine.take_batch().changes
}

#[test]
fn a_late_fact_names_what_it_changed() {
    let mut engine = engine();
    engine.follow(true);
    let at = |n, what, state, at| deliver(Source::Events, vec![event(n, what, "p", state, "agent", at)]);
    engine.handle(at("1", What::Joined, "connected", 0), NOON);
    engine.handle(at("3", What::Left, "disconnected", 300_000), NOON);
    let on_time = told(&mut engine);
    assert!(on_time.iter().all(|p| p.revision.is_none() && p.effect.as_ref().unwrap().history.is_none()));
    engine.handle(at("2", What::Role, "connected", 120_000), NOON);
    let late = told(&mut engine).pop().unwrap();
    assert_eq!(late.revision, Some(Revision { place: 1, moved: 1 }));
    let effect = late.effect.unwrap();
    let moves = effect.spells.as_ref().unwrap();
    assert!(moves.removed.is_empty(), "the same role: the spell goes on");
    assert_eq!(effect.cells, [(ms(120_000).minute(), 1)]);
    let history = effect.history.as_ref().unwrap();
    assert_eq!((history.moved, history.entries[0].from, history.entries[0].to), (1, Some(1), Some(2)));
    assert_eq!(history.entries[0].fact, FactId::of_event("3"));

    let earlier = event("0", What::Left, "p", "disconnected", "supervisor", 240_000);
    engine.handle(deliver(Source::Events, vec![earlier]), NOON);
    let effect = told(&mut engine).pop().unwrap().effect.unwrap();
    let moves = effect.spells.as_ref().unwrap();
    let spans = |spells: &[SpellView]| spells.iter().map(|s| (s.from, s.to)).collect::<Vec<_>>();
    assert_eq!(spans(&moves.removed), [(ms(0), Some(ms(300_000)))]);
    assert_eq!(spans(&moves.added), [(ms(0), Some(ms(240_000)))]);
}

#[test]
fn a_late_join_names_the_participant_and_the_conversation_before_and_after() {
    let mut engine = engine();
    engine.follow(true);
    engine.handle(deliver(Source::Events, vec![event("2", What::Left, "p", "disconnected", "", 20)]), NOON);
    engine
        .handle(deliver(Source::Events, vec![event("1", What::Joined, "p", "connected", "agent", 10)]), NOON);
    let effect = told(&mut engine).pop().unwrap().effect.unwrap();
    let history = effect.history.as_ref().unwrap();
    let (before, after) = &history.participants[0];
    assert_eq!((&before.as_ref().unwrap().role, &after.role), (&None, &Word::new("agent")));
    let (was, is) = history.conversation.unwrap();
    assert_eq!((was.started_at, is.started_at), (Some(ms(20)), Some(ms(10))));
    assert!(!history.cut);
}

#[test]
fn what_the_timeline_hides_is_told_when_it_changes_a_spell() {
    let mut engine = engine();
    engine.follow(true);
    engine.handle(deliver(Source::Detail, vec![leg("p", "l", "connected", Some(0))]), NOON);
    told(&mut engine);
    engine.handle(deliver(Source::Snapshot, vec![there("p", Some("l"), "")]), NOON);
    let published = told(&mut engine);
    assert_eq!(published.len(), 1);
    let moves = published[0].effect.as_ref().unwrap().spells.clone().unwrap();
    assert_eq!((&moves.removed[0].medium, &moves.added[0].medium), (&None, &Word::new("voice")));
    let change = engine.change(&published[0]).unwrap();
    assert_eq!(change.entry, None);
}

#[test]
fn nobody_pays_for_effects_that_nobody_follows() {
    let mut engine = engine();
    engine.handle(deliver(Source::Events, vec![event("2", What::Left, "p", "", "", 20)]), NOON);
    engine.handle(deliver(Source::Events, vec![event("1", What::Joined, "p", "", "", 10)]), NOON);
    let published = told(&mut engine);
    assert!(published.iter().all(|p| p.effect.is_none()));
    assert_eq!(published[1].revision, Some(Revision { place: 0, moved: 1 }));
}

#[test]
fn a_change_says_whom_its_conversation_belongs_to_once_it_was_published() {
    let mut engine = engine();
    engine.follow(true);
    engine.handle(deliver(Source::Snapshot, vec![there("c", None, "customer")]), NOON);
    let before = told(&mut engine);
    assert_eq!(engine.changes(&before)[0].about.as_ref(), [Belongs::default()]);
    let mut agent = Fact::new(What::Joined);
    (agent.participant, agent.role) = (Id::new("a").ok(), Word::new("agent"));
    (agent.queue, agent.user) = (Id::new("sales").ok(), Id::new("u").ok());
    engine.handle(deliver(Source::Snapshot, vec![agent.identified()]), NOON);
    engine.handle(deliver(Source::Snapshot, vec![leg("c", "l", "connected", Some(0))]), NOON);
    let belongs = Belongs { queue: Id::new("sales").ok(), user: Id::new("u").ok() };
    let published = told(&mut engine);
    for change in engine.changes(&published) {
        assert!(change.about.len() == 2 && change.about.contains(&belongs), "{change:?}");
    }
}

#[test]
fn changes_are_numbered_alike_whether_somebody_follows_or_not() {
    let numbers = |followed| {
        let mut engine = engine();
        engine.follow(followed);
        let legs = [leg("p", "l", "connected", Some(0)), leg("p", "l", "terminated", Some(9))];
        for fact in [legs[1].clone(), there("p", Some("l"), ""), there("p", None, "agent"), legs[0].clone()] {
            engine.handle(deliver(Source::Snapshot, vec![fact]), NOON);
        }
        let published = told(&mut engine);
        assert_eq!(engine.changes(&published).len(), published.len());
        published.iter().map(|p| (p.seq, p.fact)).collect::<Vec<_>>()
    };
    assert_eq!(numbers(true), numbers(false));
    assert_eq!(numbers(true).len(), 4);
}
