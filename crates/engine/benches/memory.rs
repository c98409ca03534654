//! What is remembered costs: bytes for each live participant and each remembered id, and allocations for each fact, by a
//! counting allocator. It counts what was asked for; what an allocator rounds that up to comes on top.

mod common;

use allocation_counter::{AllocationInfo, measure};
use common::{BATCH, Dialect, Dice, NOON, STEP_NS, deliver, engine, fact, say};
use engine::{Delivery, Engine, SECOND};

const LIVE: u32 = 1_000_000;
const FACTS_EACH: u32 = 5;

fn main() {
    say(format_args!("bytes for each live participant with {FACTS_EACH} facts, {LIVE} live participants"));
    for participants in [1, 2, 3, 4] {
        report(Dialect::Events, participants);
    }
    uneven();
    report(Dialect::Snapshots, 3);
    busy();
    steady(Dialect::Events);
    steady(Dialect::Snapshots);
}

fn report(dialect: Dialect, participants: u32) {
    let conversations = LIVE / participants;
    let mut engine = engine();
    let filled = measure_filling(&mut engine, dialect, conversations, participants);
    assert_eq!(engine.active_count(), u64::from(conversations));
    let live = f64::from(conversations * participants);
    let each = filled.bytes_current as f64 / live;
    let again = measure_filling(&mut engine, dialect, conversations / 10, participants);
    say(format_args!(
        "  {:<10} {participants} a conversation: {each:>6.1} bytes; the first tenth again: {} bytes more",
        format!("{dialect:?}"),
        again.bytes_current
    ));
}

/// Conversations of two to four participants with three to seven facts each, so that room that is kept and not used shows.
fn uneven() {
    let (mut dice, mut live, mut facts, mut filled) = (Dice(3), 0, 0, 0);
    let mut engine = engine();
    for conversation in 0..LIVE / 3 {
        let (participants, each) = (2 + dice.below(3) as u32, 3 + dice.below(5) as u32);
        let steps = (0..participants * each).map(|step| (conversation, step));
        filled += measure(|| play(&mut engine, Dialect::Events, participants, steps)).bytes_current;
        (live, facts) = (live + participants, facts + participants * each);
    }
    let (each, facts_each) = (filled as f64 / f64::from(live), f64::from(facts) / f64::from(live));
    say(format_args!(
        "  Events     2 to 4 a conversation, 3 to 7 facts ({facts_each:.2} on average): {each:>6.1} bytes"
    ));
}

/// Every fact of every participant, round by round, so that all conversations grow together.
fn measure_filling(
    engine: &mut Engine,
    dialect: Dialect,
    conversations: u32,
    participants: u32,
) -> AllocationInfo {
    let steps = participants * FACTS_EACH;
    let all = (0..steps).flat_map(|step| (0..conversations).map(move |conversation| (conversation, step)));
    measure(|| play(engine, dialect, participants, all))
}

fn play(engine: &mut Engine, dialect: Dialect, participants: u32, facts: impl Iterator<Item = (u32, u32)>) {
    let mut waiting = 0;
    for (conversation, step) in facts {
        let at = NOON + i64::from(step) * SECOND + i64::from(conversation) * STEP_NS;
        let fact = fact(dialect, conversation, participants, step, at);
        engine.handle(deliver(dialect, conversation, fact, at + 1_000_000), at + 2_000_000);
        waiting += 1;
        if waiting == BATCH {
            waiting = 0;
            settle(engine);
        }
    }
    settle(engine);
}

/// As a driver does after each batch: the room of the next one is kept.
fn settle(engine: &mut Engine) {
    let batch = engine.take_batch();
    engine.reuse(batch);
}

/// A busy conversation finds a fact's id by an index: what a fact costs there, id, index and all.
fn busy() {
    let mut bytes = Vec::new();
    for facts in [10_000, 20_000] {
        let mut engine = engine();
        // What room a batch takes is no matter here.
        play(&mut engine, Dialect::Events, 3, (0..3 * BATCH as u32).map(|step| (1, step)));
        let filled = measure(|| play(&mut engine, Dialect::Events, 3, (0..facts).map(|step| (0, step))));
        bytes.push(filled.bytes_current as f64 / f64::from(facts));
    }
    say(format_args!(
        "bytes for each fact of a conversation of 10,000 / 20,000 facts, index of ids included: {:.1} / {:.1}",
        bytes[0], bytes[1]
    ));
}

/// Allocations for each fact while 100,000 conversations live on.
fn steady(dialect: Dialect) {
    let (conversations, participants, facts) = (100_000, 3, 1_000_000);
    let mut engine = engine();
    let mut steps = vec![0; conversations as usize];
    let first = (0..conversations * participants).map(|n| n % conversations);
    let first: Vec<_> = next_steps(&mut steps, first);
    play(&mut engine, dialect, participants, first.into_iter());
    let mut dice = Dice(7);
    let drawn = next_steps(&mut steps, (0..facts).map(|_| dice.below(u64::from(conversations)) as u32));
    let (mut count, mut at) = (0, NOON + 3_600_000_000_000);
    for numbers in drawn.chunks(BATCH) {
        let mail: Vec<Delivery> = numbers
            .iter()
            .map(|&(conversation, step)| {
                at += STEP_NS;
                deliver(dialect, conversation, fact(dialect, conversation, participants, step, at), at)
            })
            .collect();
        let info = measure(|| {
            mail.into_iter().for_each(|delivery| engine.handle(delivery, at));
            settle(&mut engine);
        });
        count += info.count_total;
    }
    let each = count as f64 / f64::from(facts);
    say(format_args!(
        "allocations for each fact, {dialect:?}, in order over {conversations} conversations: {each:.2}"
    ));
}

fn next_steps(steps: &mut [u32], conversations: impl Iterator<Item = u32>) -> Vec<(u32, u32)> {
    let next = |conversation: u32| {
        let step = &mut steps[conversation as usize];
        *step += 1;
        (conversation, *step - 1)
    };
    conversations.map(next).collect()
}
