//! That a busy conversation stands as the whole order would have it, and that what its events cost grows with their number
//! alone, however they come.

use super::{Conversation, work};
use crate::{Admitted, Arrival, Fact, FactId, Id, Limits, SECOND, Source, Stamp, StoredConversation, Time};
use crate::{Authority, Delivery, Engine, What, Word};
use causal::{Dot, VectorClock};
use proptest::prelude::*;
use std::num::NonZeroU64;
use std::sync::Arc;

/// Noon of some day, in nanoseconds since the epoch.
const NOON: i64 = 1_767_268_800 * SECOND;
/// Events of a conversation whose steps are counted: many times what may wait.
const EVENTS: u64 = 1_200;

/// An event of a region, with what it had seen of all three, at an instant.
fn event(n: u64, region: usize, counter: u64, seen: [u64; 3], at: i64) -> Fact {
    let name = |region: usize| Word::new(["eu", "us", "ap"][region]).unwrap();
    let mut fact = Fact::new(What::State);
    fact.participant = Some(Id::from_uuid([u8::try_from(n % 3).unwrap(); 16]));
    (fact.at, fact.state) = (Some(Time::from_nanos(NOON + at)), Word::lower("connected"));
    (fact.authority, fact.id) = (Authority::Recorded, FactId::of_content(&[&n.to_le_bytes()]));
    let seen = seen.into_iter().enumerate().filter(|(_, counter)| *counter > 0);
    let clock: VectorClock<Word> = seen.map(|(region, counter)| (name(region), counter)).collect();
    let dot = Dot { actor: name(region), counter: NonZeroU64::new(counter).unwrap() };
    fact.stamp = Some(Arc::new(Stamp { dot, clock }));
    fact
}

/// Events whose clocks tell the truth, each region's own counter included: every step one region acts, and may have heard
/// another.
fn truthful() -> impl Strategy<Value = Vec<Fact>> {
    prop::collection::vec((0..3usize, 0..4usize, 0..12i64), 1..40).prop_map(|steps| {
        let mut seen = [[0u64; 3]; 3];
        let one = |(n, (region, of, at)): (usize, (usize, usize, i64))| {
            if let Some(other) = seen.get(of).copied() {
                seen[region].iter_mut().zip(other).for_each(|(known, heard)| *known = heard.max(*known));
            }
            seen[region][region] += 1;
            event(n as u64, region, seen[region][region], seen[region], n as i64 * 2 + at)
        };
        steps.into_iter().enumerate().map(one).collect()
    })
}

/// Events that claim anything.
fn hostile() -> impl Strategy<Value = Vec<Fact>> {
    let one = (0..3usize, 1..9u64, [0..9u64, 0..9u64, 0..9u64], 0..20i64);
    prop::collection::vec(one, 1..40).prop_map(|all| {
        let all = all.into_iter().enumerate();
        all.map(|(n, (region, counter, seen, at))| event(n as u64, region, counter, seen, at)).collect()
    })
}

fn admitted(fact: Fact) -> Admitted {
    let (received, source) = (NOON + 60 * SECOND, Source::Events);
    let arrival =
        Arrival { received, feed: 0, source, incarnation: 1, late: false, published: received, waits: false };
    Admitted { conversation: Id::from_uuid([9; 16]), fact, arrival }
}

fn stands(set: &Conversation) -> Vec<(FactId, i64)> {
    set.entries.iter().map(|e| (e.id(), e.effective())).collect()
}

/// Takes facts in, so many at once, and compares with what the same set says when it is taken up.
fn takes(facts: Vec<Fact>, at_once: usize) {
    let limits = Limits { busy_facts: 2, ..Limits::default() };
    let mut set = Conversation::new(Id::from_uuid([9; 16]));
    let facts: Vec<Admitted> = facts.into_iter().map(admitted).collect();
    for some in facts.chunks(at_once) {
        set.take(some, &limits, false, |_| {});
        let stored: StoredConversation = set.lay_down(true);
        let whole = Conversation::take_up(&stored);
        assert_eq!(stands(&set), stands(&whole));
        assert_eq!((set.active, set.recount()), (whole.active, whole.recount()));
        assert_eq!(set.lacks_dots(), !whole.missing_dots().is_empty());
    }
}

proptest! {
    #[test]
    fn a_busy_conversation_stands_as_the_whole_order_has_it(
        (facts, at_once) in (prop_oneof![truthful().prop_shuffle(), hostile()], 1..4usize)
    ) {
        takes(facts, at_once);
    }
}

#[test]
fn an_event_that_has_not_seen_its_own_region_lets_go_of_what_was_pushed_through_it() {
    let pushed = [event(0, 0, 1, [1, 0, 0], 20), event(1, 0, 3, [3, 0, 0], 0)];
    takes(pushed.into_iter().chain([event(2, 0, 2, [0, 2, 0], 0)]).collect(), 1);
}

/// Hands in events of one region, each alone: of the n-th that comes, the how many-th it was, and its counter. How many
/// entries were passed over for each.
fn steps_each(place: impl Fn(u64) -> (u64, u64)) -> u64 {
    let mut engine = Engine::new(Limits { hold_count_max: 20, ..Limits::default() }, 1, 0);
    work::taken();
    for n in 0..EVENTS {
        let (step, counter) = place(n);
        let (received, conversation) = (NOON + n as i64 * 500_000, Id::from_uuid([9; 16]));
        let fact = event(step, 0, counter, [counter, 0, 0], step as i64 * 500_000);
        let (facts, source) = (smallvec::smallvec![fact], Source::Events);
        let toggles = Vec::new();
        let delivery = Delivery { conversation, feed: 0, source, topic: 1, received, facts, toggles };
        engine.handle(delivery, received);
    }
    engine.handle_timeout(NOON + 3_600 * SECOND);
    assert_eq!(engine.take_batch().tally.facts, EVENTS);
    work::taken() / EVENTS
}

/// Passes over the whole set while it is small, and now and then over a busy one.
const STEPS_EACH_MAX: u64 = 40;

#[test]
fn clocks_that_skip_cost_no_pass_over_the_whole_for_each_event() {
    let steps = steps_each(|n| (n, 2 * n + 1));
    assert!(steps <= STEPS_EACH_MAX, "{steps}");
}

#[test]
fn the_newest_first_costs_no_pass_over_the_whole_for_each_event() {
    let steps = steps_each(|n| (EVENTS - 1 - n, EVENTS - n));
    assert!(steps <= STEPS_EACH_MAX, "{steps}");
    let steps = steps_each(|n| (EVENTS - 1 - n, 2 * (EVENTS - n)));
    assert!(steps <= STEPS_EACH_MAX, "skipping: {steps}");
}

#[test]
fn neighbours_that_change_places_cost_no_pass_over_the_whole_for_each_event() {
    let steps = steps_each(|n| (n ^ 1, (n ^ 1) + 1));
    assert!(steps <= STEPS_EACH_MAX, "{steps}");
}
