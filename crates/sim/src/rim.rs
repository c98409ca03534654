//! What a node listens to, decided by the program's own machine: lists, topics, channels and sockets on the virtual clock.
//!
//! The machine ([`Listener`]) says what to do; the world does it late, wrongly or not at all: pages that fail once or for
//! long, a permission that is missing for a while, channels that cannot be made, subscriptions whose call fails, whose
//! answer gets lost or leaves topics out, sockets that cannot be opened, are announced to close, are closed, or die unseen,
//! channels that vanish. What no topic covers is sent by nobody, so that a claim about it is false.

use crate::feed::Item;
use crate::node::MILLI;
use crate::plan::Rim as Plan;
use crate::turns::name_of;
use crate::watch::Broken;
use crate::world::{Alive, OPENING, World};
use engine::{FeedEvent, Id, Limit};
use pipeline::Moment;
use simulator::{Frame, Millis, Outlet};
use source::Timing;
use source::listening::{Answer, Cause, Effect, Elapsed, Failure, LOOK_EVERY, ListKind, Listener, Page};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use wire::Control;

/// Entities on a page of a list.
const PAGE_ENTITIES: usize = 2;
/// How long the answer to a ping takes.
const PONG_MS: Millis = 20;
/// How long it takes to see that a socket was closed.
const NOTICE_MS: Millis = 5;
/// From the notice that a socket will close to its close.
const CLOSING_MS: Millis = 1_500;

/// What came of something that the machine wanted.
#[derive(Debug)]
pub(crate) enum Report {
    Wake,
    Page(ListKind, Result<Page, Failure>),
    Made(usize, Result<usize, Failure>),
    Subscribed(usize, u32, Result<Answer, Failure>),
    Open(usize, u32, bool),
    Heard(usize, u32),
    Said(usize, u32, Control),
    Closed(usize, u32),
}

/// The machine, and what it has made of the cloud.
#[derive(Debug)]
pub(crate) struct Rim {
    listener: Listener,
    /// How much went by for the process since the machine's beginning.
    elapsed: Elapsed,
    /// When it wants to be woken.
    wake_at: Option<Millis>,
    /// The channels that were made for each feed, in order, as the cloud numbers them.
    made: BTreeMap<usize, Vec<usize>>,
    /// On which of the cloud's channels each socket is.
    sockets: BTreeMap<(usize, u32), usize>,
    /// Since when something is not heard, by the node's clock in nanoseconds; and since when it was missed unasked.
    limited_since: BTreeMap<usize, i64>,
    missing_since: BTreeMap<usize, i64>,
}

impl Rim {
    /// A machine that is driven from `now` on, and answers for so much time before.
    pub fn new(plan: &Plan, seed: u64, now: Moment, looks_back: Millis) -> Self {
        let listener =
            Listener::new(&source::Topics::Discover, plan.timing(), fastrand::Rng::with_seed(seed));
        Self {
            listener,
            elapsed: Elapsed::new(now, looks_back.unsigned_abs()),
            wake_at: None,
            made: BTreeMap::new(),
            sockets: BTreeMap::new(),
            limited_since: BTreeMap::new(),
            missing_since: BTreeMap::new(),
        }
    }

    /// The wall clock was set back by so much: what it read before is earlier by it now.
    pub fn clock_was_set(&mut self, back: i64) {
        let since = self.limited_since.values_mut().chain(self.missing_since.values_mut());
        since.for_each(|since| *since += back);
    }

    /// How the cloud numbers one of the channels that were made for a feed, counted from 1.
    fn number(&self, channel: usize, made: u32) -> Option<usize> {
        let at = usize::try_from(made).ok()?.checked_sub(1)?;
        self.made.get(&channel)?.get(at).copied()
    }

    /// Nothing is left to be heard.
    pub fn is_settled(&self) -> bool {
        self.limited_since.is_empty()
    }
}

