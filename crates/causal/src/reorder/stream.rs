//! One causal history: what of it was told, and what waits for the rest.
//!
//! Each held item watches one dot that it lacks, and looks for the next one only when that is settled; so an
//! arrival disturbs those that wait for it and nobody else. It also watches its own dot: once another item
//! has told that, or it was given up, there is no place left to wait for.
//!
//! At a bound a walk leads from the item that must go to what is held and precedes it, and releases on its
//! way back. Clocks that tell the truth have no circles; hostile ones may, and a circle is broken where the
//! walk meets itself.
//!
//! Rejected: counting each item's missing dots (a hostile clock lacks 2⁶⁴, and a dot may settle as part of a
//! range).

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::ops::RangeInclusive;

use super::queue::{Queue, Ticket};
use super::{Released, Why};
use crate::clock::VectorClock;
use crate::dot::{Dot, DotRange};
use crate::dot_set::DotSet;

pub(super) struct Stream<A, T> {
    /// Delivered or given up: nobody waits for these.
    settled: DotSet<A>,
    /// Given up, and not come since; all of them settled.
    holes: DotSet<A>,
    held: BTreeMap<Ticket, Held<A, T>>,
    /// For each held item that is not ready: the dot it waits for, and its own.
    watched: BTreeSet<(Dot<A>, Ticket)>,
    /// The held items that wait for nothing any more, in the order in which they go.
    ready: BTreeSet<(u128, Dot<A>, Ticket)>,
}

struct Held<A, T> {
    dot: Dot<A>,
    clock: VectorClock<A>,
    /// How many events its writer knew with it: less than for any that follows it.
    rank: u128,
    /// One dot that it lacks.
    awaited: Dot<A>,
    bytes: usize,
    item: T,
}

impl<A, T> Default for Stream<A, T> {
    fn default() -> Self {
        Self {
            settled: DotSet::default(),
            holes: DotSet::default(),
            held: BTreeMap::new(),
            watched: BTreeSet::new(),
            ready: BTreeSet::new(),
        }
    }
}

impl<A: Ord + Clone, T> Stream<A, T> {
    /// Why an item that comes now goes at once, or else a dot for which it has to wait.
    pub(super) fn admit(&mut self, dot: &Dot<A>, clock: &VectorClock<A>) -> Result<Why, Dot<A>> {
        if self.holes.remove(dot) {
            return Ok(Why::Late);
        }
        lacking(&self.settled, dot, clock).map_or(Ok(Why::InOrder), Err)
    }

    /// Holds an item that was not admitted, until somebody settles what it lacks.
    pub(super) fn hold(
        &mut self,
        ticket: Ticket,
        awaited: Dot<A>,
        dot: Dot<A>,
        clock: VectorClock<A>,
        bytes: usize,
        item: T,
    ) {
        self.watched.insert((dot.clone(), ticket));
        self.watched.insert((awaited.clone(), ticket));
        let rank = rank(&dot, &clock);
        self.held.insert(ticket, Held { dot, clock, rank, awaited, bytes, item });
    }

    /// Notes a dot as told; those for whom it was the last are ready.
    pub(super) fn settle(&mut self, dot: Dot<A>) {
        let watchers = self.watchers(&dot.actor, dot.counter..=dot.counter);
        self.settled.insert(dot);
        self.look_again(watchers);
    }

    /// Notes a dot as told elsewhere.
    pub(super) fn recover(&mut self, dot: &Dot<A>) {
        self.holes.remove(dot);
        self.settle(dot.clone());
    }

    /// Notes dots as told before anybody listened; those for whom one of them was the last are ready.
    pub(super) fn begin_behind(&mut self, told: DotRange<A>) {
        let watchers = self.watchers(&told.actor, told.from..=told.to);
        self.settled.insert_range(told);
        self.look_again(watchers);
    }

    /// Releases all that waits for nothing any more, and what that makes ready.
    pub(super) fn release_ready<S: Clone>(&mut self, queue: &mut Queue<S>, out: &mut Vec<Released<A, T>>) {
        while let Some((_, _, ticket)) = self.ready.pop_first() {
            let Some(held) = self.take(ticket, queue) else {
                continue;
            };
            let why = if self.holes.remove(&held.dot) { Why::Late } else { Why::GapFilled };
            out.push(Released { item: held.item, why, missing: Vec::new() });
            self.settle(held.dot);
        }
    }

    /// Releases the ticket's holder whatever it lacks, but behind what is held and precedes it.
    pub(super) fn force<S: Clone>(
        &mut self,
        ticket: Ticket,
        why: Why,
        queue: &mut Queue<S>,
        out: &mut Vec<Released<A, T>>,
    ) {
        self.release_ready(queue, out);
        let (mut path, mut passed) = (vec![ticket], BTreeSet::from([ticket]));
        while let Some(last) = path.last().copied() {
            if let Some(earlier) = self.earliest_before(last, &passed) {
                passed.insert(earlier);
                path.push(earlier);
                continue;
            }
            path.pop();
            if let Some(held) = self.take(last, queue) {
                self.release_without(held, why, out);
                self.release_ready(queue, out);
            }
        }
    }

