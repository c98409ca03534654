//! The folders: conversations that live, as a service that was killed leaves them, and a long history.
//!
//! Every second conversation is told by events, the others by snapshots; participants have five facts each, conversations
//! two or three participants. The facts of half of the live ones go on coming until the end, so that the log, as long as it
//! may be, tells of each of these beside what was laid down of them.

use engine::*;
use pipeline::{Clock, Keeper, Mail};
use std::path::Path;
use store::{Commit, Store};

const FACTS: u64 = 5;
const FACTS_A_COMMIT: usize = 4_096;
/// Conversations that are told of side by side.
const TOGETHER: u64 = 10_000;
/// Ended conversations have one participant with so many facts, and an end.
const ENDED_FACTS: u64 = 7;
const ENDED_A_COMMIT: u64 = 20_000;
/// Live conversations beside a history.
const FEW: u64 = 1_000;

/// A folder in which `participants` are on live conversations. Never returns: nothing is closed.
pub fn live(folder: &Path, participants: u64) {
    tell(keeper(folder), participants * 2 / 5);
    std::process::exit(0)
}

/// A folder with so many facts of conversations that ended, and a few that live. Never returns.
pub fn history(folder: &Path, facts: u64) {
    let mut store = Store::open(folder, 1).expect("opened").store;
    let began = Clock::system().now() - 400 * 86_400 * SECOND;
    let conversations = facts / ENDED_FACTS;
    for first in (0..conversations).step_by(usize::try_from(ENDED_A_COMMIT).unwrap_or(usize::MAX)) {
        let numbers = first..(first + ENDED_A_COMMIT).min(conversations);
        let at = |n: u64| began + n.cast_signed() * (390 * 86_400 * SECOND / conversations.cast_signed());
        let laid_down: Vec<_> = numbers.clone().map(|n| ended(n, at(n))).collect();
        let minutes: std::collections::BTreeSet<i64> = numbers.map(|n| at(n) / MINUTE).collect();
        let cells: Vec<_> = minutes.into_iter().map(|minute| (minute, 100)).collect();
        let commit =
            Commit { committed_at: at(first), laid_down: &laid_down, cells: &cells, ..Commit::default() };
        store.commit(&commit).expect("committed");
    }
    store.close().expect("closed");
    tell(keeper(folder), FEW);
    std::process::exit(0)
}

fn keeper(folder: &Path) -> Keeper {
    let opened = Store::open(folder, 1).expect("opened");
    let (mut keeper, _) =
        Keeper::recover(opened, Limits::default(), Clock::system().now()).expect("recovered");
    let note = |event| FeedNote { feed: 0, at: Clock::system().now(), event };
    let mut mail = Mail::default();
    mail.notes.push((0, note(FeedEvent::Named { name: "feed".to_owned(), resends: false })));
    mail.notes.push((0, note(FeedEvent::Listening)));
    keeper.take(&mut mail, Clock::system().now()).expect("taken");
    keeper
}

/// All facts of so many live conversations, the newest of half of them last.
fn tell(mut keeper: Keeper, conversations: u64) {
    let mut mail = Mail::default();
    let half = conversations / 2;
    let rounds = |from: u64, to: u64, rounds: std::ops::Range<u64>| {
        let blocks = (from..to).step_by(usize::try_from(TOGETHER).unwrap_or(usize::MAX));
        blocks.flat_map(move |first| {
            let rounds = rounds.clone();
            rounds.flat_map(move |round| (first..(first + TOGETHER).min(to)).map(move |n| (n, round)))
        })
    };
    let all = rounds(0, half, 0..FACTS).chain(rounds(half, conversations, 0..FACTS - 1));
    let all = all.chain(rounds(half, conversations, FACTS - 1..FACTS));
    for (conversation, round) in all {
        for participant in 0..2 + conversation % 2 {
            let number = mail.deliveries.len() as u64;
            mail.deliveries.push((number, delivery(conversation, participant, round)));
        }
        if mail.deliveries.len() >= FACTS_A_COMMIT {
            commit(&mut keeper, &mut mail);
        }
    }
    commit(&mut keeper, &mut mail);
    std::mem::forget(keeper);
}