impl Plan {
    /// Waits that suit a world of a minute.
    fn timing(&self) -> Timing {
        let ms = |ms: Millis| Duration::from_millis(ms.unsigned_abs());
        Timing {
            ping_after: ms(self.watchdog_ms * 4 / 5),
            pong_timeout: ms(self.watchdog_ms / 5 + 2 * PONG_MS),
            backoff_min: ms(200),
            backoff_max: ms(5_000),
            channel_stable_after: ms(2_000),
            overlap: ms(6_000),
            channel_renew_after: ms(self.renew_ms),
            rediscover_every: ms(self.rediscover_ms),
            ..Timing::default()
        }
    }
}

fn failure(problem: &str, lasting: bool) -> Failure {
    Failure { problem: problem.to_owned(), retry_in: Duration::ZERO, lasting }
}

impl World {
    fn rim(&mut self, node: usize) -> Option<&mut Rim> {
        self.nodes[node].life.as_mut()?.rim.as_mut()
    }

    /// The machine of a node, and its present time.
    fn rim_at(&mut self, node: usize) -> Option<(&mut Rim, u64)> {
        let moment = self.nodes[node].moment(self.now);
        let rim = self.rim(node)?;
        let at = rim.elapsed.advance(moment);
        Some((rim, at))
    }

    /// Lets the machine of a node act, carries out what it wants, and comes back when it wants to be woken.
    pub fn drive_rim(&mut self, node: usize) -> Result<(), Broken> {
        let now = self.now;
        let Some((rim, at)) = self.rim_at(node) else { return Ok(()) };
        rim.listener.handle_timeout(at);
        while let Some(effect) = self.rim(node).and_then(|rim| rim.listener.poll_effect()) {
            self.carry_out(node, effect);
        }
        let Some((rim, at)) = self.rim_at(node) else { return Ok(()) };
        let wait = rim.listener.poll_timeout().map(|due| due.saturating_sub(at).max(1));
        let wait = wait.map_or(LOOK_EVERY, Duration::from_millis).min(LOOK_EVERY);
        let due = now + i64::try_from(wait.as_millis()).unwrap_or(1);
        if rim.wake_at.is_none_or(|known| known <= now || due < known) {
            rim.wake_at = Some(due);
            self.soon(node, due - now, Alive::Rim(Report::Wake));
        }
        self.wake(node)
    }

    /// Takes what came of something.
    pub fn reported(&mut self, node: usize, report: Report) -> Result<(), Broken> {
        let Some((rim, at)) = self.rim_at(node) else { return Ok(()) };
        match report {
            Report::Wake => {}
            Report::Page(list, page) => rim.listener.handle_page(at, list, page),
            Report::Made(channel, made) => {
                let made = made.map(|number| rim.made.entry(channel).or_default().push(number));
                rim.listener.handle_channel(at, channel, made);
            }
            Report::Subscribed(channel, made, answer) => {
                rim.listener.handle_subscribed(at, channel, made, answer);
            }
            Report::Open(channel, socket, true) => return self.socket_opens(node, channel, socket),
            Report::Open(channel, socket, false) => {
                rim.sockets.remove(&(channel, socket));
                rim.listener.handle_open_failed(at, channel, socket, false, "it was refused".to_owned());
            }
            Report::Said(channel, socket, said) => rim.listener.handle_control(at, channel, socket, &said),
            Report::Heard(channel, socket) => self.hears(node, channel, socket),
            Report::Closed(channel, socket) => {
                rim.listener.handle_closed(at, channel, socket, Cause::Closed);
                self.socket_ends(node, channel, socket);
            }
        }
        self.drive_rim(node)
    }

    /// Something came on a socket.
    pub fn hears(&mut self, node: usize, channel: usize, socket: u32) {
        let alive = self.nodes[node].life.as_ref().is_some_and(|life| life.feeds[channel].hears(socket));
        if alive {
            self.tell_heard(node, channel, socket);
        }
    }

