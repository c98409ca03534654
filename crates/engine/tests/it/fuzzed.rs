//! Stories that the fuzzer told: each once ended otherwise in another order of arrival, or was shown wrongly.

use crate::world::*;
use engine::*;

/// What is shown after events that came in this order, each alone, when nobody waits any more.
fn told(facts: &[Fact]) -> (ConversationView, Vec<TimelineEntry>, Vec<SpellView>) {
    let mut engine = engine();
    for fact in facts {
        engine.handle(deliver(Source::Events, vec![fact.clone()]), NOON);
    }
    engine.release_all(NOON);
    let (view, timeline, spells, _, _) = essence(&engine);
    (view, timeline, spells)
}

/// Every order of three.
fn orders(facts: [Fact; 3]) -> Vec<[Fact; 3]> {
    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    ORDERS.iter().map(|order| order.map(|at| facts[at].clone())).collect()
}

fn all_end_alike(facts: [Fact; 3]) {
    let orders = orders(facts);
    let first = told(&orders[0]);
    for order in &orders[1..] {
        assert_eq!(told(order), first);
    }
}

fn joined(event_id: &str, state: &str, at: i64) -> Fact {
    event(event_id, What::Joined, "p", state, "agent", at)
}

#[test]
fn clocks_that_each_have_seen_the_other_still_give_one_order() {
    let both = [("a", 1), ("b", 1)];
    all_end_alike([
        stamped(joined("1", "connected", 3_000), "a", &both),
        stamped(joined("2", "alerting", 0), "b", &both),
        joined("3", "connected", 1_000),
    ]);
}

#[test]
fn a_stamp_that_one_of_three_differing_copies_bears_is_kept_in_any_order() {
    all_end_alike([
        stamped(joined("1", "alerting", 0), "a", &[("a", 1)]),
        stamped(joined("1", "connected", 10), "b", &[("b", 9)]),
        joined("1", "alerting", 0),
    ]);
}

#[test]
fn a_stamp_is_not_lost_to_a_lesser_copy_without_one() {
    let with = stamped(joined("1", "connected", 10), "a", &[("a", 9)]);
    let (view, ..) = told(&[with, joined("1", "alerting", 0)]);
    assert_eq!(view.vector_clock, 9);
}

#[test]
fn a_copy_that_says_less_is_chosen_in_any_order() {
    all_end_alike([joined("1", "connected", 0), joined("1", "", 0), joined("2", "alerting", 0)]);
}

#[test]
fn a_lane_is_in_one_state_at_a_time() {
    let left = event("2", What::Left, "p", "disconnected", "agent", 300_000);
    let (_, timeline, spells) = told(&[
        stamped(joined("1", "connected", 0), "a", &[("a", 1)]),
        stamped(left, "a", &[("a", 2)]),
        stamped(joined("3", "connected", 0), "a", &[("a", 3)]),
    ]);
    assert_eq!(timeline.len(), 3);
    let times: Vec<_> = spells.iter().map(|spell| (spell.from, spell.to)).collect();
    assert_eq!(times, [(ms(0), Some(ms(300_000))), (ms(300_000), None)], "it does not reach back");
}

#[test]
fn a_fact_that_finds_no_room_after_a_restart_is_not_counted() {
    let limits = Limits { conversation_facts_max: 1, ..Limits::default() };
    let wait = stamped(event("2", What::State, "p", "connected", "agent", 0), "a", &[("a", 2)]);
    let first = event("1", What::State, "p", "alerting", "agent", 0);
    let mut live = Engine::new(limits, 1, 0);
    live.handle(deliver(Source::Events, vec![wait]), NOON);
    live.handle(deliver(Source::Events, vec![first]), NOON);
    let batch = live.take_batch();
    let minute = ms(0).minute();
    assert_eq!(batch.cells, [(minute, 2)], "what waits is counted");

    let mut again = Engine::new(limits, 2, 0);
    batch.admitted.into_iter().for_each(|admitted| again.replay(admitted, NOON));
    again.replayed(false, NOON);
    again.restore_cell(minute, 2);
    again.release_unreleased(NOON);
    assert_eq!(again.activity().counts.iter().sum::<u64>(), 1);
    assert_eq!(again.take_batch().cells, [(minute, -1)]);
}

#[test]
fn of_two_sources_that_name_one_instant_with_other_digits_one_is_shown_whichever_came_last() {
    let held = |id: &str, at: i64| event(id, What::State, "p", "held", "agent", at);
    let mut late = event("4", What::State, "p", "alerting", "agent", 0);
    late.at = late.at.map(|at| Time { digits: 9, ..at });
    let first = joined("1", "connected", 0);
    for (early, late) in [(first.clone(), late.clone()), (late, first)] {
        let mut engine = Engine::new(Limits { busy_facts: 2, ..Limits::default() }, 1, 0);
        for fact in [early, held("2", 1_000), held("3", 2_000), late] {
            engine.handle(deliver(Source::Events, vec![fact]), NOON);
        }
        let view = |engine: &Engine| engine.show(&id("call"), NOON).unwrap().conversation();
        let digits = |engine: &Engine| view(engine).participants[0].joined_at.map(|at| at.digits);
        let mut anew = crate::world::engine();
        anew.restore(&engine.lay_down(&id("call")).unwrap(), NOON);
        assert_eq!((digits(&engine), digits(&anew)), (Some(3), Some(3)));
    }
}
