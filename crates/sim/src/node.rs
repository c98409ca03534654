//! One Headcount of the world: its disk, its clock, and, while it runs, everything that a process holds in memory.

use crate::disk::Disk;
use crate::feed::{Door, Feed, Hall};
use crate::pauses::Pause;
use crate::plan::NodePlan;
use crate::repairs::Repairer;
use crate::rim::Rim;
use crate::watch::Seen;
use engine::{Id, Shown};
use pipeline::{Answer, Clock, Keeper, Mail, Mailbox, Moment};
use simulator::{Dialect, Millis};
use std::time::Duration;
use wire::CloudTime;

/// Nanoseconds of a millisecond.
pub(crate) const MILLI: i64 = 1_000_000;

#[derive(Debug)]
pub(crate) struct Node {
    pub index: usize,
    pub plan: NodePlan,
    pub disk: Disk,
    /// How far its clock is ahead of the true one.
    pub ahead_ms: Millis,
    /// What the clock that counts from its start has missed.
    pub missed_ms: Millis,
    /// It stands still.
    pub pause: Option<Pause>,
    pub life: Option<Life>,
    pub lives: u32,
    /// It crashes in the middle of its next commit.
    pub doomed: bool,
    /// What the outside has seen of it.
    pub seen: Seen,
}

/// A process, from start to crash.
#[derive(Debug)]
pub(crate) struct Life {
    pub number: u32,
    pub keeper: Keeper,
    pub mailbox: Mailbox,
    /// What its wall clock has earned.
    pub clock: Clock,
    pub mail: Mail,
    /// When the next turn is.
    pub turn_at: Option<Millis>,
    /// A commit found the disk full: nothing else happens until it fits.
    pub stuck: bool,
    pub feeds: Vec<Feed>,
    /// What decides what is listened to, where that is the program's own machine.
    pub rim: Option<Rim>,
    pub repairer: Repairer,
    /// Where answers to REST reads wait.
    pub reads: Door,
    /// What time it is on the platform's clock, by the answers to REST reads.
    pub cloud: CloudTime,
    /// Since when the first round looks for what has ended, by the node's clock in nanoseconds.
    pub look_back: i64,
    /// The last instant that something was received at.
    received: i64,
    /// When it merged cells last, by the true clock.
    pub merged_at: Millis,
    /// When it removed what is old last, by the true clock.
    pub removed_at: Millis,
}

impl Node {
    /// Its clock at a true instant, in nanoseconds.
    pub fn clock(&self, now: Millis) -> i64 {
        (now + self.ahead_ms) * MILLI
    }

    /// Both of its clocks at a true instant.
    pub fn moment(&self, now: Millis) -> Moment {
        Moment { wall: self.clock(now), boot: (now - self.missed_ms) * MILLI }
    }

    /// The true instant at which its clock shows `at`.
    pub fn when(&self, at: i64) -> Millis {
        at.div_euclid(MILLI) + i64::from(at.rem_euclid(MILLI) > 0) - self.ahead_ms
    }

    /// Something waits to be decided and stored.
    pub fn has_mail(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.stuck || life.mailbox.waits())
    }

    /// The process, when it is still the one that was meant.
    pub fn life(&mut self, number: u32) -> Option<&mut Life> {
        self.life.as_mut().filter(|life| life.number == number)
    }
}

impl Life {
    /// What is shown of a conversation. A node whose own store cannot be read panics, which no seed may.
    pub fn about<T>(&self, id: &Id, now: i64, tell: impl FnOnce(&Shown<'_>) -> T) -> Answer<Option<T>> {
        self.keeper
            .about(id, now, tell)
            .unwrap_or_else(|error| panic!("the store could not be read: {error}"))
    }

    pub fn new(
        number: u32,
        (keeper, clock): (Keeper, Clock),
        mailbox: Mailbox,
        feeds: Vec<Feed>,
        repairer: Repairer,
        look_back: i64,
    ) -> Self {
        Self {
            number,
            clock,
            keeper,
            mailbox,
            mail: Mail::default(),
            turn_at: None,
            stuck: false,
            feeds,
            rim: None,
            repairer,
            reads: Door::new(Moment::default(), Duration::ZERO),
            cloud: CloudTime::default(),
            look_back,
            received: i64::MIN,
            merged_at: 0,
            removed_at: 0,
        }
    }

    /// The wall clock was set back by so much: what it read before is earlier by it now.
    pub fn clock_was_set(&mut self, back: i64) {
        self.look_back += back;
        self.feeds.iter_mut().for_each(|feed| feed.last_heard += back);
        self.rim.iter_mut().for_each(|rim| rim.clock_was_set(back));
    }

    /// Lets in what waits at the doors, as far as there is room.
    pub fn open_doors(&mut self, dialect: Dialect, moment: Moment, refuses: bool) -> Result<(), String> {
        let now = moment.wall;
        self.clock.set_both(now, moment.boot);
        self.cloud.reads(now, moment.boot);
        if self.received < now || self.received - now > MILLI {
            self.received = now;
        }
        let mut hall = Hall {
            mailbox: &self.mailbox,
            clock: &self.clock,
            dialect,
            cloud: &self.cloud,
            now: &mut self.received,
            moment,
            refuses,
        };
        let mut read_at = 0;
        self.reads.open(0, &mut read_at, &mut hall)?;
        for feed in &mut self.feeds {
            feed.open(&mut hall)?;
        }
        Ok(())
    }

    /// Nothing waits anywhere.
    pub fn is_idle(&self) -> bool {
        let listens = |feed: &Feed| feed.socket.is_some() && !feed.dead && feed.door.is_empty();
        let heard = self.rim.as_ref().is_none_or(Rim::is_settled);
        !self.stuck
            && heard
            && self.repairer.is_idle()
            && self.reads.is_empty()
            && self.feeds.iter().all(listens)
    }
}