    /// The machine is told that something came, whatever became of the peer since.
    pub fn tell_heard(&mut self, node: usize, channel: usize, socket: u32) {
        let moment = self.nodes[node].moment(self.now);
        let Some(life) = &self.nodes[node].life else { return };
        let silent = life.feeds[channel].door.silent(moment).unsigned_abs().div_ceil(MILLI.unsigned_abs());
        if let Some((rim, at)) = self.rim_at(node) {
            rim.listener.handle_heard(at, channel, socket, at.saturating_sub(silent));
        }
    }

    /// Notes for the judge which changes no topic of a node covered, and when: what topics carry, less what hers do.
    pub fn note_uncovered(&mut self, frames: &[Frame]) {
        let Some(observer) = self.observer else { return };
        let changed: BTreeSet<_> =
            frames.iter().filter(|f| f.outlet == observer).map(|f| f.conversation).collect();
        for node in 0..self.nodes.len() {
            let clock = self.nodes[node].clock(self.now);
            let Some(life) = self.nodes[node].life.as_ref().filter(|life| life.rim.is_some()) else {
                continue;
            };
            let covers = |f: &&Frame| life.feeds.iter().any(|feed| feed.outlets.contains(&f.outlet));
            let covered: BTreeSet<_> = frames.iter().filter(covers).map(|f| f.conversation).collect();
            if let Some(feed) = life.feeds.first().filter(|_| !changed.is_subset(&covered)) {
                let name = name_of(feed.topics, feed.index);
                self.nodes[node].seen.unheard.entry(name).or_default().push(clock);
                self.say(|| format!("n{node}: no topic covers {:?}", changed.difference(&covered).next()));
            }
        }
    }

    /// The end that was put down for the main socket of a feed comes.
    pub fn rim_dies(&mut self, node: usize, channel: usize) -> Result<(), Broken> {
        let (overlap, silent) = (self.rng.f64(), self.rng.f64());
        let now = self.now;
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        let known = &mut life.feeds[channel];
        let Some(socket) = known.socket.filter(|_| !known.dead) else { return Ok(()) };
        if overlap < self.plan.network.overlaps {
            self.say(|| format!("n{node} f{channel}: the server will close socket {socket}"));
            self.soon(node, CLOSING_MS, Alive::Rim(Report::Closed(channel, socket)));
            self.soon(node, 0, Alive::Rim(Report::Said(channel, socket, Control::SocketClosing)));
            return Ok(());
        }
        let silent = silent < self.plan.network.silent;
        known.dead = true;
        if !silent {
            known.door.reset();
        }
        self.say(|| {
            format!("n{node} f{channel}: socket {socket} dies{}", if silent { " in silence" } else { "" })
        });
        match silent {
            true => {}
            false if now % 7 == 0 => {
                self.soon(node, 0, Alive::Rim(Report::Said(channel, socket, Control::ChannelGone)));
            }
            false => self.soon(node, NOTICE_MS, Alive::Rim(Report::Closed(channel, socket))),
        }
        Ok(())
    }

    fn carry_out(&mut self, node: usize, effect: Effect) {
        match effect {
            Effect::ReadPage(list, number) => {
                let page = self.page(list, number);
                self.report_later(node, Report::Page(list, page));
            }
            Effect::MakeChannel { channel, .. } => {
                let made = self.fate("no channel could be made");
                let made = made.map(|()| self.stage.subscribe(Vec::new(), self.now));
                self.report_later(node, Report::Made(channel, made));
            }
            Effect::Subscribe { channel, made, topics } => {
                let answer = self.subscribe_topics(node, channel, made, topics);
                self.report_later(node, Report::Subscribed(channel, made, answer));
            }
            Effect::Open { channel, made, socket } => {
                let opens = self.fate("").is_ok();
                if let Some(rim) = self.rim(node)
                    && let Some(number) = rim.number(channel, made)
                {
                    rim.sockets.insert((channel, socket), number);
                }
                self.report_later(node, Report::Open(channel, socket, opens));
            }
            Effect::Close(channel, socket) => self.socket_ends(node, channel, socket),
            Effect::Ping(channel, socket) => {
                self.soon(node, PONG_MS, Alive::Rim(Report::Heard(channel, socket)));
            }
            Effect::Listening(channel) => self.listens(node, channel),
            Effect::Lost(channel, cause) => self.loses(node, channel, cause),
            Effect::Replaced(channel, _) => self.misses(node, channel),
            Effect::Failing { channel, problem, .. } => {
                self.tell(node, channel, FeedEvent::Failing { reason: problem });
            }
            Effect::Limited(channel, limit) => self.limits(node, channel, limit),
            Effect::Repair(channel) => self.repairs(node, channel),
            Effect::Rejected(..) | Effect::Lookup(_) => {}
        }
    }