    /// Takes all its tickets out of the queue.
    pub(super) fn leave<S: Clone>(self, queue: &mut Queue<S>) {
        self.held.iter().for_each(|(ticket, held)| queue.leave(*ticket, held.bytes));
    }

    pub(super) fn held_mut(&mut self, is: impl Fn(&T) -> bool) -> Option<&mut T> {
        self.held.values_mut().map(|held| &mut held.item).find(|item| is(item))
    }

    pub(super) fn oldest(&self) -> Option<Ticket> {
        self.held.first_key_value().map(|(ticket, _)| *ticket)
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &T> {
        self.held.values().map(|held| &held.item)
    }

    pub(super) fn waiting(&self) -> usize {
        self.held.len()
    }

    pub(super) fn missing(&self) -> Vec<DotRange<A>> {
        self.holes.ranges().collect()
    }

    fn release_without(&mut self, held: Held<A, T>, why: Why, out: &mut Vec<Released<A, T>>) {
        let missing = self.settled.missing(&held.clock, Some(&held.dot));
        missing.iter().for_each(|range| self.give_up(range));
        out.push(Released { item: held.item, why, missing });
        self.settle(held.dot);
    }

    fn take<S: Clone>(&mut self, ticket: Ticket, queue: &mut Queue<S>) -> Option<Held<A, T>> {
        let held = self.held.remove(&ticket)?;
        self.watched.remove(&(held.dot.clone(), ticket));
        self.watched.remove(&(held.awaited.clone(), ticket));
        queue.leave(ticket, held.bytes);
        Some(held)
    }

    fn give_up(&mut self, range: &DotRange<A>) {
        let watchers = self.watchers(&range.actor, range.from..=range.to);
        self.settled.insert_range(range.clone());
        self.holes.insert_range(range.clone());
        self.look_again(watchers);
    }

    /// Who watches one of these dots. Does not allocate where nobody does.
    fn watchers(&self, actor: &A, counters: RangeInclusive<NonZeroU64>) -> Vec<Ticket> {
        if self.watched.is_empty() {
            return Vec::new();
        }
        let place = |counter: &NonZeroU64, ticket| (Dot { actor: actor.clone(), counter: *counter }, ticket);
        let from = place(counters.start(), Ticket::FIRST);
        let to = place(counters.end(), Ticket::LAST);
        self.watched.range(from..=to).map(|(_, ticket)| *ticket).collect()
    }

    fn look_again(&mut self, watchers: Vec<Ticket>) {
        for ticket in watchers {
            let Some(held) = self.held.get_mut(&ticket) else {
                continue;
            };
            self.watched.remove(&(held.awaited.clone(), ticket));
            match lacking(&self.settled, &held.dot, &held.clock) {
                Some(next) => {
                    self.watched.insert((next.clone(), ticket));
                    held.awaited = next;
                }
                None => {
                    self.watched.remove(&(held.dot.clone(), ticket));
                    self.ready.insert((held.rank, held.dot.clone(), ticket));
                }
            }
        }
    }

    /// The first to go of those that are held, precede the given one and were not passed.
    fn earliest_before(&self, ticket: Ticket, passed: &BTreeSet<Ticket>) -> Option<Ticket> {
        let later = self.held.get(&ticket)?;
        self.held
            .iter()
            .filter(|(ticket, held)| !passed.contains(ticket) && held.precedes(later))
            .map(|(ticket, held)| (held.rank, &held.dot, *ticket))
            .min()
            .map(|(_, _, ticket)| ticket)
    }
}

impl<A: Ord + Clone, T> Held<A, T> {
    fn precedes(&self, other: &Self) -> bool {
        self.dot != other.dot && other.clock.contains(&self.dot)
    }
}

/// A dot that the item lacks: the last of the first run of them, since dots mostly come in order.
fn lacking<A: Ord + Clone>(settled: &DotSet<A>, dot: &Dot<A>, clock: &VectorClock<A>) -> Option<Dot<A>> {
    if settled.contains(dot) {
        return None;
    }
    let run = settled.first_missing(clock, Some(dot))?;
    Some(Dot { actor: run.actor, counter: run.to })
}

/// The clock's sum, the item's own dot counted whether or not the clock has it.
fn rank<A: Ord + Clone>(dot: &Dot<A>, clock: &VectorClock<A>) -> u128 {
    clock.sum() + u128::from(dot.counter.get().saturating_sub(clock.get(&dot.actor)))
}
