//! A process that stands still: stopped, asleep with its machine, or restored on another.
//!
//! Nothing of it runs; what is sent to it lies in the kernel's buffer, which has an end, and its peers may die meanwhile. When
//! it goes on, everything that was due happens at once, and what lay in the buffer is read before it is seen that the peer
//! is gone. Of a machine that slept the timers stood still, too; of one that was restored, even the clock that counts from
//! its start did, and only the wall's was put right.

use crate::plan::pick;
use crate::repairs::Step;
use crate::rim::Report;
use crate::watch::Broken;
use crate::world::{Alive, Next, World};
use simulator::Millis;
use source::listening::Verdict;
use std::rc::Rc;

/// How often a reader looks whether something came.
const LOOK_MS: Millis = 1_000;
/// How long it takes until a process that goes on has asked the kernel, at most.
const ASK_MS_MAX: Millis = 50;
/// How long a pong is on its way.
const PONG_MS: Millis = 20;
/// The shortest pause.
const PAUSE_MS_MIN: Millis = 200;

/// Which kind of standing still.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// The process was stopped, the machine ran.
    Stopped,
    /// The machine slept.
    Asleep,
    /// The machine was moved.
    Restored,
}

/// A process that stands still.
#[derive(Debug)]
pub(crate) struct Pause {
    kind: Kind,
    began: Millis,
    /// What would have happened, by when, to which of its lives.
    held: Vec<(Millis, u32, Alive)>,
    /// Frames among it.
    frames: usize,
}

impl World {
    /// A process stands still from now on.
    pub fn pause(&mut self, node: usize) {
        let kind = pick(&mut self.rng, &[Kind::Stopped, Kind::Asleep, Kind::Restored]);
        let for_ms = self.rng.i64(PAUSE_MS_MIN..=self.plan.host.pause_ms_max);
        let (now, known) = (self.now, &mut self.nodes[node]);
        if known.life.is_none() || known.pause.is_some() {
            return;
        }
        known.pause = Some(Pause { kind, began: now, held: Vec::new(), frames: 0 });
        self.say(|| format!("n{node}: stands still for {for_ms} ms ({kind:?})"));
        self.agenda.put(now + for_ms, Next::Resume(node));
    }

    /// It goes on.
    pub fn resume(&mut self, node: usize) -> Result<(), Broken> {
        let now = self.now;
        let Some(pause) = self.nodes[node].pause.take() else { return Ok(()) };
        if pause.kind == Kind::Restored {
            self.nodes[node].missed_ms += now - pause.began;
        }
        self.say(|| format!("n{node}: goes on"));
        let feeds = self.nodes[node].life.as_ref().map_or(0, |life| life.feeds.len());
        for feed in 0..feeds {
            if let Some(life) = &mut self.nodes[node].life {
                life.feeds[feed].door.goes_on();
            }
            let in_ms = self.rng.i64(0..=ASK_MS_MAX);
            self.soon(node, in_ms, Alive::Asks { feed });
        }
        for (due, life, what) in pause.held {
            let Alive::Frame { feed, text, .. } = what else {
                let left = if pause.kind != Kind::Stopped && what.is_timer() { due - pause.began } else { 0 };
                self.agenda.put(now + left, Next::Alive { node, life, what });
                continue;
            };
            if let Some(life) = self.nodes[node].life(life) {
                life.feeds[feed].door.frame(&text);
            }
        }
        self.wake(node)
    }

    /// Keeps what happens to a process that stands still until it goes on; gives back what happens all the same.
    pub fn hold(&mut self, node: usize, life: u32, what: Alive) -> Option<Alive> {
        let (now, most) = (self.now, self.plan.host.kernel_frames_max);
        let known = &mut self.nodes[node];
        let (Some(pause), Some(alive)) = (&mut known.pause, &known.life) else { return Some(what) };
        let what = match what {
            Alive::Dies { .. } => return Some(what),
            Alive::Frame { feed, socket, text } if alive.feeds[feed].hears(socket) => {
                // What an old socket would deliver comes on the new one, too.
                pause.frames += usize::from(alive.feeds[feed].socket == Some(socket));
                if pause.frames > most && alive.feeds[feed].socket == Some(socket) {
                    self.peer_closes(node, feed, socket, &text);
                    return None;
                }
                Alive::Frame { feed, socket, text }
            }
            Alive::Frame { .. } => return None,
            what => what,
        };
        pause.held.push((now, life, what));
        None
    }

