//! What the state of an instant, and the list of who was active then, cost when the history is long: any instant of 30 days, out of 10,000,000 facts.
//!
//! The history is 30 days of conversations of eight facts and five minutes, evenly spread, that have left memory, written in
//! large batches. `INSTANT_FACTS` makes another size. Cold: the file was
//! opened anew, and nothing of it had been asked through that connection.

mod common;

use common::{say, spread};
use engine::{
    Arrival, Authority, Fact, FactId, Filter, Id, Limits, MINUTE, SECOND, Source, StoredConversation, Time,
    What, Word,
};
use pipeline::{Keeper, Query, When};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use store::{Commit, Store};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const START: i64 = 1_770_000_000 * SECOND;
const DAYS: i64 = 30;
const FACTS: u64 = 8;
const LASTS: i64 = 300 * SECOND;
const AT_ONCE: u64 = 5_000;
const ASKED: u64 = 200;

fn main() {
    let asked = std::env::var("INSTANT_FACTS").ok().and_then(|text| text.parse::<u64>().ok());
    let conversations = asked.unwrap_or(10_000_000) / FACTS;
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), conversations);
    let now = START + (DAYS + 1) * 1_440 * MINUTE;
    let at_once = conversations as i64 * LASTS / (DAYS * 1_440 * MINUTE);
    say(format_args!(
        "{} facts of {conversations} conversations, some {at_once} at once, {} MiB",
        conversations * FACTS,
        std::fs::metadata(folder.path().join("headcount.db")).map_or(0, |data| data.len() >> 20)
    ));
    for cold in [true, false] {
        let name = if cold { "cold" } else { "warm" };
        let mut keeper = None;
        let (mut states, mut shown, mut lists, mut ones) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for n in 0..if cold { ASKED / 10 } else { ASKED } {
            if cold {
                keeper = None;
            }
            let keeper = keeper.get_or_insert_with(|| open(folder.path(), now));
            let at =
                START + (n as i64 * 7_919 % 1_000) * DAYS * 1_440 * MINUTE / 1_000 + 12_345 * SECOND / 1_000;
            states.push(timed(|| state(keeper, When { at: Some(at), known_at: None }, now)));
            shown.push(timed(|| state(keeper, When { at: None, known_at: Some(at) }, now)));
            lists.push(timed(|| list(keeper, at, now)));
            ones.push(timed(|| one(keeper, n * 997 % conversations, at, now)));
        }
        say(format_args!("{name}: state at an instant            {}", spread(states)));
        say(format_args!("{name}: state as shown at one          {}", spread(shown)));
        say(format_args!("{name}: who was active at an instant   {}", spread(lists)));
        say(format_args!("{name}: a conversation at an instant   {}", spread(ones)));
    }
}

fn open(folder: &Path, now: i64) -> Keeper {
    let opened = Store::open(folder, 1).expect("opened");
    Keeper::recover(opened, Limits::default(), now).expect("recovered").0
}

fn state(keeper: &Keeper, when: When, now: i64) {
    let then = keeper.look_at(when, now).expect("looked").value.finish().expect("read");
    std::hint::black_box(then);
}

fn list(keeper: &Keeper, at: i64, now: i64) {
    let (to, mut answer) = tokio::sync::oneshot::channel();
    let (filter, when) =
        (Filter { active: Some(true), ..Filter::default() }, When { at: Some(at), known_at: None });
    keeper.answer(Query::List { filter, after: None, limit: 1_000, when, to }, now);
    let page = answer.try_recv().expect("answered").value;
    assert!(!page.items.is_empty() && page.next.is_none());
}

fn one(keeper: &Keeper, number: u64, at: i64, now: i64) {
    let (to, mut answer) = tokio::sync::oneshot::channel();
    keeper.answer(Query::Conversation(id(number), When { at: Some(at), known_at: None }, to), now);
    std::hint::black_box(answer.try_recv().expect("answered"));
}

fn write(folder: &Path, conversations: u64) {
    let mut store = Store::open(folder, 1).expect("opened").store;
    let apart = DAYS * 1_440 * MINUTE / conversations as i64;
    for first in (0..conversations).step_by(AT_ONCE as usize) {
        let all: Vec<_> = (first..conversations.min(first + AT_ONCE))
            .map(|n| conversation(n, START + n as i64 * apart))
            .collect();
        let mut cells: BTreeMap<i64, i64> = BTreeMap::new();
        for (fact, _) in all.iter().flat_map(|one| &one.facts) {
            *cells.entry(fact.at.map_or(0, |at| at.minute())).or_default() += 1;
        }
        let cells: Vec<_> = cells.into_iter().collect();
        let committed_at = START + first as i64 * apart + LASTS;
        store
            .commit(&Commit { committed_at, laid_down: &all, cells: &cells, ..Commit::default() })
            .expect("committed");
    }
    store.close().expect("closed");
}

fn id(number: u64) -> Id {
    let mixed = (u128::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    Id::from_uuid((mixed ^ mixed >> 64).to_be_bytes())
}

fn conversation(number: u64, begins: i64) -> StoredConversation {
    let states =
        ["alerting", "connected", "held", "connected", "held", "connected", "wrapup", "disconnected"];
    let facts = (0..).zip(states).map(|(n, state): (i64, _)| {
        let at = Time::from_nanos(begins + n * LASTS / FACTS as i64).to_millis();
        let mut fact = Fact::new(What::State);
        fact.participant = Some(id(number ^ 0xff_ffff_ffff));
        fact.state = Word::new(state);
        fact.role = Word::new("agent");
        fact.at = Some(at);
        fact.authority = Authority::Recorded;
        fact.id = FactId::of_event(&format!("{number}-{n}"));
        let received = at.nanos + SECOND;
        let (feed, source, incarnation) = (0, Source::Events, 1);
        (
            fact,
            Arrival { received, feed, source, incarnation, late: false, published: received, waits: false },
        )
    });
    StoredConversation {
        id: id(number),
        resident: false,
        active: false,
        started_at: Some(Time::from_nanos(begins).to_millis()),
        ended_at: Some(Time::from_nanos(begins + LASTS).to_millis()),
        dropped: 0,
        facts: facts.collect(),
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}
