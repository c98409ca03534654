//! Rounds and reads in virtual time, without a platform.

use super::*;
use engine::SECOND;
use pipeline::Moment;

const NOON: i64 = 1_767_268_800 * SECOND;
const MINUTE: Millis = 60_000;

/// A machine, and what it has told of feeds.
struct World {
    repairs: Repairs,
    now: Millis,
    /// The present time of listening of every feed.
    time: u64,
    told: Vec<FeedEvent>,
    lists: Vec<Option<Past>>,
    ended: Vec<Ended>,
}

impl World {
    fn new() -> Self {
        let timing = Timing { repair_concurrency: 2, ..Timing::default() };
        let repairs = Repairs::new(timing, fastrand::Rng::with_seed(7));
        Self { repairs, now: 0, time: 1, told: Vec::new(), lists: Vec::new(), ended: Vec::new() }
    }

    /// Asks for a repair since so many seconds after noon.
    fn request(&mut self, since_s: i64) {
        let moment = Moment { wall: NOON + 3_600 * SECOND, boot: 3_600 * SECOND };
        let since = Some(Past::new(NOON + since_s * SECOND, moment));
        self.repairs.request(Request { feed: 0, since, time: self.time });
    }

    /// Lets the machine act; the conversations that it wants read now.
    fn act(&mut self) -> Vec<Id> {
        let mut reads = Vec::new();
        self.repairs.handle_timeout(self.now, |_| self.time);
        while let Some(effect) = self.repairs.poll_effect() {
            match effect {
                Effect::Read(id) => reads.push(id),
                Effect::List(since) => self.lists.push(since),
                Effect::Tell(_, event) => self.told.push(event),
                Effect::Ended(ended) => self.ended.push(ended),
            }
        }
        reads
    }

    /// Lists these, and acts.
    fn list(&mut self, conversations: &[&str]) -> Vec<Id> {
        let listed = Listed { conversations: ids(conversations), ..Listed::default() };
        self.repairs.handle_listed(self.now, listed);
        self.act()
    }

    /// Ends reads in one way until nothing is due at present, later tries included.
    fn end_all(&mut self, mut reads: Vec<Id>, how: impl Fn(&Id) -> Read) {
        for _ in 0..100 {
            for id in std::mem::take(&mut reads) {
                self.repairs.handle_read(self.now, &id, &how(&id));
            }
            reads = self.act();
            if reads.is_empty() {
                match self.repairs.poll_timeout() {
                    Some(due) if due < self.now + MINUTE / 2 => {
                        self.now = due;
                        reads = self.act();
                    }
                    _ => return,
                }
            }
        }
        panic!("it reads for ever");
    }

    /// Goes to when something is due next, and acts.
    fn go_on(&mut self) -> Vec<Id> {
        self.now = self.repairs.poll_timeout().expect("something is due");
        self.act()
    }
}

fn ids(names: &[&str]) -> Vec<Id> {
    names.iter().map(|name| Id::new(name).unwrap()).collect()
}

fn failed() -> Read {
    Read::Failed { problem: "status 503".to_owned(), retry_in: Duration::ZERO }
}

fn since_s(since: Option<Past>) -> i64 {
    let now = Moment { wall: NOON + 3_600 * SECOND, boot: 3_600 * SECOND };
    (since.unwrap().by(now) - NOON) / SECOND
}

#[test]
fn a_round_reads_what_is_listed_a_few_at_a_time_and_says_that_the_hole_is_closed() {
    let mut world = World::new();
    world.request(100);
    assert!(world.act().is_empty() && world.lists.len() == 1);
    let first = world.list(&["a", "b", "c"]);
    assert_eq!(first, ids(&["a", "b"]));
    world.repairs.handle_read(world.now, &first[0], &Read::Done);
    assert_eq!(world.act(), ids(&["c"]));
    world.repairs.handle_read(world.now, &first[1], &Read::Done);
    assert!(world.act().is_empty() && world.told.is_empty(), "one is not read yet");
    world.repairs.handle_read(world.now, &ids(&["c"])[0], &Read::Gone);
    world.act();
    let gone = FeedEvent::Gone { conversation: ids(&["c"])[0].clone() };
    assert_eq!(world.told, [gone, FeedEvent::Repaired]);
    assert!(world.repairs.is_idle() && world.repairs.poll_timeout().is_none());
}

