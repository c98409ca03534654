//! How many facts a second the engine takes, and what a late one costs: CPU time of one thread, with the allocator of the
//! program.

mod common;

use causal::Dot;
use common::{BATCH, Dialect, Dice, NOON, STEP_NS, conversation_id, cpu_ns, deliver, engine, fact, say};
use engine::{Delivery, Engine, Facets, FactId, MINUTE, SECOND, Stamp, Time, When, Word};
use std::num::NonZeroU64;
use std::sync::Arc;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONVERSATIONS: u32 = 100_000;
const PARTICIPANTS: u32 = 3;
const FACTS: u32 = 1_000_000;
const RUNS: usize = 3;
const DAY: i64 = 1_440 * MINUTE;

fn main() {
    say(format_args!(
        "facts a second of CPU time, {CONVERSATIONS} live conversations, {FACTS} facts, batches of {BATCH}"
    ));
    for dialect in [Dialect::Events, Dialect::Stamped, Dialect::Snapshots] {
        report(dialect, "in order", 0, 0);
        report(dialect, "20 % duplicates, window of 500", 20, 500);
    }
    say(format_args!("\nCPU time of one fact that is late by a day"));
    late_among_many();
    for dialect in [Dialect::Events, Dialect::Stamped, Dialect::Snapshots] {
        for facts in [20, 1_000, 19_500] {
            late_in_one(dialect, facts);
        }
    }
    say(format_args!("\nCPU time of one question about cells, of what conversations in memory add"));
    questions();
}

/// The speed of a stream: the median of some runs, and the best.
fn report(dialect: Dialect, how: &str, duplicates_percent: u64, window: u64) {
    let mut rates: Vec<u64> = (0..RUNS).map(|_| run(dialect, duplicates_percent, window)).collect();
    rates.sort_unstable();
    let (median, best) = (rates[RUNS / 2], rates[RUNS - 1]);
    say(format_args!("  {:<10} {how:<32} median {median:>9}/s, best {best:>9}/s", format!("{dialect:?}")));
}

/// Facts a second, duplicates included, of a stream over conversations that live already.
fn run(dialect: Dialect, duplicates_percent: u64, window: u64) -> u64 {
    let mut stream = Stream::new(dialect);
    let mut engine = engine();
    let first: Vec<u32> = (0..CONVERSATIONS * PARTICIPANTS).map(|n| n % CONVERSATIONS).collect();
    stream.draw(&first);
    let straight: Vec<u32> = (0..first.len() as u32).collect();
    stream.play(&mut engine, &straight);
    let mut dice = Dice(7);
    let drawn: Vec<u32> = (0..FACTS).map(|_| dice.below(u64::from(CONVERSATIONS)) as u32).collect();
    stream.draw(&drawn);
    let order = order(&mut dice, first.len() as u32, duplicates_percent, window);
    let spent_ns = stream.play(&mut engine, &order);
    assert_eq!(engine.active_count(), u64::from(CONVERSATIONS));
    order.len() as u64 * 1_000_000_000 / spent_ns
}

/// Which fact comes when: each late by up to `window` places, some again up to as many later.
fn order(dice: &mut Dice, first: u32, duplicates_percent: u64, window: u64) -> Vec<u32> {
    let mut keyed = Vec::new();
    for n in 0..FACTS {
        let at = u64::from(n) + dice.below(window + 1);
        keyed.push((at, first + n));
        if dice.below(100) < duplicates_percent {
            keyed.push((at + 1 + dice.below(window), first + n));
        }
    }
    keyed.sort_by_key(|(at, _)| *at);
    keyed.into_iter().map(|(_, n)| n).collect()
}

/// Facts in the order in which they happened: the conversation of each, and the how many-th of it.
struct Stream {
    dialect: Dialect,
    happened: Vec<(u32, u32)>,
    steps: Vec<u32>,
}

impl Stream {
    fn new(dialect: Dialect) -> Self {
        Self { dialect, happened: Vec::new(), steps: vec![0; CONVERSATIONS as usize] }
    }

    fn draw(&mut self, conversations: &[u32]) {
        for &conversation in conversations {
            let step = &mut self.steps[conversation as usize];
            self.happened.push((conversation, *step));
            *step += 1;
        }
    }

    /// Hands facts to an engine, a batch at a time; nanoseconds that the engine took. The facts are made outside of that.
    fn play(&self, engine: &mut Engine, order: &[u32]) -> u64 {
        let mut spent_ns = 0;
        let mut mail: Vec<Delivery> = Vec::with_capacity(BATCH);
        for numbers in order.chunks(BATCH) {
            mail.extend(numbers.iter().map(|&n| self.delivery(n)));
            let now = mail.last().map_or(NOON, |last| last.received + 1_000_000);
            let begun = cpu_ns();
            mail.drain(..).for_each(|delivery| engine.handle(delivery, now));
            engine.handle_timeout(now);
            let batch = engine.take_batch();
            engine.reuse(batch);
            spent_ns += cpu_ns() - begun;
        }
        spent_ns
    }