fn commit(keeper: &mut Keeper, mail: &mut Mail) {
    let now = Clock::system().now();
    keeper.take(mail, now).expect("taken");
    let batch = keeper.commit(now).expect("committed");
    keeper.reuse(batch);
}

fn delivery(conversation: u64, participant: u64, round: u64) -> Delivery {
    let now = Clock::system().now();
    let events = conversation.is_multiple_of(2);
    let who = id(1, conversation << 8 | participant);
    let fact = if events { event(conversation, who, round, now) } else { snapshot(who, round, now) };
    Delivery {
        conversation: id(0, conversation),
        feed: 0,
        source: if events { Source::Events } else { Source::Snapshot },
        topic: 1,
        received: now,
        facts: std::iter::once(fact).collect(),
        toggles: Vec::new(),
    }
}

/// A participant joins, changes state and role.
fn event(conversation: u64, participant: Id, round: u64, at: i64) -> Fact {
    let (what, state, role) = match round {
        0 => (What::Joined, "connected", "agent"),
        1 => (What::State, "alerting", ""),
        2 => (What::State, "connected", ""),
        3 => (What::Role, "connected", "supervisor"),
        _ => (What::State, "held", ""),
    };
    let mut fact = Fact::new(what);
    fact.id = FactId::of_content(&[
        b"event",
        &conversation.to_le_bytes(),
        participant.to_string().as_bytes(),
        &[round as u8],
    ]);
    (fact.participant, fact.at) = (Some(participant), Some(Time::from_millis(at / 1_000_000)));
    (fact.state, fact.role, fact.authority) = (Word::lower(state), Word::lower(role), Authority::Recorded);
    fact
}

/// A participant is there, with a user; its leg is there, rings, connects, and is parked.
fn snapshot(participant: Id, round: u64, at: i64) -> Fact {
    let mut fact = Fact::new(if round < 2 { What::Joined } else { What::State });
    let leg = participant.as_uuid().map(|bytes| Id::from_uuid(bytes.map(|b| b ^ 0x55)));
    let user = participant.as_uuid().map(|bytes| Id::from_uuid(bytes.map(|b| b ^ 0xAA)));
    fact.participant = Some(participant);
    let time = Some(Time::from_millis(at / 1_000_000));
    (fact.at, fact.authority) = (time, Authority::Recorded);
    match round {
        0 => (fact.user, fact.role) = (user, Word::new("agent")),
        1 => {
            (fact.communication, fact.medium, fact.direction) =
                (leg, Word::new("voice"), Word::new("inbound"))
        }
        2 => (fact.communication, fact.state) = (leg, Word::new("alerting")),
        3 => (fact.communication, fact.state) = (leg, Word::new("connected")),
        _ => (fact.communication, fact.state, fact.since) = (leg, Word::new("parked"), time),
    }
    fact.identified()
}

/// A conversation that ended, of [`ENDED_FACTS`] facts.
fn ended(number: u64, at: i64) -> StoredConversation {
    let participant = id(2, number);
    let fact = |n: u64| {
        let received = at + n.cast_signed() * 7 * SECOND;
        let mut fact = snapshot(participant.clone(), n, received);
        if n >= FACTS {
            fact.state = Word::new(if n == FACTS { "connected" } else { "disconnected" });
            fact = fact.identified();
        }
        let arrival = Arrival {
            received: received + 40_123_000,
            feed: 0,
            source: Source::Snapshot,
            incarnation: 1,
            late: false,
            published: received + 41_234_000,
            waits: false,
        };
        (fact, arrival)
    };
    StoredConversation {
        id: id(3, number),
        resident: false,
        active: false,
        started_at: Some(Time::from_millis(at / 1_000_000)),
        ended_at: Some(Time::from_millis((at + 42 * SECOND) / 1_000_000)),
        dropped: 0,
        facts: (0..ENDED_FACTS).map(fact).collect(),
    }
}

/// A random-looking id: those of the platform have no order either.
fn id(kind: u64, number: u64) -> Id {
    let half = mixed(number << 3 | kind);
    Id::from_uuid((u128::from(half) << 64 | u128::from(mixed(half ^ kind))).to_be_bytes())
}

/// Splitmix64.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
