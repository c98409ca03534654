//! How long a group commit takes at 20,000 facts a second, and how long a fact waits until it is durable.
//!
//! Facts come on time, whatever the commits do; a turn takes all that came. Conversations of eight facts begin, live for two
//! fifths of a second, and leave memory five seconds after their end, so that after a few seconds each commit lays down as
//! many as begin. The disk is measured beside it, with a write in place and its sync, as a commit pays at least.

mod common;

use common::{say, spread};
use engine::{
    Authority, Delivery, Fact, FactId, FeedEvent, FeedNote, Id, Limits, SECOND, Source, Time, What, Word,
};
use pipeline::{Clock, KEPT_ALWAYS_NS, Keeper, Mail, Retention};
use std::io::{Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};
use store::{LastTold, Store};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PER_SECOND: u64 = 20_000;
const AT_ONCE: u64 = 1_000;
const FACTS: u64 = 8;
const WARM_UP: Duration = Duration::from_secs(8);
const MEASURED: Duration = Duration::from_secs(20);
const SYNCS: usize = 400;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let bare = bare_syncs(folder.path());
    say(format_args!("a write of 40 KiB and its sync, alone         {}", spread(bare)));
    let (mut keeper, commits, waits, facts) = run(folder.path());
    say(format_args!(
        "{} commits of {} facts each on average, at {PER_SECOND} facts a second",
        commits.len(),
        facts / commits.len() as u64
    ));
    say(format_args!("a commit, to the end of its sync              {}", spread(commits)));
    say(format_args!("a fact, from its arrival until it is durable  {}", spread(waits)));
    say(format_args!("a step of retention, to the end of its sync    {}", spread(removals(&mut keeper))));
}

/// Steps of retention, over all that left memory: as many conversations each as a step looks at.
fn removals(keeper: &mut Keeper) -> Vec<Duration> {
    let retention = Retention { facts_ns: Some(KEPT_ALWAYS_NS), ..Retention::default() };
    let later = Clock::system().now() + 2 * KEPT_ALWAYS_NS;
    let (mut steps, mut after) = (Vec::new(), Some(LastTold::default()));
    while let Some(from) = after {
        let before = Instant::now();
        after = keeper.remove_old(retention, from, later).expect("removed").next;
        steps.push(before.elapsed());
    }
    steps
}

/// The keeper, commits, waits of the oldest fact of each, and facts in all.
fn run(folder: &Path) -> (Keeper, Vec<Duration>, Vec<Duration>, u64) {
    let limits = Limits { ended_grace_ns: 5 * SECOND, ..Limits::default() };
    let opened = Store::open(&folder.join("data"), 1).expect("opened");
    let (mut keeper, _) = Keeper::recover(opened, limits, Clock::system().now()).expect("recovered");
    let clock = Clock::system();
    let mut mail = Mail::default();
    let note = |event| FeedNote { feed: 0, at: clock.now(), event };
    mail.notes.push((0, note(FeedEvent::Named { name: "events".to_owned(), resends: false })));
    mail.notes.push((0, note(FeedEvent::Listening)));
    let (begun, mut taken) = (Instant::now(), 0);
    let (mut commits, mut waits, mut facts) = (Vec::new(), Vec::new(), 0);
    while begun.elapsed() < WARM_UP + MEASURED {
        let due = begun.elapsed().as_micros() as u64 * PER_SECOND / 1_000_000;
        if due == taken {
            std::thread::park_timeout(Duration::from_micros(200));
            continue;
        }
        let oldest = Duration::from_micros(taken * 1_000_000 / PER_SECOND);
        mail.deliveries.extend((taken..due).map(|n| (n, delivery(n, clock.now()))));
        let now = clock.now();
        keeper.take(&mut mail, now).expect("taken");
        keeper.pass_time(now);
        let before = Instant::now();
        let batch = keeper.commit(now).expect("committed");
        if begun.elapsed() > WARM_UP {
            commits.push(before.elapsed());
            waits.push(begun.elapsed() - oldest);
            facts += due - taken;
        }
        keeper.reuse(batch);
        taken = due;
    }
    (keeper, commits, waits, facts)
}

fn delivery(n: u64, now: i64) -> Delivery {
    let (block, within) = (n / (AT_ONCE * FACTS), n % (AT_ONCE * FACTS));
    let conversation = block * AT_ONCE + within % AT_ONCE;
    let ends = within / AT_ONCE == FACTS - 1;
    let mut fact = Fact::new(if ends { What::LifeCycle } else { What::State });
    fact.id = FactId::of_event(&format!("event-{n}"));
    fact.participant = (!ends).then(|| id(n / 2));
    fact.state = Word::new(if ends { "terminated" } else { "connected" });
    fact.role = Word::new("agent").filter(|_| !ends);
    fact.at = Some(Time::from_millis(now / 1_000_000));
    fact.authority = Authority::Recorded;
    Delivery {
        conversation: id(conversation | 1 << 63),
        feed: 0,
        source: Source::Events,
        topic: 0,
        received: now,
        facts: std::iter::once(fact).collect(),
        toggles: Vec::new(),
    }
}

/// An id whose place among others is as random as a real one's.
fn id(number: u64) -> Id {
    let mixed = (number ^ number >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Id::from_uuid((u128::from(mixed) << 64 | u128::from(number)).to_be_bytes())
}

fn bare_syncs(folder: &Path) -> Vec<Duration> {
    let mut file = std::fs::File::create(folder.join("bare")).expect("a file");
    let bytes = vec![0x5a; 40 << 10];
    file.write_all(&bytes).and_then(|()| file.sync_all()).expect("synced");
    let one = |_| {
        let before = Instant::now();
        file.rewind().and_then(|()| file.write_all(&bytes)).and_then(|()| file.sync_data()).expect("synced");
        before.elapsed()
    };
    (0..SYNCS).map(one).collect()
}
