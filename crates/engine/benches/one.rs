//! What a conversation costs whose events come as badly as events can: CPU time of one thread for all of them, with the
//! allocator of the program. Twice as many should cost little more than twice as much.

mod common;

use causal::{Dot, VectorClock};
use common::{BATCH, Dialect, NOON, cpu_ns, deliver, engine, fact, say};
use engine::{Delivery, Stamp, Word};
use std::num::NonZeroU64;
use std::sync::Arc;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: usize = 3;
const PARTICIPANTS: u32 = 3;
/// Nanoseconds from one delivery to the next: 2,000 a second.
const APART_NS: i64 = 500_000;

fn main() {
    say(format_args!("CPU time of all stamped events of one conversation, a delivery each, 2,000 a second"));
    for events in [4_000, 8_000] {
        report("clocks skip every other event", events, |n| (n, 2 * n + 1));
        report("newest first", events, |n| (events - 1 - n, events - n));
        report("newest first, clocks skip", events, |n| (events - 1 - n, 2 * (events - n)));
        report("each two times", events, |n| (n / 2, n + 2 - n % 2));
        report("the first never comes", events, |n| (n, n + 2));
    }
}

/// `place`: of the n-th event that comes, the how many-th it was, and its counter.
fn report(what: &str, events: u32, place: impl Fn(u32) -> (u32, u32)) {
    let mut spent: Vec<u64> = (0..RUNS).map(|_| run(events, &place)).collect();
    spent.sort_unstable();
    let median = spent[RUNS / 2] as f64 / 1_000_000.0;
    say(format_args!("  {events:>6} events, {what:<32} median {median:>9.1} ms"));
}

/// Nanoseconds of all deliveries, commits and waits included.
fn run(events: u32, place: &impl Fn(u32) -> (u32, u32)) -> u64 {
    let mut engine = engine();
    let mail: Vec<Delivery> = (0..events).map(|n| delivery(n, place(n))).collect();
    let begun = cpu_ns();
    for (n, delivery) in mail.into_iter().enumerate() {
        let now = delivery.received;
        engine.handle(delivery, now);
        if n % (BATCH / 64) == 0 {
            engine.handle_timeout(now);
            let batch = engine.take_batch();
            engine.reuse(batch);
        }
    }
    engine.handle_timeout(NOON + i64::from(events) * APART_NS + 60_000_000_000);
    drop(engine.take_batch());
    cpu_ns() - begun
}

fn delivery(n: u32, (step, counter): (u32, u32)) -> Delivery {
    let mut fact = fact(Dialect::Events, 0, PARTICIPANTS, step, NOON + i64::from(step) * APART_NS);
    fact.stamp = stamp(u64::from(counter));
    deliver(Dialect::Events, 0, fact, NOON + i64::from(n) * APART_NS)
}

/// The stamp of one region's event that has seen all before it.
fn stamp(counter: u64) -> Option<Arc<Stamp>> {
    let actor = Word::new("eu-west-1")?;
    let clock: VectorClock<Word> = [(actor.clone(), counter)].into_iter().collect();
    Some(Arc::new(Stamp { dot: Dot { actor, counter: NonZeroU64::new(counter)? }, clock }))
}
