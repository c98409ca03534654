//! What a node does by itself, and what happens to it: starts, turns, crashes, stops, a full disk.

use crate::disk::Tail;
use crate::feed::{Feed, Item};
use crate::node::Life;
use crate::plan::Topics;
use crate::repairs::Repairer;
use crate::rim::Rim;
use crate::watch::{Broken, Invariant};
use crate::world::{Alive, Next, World};
use engine::{Batch, FeedEvent};
use pipeline::{Keeper, Mailbox, Telemetry};
use prometheus_client::registry::Registry;
use simulator::{Dialect, Millis};
use store::{Store, StoreError};

/// How long a node is down after a crash, at most.
const DOWN_MS_MAX: Millis = 20_000;
/// How long until a commit that found the disk full is tried again.
const FULL_MS: Millis = 1_000;
/// What data folders made here are known by.
const EPOCH: u64 = 7;

impl World {
    pub fn start(&mut self, node: usize) -> Result<(), Broken> {
        if self.nodes[node].life.is_some() {
            return Ok(());
        }
        if self.disk_refuses(node)? {
            self.start_again(node);
            return Ok(());
        }
        let (moment, clock) = (self.nodes[node].moment(self.now), self.new_clock(node));
        let now = moment.wall;
        let known = &mut self.nodes[node];
        known.pause = None;
        let failed = |error: &dyn std::fmt::Display| Broken::new(Invariant::NodeStarts, error.to_string());
        let opened = Store::open(known.disk.folder(), EPOCH).map_err(|error| failed(&error))?;
        let seq = opened.seq;
        let (keeper, recovered) =
            Keeper::recover(opened, known.plan.limits, now).map_err(|error| failed(&error))?;
        known.lives += 1;
        let number = known.lives;
        let (plan, index) = (known.plan.clone(), known.index);
        let feeds = plan.feeds.iter().enumerate().filter_map(|(index, topics)| {
            let number = u16::try_from(index).ok()?;
            Some(Feed::new(number, *topics, self.outlet(*topics), moment, self.plan.network.silence_max()))
        });
        let mailbox = Mailbox::new(plan.mailbox, Telemetry::new(&mut Registry::default()));
        let feeds = feeds.collect();
        let repairer = Repairer::new(self.plan.repair_concurrency, self.rng.u64(..), moment);
        let mut life = Life::new(number, (keeper, clock), mailbox, feeds, repairer, recovered.look_back_to);
        life.keeper.follow(plan.followed);
        let resends = self.plan.dialect == Dialect::Events;
        for feed in &mut life.feeds {
            let name = FeedEvent::Named { name: name_of(feed.topics, feed.index), resends };
            feed.door.put(Item::Note(feed.index, name));
        }
        let feeds = life.feeds.len();
        self.nodes[node].life = Some(life);
        self.say(|| format!("n{index}: starts, life {number}: {recovered:?}"));
        self.check_return(node, recovered.incarnation, seq)?;
        if let Some(life) = &mut self.nodes[node].life {
            life.keeper.begin(now);
        }
        self.finish_turn(node)?;
        if plan.feeds.contains(&Topics::Discovered) {
            let moment = self.nodes[node].moment(self.now);
            let looks_back = (moment.wall - recovered.look_back_to).max(0) / 1_000_000;
            let rim = Rim::new(&self.plan.rim, self.rng.u64(..), moment, looks_back);
            if let Some(life) = &mut self.nodes[node].life {
                life.rim = Some(rim);
            }
            (0..feeds).for_each(|feed| self.soon(node, 0, Alive::Look { feed }));
            return self.drive_rim(node);
        }
        for feed in 0..feeds {
            let in_ms = if self.calm { 10 } else { self.rng.i64(0..2_000) };
            self.soon(node, in_ms, Alive::Connected { feed });
            self.soon(node, 0, Alive::Look { feed });
        }
        self.wake(node)
    }

    /// Lets in what waits, and sees to it that a turn comes.
    pub fn wake(&mut self, node: usize) -> Result<(), Broken> {
        self.open_doors(node)?;
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        if !life.stuck {
            let in_ms = self.rng.i64(0..=self.nodes[node].plan.turn_ms_max);
            self.turn_in(node, in_ms);
        }
        Ok(())
    }

    fn turn_in(&mut self, node: usize, in_ms: Millis) {
        let at = self.now + in_ms.max(0);
        let Some(life) = &mut self.nodes[node].life else { return };
        if life.turn_at.is_none_or(|known| at < known) {
            life.turn_at = Some(at);
            self.soon(node, in_ms, Alive::Turn);
        }
    }

    pub fn turn(&mut self, node: usize) -> Result<(), Broken> {
        let clock = self.nodes[node].clock(self.now);
        let facts_max = self.nodes[node].plan.turn_facts_max;
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        if life.turn_at.is_none_or(|at| at > self.now) {
            return Ok(());
        }
        life.turn_at = None;
        if self.nodes[node].doomed && self.nodes[node].has_mail() {
            return self.crash(node);
        }
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        if !life.stuck {
            decide(life, facts_max, clock)?;
        }
        self.finish_turn(node)
    }

    /// Commits, shows what was committed, and puts the next turn down.
    fn finish_turn(&mut self, node: usize) -> Result<(), Broken> {
        let clock = self.nodes[node].clock(self.now);
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        match life.keeper.commit(clock) {
            Ok(batch) => {
                life.stuck = false;
                self.shown(node, &batch, clock)?;
                self.put_back(node, batch);
            }
            Err(StoreError::Full) => {
                life.stuck = true;
                self.say(|| format!("n{node}: the disk is full"));
                self.turn_in(node, FULL_MS);
                return Ok(());
            }
            Err(error) => return Err(Broken::new(Invariant::NodeRuns, error.to_string())),
        }
        self.merge_cells(node)?;
        self.forget(node)?;
        self.open_doors(node)?;
        self.next_turn(node);
        Ok(())
    }