    /// The buffer is full, and the peer waits no longer: what it would have sent is gone.
    fn peer_closes(&mut self, node: usize, feed: usize, socket: u32, text: &Rc<str>) {
        self.nobody_there(node, feed, text);
        let Some(life) = &mut self.nodes[node].life else { return };
        let known = &mut life.feeds[feed];
        known.ending.retain(|open| *open != socket);
        if known.socket == Some(socket) {
            known.dead = true;
            self.say(|| format!("n{node} f{feed}: the peer closes a socket that nobody reads"));
            let closed = match self.has_rim(node) {
                true => Alive::Rim(Report::Closed(feed, socket)),
                false => Alive::Noticed { feed, socket, why: "the server closed it" },
            };
            self.soon(node, 0, closed);
        }
    }

    /// Whether the program's own machine decides about sockets; else this world does.
    fn has_rim(&self, node: usize) -> bool {
        self.nodes[node].life.as_ref().is_some_and(|life| life.rim.is_some())
    }

    /// The runtime asks the kernel for what came while it stood still.
    pub fn ask_kernel(&mut self, node: usize, feed: usize) -> Result<(), Broken> {
        let Some(life) = &mut self.nodes[node].life else { return Ok(()) };
        let known = &mut life.feeds[feed];
        if known.door.ask()
            && let Some(socket) = known.socket
        {
            self.tell_heard(node, feed, socket);
        }
        self.wake(node)
    }

    /// A reader looks, and the watchdog is asked.
    pub fn look(&mut self, node: usize, feed: usize) {
        let moment = self.nodes[node].moment(self.now);
        let Some(life) = &mut self.nodes[node].life else { return };
        let known = &mut life.feeds[feed];
        let is_dead = known.dead;
        let verdict = known.look(moment);
        let due = verdict.as_ref().map_or(LOOK_MS, |(_, _, due)| i64::try_from(*due).unwrap_or(LOOK_MS));
        match verdict {
            Some((socket, Verdict::Ping, _)) if !is_dead => {
                self.soon(node, PONG_MS, Alive::Pong { feed, socket });
            }
            Some((socket, Verdict::Lost, _)) => {
                self.soon(node, 0, Alive::Noticed { feed, socket, why: "nothing was heard" });
            }
            _ => {}
        }
        self.soon(node, due.clamp(1, LOOK_MS), Alive::Look { feed });
    }

    /// A pong is there.
    pub fn pong(&mut self, node: usize, feed: usize, socket: u32) {
        let moment = self.nodes[node].moment(self.now);
        if let Some(life) = &mut self.nodes[node].life {
            life.feeds[feed].pong(socket, moment);
        }
        self.give_up(node);
    }

    /// Sockets that may have died while nobody ran are lost at once.
    pub fn give_up(&mut self, node: usize) {
        let Some(life) = &mut self.nodes[node].life else { return };
        let gave_up = |(feed, known): (usize, &mut crate::feed::Feed)| {
            std::mem::take(&mut known.door.gave_up).then_some((feed, known.socket?))
        };
        let given_up: Vec<(usize, u32)> = life.feeds.iter_mut().enumerate().filter_map(gave_up).collect();
        let decides = !self.has_rim(node);
        for (feed, socket) in given_up.into_iter().filter(|_| decides) {
            self.soon(node, 0, Alive::Noticed { feed, socket, why: "nothing was heard" });
        }
    }
}

impl Alive {
    /// Whether it is put down by the process itself, for later.
    fn is_timer(&self) -> bool {
        matches!(
            self,
            Self::Turn
                | Self::Look { .. }
                | Self::Connected { .. }
                | Self::Retired { .. }
                | Self::Repairs(Step::Wake | Step::Settle)
                | Self::Rim(Report::Wake)
        )
    }
}
