//! The way from the cloud to the nodes: sockets that delay, double, lose, die in silence and come back.

use crate::feed::Item;
use crate::turns::name_of;
use crate::watch::Broken;
use crate::world::{Alive, World};
use engine::FeedEvent;
use simulator::{Dialect, Millis, Outlet};
use std::rc::Rc;

/// How long a socket that was replaced still delivers.
const OVERLAP_MS: Millis = 2_000;
/// When to look again whether a feed is ready to connect.
const BUSY_MS: Millis = 50;
/// How long it takes to see that a socket was closed.
const NOTICE_MS: Millis = 5;

impl World {
    /// Sends a frame that leaves the cloud to everybody who listens there.
    pub fn send(&mut self, from: Outlet, text: &Rc<str>) {
        for node in 0..self.nodes.len() {
            let feeds = self.nodes[node].life.as_ref().map_or(0, |life| life.feeds.len());
            for feed in 0..feeds {
                self.send_to(node, feed, from, text);
            }
        }
    }

    fn send_to(&mut self, node: usize, feed: usize, from: Outlet, text: &Rc<str>) {
        let Some(known) = self.nodes[node].life.as_ref().and_then(|life| life.feeds.get(feed)) else {
            return;
        };
        if !known.outlets.contains(&from) {
            return;
        }
        let sockets: Vec<u32> = known.reached().collect();
        if sockets.is_empty() {
            self.nobody_there(node, feed, text);
        }
        for socket in sockets {
            if !self.calm && self.rng.f64() < self.plan.network.losses {
                self.say(|| format!("n{node} f{feed}: lost on the way: {}", short(text)));
                continue;
            }
            let copies = 1 + usize::from(!self.calm && self.rng.f64() < self.plan.network.duplicates);
            for _ in 0..copies {
                self.fly(node, feed, socket, text);
            }
        }
    }

    /// A frame leaves the cloud for a feed, and nobody is there.
    pub fn nobody_there(&mut self, node: usize, feed: usize, text: &Rc<str>) {
        let at = self.nodes[node].clock(self.now);
        let Some(known) = self.nodes[node].life.as_ref().and_then(|life| life.feeds.get(feed)) else {
            return;
        };
        let name = name_of(known.topics, known.index);
        self.nodes[node].seen.unheard.entry(name).or_default().push(at);
        self.say(|| format!("n{node} f{feed}: nobody there for {}", short(text)));
    }

    fn fly(&mut self, node: usize, feed: usize, socket: u32, text: &Rc<str>) {
        let in_ms = if self.calm { 0 } else { self.rng.i64(0..=self.plan.network.delay_ms_max) };
        let mut due = self.now + in_ms;
        if self.plan.network.in_order
            && let Some(life) = &mut self.nodes[node].life
        {
            let feed = &mut life.feeds[feed];
            due = due.max(feed.last_due);
            feed.last_due = due;
        }
        let in_ms = due - self.now;
        self.soon(node, in_ms, Alive::Frame { feed, socket, text: text.clone() });
    }

    pub fn arrive(&mut self, node: usize, feed: usize, socket: u32, text: &str) -> Result<(), Broken> {
        let Some(life) = &self.nodes[node].life else { return Ok(()) };
        if !life.feeds[feed].hears(socket) {
            self.say(|| format!("n{node} f{feed}: died with its socket: {}", short(text)));
            return Ok(());
        }
        if let Some(life) = &mut self.nodes[node].life {
            life.feeds[feed].door.frame(text);
        }
        self.say(|| format!("n{node} f{feed}: {}", short(text)));
        self.hears(node, feed, socket);
        self.wake(node)
    }