    fn delivery(&self, n: u32) -> Delivery {
        let (conversation, step) = self.happened[n as usize];
        let at = NOON + i64::from(n) * STEP_NS;
        let fact = fact(self.dialect, conversation, PARTICIPANTS, step, at);
        deliver(self.dialect, conversation, fact, at + 50_000_000)
    }
}

/// An engine with many conversations of some tens of facts each.
fn many() -> Engine {
    let mut stream = Stream::new(Dialect::Events);
    let mut engine = engine();
    let facts: Vec<u32> = (0..FACTS).map(|n| n % CONVERSATIONS).collect();
    stream.draw(&facts);
    let order: Vec<u32> = (0..FACTS).collect();
    stream.play(&mut engine, &order);
    engine
}

/// Late facts for many conversations of some tens of facts each.
fn late_among_many() {
    let mut engine = many();
    let mut spent: Vec<u64> =
        (0..1_000).map(|n| one_late(&mut engine, Dialect::Events, n * 97, 1_000)).collect();
    tell_late(&format!("Events, {CONVERSATIONS} conversations, {FACTS} facts"), &mut spent);
}

/// What conversations in memory add to cells: of a range with all their events, and of one with none. And what they counted
/// for at an instant: in the middle of all their events, and behind them.
fn questions() {
    let engine = many();
    let first = NOON / MINUTE;
    for (minutes, what) in [(first..first + 1_440, "all their events"), (first - 1_440..first, "no event")] {
        ask(&format!("{CONVERSATIONS} conversations, a range with {what}"), || {
            let mut events = 0;
            engine.contribute(&Facets::default(), &minutes, |_| events += 1);
            assert_eq!(events > 0, minutes.start == first);
        });
    }
    let last = i64::from(FACTS) * STEP_NS;
    for (after, what) in [(last / 2, "amid their events"), (2 * last, "behind them")] {
        let when = When { at: Some(NOON + after), known_at: None };
        ask(&format!("{CONVERSATIONS} conversations, an instant {what}"), || {
            assert!(engine.counted(when).0.active > 0);
        });
    }
}

/// CPU time of a question, asked a few times.
fn ask(what: &str, mut question: impl FnMut()) {
    let one = |_| {
        let begun = cpu_ns();
        question();
        cpu_ns() - begun
    };
    let mut spent: Vec<u64> = (0..9).map(one).collect();
    tell_late(what, &mut spent);
}

/// Late facts for a conversation of so many facts.
fn late_in_one(dialect: Dialect, facts: u32) {
    let mut engine = engine();
    let at = |step| NOON + i64::from(step) * SECOND;
    let mut first = deliver(dialect, 0, fact(dialect, 0, PARTICIPANTS, 0, NOON), NOON);
    first.facts.extend((1..facts).map(|step| fact(dialect, 0, PARTICIPANTS, step, at(step))));
    engine.handle(first, at(facts));
    drop(engine.take_batch());
    assert!(engine.knows(&conversation_id(0)));
    let samples = if facts < 100 { 5 } else { 100 };
    let mut spent: Vec<u64> =
        (0..samples).map(|n| one_late(&mut engine, dialect, 0, late_step(dialect, facts, n))).collect();
    tell_late(&format!("{dialect:?}, one conversation of {facts} facts"), &mut spent);
}

/// One fact that happened a day ago and comes now; nanoseconds that the engine took, commit included.
fn one_late(engine: &mut Engine, dialect: Dialect, conversation: u32, step: u32) -> u64 {
    let now = NOON + DAY / 2;
    let at = now - DAY + i64::from(step) * 1_000_000;
    let mut fact = fact(dialect, conversation, PARTICIPANTS, step, at);
    fact.at = Some(Time::from_nanos(at));
    fact.id = FactId::of_content(&[b"late", &conversation.to_le_bytes(), &step.to_le_bytes()]);
    fact.stamp = fact.stamp.and_then(|_| elsewhere(step));
    let late = deliver(dialect, conversation, fact, now);
    let begun = cpu_ns();
    engine.handle(late, now);
    let batch = engine.take_batch();
    let spent_ns = cpu_ns() - begun;
    assert_eq!(batch.tally.facts, 1);
    engine.reuse(batch);
    spent_ns
}

/// Steps that no fact has taken; those of a region of its own count from 0, so that nothing waits.
fn late_step(dialect: Dialect, facts: u32, n: u32) -> u32 {
    if dialect == Dialect::Stamped { n } else { facts + n * PARTICIPANTS }
}

/// The stamp of an event of a region that has seen nobody else's, each of its own counter.
fn elsewhere(step: u32) -> Option<Arc<Stamp>> {
    let actor = Word::new("ap-south-1")?;
    let counter = NonZeroU64::new(u64::from(step) + 1)?;
    let clock = [(actor.clone(), counter.get())].into_iter().collect();
    Some(Arc::new(Stamp { dot: Dot { actor, counter }, clock }))
}

fn tell_late(what: &str, spent: &mut [u64]) {
    spent.sort_unstable();
    let us = |n: usize| spent[n.min(spent.len() - 1)] as f64 / 1_000.0;
    let (median, high) = (us(spent.len() / 2), us(spent.len() * 95 / 100));
    say(format_args!("  {what:<52} median {median:>8.1} us, 95 % within {high:>8.1} us"));
}
