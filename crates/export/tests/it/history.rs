//! A made-up history, through the real keeper into a real store, and the truth of it.
//!
//! Each conversation has a customer who waits and talks, and an agent who is alerted, talks and wraps up on a leg of their
//! own: five spells, seven facts. Everything about one follows from its number, so that the truth is summed up without asking the program.

use engine::*;
use pipeline::{Keeper, Mail};
use std::collections::BTreeMap;
use std::path::Path;
use store::Store;

/// 2026-01-01T00:00:00Z.
pub const START: i64 = 1_767_225_600 * SECOND;
/// Between the beginnings of two conversations, in milliseconds.
pub const APART_MS: i64 = 40;
/// Conversations that are handed in before a commit.
const TURN: u64 = 1_000;
/// Turns from one merging of cells to the next.
const MERGED_EVERY: u64 = 50;
/// Spells of a conversation.
pub const SPELLS: u64 = 5;
const QUEUES: u64 = 40;
const USERS: u64 = 500;
const MEDIA: [&str; 3] = ["voice", "chat", "email"];

/// Sums over spells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many.
    pub spells: u64,
    /// How long all of them take, in milliseconds.
    pub taken_ms: u64,
}

/// What is true of the history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// By queue, role and state.
    pub sums: BTreeMap<(String, String, String), Sums>,
    /// Facts in all, each counted in the cell of its minute.
    pub facts: u64,
}

/// One spell of a conversation, by its construction.
pub struct Part {
    pub role: &'static str,
    pub state: &'static str,
    pub from_ms: i64,
    pub taken_ms: u64,
}

/// The spells of a conversation.
pub fn parts(number: u64) -> [Part; SPELLS as usize] {
    let begin = START / 1_000_000 + number as i64 * APART_MS;
    let (waits, talks, wraps) = (500 + number % 7_919, 1_000 + number * 31 % 20_011, 100 + number % 997);
    let alerts = waits / 2;
    let answered = begin + waits as i64;
    let part = |role, state, from_ms, taken_ms| Part { role, state, from_ms, taken_ms };
    [
        part("customer", "contacting", begin, waits),
        part("customer", "connected", answered, talks),
        part("agent", "alerting", answered - alerts as i64, alerts),
        part("agent", "connected", answered, talks),
        part("agent", "wrapup", answered + talks as i64, wraps),
    ]
}

/// The id of a conversation: scattered, as the platform's are.
pub fn conversation(number: u64) -> Id {
    let mixed = (u128::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    Id::from_uuid((mixed ^ mixed >> 64).to_be_bytes())
}

pub fn queue(number: u64) -> String {
    format!("queue-{:02}", number % QUEUES)
}

pub fn user(number: u64) -> String {
    format!("00000000-0000-4000-8000-{:012}", number % USERS)
}

pub fn medium(number: u64) -> &'static str {
    MEDIA[(number % MEDIA.len() as u64) as usize]
}

/// Makes the history of so many conversations in a folder, and stops in good order.
pub fn make(folder: &Path, conversations: u64) -> Truth {
    let mut keeper = begin(folder);
    let mut truth = Truth::default();
    for first in (0..conversations).step_by(TURN as usize) {
        turn(&mut keeper, first..conversations.min(first + TURN), &mut truth);
        if (first / TURN).is_multiple_of(MERGED_EVERY) {
            merge(&mut keeper);
        }
    }
    merge(&mut keeper);
    // All have ended; all but the last minute's have left memory.
    keeper.close().expect("closed");
    truth
}

/// Merges cells into pages, as a service does between its turns.
fn merge(keeper: &mut Keeper) {
    let mut after = Some(0);
    while let Some(at) = after {
        after = keeper.merge_cells(at).expect("room on the disk").next;
    }
}

/// A keeper on a new folder, whose only feed listens from the start.
pub fn begin(folder: &Path) -> Keeper {
    let opened = Store::open(folder, 7).expect("a new folder");
    let (mut keeper, _) = Keeper::recover(opened, Limits::default(), START).expect("nothing to recover");
    let note = |event| (0, FeedNote { feed: 0, at: START, event });
    let named = FeedEvent::Named { name: "events".to_owned(), resends: true };
    let mut mail = Mail { notes: vec![note(named), note(FeedEvent::Listening)], ..Mail::default() };
    keeper.take(&mut mail, START).expect("a store that can be read");
    let batch = keeper.commit(START).expect("room on the disk");
    keeper.reuse(batch);
    keeper
}

/// Hands in some conversations at one instant, when all of them are over.
pub fn turn(keeper: &mut Keeper, numbers: std::ops::Range<u64>, truth: &mut Truth) {
    let mut mail = Mail::default();
    let mut newest = START;
    for number in numbers {
        for fact in facts(number) {
            newest = newest.max(fact.at.expect("a time").nanos);
            truth.facts += 1;
            mail.deliveries.push((truth.facts, delivery(number, fact)));
        }
        for part in parts(number) {
            let key = (queue(number), part.role.to_owned(), part.state.to_owned());
            let sums = truth.sums.entry(key).or_default();
            (sums.spells, sums.taken_ms) = (sums.spells + 1, sums.taken_ms + part.taken_ms);
        }
    }
    mail.deliveries.iter_mut().for_each(|(_, delivery)| delivery.received = newest);
    keeper.take(&mut mail, newest).expect("a store that can be read");
    keeper.pass_time(newest);
    let batch = keeper.commit(newest).expect("room on the disk");
    keeper.reuse(batch);
}

pub fn facts(number: u64) -> Vec<Fact> {
    let parts = parts(number);
    let end = |role: &str| {
        let last = parts.iter().rfind(|part| part.role == role).expect("a part");
        last.from_ms + last.taken_ms as i64
    };
    let mut facts: Vec<Fact> =
        parts.iter().map(|part| fact(number, part.role, part.state, part.from_ms)).collect();
    for role in ["customer", "agent"] {
        facts.push(fact(number, role, "disconnected", end(role)));
    }
    facts.sort_by_key(|fact| fact.at);
    facts
}

fn fact(number: u64, role: &str, state: &str, at_ms: i64) -> Fact {
    let text = |text: &str| Id::new(text).ok();
    Fact {
        id: FactId::of_event(&format!("{number}-{role}-{state}")),
        participant: text(&format!("{role}-{number}")),
        communication: (role == "agent").then(|| text(&format!("leg-{number}"))).flatten(),
        at: Some(Time::from_millis(at_ms)),
        authority: Authority::Recorded,
        state: Word::new(state),
        role: Word::new(role),
        user: (role == "agent").then(|| text(&user(number))).flatten(),
        queue: text(&queue(number)),
        medium: Word::new(medium(number)),
        ..Fact::new(What::State)
    }
}

pub fn delivery(number: u64, fact: Fact) -> Delivery {
    Delivery {
        conversation: conversation(number),
        feed: 0,
        source: Source::Events,
        topic: 0,
        received: START,
        facts: std::iter::once(fact).collect(),
        toggles: Vec::new(),
    }
}