    pub fn connected(&mut self, node: usize, feed: usize) -> Result<(), Broken> {
        let (moment, silence_max) = (self.nodes[node].moment(self.now), self.plan.network.silence_max());
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        let known = &mut life.feeds[feed];
        if known.socket.is_none() && known.door.is_lost() {
            // Whoever waits for room has not seen yet that the last socket is gone.
            self.soon(node, BUSY_MS, Alive::Connected { feed });
            return Ok(());
        }
        known.sockets += 1;
        (known.socket, known.dead) = (Some(known.sockets), false);
        let first = known.times == 0;
        known.times += 1;
        let since = if first { life.look_back } else { known.last_heard };
        known.last_heard = moment.wall;
        known.watch(known.sockets, moment, silence_max);
        known.door.put(Item::Note(known.index, FeedEvent::Listening));
        let (socket, of_gateway) = (known.sockets, known.outlets.contains(&Outlet::Gateway));
        self.say(|| format!("n{node} f{feed}: listens"));
        if self.plan.dialect == Dialect::Notifications {
            self.request(node, feed, since);
        } else if self.plan.network.resends && of_gateway {
            let again: Vec<Rc<str>> = self.recent.iter().map(|(_, text)| text.clone()).collect();
            again.iter().for_each(|text| self.fly(node, feed, socket, text));
        }
        self.die_later(node, feed);
        self.wake(node)
    }

    /// A socket's end is put down when it is opened.
    pub fn die_later(&mut self, node: usize, feed: usize) {
        if let Some(every) = self.plan.network.deaths {
            let in_ms = every / 2 + self.rng.i64(0..=every);
            self.soon(node, in_ms, Alive::Dies { feed });
        }
    }

    pub fn dies(&mut self, node: usize, feed: usize) -> Result<(), Broken> {
        if self.calm {
            return Ok(());
        }
        if self.nodes[node].life.as_ref().is_some_and(|life| life.rim.is_some()) {
            return self.rim_dies(node, feed);
        }
        let (moment, silence_max) = (self.nodes[node].moment(self.now), self.plan.network.silence_max());
        // Who stands still opens no second channel.
        let overlap = self.rng.f64() < self.plan.network.overlaps && self.nodes[node].pause.is_none();
        let silent = self.rng.f64() < self.plan.network.silent;
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        let known = &mut life.feeds[feed];
        let Some(socket) = known.socket.filter(|_| !known.dead) else { return Ok(()) };
        if overlap && !known.outlets.contains(&Outlet::Gateway) {
            known.ending.push(socket);
            known.sockets += 1;
            known.socket = Some(known.sockets);
            known.watch(known.sockets, moment, silence_max);
            let since = known.last_heard;
            self.say(|| format!("n{node} f{feed}: a second channel takes over"));
            self.soon(node, OVERLAP_MS, Alive::Retired { feed, socket });
            self.request(node, feed, since);
            self.die_later(node, feed);
            return Ok(());
        }
        known.dead = true;
        if !silent {
            known.door.reset();
        }
        self.say(|| format!("n{node} f{feed}: dies{}", if silent { " in silence" } else { "" }));
        if !silent {
            self.soon(node, NOTICE_MS, Alive::Noticed { feed, socket, why: "the server closed it" });
        }
        Ok(())
    }

    pub fn noticed(
        &mut self,
        node: usize,
        feed: usize,
        socket: u32,
        why: &'static str,
    ) -> Result<(), Broken> {
        let away = if self.calm { 10 } else { self.rng.i64(10..=self.plan.network.away_ms_max) };
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        let known = &mut life.feeds[feed];
        if known.socket != Some(socket) {
            return Ok(());
        }
        if known.door.is_unasked() {
            // An end stands behind what came before it.
            self.soon(node, BUSY_MS, Alive::Noticed { feed, socket, why });
            return Ok(());
        }
        (known.socket, known.dead) = (None, false);
        known.times += 1;
        known.door.put(Item::Lost(why));
        self.say(|| format!("n{node} f{feed}: lost: {why}"));
        self.soon(node, away, Alive::Connected { feed });
        self.wake(node)
    }

    pub fn retired(&mut self, node: usize, feed: usize, socket: u32) {
        if let Some(life) = &mut self.nodes[node].life {
            life.feeds[feed].ending.retain(|open| *open != socket);
        }
    }
}

/// A frame as a line of the trace shows it.
fn short(text: &str) -> String {
    text.chars().take(if text.starts_with("{\"eventId") { 420 } else { 150 }).collect()
}
