//! Tells items in causal order, whatever the order they come in, for as long as the bounds allow.
//!
//! An item comes with its own dot and the clock of its writer, which proves what happened before it. It is
//! deliverable when all that was delivered, or is no longer waited for; until then it is held. Bounds on age,
//! count and bytes make sure that a dot which never comes holds nobody for ever: at a bound the oldest item
//! goes all the same, behind what is held and precedes it, and says what it went without. Those dots are
//! *given up*: nobody waits for them again, and should one come after all it is *late*, since its place has
//! been told already. Nothing is thrown away.
//!
//! The streams are independent histories, so that a hole in one holds nobody in another. What is the same for
//! all of them, age and bytes, is kept in one queue by deadline. Only that queue and sorted sets are ever
//! iterated: the same calls give the same answers.
//!
//! Rejected: looking through all that waits at each arrival (quadratic; it is the tests' model), and
//! releasing at a bound by age alone, without what precedes (the release would break the order it could have
//! kept).

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::FixedState;

use crate::clock::VectorClock;
use crate::dot::{Dot, DotRange};
use queue::{Queue, Ticket};
use stream::Stream;

#[cfg(test)]
mod model;
#[cfg(test)]
mod properties;
mod queue;
mod stream;
#[cfg(test)]
mod tests;

/// How long, how many and how much may wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// The age in nanoseconds, since its own offer, at which an item waits no longer.
    pub age_ns_max: i64,
    /// How many items of one stream may wait.
    pub count_max: usize,
    /// How many bytes may wait in all the streams together.
    pub bytes_max: usize,
}

/// Why an item was released when it was.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Why {
    /// Nothing was missing when it came.
    InOrder,
    /// It waited, and the last of what it waited for came or was given up.
    GapFilled,
    /// It, or one held behind it, had waited as long as an item may; something is missing.
    Deadline,
    /// It, or one held behind it, had to make room; something is missing.
    Capacity,
    /// It had been given up before it came: what follows it has been told already.
    Late,
}

/// An item, and why it goes now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Released<A, T> {
    /// What was offered.
    pub item: T,
    /// Why it goes now.
    pub why: Why,
    /// The dots that it went without and that nobody waits for again; named once, by the first that goes
    /// without them. Never empty for [`Why::Deadline`] and [`Why::Capacity`], always empty for the others.
    pub missing: Vec<DotRange<A>>,
}

/// Holds items of type `T`, written by actors `A` in streams `S`, until what precedes them has been
/// delivered. Actors and streams are named by something cheap to clone.
pub struct ReorderBuffer<S, A, T> {
    bounds: Bounds,
    /// Iterated only where the order does not matter: a hash map's is nobody's business.
    streams: HashMap<S, Stream<A, T>, FixedState>,
    queue: Queue<S>,
}

