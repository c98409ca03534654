//! The reorder buffer, one behaviour at a time. What is released is written as `dot why`, and `-` the dots
//! that it went without.

use super::*;
use crate::testing::{clock, dot, range};

const WIDE: Bounds = Bounds { age_ns_max: 100, count_max: 8, bytes_max: 1_000 };

/// A buffer, and one stream of it that most tests need no more than.
struct Rig(ReorderBuffer<&'static str, char, String>);

impl Rig {
    fn new(bounds: Bounds) -> Self {
        Self(ReorderBuffer::new(bounds))
    }

    /// Offers the dot to the stream `s` at the time 0, with one byte.
    fn offer<const N: usize>(&mut self, actor: char, counter: u64, seen: [(char, u64); N]) -> Vec<String> {
        self.offer_to("s", (actor, counter), seen, 1, 0)
    }

    fn offer_to<const N: usize>(
        &mut self,
        stream: &'static str,
        (actor, counter): (char, u64),
        seen: [(char, u64); N],
        bytes: usize,
        now: i64,
    ) -> Vec<String> {
        let mut out = Vec::new();
        let item = format!("{actor}{counter}");
        self.0.offer(&stream, dot(actor, counter), clock(seen), bytes, item, now, &mut out);
        out.iter().map(told).collect()
    }

    fn expire(&mut self, now: i64) -> Vec<String> {
        let mut out = Vec::new();
        self.0.expire(now, &mut out);
        out.iter().map(|(stream, released)| format!("{stream}: {}", told(released))).collect()
    }

    fn drain(&mut self) -> Vec<String> {
        let mut out = Vec::new();
        self.0.drain(&mut out);
        out.iter().map(|(stream, released)| format!("{stream}: {}", told(released))).collect()
    }
}

fn told(released: &Released<char, String>) -> String {
    let missing = released.missing.iter().map(|run| match run.from == run.to {
        true => format!(" -{}{}", run.actor, run.from),
        false => format!(" -{}{}..{}", run.actor, run.from, run.to),
    });
    format!("{} {:?}{}", released.item, released.why, missing.collect::<String>())
}

#[test]
fn what_comes_in_order_goes_at_once() {
    let mut rig = Rig::new(WIDE);
    assert_eq!(rig.offer('a', 1, [('a', 1)]), ["a1 InOrder"]);
    assert_eq!(rig.offer('a', 2, [('a', 2)]), ["a2 InOrder"]);
    assert_eq!((rig.0.waiting_in_all(), rig.0.bytes(), rig.0.deadline()), (0, 0, None));
}

#[test]
fn a_clock_without_its_own_dot_says_the_same() {
    let mut rig = Rig::new(WIDE);
    assert_eq!(rig.offer('a', 2, [('a', 1)]), [""; 0]);
    assert_eq!(rig.offer('a', 1, []), ["a1 InOrder", "a2 GapFilled"]);
}

#[test]
fn who_fills_a_gap_releases_those_behind_it_in_causal_order() {
    let mut rig = Rig::new(WIDE);
    assert_eq!(rig.offer('a', 3, [('a', 3)]), [""; 0]);
    assert_eq!(rig.offer('a', 2, [('a', 2)]), [""; 0]);
    assert_eq!(rig.0.waiting(&"s"), 2);
    assert_eq!(rig.offer('a', 1, [('a', 1)]), ["a1 InOrder", "a2 GapFilled", "a3 GapFilled"]);
    assert_eq!(rig.0.waiting(&"s"), 0);
}

#[test]
fn an_effect_waits_for_its_cause_at_another_actor() {
    let mut rig = Rig::new(WIDE);
    assert_eq!(rig.offer('b', 1, [('a', 2), ('b', 1)]), [""; 0]);
    assert_eq!(rig.offer('a', 1, [('a', 1)]), ["a1 InOrder"]);
    assert_eq!(rig.offer('a', 2, [('a', 2)]), ["a2 InOrder", "b1 GapFilled"]);
}

#[test]
fn what_is_concurrent_does_not_wait() {
    let mut rig = Rig::new(WIDE);
    assert_eq!(rig.offer('a', 2, [('a', 2)]), [""; 0]);
    assert_eq!(rig.offer('b', 1, [('b', 1)]), ["b1 InOrder"]);
}

#[test]
fn those_that_become_free_together_go_by_clock_sum_then_dot() {
    let mut rig = Rig::new(WIDE);
    rig.offer('c', 1, [('a', 1), ('c', 1)]);
    rig.offer('d', 2, [('d', 2), ('a', 1)]);
    rig.offer('b', 1, [('a', 1), ('b', 1)]);
    rig.offer('d', 1, [('d', 1)]);
    let freed = rig.offer('a', 1, [('a', 1)]);
    assert_eq!(freed, ["a1 InOrder", "b1 GapFilled", "c1 GapFilled", "d2 GapFilled"]);
}

#[test]
fn streams_do_not_wait_for_each_other() {
    let mut rig = Rig::new(WIDE);
    assert_eq!(rig.offer_to("s", ('a', 2), [('a', 2)], 1, 0), [""; 0]);
    assert_eq!(rig.offer_to("t", ('a', 1), [('a', 1)], 1, 0), ["a1 InOrder"]);
    assert_eq!((rig.0.waiting(&"s"), rig.0.waiting(&"t")), (1, 0));
}

#[test]
fn at_its_deadline_an_item_goes_and_names_what_it_lacked() {
    let mut rig = Rig::new(WIDE);
    rig.offer_to("s", ('a', 4), [('a', 4), ('b', 1)], 1, 7);
    assert_eq!(rig.0.deadline(), Some(107));
    assert_eq!(rig.expire(106), [""; 0]);
    assert_eq!(rig.expire(107), ["s: a4 Deadline -a1..3 -b1"]);
    assert_eq!(rig.0.missing(&"s"), [range('a', 1, 3), range('b', 1, 1)]);
    assert_eq!(rig.0.deadline(), None);
}

#[test]
fn what_precedes_the_one_at_its_deadline_goes_first() {
    let mut rig = Rig::new(WIDE);
    rig.offer_to("s", ('a', 4), [('a', 4)], 1, 0);
    rig.offer_to("s", ('a', 2), [('a', 2)], 1, 50);
    rig.offer_to("s", ('a', 6), [('a', 6)], 1, 60);
    assert_eq!(rig.expire(100), ["s: a2 Deadline -a1", "s: a4 Deadline -a3"]);
    assert_eq!(rig.0.deadline(), Some(160));
}

#[test]
fn nobody_waits_again_for_what_was_given_up() {
    let mut rig = Rig::new(WIDE);
    rig.offer('a', 3, [('a', 3)]);
    rig.offer_to("s", ('b', 1), [('a', 2), ('b', 1)], 1, 50);
    assert_eq!(rig.expire(100), ["s: a3 Deadline -a1..2", "s: b1 GapFilled"]);
    assert_eq!(rig.offer('a', 4, [('a', 4)]), ["a4 InOrder"]);
}

#[test]
fn what_comes_after_it_was_given_up_is_late_and_no_longer_missing() {
    let mut rig = Rig::new(WIDE);
    rig.offer('a', 3, [('a', 3)]);
    rig.expire(100);
    assert_eq!(rig.offer('a', 2, [('a', 2)]), ["a2 Late"]);
    assert_eq!(rig.0.missing(&"s"), [range('a', 1, 1)]);
    assert_eq!(rig.offer('a', 2, [('a', 2)]), ["a2 InOrder"], "it is late once");
    assert_eq!(rig.offer('a', 1, [('a', 1)]), ["a1 Late"]);
    assert_eq!(rig.0.missing(&"s"), []);
}

#[test]
fn one_too_many_makes_the_streams_oldest_go() {
    let mut rig = Rig::new(Bounds { count_max: 2, ..WIDE });
    rig.offer_to("t", ('a', 2), [('a', 2)], 1, 0);
    rig.offer_to("s", ('a', 3), [('a', 3)], 1, 1);
    rig.offer_to("s", ('b', 3), [('b', 3)], 1, 2);
    assert_eq!(rig.offer_to("s", ('c', 3), [('c', 3)], 1, 3), ["a3 Capacity -a1..2"]);
    assert_eq!((rig.0.waiting(&"s"), rig.0.waiting(&"t")), (2, 1));
}

#[test]
fn where_none_may_wait_all_go_at_once_and_say_so() {
    let mut rig = Rig::new(Bounds { count_max: 0, ..WIDE });
    assert_eq!(rig.offer('a', 2, [('a', 2)]), ["a2 Capacity -a1"]);
    assert_eq!(rig.offer('a', 3, [('a', 3)]), ["a3 InOrder"]);
}

#[test]
fn one_byte_too_many_makes_the_oldest_of_all_go() {
    let mut rig = Rig::new(Bounds { bytes_max: 10, ..WIDE });
    rig.offer_to("t", ('a', 2), [('a', 2)], 5, 0);
    rig.offer_to("s", ('b', 2), [('b', 2)], 5, 1);
    assert_eq!(rig.0.bytes(), 10);
    assert_eq!(rig.offer_to("s", ('c', 2), [('c', 2)], 1, 2), ["a2 Capacity -a1"]);
    assert_eq!((rig.0.bytes(), rig.0.waiting(&"t")), (6, 0));
}

#[test]
fn what_is_too_big_to_wait_goes_itself_and_moves_nobody() {
    let mut rig = Rig::new(Bounds { bytes_max: 10, ..WIDE });
    rig.offer_to("t", ('a', 2), [('a', 2)], 5, 0);
    assert_eq!(rig.offer_to("s", ('b', 2), [('b', 2)], usize::MAX, 1), ["b2 Capacity -b1"]);
    assert_eq!((rig.0.bytes(), rig.0.waiting(&"t")), (5, 1));
}

#[test]
fn a_hostile_counter_holds_one_item_and_is_given_up_as_one_range() {
    let mut rig = Rig::new(WIDE);
    assert_eq!(rig.offer('a', u64::MAX, [('a', u64::MAX)]), [""; 0]);
    let last = u64::MAX - 1;
    assert_eq!(rig.expire(100), [format!("s: a{} Deadline -a1..{last}", u64::MAX)]);
    assert_eq!(rig.offer('a', 1 << 63, []), [format!("a{} Late", 1u64 << 63)]);
    assert_eq!(rig.0.missing(&"s"), [range('a', 1, (1 << 63) - 1), range('a', (1 << 63) + 1, last)]);
}

#[test]
fn hostile_clocks_of_many_actors_cost_a_range_each() {
    let mut buffer = ReorderBuffer::new(WIDE);
    let hostile: VectorClock<u8> = (0..64).map(|actor| (actor, u64::MAX)).collect();
    let mut out = Vec::new();
    for counter in 1..=9u64 {
        let own = Dot { actor: 0, counter: counter.try_into().unwrap() };
        buffer.offer(&(), own, hostile.clone(), 1, counter, 0, &mut out);
    }
    let released: Vec<_> = out.iter().map(|released| (released.item, released.why)).collect();
    assert_eq!(released[0], (9, Why::Capacity), "where the circle meets itself");
    assert_eq!(released[1..], [1, 2, 3, 4, 5, 6, 7, 8].map(|counter| (counter, Why::Late)));
    assert_eq!(buffer.missing(&()).len(), 64);
}

#[test]
fn a_dot_that_was_delivered_goes_at_once_again() {
    let mut rig = Rig::new(WIDE);
    rig.offer('a', 1, [('a', 1)]);
    assert_eq!(rig.offer('a', 1, [('a', 1)]), ["a1 InOrder"]);
}

#[test]
fn two_items_with_one_dot_go_together() {
    let mut rig = Rig::new(WIDE);
    rig.offer('a', 2, [('a', 2)]);
    rig.offer('a', 2, [('a', 2), ('b', 1)]);
    assert_eq!(rig.offer('a', 1, [('a', 1)]), ["a1 InOrder", "a2 GapFilled", "a2 GapFilled"]);
}

#[test]
fn a_circle_of_hostile_clocks_is_broken_at_the_deadline() {
    let mut rig = Rig::new(WIDE);
    rig.offer('a', 1, [('a', 1), ('b', 1)]);
    rig.offer('b', 1, [('a', 1), ('b', 1)]);
    assert_eq!(rig.expire(100), ["s: b1 Deadline -a1", "s: a1 Late"]);
    assert_eq!(rig.0.missing(&"s"), []);
}

#[test]
fn a_chain_of_clocks_that_tell_only_half_goes_from_its_beginning() {
    let mut rig = Rig::new(WIDE);
    rig.offer('c', 2, [('b', 2)]);
    rig.offer('a', 2, [('a', 1)]);
    rig.offer('b', 2, [('a', 2)]);
    let missing = ["s: a2 Deadline -a1", "s: b2 GapFilled", "s: c2 Deadline -b1"];
    assert_eq!(rig.expire(100), missing);
}

#[test]
fn a_forgotten_stream_leaves_nothing_behind() {
    let mut rig = Rig::new(WIDE);
    rig.offer_to("s", ('a', 2), [('a', 2)], 7, 0);
    rig.offer_to("t", ('a', 2), [('a', 2)], 5, 1);
    rig.0.forget(&"s");
    assert!(!rig.0.knows(&"s") && rig.0.knows(&"t"));
    assert_eq!((rig.0.bytes(), rig.0.waiting_in_all(), rig.0.deadline()), (5, 1, Some(101)));
    assert_eq!(rig.offer('a', 1, [('a', 1)]), ["a1 InOrder"]);
}

#[test]
fn asking_about_a_stream_does_not_make_it_known() {
    let mut rig = Rig::new(WIDE);
    assert_eq!((rig.0.waiting(&"s"), rig.0.missing(&"s")), (0, vec![]));
    rig.0.forget(&"s");
    assert!(!rig.0.knows(&"s"));
}

#[test]
fn draining_releases_all_in_causal_order_and_names_the_missing() {
    let mut rig = Rig::new(WIDE);
    rig.offer_to("s", ('a', 3), [('a', 3)], 1, 0);
    rig.offer_to("t", ('b', 2), [('b', 2)], 1, 1);
    rig.offer_to("s", ('a', 2), [('a', 2)], 1, 2);
    assert_eq!(rig.drain(), ["s: a2 Deadline -a1", "s: a3 GapFilled", "t: b2 Deadline -b1"]);
    assert_eq!((rig.0.waiting_in_all(), rig.0.bytes()), (0, 0));
}

#[test]
fn what_recovery_delivered_is_not_waited_for() {
    let mut rig = Rig::new(WIDE);
    rig.0.delivered(&"s", &dot('a', 1), &mut Vec::new());
    assert!(rig.0.knows(&"s"));
    assert_eq!(rig.offer('a', 2, [('a', 2)]), ["a2 InOrder"]);
}

#[test]
fn recovery_closes_a_hole() {
    let mut rig = Rig::new(WIDE);
    rig.offer('a', 2, [('a', 2)]);
    rig.expire(100);
    rig.0.delivered(&"s", &dot('a', 1), &mut Vec::new());
    assert_eq!(rig.0.missing(&"s"), []);
}

#[test]
fn what_was_told_elsewhere_frees_what_waited_for_it() {
    let mut rig = Rig::new(WIDE);
    rig.offer('a', 2, [('a', 2)]);
    rig.offer('a', 3, [('a', 3)]);
    let mut freed = Vec::new();
    rig.0.delivered(&"s", &dot('a', 1), &mut freed);
    assert_eq!(freed.iter().map(|f| f.why).collect::<Vec<_>>(), [Why::GapFilled, Why::GapFilled]);
    assert_eq!(rig.0.waiting_in_all(), 0);
}

#[test]
fn what_waits_can_be_bettered_in_its_place() {
    let mut buffer: ReorderBuffer<&str, char, String> = ReorderBuffer::new(WIDE);
    let (clock, mut out) = ([('a', 2)].into_iter().collect(), Vec::new());
    buffer.offer(&"s", dot('a', 2), clock, 1, "old".to_owned(), 0, &mut out);
    assert!(buffer.held_mut(&"s", |item| item == "other").is_none());
    *buffer.held_mut(&"s", |item| item == "old").unwrap() = "new".to_owned();
    buffer.delivered(&"s", &dot('a', 1), &mut out);
    assert_eq!(out[0].item, "new");
}

#[test]
fn the_end_of_time_is_a_deadline_like_any_other() {
    let mut rig = Rig::new(WIDE);
    rig.offer_to("s", ('a', 2), [('a', 2)], 1, i64::MAX);
    assert_eq!(rig.expire(i64::MAX), ["s: a2 Deadline -a1"]);
}

#[test]
fn what_was_told_before_anybody_listened_is_not_waited_for_and_no_hole() {
    let mut rig = Rig::new(WIDE);
    assert!(rig.offer('b', 1, [('a', u64::MAX), ('b', 1)]).is_empty());
    rig.0.begin_behind(&"s", range('a', 1, u64::MAX));
    assert_eq!(rig.offer('b', 2, [('b', 2)]), ["b1 GapFilled", "b2 GapFilled"]);
    assert_eq!(rig.0.missing(&"s"), []);
}