    /// A page of a list, as the world lets it be read.
    fn page(&mut self, list: ListKind, number: u32) -> Result<Page, Failure> {
        self.fate("status 503")?;
        let users = list == ListKind::Users;
        let since_opening = self.now - OPENING;
        if !self.calm && users && since_opening < self.plan.rim.forbidden_ms {
            return Err(failure("the permission directory:user:view is missing", true));
        }
        let mut ids: Vec<Id> = match users {
            true => self.stage.users().into_iter().map(crate::truth::id_of).collect(),
            false => self.stage.queues().into_iter().map(crate::truth::id_of).collect(),
        };
        if since_opening < 0 {
            // Some were not there before the lines opened.
            ids.truncate(ids.len().div_ceil(2));
        }
        let number = usize::try_from(number).unwrap_or(1).max(1) - 1;
        let page: Vec<Id> = ids.iter().skip(number * PAGE_ENTITIES).take(PAGE_ENTITIES).cloned().collect();
        Ok(Page { is_last: (number + 1) * PAGE_ENTITIES >= ids.len(), ids: page })
    }

    /// Puts topics on the newest channel of a feed, as far as the world lets it; what the answer says.
    fn subscribe_topics(
        &mut self,
        node: usize,
        channel: usize,
        made: u32,
        topics: Vec<String>,
    ) -> Result<Answer, Failure> {
        self.fate("status 502")?;
        let Some(number) = self.rim(node).and_then(|rim| rim.number(channel, made)) else {
            return Err(failure("there is no channel", false));
        };
        let (calm, share) = (self.calm, self.plan.rim.left_out);
        let accepted: Vec<String> = topics.into_iter().filter(|_| calm || self.rng.f64() >= share).collect();
        self.stage.add_topics(number, &accepted, self.now);
        self.say(|| format!("n{node} f{channel}: {} topics on channel {number}", accepted.len()));
        // Carried out, and the answer gets lost.
        self.fate("the answer broke off")?;
        Ok(Answer { accepted, rejected: Vec::new() })
    }

    fn fate(&mut self, problem: &str) -> Result<(), Failure> {
        let fails = !self.calm && self.rng.f64() < self.plan.rim.failures;
        if fails { Err(failure(problem, false)) } else { Ok(()) }
    }

    fn report_later(&mut self, node: usize, report: Report) {
        let in_ms = self.latency();
        self.soon(node, in_ms, Alive::Rim(report));
    }

    fn socket_opens(&mut self, node: usize, channel: usize, socket: u32) -> Result<(), Broken> {
        let moment = self.nodes[node].moment(self.now);
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        let Some(rim) = &mut life.rim else { return Ok(()) };
        if !rim.sockets.contains_key(&(channel, socket)) {
            return Ok(());
        }
        let known = &mut life.feeds[channel];
        known.ending.extend(known.socket.filter(|_| !known.dead));
        (known.socket, known.dead) = (Some(socket), false);
        let at = rim.elapsed.advance(moment);
        rim.listener.handle_open(at, channel, socket);
        self.listen_where_sockets_are(node, channel);
        self.say(|| format!("n{node} f{channel}: socket {socket} is open"));
        self.die_later(node, channel);
        self.drive_rim(node)
    }