    fn open_doors(&mut self, node: usize) -> Result<(), Broken> {
        let (dialect, moment) = (self.plan.dialect, self.nodes[node].moment(self.now));
        let refuses = self.may_refuse();
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        let opened = life.open_doors(dialect, moment, refuses);
        opened.map_err(|frame| Broken::new(Invariant::NothingRefused, frame))?;
        self.give_up(node);
        Ok(())
    }

    fn put_back(&mut self, node: usize, mut batch: Batch) {
        let wishes = std::mem::take(&mut batch.wishes);
        if let Some(life) = &mut self.nodes[node].life {
            life.keeper.reuse(batch);
        }
        self.grant(node, wishes);
    }

    pub fn next_turn(&mut self, node: usize) {
        let most = self.nodes[node].plan.turn_ms_max;
        let waits = self.nodes[node].life.as_ref().is_some_and(|life| life.mailbox.waits());
        if waits {
            let in_ms = self.rng.i64(0..=most);
            self.turn_in(node, in_ms);
        }
        let due = self.nodes[node].life.as_ref().and_then(|life| life.keeper.wake_at());
        if let Some(at) = due {
            let in_ms = self.nodes[node].when(at) - self.now;
            self.turn_in(node, in_ms.clamp(1, 3_600_000));
        }
    }

    /// A crash now, or in the middle of the next commit that has something to store.
    pub fn crash(&mut self, node: usize) -> Result<(), Broken> {
        let clock = self.nodes[node].clock(self.now);
        let known = &mut self.nodes[node];
        if !known.doomed && self.rng.bool() {
            known.doomed = true;
            return Ok(());
        }
        let Some(mut life) = known.life.take() else { return Ok(()) };
        let in_commit = std::mem::take(&mut known.doomed);
        let synced = known.disk.log_bytes();
        if in_commit {
            if !life.stuck {
                decide(&mut life, known.plan.turn_facts_max, clock)?;
            }
            // Whether it succeeds or not, nobody was told.
            let _nobody_was_told = life.keeper.commit(clock);
        }
        let tail = Some(Tail { synced, written: known.disk.log_bytes() });
        let torn = known.disk.crash(tail, &mut self.rng);
        let said = torn.map_err(|error| Broken::new(Invariant::NodeStarts, error.to_string()))?;
        self.say(|| format!("n{node}: crashes{}: {said}", if in_commit { " in a commit" } else { "" }));
        self.start_again(node);
        Ok(())
    }

    /// A stop in order: what waits is taken and committed.
    pub fn stop(&mut self, node: usize) -> Result<(), Broken> {
        let clock = self.nodes[node].clock(self.now);
        while let Some(life) = self.nodes[node].life.as_mut().filter(|life| !life.stuck) {
            if !life.mailbox.waits() {
                break;
            }
            decide(life, usize::MAX, clock)?;
            self.finish_turn(node)?;
        }
        let Some(life) = self.nodes[node].life.take() else { return Ok(()) };
        if !life.stuck {
            life.keeper.close().map_err(|error| Broken::new(Invariant::NodeRuns, error.to_string()))?;
        }
        self.say(|| format!("n{node}: stops"));
        self.start_again(node);
        Ok(())
    }

    fn start_again(&mut self, node: usize) {
        let down = if self.calm { 10 } else { self.rng.i64(10..DOWN_MS_MAX) };
        self.agenda.put(self.now + down, Next::Start(node));
    }

    /// Whether the disk refuses to be opened at this start; if so, the store says it and leaves no harm.
    fn disk_refuses(&mut self, node: usize) -> Result<bool, Broken> {
        if self.calm || self.rng.f64() >= self.plan.host.refusals {
            return Ok(false);
        }
        let failed = |error: &dyn std::fmt::Display| Broken::new(Invariant::NodeStarts, error.to_string());
        let disk = &self.nodes[node].disk;
        let refusal = disk.refuse(&mut self.rng).map_err(|error| failed(&error))?;
        let opened = Store::open(disk.folder(), EPOCH);
        disk.relent(refusal).map_err(|error| failed(&error))?;
        match opened {
            Ok(_) => Err(failed(&"a disk that refuses was opened")),
            Err(error) => {
                self.say(|| format!("n{node}: cannot start: {error}"));
                Ok(true)
            }
        }
    }

    pub fn fill_disk(&mut self, node: usize) {
        let pages = self.rng.u32(0..4);
        let for_ms = self.rng.i64(500..15_000);
        if let Some(life) = &self.nodes[node].life {
            let _bounded = life.keeper.store().bound_growth(Some(pages));
            self.say(|| format!("n{node}: its disk has room for {pages} more pages"));
            self.agenda.put(self.now + for_ms, Next::FreeDisk(node));
        }
    }

    pub fn free_disk(&mut self, node: usize) {
        if let Some(life) = &self.nodes[node].life {
            let _freed = life.keeper.store().bound_growth(None);
        }
    }
}

/// Hands the keeper what waits, and lets time pass.
fn decide(life: &mut Life, facts_max: usize, clock: i64) -> Result<(), Broken> {
    life.mailbox.take(facts_max, &mut life.mail);
    let taken = life.keeper.take(&mut life.mail, clock);
    taken.map_err(|error| Broken::new(Invariant::NodeRuns, error.to_string()))?;
    life.keeper.pass_time(clock);
    Ok(())
}

/// What a feed is called.
pub(crate) fn name_of(topics: Topics, index: u16) -> String {
    format!("{topics:?} {index}")
}
