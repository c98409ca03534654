//! The laws of causal delivery over random histories, and the buffer against its quadratic model.
//!
//! A history is played by actors that, before each event, may take in all that the writer of an earlier event
//! knew.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;

use super::model::{Freed, Item, Model, predecessors};
use super::*;
use crate::DotSet;
use crate::testing::{clocks, dots};

const UNBOUNDED: Bounds = Bounds { age_ns_max: i64::MAX, count_max: usize::MAX, bytes_max: usize::MAX };

type Buffer = ReorderBuffer<u8, char, usize>;

/// One event: its stream, its actor, whose knowledge it takes in first, whether its clock has its own dot,
/// its size.
type Event = (u8, char, Option<Index>, bool, usize);

fn event() -> impl Strategy<Value = Event> {
    let actor = prop::sample::select(vec!['a', 'b', 'c']);
    (0u8..2, actor, prop::option::of(any::<Index>()), any::<bool>(), 0usize..6)
}

fn play(events: Vec<Event>) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut knows: Vec<VectorClock<char>> = Vec::new();
    for (name, (stream, actor, taken_in, with_own, bytes)) in events.into_iter().enumerate() {
        let mut seen = VectorClock::new();
        let of_stream: Vec<usize> = (0..name).filter(|i| items[*i].stream == stream).collect();
        if let Some(mine) = of_stream.iter().rev().find(|i| items[**i].dot.actor == actor) {
            seen.merge(&knows[*mine]);
        }
        if let Some(index) = taken_in.filter(|_| !of_stream.is_empty()) {
            seen.merge(&knows[*index.get(&of_stream)]);
        }
        let before = seen.clone();
        let dot = seen.increment(actor);
        items.push(Item { stream, dot, clock: if with_own { seen.clone() } else { before }, bytes, name });
        knows.push(seen);
    }
    items
}

/// A whole history in some order of arrival.
fn histories() -> impl Strategy<Value = Vec<Item>> {
    prop::collection::vec(event(), 0..24).prop_map(play).prop_flat_map(|items| Just(items).prop_shuffle())
}

/// Arrivals with the time that passes before each: a history of which some is lost and some comes twice.
fn arrivals() -> impl Strategy<Value = Vec<(Item, i64)>> {
    let some = histories().prop_flat_map(|items| {
        let copies =
            prop::collection::vec((prop::sample::select(vec![0, 1, 1, 1, 1, 2]), 0i64..12), items.len());
        (Just(items), copies)
    });
    some.prop_map(|(items, copies)| {
        let zipped = items.into_iter().zip(copies);
        zipped
            .flat_map(|(item, (count, pause))| std::iter::repeat_n((item, pause), count))
            .collect::<Vec<_>>()
    })
    .prop_shuffle()
    .prop_map(|mut arrivals| {
        arrivals.iter_mut().enumerate().for_each(|(name, (item, _))| item.name = name);
        arrivals
    })
}

/// Arrivals whose clocks are anything at all.
fn hostile_arrivals() -> impl Strategy<Value = Vec<(Item, i64)>> {
    let item = (0u8..2, dots(), clocks(), 0usize..6, 0i64..12);
    prop::collection::vec(item, 0..24).prop_map(|items| {
        let named = items.into_iter().enumerate();
        named
            .map(|(name, (stream, dot, clock, bytes, pause))| {
                (Item { stream, dot, clock, bytes, name }, pause)
            })
            .collect()
    })
}

fn any_arrivals() -> impl Strategy<Value = Vec<(Item, i64)>> {
    prop_oneof![arrivals(), hostile_arrivals()]
}

fn bounds() -> impl Strategy<Value = Bounds> {
    (0i64..60, 0usize..6, 0usize..20).prop_map(|(age_ns_max, count_max, bytes_max)| Bounds {
        age_ns_max,
        count_max,
        bytes_max,
    })
}

fn offer(buffer: &mut Buffer, item: &Item, now: i64, arrived: &[(Item, i64)]) -> Freed {
    let mut out = Vec::new();
    let (dot, clock) = (item.dot.clone(), item.clock.clone());
    buffer.offer(&item.stream, dot, clock, item.bytes, item.name, now, &mut out);
    out.into_iter().map(|released| (arrived[released.item].0.stream, released)).collect()
}

/// Plays all arrivals, each after the time has passed and what was due then has gone, and drains at the end.
/// `watch` sees the buffer and what it released after every step.
fn run(arrivals: &[(Item, i64)], bounds: Bounds, mut watch: impl FnMut(&Buffer, &Freed)) -> Freed {
    let mut buffer = Buffer::new(bounds);
    let (mut all, mut now) = (Freed::new(), 0);
    for (item, pause) in arrivals {
        now += pause;
        let mut out = Freed::new();
        buffer.expire(now, &mut out);
        watch(&buffer, &out);
        all.append(&mut out);
        out = offer(&mut buffer, item, now, arrivals);
        watch(&buffer, &out);
        all.append(&mut out);
    }
    buffer.drain(&mut all);
    assert_eq!((buffer.waiting_in_all(), buffer.bytes(), buffer.deadline()), (0, 0, None));
    all
}

