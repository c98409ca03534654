//! REST repair on the virtual clock: the program's own machine decides, the world answers late, wrongly or not at all.
//!
//! Lists and reads fail, once or for as long as faults go on; there are too many requests; an answer says what was so when it
//! was asked for, and may be overtaken; its `Date` may be a lie; some conversations nobody can read. A list of what the hole
//! may hide has what began on a day that the hole touches, as the platform's has.

use crate::feed::Item;
use crate::truth::{id_of, uuid_of};
use crate::watch::Broken;
use crate::world::{Alive, World};
use engine::Id;
use pipeline::Moment;
use simulator::{Dialect, Millis};
use source::listening::{Elapsed, LOOK_EVERY};
use source::repairing::{Effect, Listed, Read, Repairs, Request};
use source::{Past, Timing};
use std::time::Duration;
use wire::{Origin, Outcome, Refused};

/// How far before a hole its conversations are looked for.
const MARGIN_MS: Millis = 60_000;
/// When to look again whether what was heard is with the engine.
const SETTLE_MS: Millis = 20;
/// How far a `Date` that lies is off, at most.
const LIE_SECONDS_MAX: i64 = 43_200;
/// How long to wait when there were too many requests.
const THROTTLED: Duration = Duration::from_secs(2);
const DAY_MS: Millis = 86_400_000;

/// What comes next in the repair of a node.
#[derive(Debug)]
pub(crate) enum Step {
    /// The machine wanted to be woken.
    Wake,
    /// A list waits until what was heard is with the engine.
    Settle,
    /// A list is there.
    Listed(Listed),
    /// An answer is there.
    Answered(Answered),
}

/// The answer to a read.
#[derive(Debug)]
pub(crate) struct Answered {
    id: Id,
    /// When it was asked for, by the node's clock in nanoseconds.
    asked: i64,
    /// What time it is there, in seconds, by the answer.
    date: i64,
    /// What it says; else how the read ends.
    body: Result<String, Read>,
}

/// The machine, and what it waits for.
#[derive(Debug)]
pub(crate) struct Repairer {
    repairs: Repairs,
    elapsed: Elapsed,
    /// When it wants to be woken.
    wake_at: Option<Millis>,
    list: Option<List>,
}

/// A list that is to be asked for once what came up to a number is decided.
#[derive(Clone, Copy, Debug)]
struct List {
    since: Option<Past>,
    /// `None` while something to be told waits for room.
    behind: Option<u64>,
}

impl Repairer {
    /// A machine that is driven from `now` on.
    pub fn new(concurrency: usize, seed: u64, now: Moment) -> Self {
        let seconds = Duration::from_secs;
        let timing = Timing {
            repair_concurrency: concurrency,
            backoff_min: Duration::from_millis(200),
            backoff_max: seconds(2),
            repair_retry_min: seconds(2),
            repair_retry_max: seconds(5),
            read_again: seconds(2),
            read_again_lasting: seconds(5),
            read_again_max: seconds(10),
            ..Timing::default()
        };
        Self {
            repairs: Repairs::new(timing, fastrand::Rng::with_seed(seed)),
            elapsed: Elapsed::new(now, 0),
            wake_at: None,
            list: None,
        }
    }

    /// Nothing is asked for or under way.
    pub fn is_idle(&self) -> bool {
        self.repairs.is_idle() && self.list.is_none()
    }
}

impl World {
    /// A feed wants what it missed since an instant of the node's clock.
    pub fn request(&mut self, node: usize, feed: usize, since: i64) {
        let moment = self.nodes[node].moment(self.now);
        let Some(life) = &mut self.nodes[node].life else { return };
        let known = &life.feeds[feed];
        let since = Some(Past::new(since, moment));
        life.repairer.repairs.request(Request { feed: known.index, since, time: known.times });
        self.soon(node, 0, Alive::Repairs(Step::Wake));
    }

