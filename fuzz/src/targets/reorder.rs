//! The reorder buffer against the quadratic model that its own tests hold it against.
//!
//! Three bytes are the bounds. In half of the runs a causal history follows, and then which event of it arrives, when, some
//! never and some twice: buffer and model must agree on everything. In the others an arrival is any dot with any clock, and
//! the buffer is also told of dots that came elsewhere or before, which the model does not know; there everything must come
//! out once, with a true reason, within the bounds. (Where clocks contradict one another, no order is promised.)

use crate::cursor::Cursor;
use crate::testing::dot;
use causal::{Bounds, DotRange, Released, ReorderBuffer, VectorClock, Why};
use model::{Freed, Item, Model};
use std::num::NonZeroU64;

#[path = "../../../crates/causal/src/reorder/model.rs"]
mod model;

/// Arrivals of one run: the model's work grows with their cube.
const ARRIVALS_MAX: usize = 48;
/// Events of one history.
const EVENTS_MAX: usize = 24;
const ACTORS: [char; 3] = ['a', 'b', 'c'];

type Buffer = ReorderBuffer<u8, char, usize>;

/// Takes bounds and arrivals.
pub(crate) fn run(bytes: &[u8]) {
    let mut from = Cursor::new(bytes);
    let kind = from.byte();
    let bounds = Bounds {
        age_ns_max: i64::from(from.byte() % 64),
        count_max: from.below(8),
        bytes_max: usize::from(kind >> 1 & 31),
    };
    if kind & 1 == 0 {
        against_the_model(&arrivals_of(&history(&mut from), &mut from), bounds);
        return;
    }
    let mut arrivals = Vec::new();
    while !from.is_over() && arrivals.len() < ARRIVALS_MAX {
        arrivals.push(arrival(&mut from, arrivals.len()));
    }
    with_word_from_elsewhere(&arrivals, bounds);
}

/// A history of two streams: before each event its actor may take in all that the writer of an earlier one knew.
fn history(from: &mut Cursor<'_>) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut knows: Vec<VectorClock<char>> = Vec::new();
    for name in 0..from.below(EVENTS_MAX) {
        let (what, taken_in) = (from.byte(), from.below(EVENTS_MAX));
        let (stream, actor) = (what & 1, ACTORS[usize::from(what >> 1 & 3) % ACTORS.len()]);
        let mut seen = VectorClock::new();
        for (earlier, known) in items.iter().zip(&knows).filter(|(earlier, _)| earlier.stream == stream) {
            if earlier.dot.actor == actor || earlier.name == taken_in {
                seen.merge(known);
            }
        }
        let before = seen.clone();
        let dot = seen.increment(actor);
        let clock = if what & 8 == 0 { seen.clone() } else { before };
        items.push(Item { stream, dot, clock, bytes: usize::from(what >> 5), name });
        knows.push(seen);
    }
    items
}

/// Which events arrive, in which order, and how long after the one before.
fn arrivals_of(history: &[Item], from: &mut Cursor<'_>) -> Vec<(Item, i64)> {
    let mut arrivals = Vec::new();
    while !history.is_empty() && !from.is_over() && arrivals.len() < ARRIVALS_MAX {
        let item = history[from.below(history.len())].clone();
        arrivals.push((Item { name: arrivals.len(), ..item }, i64::from(from.byte() % 16)));
    }
    arrivals
}

/// An arrival whose clock is anything at all.
fn arrival(from: &mut Cursor<'_>, name: usize) -> (Item, i64) {
    let stream = from.byte() % 2;
    let own = from.byte();
    let dot = dot(ACTORS[usize::from(own) % 3], u64::from(own / 3 % 8) + 1);
    let (low, high) = (from.byte(), from.byte());
    let seen = [low & 7, low >> 3 & 7, high & 7].map(u64::from);
    let clock: VectorClock<char> = ACTORS.into_iter().zip(seen).collect();
    let bytes = usize::from(from.byte() % 8);
    (Item { stream, dot, clock, bytes, name }, i64::from(from.byte() % 16))
}

fn against_the_model(arrivals: &[(Item, i64)], bounds: Bounds) {
    let (mut buffer, mut model, mut now) = (Buffer::new(bounds), Model::new(bounds), 0);
    for (item, pause) in arrivals {
        now += pause;
        let mut expired = Freed::new();
        buffer.expire(now, &mut expired);
        assert_eq!(expired, model.expire(now));
        assert_eq!(offer(&mut buffer, item, now, arrivals), model.offer(item.clone(), now));
        assert_eq!(buffer.deadline(), model.deadline());
        assert_eq!(buffer.bytes(), model.bytes());
        for stream in 0..2 {
            assert_eq!(buffer.waiting(&stream), model.waiting(stream));
            assert_eq!(buffer.missing(&stream), model.missing(stream).ranges().collect::<Vec<_>>());
        }
    }
    let mut rest = Freed::new();
    buffer.drain(&mut rest);
    assert_eq!(rest, model.expire(i64::MAX));
}

fn offer(buffer: &mut Buffer, item: &Item, now: i64, arrivals: &[(Item, i64)]) -> Freed {
    let mut out = Vec::new();
    buffer.offer(&item.stream, item.dot.clone(), item.clock.clone(), item.bytes, item.name, now, &mut out);
    out.into_iter().map(|released| (arrivals[released.item].0.stream, released)).collect()
}

fn with_word_from_elsewhere(arrivals: &[(Item, i64)], bounds: Bounds) {
    let (mut buffer, mut now, mut all) = (Buffer::new(bounds), 0, Vec::new());
    for (item, pause) in arrivals {
        now += pause;
        let mut out = Freed::new();
        buffer.expire(now, &mut out);
        out.append(&mut offer(&mut buffer, item, now, arrivals));
        all.extend(out.into_iter().map(|(_, released)| released));
        match pause % 3 {
            0 => buffer.delivered(&item.stream, &dot('a', item.dot.counter.get()), &mut all),
            1 => {
                let told = DotRange { actor: 'b', from: NonZeroU64::MIN, to: item.dot.counter };
                buffer.begin_behind(&item.stream, told);
            }
            _ => {}
        }
        assert!((0..2).all(|stream| buffer.waiting(&stream) <= bounds.count_max));
        assert!(buffer.bytes() <= bounds.bytes_max);
    }
    let mut rest = Freed::new();
    buffer.drain(&mut rest);
    all.extend(rest.into_iter().map(|(_, released)| released));
    assert_eq!((buffer.waiting_in_all(), buffer.bytes(), buffer.deadline()), (0, 0, None));
    let forced = |one: &Released<char, usize>| matches!(one.why, Why::Deadline | Why::Capacity);
    assert!(all.iter().all(|one| forced(one) != one.missing.is_empty()), "who is forced lacks something");
    let mut told: Vec<usize> = all.iter().map(|one| one.item).collect();
    told.sort_unstable();
    assert_eq!(told, (0..arrivals.len()).collect::<Vec<_>>(), "each comes out once");
}