    fn socket_ends(&mut self, node: usize, channel: usize, socket: u32) {
        let Some(life) = &mut self.nodes[node].life else { return };
        let known = &mut life.feeds[channel];
        known.ending.retain(|open| *open != socket);
        if known.socket == Some(socket) {
            (known.socket, known.dead) = (None, false);
        }
        if let Some(rim) = &mut life.rim {
            rim.sockets.remove(&(channel, socket));
        }
        self.listen_where_sockets_are(node, channel);
    }

    fn listen_where_sockets_are(&mut self, node: usize, channel: usize) {
        let Some(life) = &mut self.nodes[node].life else { return };
        let Some(rim) = &life.rim else { return };
        let sockets = rim.sockets.iter().filter(|((of, _), _)| *of == channel);
        life.feeds[channel].outlets = sockets.map(|(_, number)| Outlet::Channel(*number)).collect();
    }

    fn tell(&mut self, node: usize, channel: usize, event: FeedEvent) {
        if let Some(life) = &mut self.nodes[node].life {
            let index = life.feeds[channel].index;
            life.feeds[channel].door.put(Item::Note(index, event));
        }
    }

    fn listens(&mut self, node: usize, channel: usize) {
        self.misses(node, channel);
        let clock = self.nodes[node].clock(self.now);
        let Some(life) = &mut self.nodes[node].life else { return };
        let known = &mut life.feeds[channel];
        known.times += 1;
        // Whoever waits for room has not said yet when it was heard last.
        if !known.door.is_lost() {
            known.last_heard = clock;
        }
        self.tell(node, channel, FeedEvent::Listening);
        self.say(|| format!("n{node} f{channel}: listens"));
    }

    fn loses(&mut self, node: usize, channel: usize, cause: Cause) {
        self.misses(node, channel);
        let Some(life) = &mut self.nodes[node].life else { return };
        let known = &mut life.feeds[channel];
        known.times += 1;
        known.door.put(Item::Lost(cause.sentence()));
        self.say(|| format!("n{node} f{channel}: lost: {}", cause.sentence()));
    }

    /// What came since the feed was heard last may be missing.
    fn misses(&mut self, node: usize, channel: usize) {
        let Some(life) = &mut self.nodes[node].life else { return };
        let first = life.feeds[channel].times == 0;
        let since = if first { life.look_back } else { life.feeds[channel].last_heard };
        if let Some(rim) = &mut life.rim {
            let known = rim.missing_since.entry(channel).or_insert(since);
            *known = since.min(*known);
        }
    }

    fn limits(&mut self, node: usize, channel: usize, limit: Option<(String, u64)>) {
        let moment = self.nodes[node].moment(self.now);
        let Some(life) = &mut self.nodes[node].life else { return };
        let Some(rim) = &mut life.rim else { return };
        let event = match limit {
            Some((reason, at)) => {
                let ago = rim.elapsed.advance(moment).saturating_sub(at);
                let since = moment.wall - i64::try_from(ago).unwrap_or(0) * 1_000_000;
                let earliest = rim.limited_since.entry(channel).or_insert(since);
                *earliest = since.min(*earliest);
                FeedEvent::Limited { limit: Some(Limit { reason, since }) }
            }
            None => {
                life.feeds[channel].times += 1;
                if let Some(since) = rim.limited_since.remove(&channel) {
                    let missing = rim.missing_since.entry(channel).or_insert(since);
                    *missing = since.min(*missing);
                }
                FeedEvent::Limited { limit: None }
            }
        };
        self.say(|| format!("n{node} f{channel}: {event:?}"));
        self.tell(node, channel, event);
    }

    fn repairs(&mut self, node: usize, channel: usize) {
        let clock = self.nodes[node].clock(self.now);
        let Some(life) = &mut self.nodes[node].life else { return };
        let Some(rim) = &mut life.rim else { return };
        let since = rim.missing_since.remove(&channel).unwrap_or(clock);
        self.request(node, channel, since);
    }
}