impl<S, A, T> std::fmt::Debug for ReorderBuffer<S, A, T> {
    /// The bounds only: what is held belongs to the caller.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReorderBuffer").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl<S: Hash + Eq + Clone, A: Ord + Clone, T> ReorderBuffer<S, A, T> {
    /// An empty buffer that holds no more than `bounds` allow.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, streams: HashMap::default(), queue: Queue::default() }
    }

    /// Takes in an item of `bytes` bytes, written as `dot` by one who had seen `clock` (with or without its
    /// own dot), at the time `now` in nanoseconds; appends to `out` all that goes now, in causal order.
    ///
    /// What goes may be held items of other streams, when room in bytes is needed. Another item with a dot
    /// that was delivered already is released at once: telling copies apart is the caller's work.
    #[expect(clippy::too_many_arguments, reason = "an item, what is known about it, and where it goes")]
    pub fn offer(
        &mut self,
        stream: &S,
        dot: Dot<A>,
        clock: VectorClock<A>,
        bytes: usize,
        item: T,
        now: i64,
        out: &mut Vec<Released<A, T>>,
    ) {
        let known = self.streams.entry(stream.clone()).or_default();
        let awaited = match known.admit(&dot, &clock) {
            Ok(why) => {
                out.push(Released { item, why, missing: Vec::new() });
                known.settle(dot);
                return known.release_ready(&mut self.queue, out);
            }
            Err(awaited) => awaited,
        };
        let ticket = self.queue.enter(stream, now.saturating_add(self.bounds.age_ns_max), bytes);
        known.hold(ticket, awaited, dot, clock, bytes, item);
        known.release_ready(&mut self.queue, out);
        while known.waiting() > self.bounds.count_max
            && let Some(oldest) = known.oldest()
        {
            known.force(oldest, Why::Capacity, &mut self.queue, out);
        }
        if bytes > self.bounds.bytes_max {
            known.force(ticket, Why::Capacity, &mut self.queue, out);
        }
        self.make_room(out);
    }

    /// Releases all that has waited as long as it may at the time `now`; appends it to `out` in causal order.
    pub fn expire(&mut self, now: i64, out: &mut Vec<(S, Released<A, T>)>) {
        let mut freed = Vec::new();
        while let Some((ticket, stream)) = self.queue.oldest().filter(|(ticket, _)| ticket.due <= now) {
            self.force(&stream, ticket, Why::Deadline, &mut freed);
            out.extend(freed.drain(..).map(|released| (stream.clone(), released)));
        }
    }

    /// When [`expire`](Self::expire) will next have something to release; `None` while nothing waits.
    pub fn deadline(&self) -> Option<i64> {
        self.queue.deadline()
    }

    /// Notes a dot as delivered without an item, since its item was told elsewhere; appends to `out` all that waited for
    /// it alone, in causal order.
    pub fn delivered(&mut self, stream: &S, dot: &Dot<A>, out: &mut Vec<Released<A, T>>) {
        let known = self.streams.entry(stream.clone()).or_default();
        known.recover(dot);
        known.release_ready(&mut self.queue, out);
    }

    /// The item of the stream that waits and that `is` picks, to be bettered in its place; none when none does.
    pub fn held_mut(&mut self, stream: &S, is: impl Fn(&T) -> bool) -> Option<&mut T> {
        self.streams.get_mut(stream)?.held_mut(is)
    }

    /// Notes dots as told before anybody listened: nobody waits for them, and they are no holes.
    pub fn begin_behind(&mut self, stream: &S, told: DotRange<A>) {
        self.streams.entry(stream.clone()).or_default().begin_behind(told);
    }

    /// The known holes of the stream: the dots that were given up and have not come since; ascending.
    pub fn missing(&self, stream: &S) -> Vec<DotRange<A>> {
        self.streams.get(stream).map(Stream::missing).unwrap_or_default()
    }

    /// How many items of the stream are held.
    pub fn waiting(&self, stream: &S) -> usize {
        self.streams.get(stream).map_or(0, Stream::waiting)
    }

    /// Goes through all items that are held, in no order.
    pub fn each_waiting(&self, mut tell: impl FnMut(&T)) {
        if self.queue.len() > 0 {
            self.streams.values().for_each(|known| known.items().for_each(&mut tell));
        }
    }

    /// How many items are held in all.
    pub fn waiting_in_all(&self) -> usize {
        self.queue.len()
    }

    /// How many bytes are held in all.
    pub fn bytes(&self) -> usize {
        self.queue.bytes()
    }

    /// Lets go of all that is known about the stream, held items included.
    pub fn forget(&mut self, stream: &S) {
        if let Some(known) = self.streams.remove(stream) {
            known.leave(&mut self.queue);
        }
    }

    /// Whether anything is known about the stream: something was offered or delivered, and it was not
    /// forgotten.
    pub fn knows(&self, stream: &S) -> bool {
        self.streams.contains_key(stream)
    }

    /// Releases all that is held, as if every deadline had come; appends it to `out` in causal order.
    pub fn drain(&mut self, out: &mut Vec<(S, Released<A, T>)>) {
        self.expire(i64::MAX, out);
    }

    fn make_room(&mut self, out: &mut Vec<Released<A, T>>) {
        while self.queue.bytes() > self.bounds.bytes_max
            && let Some((ticket, stream)) = self.queue.oldest()
        {
            self.force(&stream, ticket, Why::Capacity, out);
        }
    }

    fn force(&mut self, stream: &S, ticket: Ticket, why: Why, out: &mut Vec<Released<A, T>>) {
        if let Some(known) = self.streams.get_mut(stream) {
            known.force(ticket, why, &mut self.queue, out);
        }
    }
}