    /// The engine wants conversations read, each once the dust has settled.
    pub fn grant(&mut self, node: usize, wishes: Vec<(Id, &'static str)>) {
        if self.plan.dialect != Dialect::Notifications || wishes.is_empty() {
            return;
        }
        let delay = self.nodes[node].plan.limits.repair_delay_ns / 1_000_000;
        for (id, reason) in wishes {
            self.say(|| format!("n{node}: wishes for {id}: {reason}"));
            if reason == "toggle_order" {
                self.nodes[node].seen.doubtful.insert(id.clone());
            }
            let Some((repairer, at)) = self.repairer_at(node) else { return };
            let wait = if reason == "gap" { 0 } else { delay.unsigned_abs() };
            repairer.repairs.wish(id, at + wait);
        }
        self.soon(node, 0, Alive::Repairs(Step::Wake));
    }

    /// Something comes of what the machine wanted.
    pub fn repair(&mut self, node: usize, step: Step) -> Result<(), Broken> {
        match step {
            Step::Wake => {}
            Step::Settle => self.settle(node),
            Step::Listed(listed) => {
                self.say(|| format!("n{node}: a round has listed {:?}", listed.conversations));
                if let Some((repairer, at)) = self.repairer_at(node) {
                    repairer.repairs.handle_listed(at, listed);
                }
            }
            Step::Answered(answered) => self.answered(node, answered),
        }
        self.drive_repairs(node);
        self.wake(node)
    }

    /// Takes the platform's time, in whole seconds, from an answer that comes now.
    pub fn hear_date(&mut self, node: usize, date: i64, asked: i64) {
        let Moment { wall: clock, boot } = self.nodes[node].moment(self.now);
        if let Some(life) = &self.nodes[node].life {
            life.cloud.reads(clock, boot);
            life.cloud.heard(date, asked, clock);
            life.clock.set_both(clock, boot);
            life.clock.witness(date.saturating_mul(engine::SECOND));
        }
    }

    /// The machine of a node, and its present time.
    fn repairer_at(&mut self, node: usize) -> Option<(&mut Repairer, u64)> {
        let moment = self.nodes[node].moment(self.now);
        let repairer = &mut self.nodes[node].life.as_mut()?.repairer;
        let at = repairer.elapsed.advance(moment);
        Some((repairer, at))
    }

    /// Lets the machine act, carries out what it wants, and comes back when it wants to be woken.
    fn drive_repairs(&mut self, node: usize) {
        let now = self.now;
        let Some(life) = &self.nodes[node].life else { return };
        let times: Vec<u64> = life.feeds.iter().map(|feed| feed.times).collect();
        let present = |feed: u16| times.get(usize::from(feed)).copied().unwrap_or(0);
        let Some((repairer, at)) = self.repairer_at(node) else { return };
        repairer.repairs.handle_timeout(at, present);
        while let Some(effect) = self.repairer_at(node).and_then(|(r, _)| r.repairs.poll_effect()) {
            self.carry_out_repair(node, effect);
        }
        let Some((repairer, at)) = self.repairer_at(node) else { return };
        let Some(due) = repairer.repairs.poll_timeout() else { return };
        let wait = Duration::from_millis(due.saturating_sub(at).max(1)).min(LOOK_EVERY);
        let due = now + i64::try_from(wait.as_millis()).unwrap_or(1);
        if repairer.wake_at.is_none_or(|known| known <= now || due < known) {
            repairer.wake_at = Some(due);
            self.soon(node, due - now, Alive::Repairs(Step::Wake));
        }
    }

    fn carry_out_repair(&mut self, node: usize, effect: Effect) {
        match effect {
            Effect::List(since) => {
                if let Some((repairer, _)) = self.repairer_at(node) {
                    repairer.list = Some(List { since, behind: None });
                }
                self.settle(node);
            }
            Effect::Read(id) => self.ask(node, id),
            Effect::Tell(feed, event) => {
                self.say(|| format!("n{node} f{feed}: {event:?}"));
                if let Some(life) = &mut self.nodes[node].life {
                    // The answers that prove it are taken first: they wait at the same door.
                    life.reads.put(Item::Note(feed, event));
                }
            }
            Effect::Ended(ended) => self.say(|| format!("n{node}: {ended:?}")),
        }
    }

    /// Lists once what was heard before, and that the feeds listen again, is with the engine.
    fn settle(&mut self, node: usize) {
        let Some(life) = &mut self.nodes[node].life else { return };
        let is_told = life.feeds.iter().all(|feed| !feed.door.has_news());
        let Some(list) = &mut life.repairer.list else { return };
        if list.behind.is_none() && is_told {
            list.behind = Some(life.mailbox.newest());
        }
        if life.stuck || list.behind.is_none_or(|number| life.mail.taken_to < number) {
            return self.soon(node, SETTLE_MS, Alive::Repairs(Step::Settle));
        }
        let since = list.since;
        life.repairer.list = None;
        self.list(node, since);
    }

    /// What is live, and what has ended since, as it is now and as it is listed in a while.
    fn list(&mut self, node: usize, since: Option<Past>) {
        let (moment, in_ms) = (self.nodes[node].moment(self.now), self.latency());
        let fails = self.rest_fails();
        self.hear_date(node, self.now / 1_000, moment.wall);
        let Some(life) = &self.nodes[node].life else { return };
        let from = since.map(|since| life.cloud.at(since.by(moment)) / 1_000_000 - MARGIN_MS);
        let mut listed = Listed::default();
        if fails {
            listed.problem = Some("the list broke off".to_owned());
        } else {
            listed.conversations = self.listed(from);
        }
        self.soon(node, in_ms, Alive::Repairs(Step::Listed(listed)));
    }

    fn listed(&mut self, from: Option<Millis>) -> Vec<Id> {
        let truth = self.stage.truth(self.now);
        let hidden = |one: &&simulator::Conversation| {
            let begins = one.started_at.0.div_euclid(DAY_MS);
            let since = |from: Millis| {
                begins >= from.div_euclid(DAY_MS) && one.ended_at.is_some_and(|at| at.0 >= from)
            };
            one.ended_at.is_none() || from.is_some_and(since)
        };
        truth.conversations.iter().filter(hidden).map(|one| id_of(one.id)).collect()
    }

    /// The platform's time, in seconds, as an answer gives it: now and then a cache or a balancer lies.
    fn date(&mut self) -> i64 {
        let lies = !self.calm && self.rng.f64() < self.plan.reads.lying_dates;
        let lie = if lies { self.rng.i64(-LIE_SECONDS_MAX..=LIE_SECONDS_MAX) } else { 0 };
        self.now / 1_000 + lie
    }

    /// A request reaches the platform, and is answered from what is so at that moment; the answer may be overtaken.
    fn ask(&mut self, node: usize, id: Id) {
        let failed = |retry_in| Err(Read::Failed { problem: "status 503".to_owned(), retry_in });
        let body = if self.rest_fails() {
            failed(Duration::ZERO)
        } else if !self.calm && self.rng.f64() < self.plan.reads.throttled {
            failed(THROTTLED)
        } else if self.is_unreadable(&id) {
            Err(Read::Unreadable("the answer is too large".to_owned()))
        } else {
            uuid_of(&id).and_then(|id| self.stage.read(id)).ok_or(Read::Gone)
        };
        let in_ms = self.latency();
        let (asked, date) = (self.nodes[node].clock(self.now), self.date());
        self.soon(node, in_ms, Alive::Repairs(Step::Answered(Answered { id, asked, date, body })));
    }

    /// Whether a call fails.
    fn rest_fails(&mut self) -> bool {
        if self.calm { self.plan.rest_ends } else { self.rng.f64() < self.plan.reads.failures }
    }

    /// Whether REST brings what was missed of a conversation in the end.
    pub fn is_healed(&self, id: &Id) -> bool {
        !self.plan.rest_ends && !self.is_unreadable(id)
    }

    /// Whether a conversation is one of those that nobody can read: always the same ones.
    fn is_unreadable(&self, id: &Id) -> bool {
        let seed = uuid_of(id).map_or(0, |id| id.0.as_u64_pair().0) ^ self.plan.seed;
        let lasts = !self.calm || self.plan.unreadable_for_good;
        lasts && fastrand::Rng::with_seed(seed).f64() < self.plan.unreadable
    }

    fn answered(&mut self, node: usize, answered: Answered) {
        let Answered { id, asked, date, body } = answered;
        self.hear_date(node, date, asked);
        let read = match body {
            Ok(body) if self.is_in_time(node, &body) => {
                self.nodes[node].seen.doubtful.remove(&id);
                if let Some(life) = &mut self.nodes[node].life {
                    life.reads.put(Item::Read(body));
                }
                Read::Done
            }
            Ok(_) => Read::Failed { problem: "future_time".to_owned(), retry_in: Duration::ZERO },
            Err(read) => read,
        };
        self.say(|| format!("n{node}: read {id}: {read:?}"));
        if let Some((repairer, at)) = self.repairer_at(node) {
            repairer.repairs.handle_read(at, &id, &read);
        }
    }

    /// Whether an answer makes sense by what is believed of the platform's time.
    fn is_in_time(&self, node: usize, body: &str) -> bool {
        let Some(life) = &self.nodes[node].life else { return true };
        let received = self.nodes[node].clock(self.now);
        let origin = Origin { feed: 0, received, sent_by: life.cloud.at(received) };
        let mut unused = wire::Batch::default();
        let decoded =
            wire::decode_conversation(body.as_bytes(), origin, &wire::Limits::default(), &mut unused);
        decoded != Outcome::Refused(Refused::FutureTime)
    }

    pub fn latency(&mut self) -> Millis {
        let most = if self.calm { 20 } else { self.plan.reads.latency_ms_max };
        self.rng.i64(1..=most)
    }
}