#[test]
fn a_read_that_fails_is_tried_again_and_fails_its_round_which_comes_again_with_its_hole() {
    let mut world = World::new();
    world.request(100);
    world.act();
    let reads = world.list(&["a", "b"]);
    let tries = std::cell::Cell::new(0_u32);
    let a = ids(&["a"])[0].clone();
    world.end_all(reads, |id| match *id == a {
        true => {
            tries.set(tries.get() + 1);
            failed()
        }
        false => Read::Done,
    });
    assert!(matches!(world.told.first(), Some(FeedEvent::RepairFailed { .. })), "{:?}", world.told);
    assert_eq!(world.lists.len(), 2, "it was tried again a few seconds later");
    assert!(tries.get().is_multiple_of(TRIES_MAX), "{} tries", tries.get());
    assert_eq!(since_s(world.lists[1]), 100);
    let reads = world.list(&["b"]);
    world.end_all(reads, |_| Read::Done);
    assert_eq!(world.told.last(), Some(&FeedEvent::Repaired));
}

#[test]
fn one_that_nobody_can_read_is_no_failure_of_the_round_and_is_asked_for_ever_more_rarely() {
    let mut world = World::new();
    world.request(100);
    world.act();
    let large = ids(&["large"]);
    let reads = world.list(&["large", "small"]);
    let unreadable = Read::Unreadable("too large".to_owned());
    world.end_all(reads, |id| if *id == large[0] { unreadable.clone() } else { Read::Done });
    let reason = "a conversation cannot be read: too large".to_owned();
    assert_eq!(world.told, [FeedEvent::RepairedBut { unread: large.clone(), reason: reason.clone() }]);
    let ended = world.ended.last().unwrap();
    assert_eq!((&ended.problem, &ended.unread), (&None, &Some((1, reason))));
    let mut waits = Vec::new();
    while waits.iter().sum::<Millis>() < 21_600_000 {
        let before = world.now;
        let again = world.go_on();
        assert_eq!(again, large);
        waits.push(world.now - before);
        world.repairs.handle_read(world.now, &again[0], &unreadable);
        world.act();
    }
    assert!(waits.windows(2).all(|pair| pair[1] == 2 * pair[0]) && waits[0] == 600_000, "{waits:?}");
    assert_eq!(world.lists.len(), 1, "the others are not read again for its sake");
    let again = world.go_on();
    world.repairs.handle_read(world.now, &again[0], &Read::Done);
    world.act();
    assert_eq!(world.lists.len(), 2, "now that it was read the hole may be closed");
    let reads = world.list(&[]);
    world.end_all(reads, |_| Read::Done);
    assert_eq!(world.told.last(), Some(&FeedEvent::Repaired));
}

#[test]
fn where_many_cannot_be_read_the_round_failed() {
    let mut world = World::new();
    world.request(100);
    world.act();
    let names: Vec<String> = (0..=100).map(|n| format!("c-{n}")).collect();
    let reads = world.list(&names.iter().map(String::as_str).collect::<Vec<_>>());
    world.end_all(reads, |_| Read::Unreadable("no object".to_owned()));
    assert!(matches!(world.told.as_slice(), [FeedEvent::RepairFailed { .. }]), "{:?}", world.told);
}

#[test]
fn a_feed_that_is_lost_in_its_round_is_not_told_and_its_hole_is_of_the_next() {
    let mut world = World::new();
    world.request(100);
    world.act();
    let reads = world.list(&["a"]);
    world.time += 1;
    world.end_all(reads, |_| Read::Done);
    assert!(world.told.is_empty(), "{:?}", world.told);
    world.time += 1;
    world.request(900);
    world.act();
    assert_eq!(since_s(world.lists[1]), 100);
}

#[test]
fn one_that_is_being_read_when_it_is_listed_is_read_once_more_for_the_round() {
    let mut world = World::new();
    world.repairs.wish(ids(&["a"])[0].clone(), 0);
    let early = world.act();
    world.request(100);
    world.act();
    assert!(world.list(&["a"]).is_empty(), "two answers may overtake one another");
    world.repairs.handle_read(world.now, &early[0], &Read::Done);
    let late = world.act();
    assert!(world.told.is_empty() && late == early, "the first may have been too early");
    world.end_all(late, |_| Read::Done);
    assert_eq!(world.told, [FeedEvent::Repaired]);
}

#[test]
fn a_wish_waits_for_its_time_and_a_round_takes_only_those_whose_time_has_come() {
    let mut world = World::new();
    world.repairs.wish(ids(&["later"])[0].clone(), 10 * MINUTE);
    world.request(100);
    world.act();
    let reads = world.list(&["a"]);
    world.end_all(reads, |_| Read::Done);
    assert_eq!(world.told, [FeedEvent::Repaired]);
    assert_eq!(world.go_on(), ids(&["later"]));
    assert_eq!(world.now, 10 * MINUTE);
}
