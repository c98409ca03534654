//! REST reads: rounds that close holes, wishes that are granted, and what goes wrong with either.

use crate::feed::Item;
use crate::repairer::{Request, Round};
use crate::truth::id_of;
use crate::watch::Broken;
use crate::world::{Alive, Answer, Call, World};
use engine::{FeedEvent, Id};
use pipeline::Moment;
use simulator::{Dialect, Millis};
use wire::{Origin, Outcome, Refused};

/// How often a read is tried before it counts as failed.
const TRIES_MAX: u32 = 3;
/// How far before a hole its conversations are looked for, in milliseconds.
const MARGIN_MS: Millis = 60_000;
/// How long until a failed round is tried again.
const RETRY_MS: Millis = 5_000;
/// When to look again whether a read of the same conversation is over.
const BUSY_MS: Millis = 20;
/// How far a `Date` that lies is off, at most.
const LIE_SECONDS_MAX: i64 = 43_200;
/// How long to wait when there were too many requests.
const THROTTLED_MS: Millis = 2_000;

impl World {
    pub fn request(&mut self, node: usize, request: Request) {
        if let Some(life) = &mut self.nodes[node].life {
            life.repairer.ask(request);
            self.soon(node, 0, Alive::Round);
        }
    }

    /// Grants wishes: each conversation is read once the dust has settled.
    pub fn grant(&mut self, node: usize, wishes: Vec<(Id, &'static str)>) {
        if self.plan.dialect != Dialect::Notifications {
            return;
        }
        let delay = self.nodes[node].plan.limits.repair_delay_ns / 1_000_000;
        for (id, reason) in wishes {
            let Some(life) = &mut self.nodes[node].life else { return };
            if life.repairer.wished.insert(id.clone()) {
                self.say(|| format!("n{node}: wishes for {id}: {reason}"));
                let in_ms = if reason == "gap" { 0 } else { delay };
                self.soon(node, in_ms, Alive::Read { id, round: false });
            }
        }
    }

    pub fn begin_round(&mut self, node: usize) -> Result<(), Broken> {
        let (ahead, clock) = (self.nodes[node].ahead_ms, self.nodes[node].clock(self.now));
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        let times: Vec<u64> = life.feeds.iter().map(|feed| feed.times).collect();
        let present = |feed: u16| times.get(usize::from(feed)).copied().unwrap_or(0);
        let Some(requests) = life.repairer.begin(present) else { return Ok(()) };
        let since = requests.iter().map(|request| request.since).min().unwrap_or(0);
        // What is live is asked for first, and the answer says what time it is there.
        let cloud = life.cloud.clone();
        self.hear_date(node, self.now / 1_000, clock);
        let ids = self.listed(cloud.at(since) / 1_000_000 - MARGIN_MS);
        self.say(|| format!("n{node}: a round reads {} (clock {ahead:+} ms)", ids.len()));
        let left = ids.iter().cloned().collect();
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        life.repairer.round = Some(Round { requests, left, failed: false });
        for id in ids {
            let in_ms = self.latency();
            self.soon(node, in_ms, Alive::Read { id, round: true });
        }
        self.finish_round(node)
    }

    /// What is live, and what has ended since.
    fn listed(&mut self, since: Millis) -> Vec<Id> {
        let truth = self.stage.truth(self.now);
        let hidden = |one: &&simulator::Conversation| one.ended_at.is_none_or(|ended| ended.0 >= since);
        truth.conversations.iter().filter(hidden).map(|one| id_of(one.id)).collect()
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

    /// What an answer is worth by what is believed of the platform's time: one whose times seem to lie ahead is as good as
    /// none, and asked for again.
    pub fn read_in_time(&self, node: usize, answer: Answer) -> Answer {
        let (Some(life), Answer::Body(body)) = (&self.nodes[node].life, &answer) else { return answer };
        let received = self.nodes[node].clock(self.now);
        let origin = Origin { feed: 0, received, sent_by: life.cloud.at(received) };
        let mut unused = wire::Batch::default();
        let decoded =
            wire::decode_conversation(body.as_bytes(), origin, &wire::Limits::default(), &mut unused);
        if decoded == Outcome::Refused(Refused::FutureTime) { Answer::Failed } else { answer }
    }

    /// The platform's time, in seconds, as an answer gives it: now and then a cache or a balancer lies.
    fn date(&mut self) -> i64 {
        let lies = !self.calm && self.rng.f64() < self.plan.reads.lying_dates;
        let lie = if lies { self.rng.i64(-LIE_SECONDS_MAX..=LIE_SECONDS_MAX) } else { 0 };
        self.now / 1_000 + lie
    }

    /// Begins a read, once no other of the same conversation is under way.
    pub fn read(&mut self, node: usize, id: Id, round: bool) {
        let Some(life) = &mut self.nodes[node].life else { return };
        if life.repairer.reading.contains(&id) {
            return self.soon(node, BUSY_MS, Alive::Read { id, round });
        }
        // What is wished for from now on is asked for again: this answer may be too early for it.
        if round || life.repairer.wished.remove(&id) {
            life.repairer.reading.insert(id.clone());
            self.ask(node, Call { id, tries: 1, round });
        }
    }

    /// A request reaches the platform, and is answered from what is so at that moment; the answer may be overtaken.
    pub fn ask(&mut self, node: usize, call: Call) {
        let fate = if self.calm { 1.0 } else { self.rng.f64() };
        let answer = if fate < self.plan.reads.failures {
            Answer::Failed
        } else if fate < self.plan.reads.failures + self.plan.reads.throttled {
            Answer::Throttled
        } else {
            match crate::truth::uuid_of(&call.id).and_then(|id| self.stage.read(id)) {
                Some(body) => Answer::Body(body),
                None => Answer::Gone,
            }
        };
        let in_ms = self.latency();
        let (asked, date) = (self.nodes[node].clock(self.now), self.date());
        self.soon(node, in_ms, Alive::Answered { call, asked, date, answer });
    }

    pub fn answered(&mut self, node: usize, call: Call, answer: Answer) -> Result<(), Broken> {
        let failed = match answer {
            Answer::Throttled => {
                self.soon(node, THROTTLED_MS, Alive::Ask(call));
                return Ok(());
            }
            Answer::Failed if call.tries < TRIES_MAX => {
                let again = Call { tries: call.tries + 1, ..call };
                self.soon(node, 200 * i64::from(call.tries), Alive::Ask(again));
                return Ok(());
            }
            Answer::Failed => true,
            Answer::Gone => false,
            Answer::Body(body) => {
                if let Some(life) = &mut self.nodes[node].life {
                    life.reads.put(Item::Read(body));
                }
                false
            }
        };
        let Call { id, round, .. } = call;
        self.say(|| format!("n{node}: read {id}{}", if failed { ": failed" } else { "" }));
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        life.repairer.reading.remove(&id);
        if round {
            let finished = life.repairer.done(&id, failed);
            self.conclude(node, finished);
        } else if failed {
            life.repairer.wished.insert(id.clone());
            self.soon(node, RETRY_MS, Alive::Read { id, round: false });
        }
        self.wake(node)
    }

    fn finish_round(&mut self, node: usize) -> Result<(), Broken> {
        let finished = self.nodes[node].life.as_mut().and_then(|life| life.repairer.finished());
        self.conclude(node, finished);
        self.wake(node)
    }

    /// Tells the feeds of a finished round what it proved.
    fn conclude(&mut self, node: usize, round: Option<Round>) {
        let Some(round) = round else { return };
        for request in round.requests {
            let Some(life) = &mut self.nodes[node].life else { return };
            let Some(feed) = life.feeds.get_mut(usize::from(request.feed)) else { continue };
            if feed.times != request.time {
                life.repairer.carry(&request);
                continue;
            }
            let event = match round.failed {
                false => FeedEvent::Repaired,
                true => FeedEvent::RepairFailed { reason: "a conversation could not be read".to_owned() },
            };
            // The answers that prove it are taken first: they wait at the same door.
            life.reads.put(Item::Note(request.feed, event));
            if round.failed {
                life.repairer.ask(request);
            }
        }
        self.say(|| format!("n{node}: the round {}", if round.failed { "failed" } else { "is done" }));
        self.soon(node, if round.failed { RETRY_MS } else { 0 }, Alive::Round);
    }

    pub fn latency(&mut self) -> Millis {
        let most = if self.calm { 20 } else { self.plan.reads.latency_ms_max };
        self.rng.i64(1..=most)
    }
}