fn names(released: &Freed) -> Vec<usize> {
    released.iter().map(|(_, released)| released.item).collect()
}

/// Checks that each release says why truly: what it follows was told or named as missing, and what was named
/// is told as late when it comes, or else is still known as missing at the end.
fn check_reasons(arrivals: &[(Item, i64)], released: &Freed) {
    for stream in 0..2 {
        let (mut told, mut given_up) = (BTreeSet::new(), DotSet::new());
        for (_, one) in released.iter().filter(|(of, _)| *of == stream) {
            let item = &arrivals[one.item].0;
            let forced = matches!(one.why, Why::Deadline | Why::Capacity);
            assert_eq!(forced, !one.missing.is_empty(), "who is forced lacks something: {one:?}");
            assert_eq!(
                one.why == Why::Late,
                given_up.remove(&item.dot),
                "late is what was given up: {one:?}"
            );
            one.missing.iter().for_each(|range| given_up.insert_range(range.clone()));
            let accounted = |dot: &Dot<char>| told.contains(dot) || given_up.contains(dot);
            let repeated = told.contains(&item.dot) || one.why == Why::Late;
            assert!(
                repeated || predecessors(item).iter().all(accounted),
                "its past is told or named: {one:?}"
            );
            told.insert(item.dot.clone());
        }
    }
}

proptest! {
    #[test]
    fn without_bounds_every_order_of_arrival_is_told_whole_and_in_causal_order(items in histories()) {
        let named = items.into_iter().enumerate();
        let arrivals: Vec<_> = named.map(|(name, item)| (Item { name, ..item }, 1)).collect();
        let mut before_the_end = 0;
        let released = run(&arrivals, UNBOUNDED, |_, freed| before_the_end += freed.len());
        prop_assert_eq!(before_the_end, arrivals.len(), "nobody is held when all have come");
        let order = names(&released);
        prop_assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), arrivals.len(), "each once");
        prop_assert!(released.iter().all(|(_, one)| matches!(one.why, Why::InOrder | Why::GapFilled)));
        for (index, later) in order.iter().enumerate() {
            let later = &arrivals[*later].0;
            let follows = |earlier: &usize| {
                let earlier = &arrivals[*earlier].0;
                earlier.stream == later.stream && predecessors(later).contains(&earlier.dot)
            };
            prop_assert!(!order[index..].iter().any(follows), "a linear extension");
        }
    }

    #[test]
    fn it_does_what_the_quadratic_model_does(arrivals in arrivals(), bounds in bounds()) {
        let (mut buffer, mut model, mut now) = (Buffer::new(bounds), Model::new(bounds), 0);
        for (item, pause) in &arrivals {
            now += pause;
            let mut expired = Freed::new();
            buffer.expire(now, &mut expired);
            prop_assert_eq!(expired, model.expire(now));
            prop_assert_eq!(offer(&mut buffer, item, now, &arrivals), model.offer(item.clone(), now));
            prop_assert_eq!(buffer.deadline(), model.deadline());
            prop_assert_eq!(buffer.bytes(), model.bytes());
            for stream in 0..2 {
                prop_assert_eq!(buffer.waiting(&stream), model.waiting(stream));
                prop_assert_eq!(buffer.missing(&stream), model.missing(stream).ranges().collect::<Vec<_>>());
            }
        }
        let mut rest = Freed::new();
        buffer.drain(&mut rest);
        prop_assert_eq!(rest, model.expire(i64::MAX));
    }

    #[test]
    fn the_bounds_hold_whatever_comes(arrivals in any_arrivals(), bounds in bounds()) {
        let mut over_with = None;
        run(&arrivals, bounds, |buffer, _| {
            let crowded = (0..2).any(|stream| buffer.waiting(&stream) > bounds.count_max);
            let over = crowded || buffer.bytes() > bounds.bytes_max;
            over_with = over_with.or(over.then_some(buffer.waiting_in_all()));
        });
        prop_assert_eq!(over_with, None);
    }

    #[test]
    fn after_expiry_nobody_is_overdue(arrivals in hostile_arrivals(), bounds in bounds(), at in 0i64..200) {
        let mut buffer = Buffer::new(bounds);
        arrivals.iter().for_each(|(item, pause)| drop(offer(&mut buffer, item, *pause, &arrivals)));
        buffer.expire(at, &mut Freed::new());
        prop_assert!(buffer.deadline().is_none_or(|due| due > at));
    }

    #[test]
    fn all_are_told_once_and_say_why(arrivals in any_arrivals(), bounds in bounds()) {
        let released = run(&arrivals, bounds, |_, _| ());
        let mut told = names(&released);
        told.sort_unstable();
        prop_assert_eq!(told, (0..arrivals.len()).collect::<Vec<_>>());
        check_reasons(&arrivals, &released);
    }

    #[test]
    fn the_same_calls_give_the_same_answers(arrivals in hostile_arrivals(), bounds in bounds()) {
        prop_assert_eq!(run(&arrivals, bounds, |_, _| ()), run(&arrivals, bounds, |_, _| ()));
    }
}
