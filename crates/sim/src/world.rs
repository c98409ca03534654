//! The world: several Headcounts, one contact centre, one clock, one thread.
//!
//! What is due next happens, and puts down what follows from it. Everything is drawn from the seed; nothing asks the
//! machine for the time or for luck. Faults strike until the centre has played out and a while beyond; then they stop,
//! everything that can heal heals, and the verdict is spoken.

use crate::agenda::Agenda;
use crate::disk::Disk;
use crate::node::{Life, Node};
use crate::plan::{Plan, Topics};
use crate::repairs::Step;
use crate::rim::Report;
use crate::trace::Trace;
use crate::truth::Sheet;
use crate::watch::{Broken, Invariant, Seen};
use engine::Id;
use fastrand::Rng;
use simulator::{Millis, Outlet, Stage};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

/// When the lines open: shortly before midnight, so that minutes, hours and days turn.
pub(crate) const OPENING: Millis = 1_767_311_990_000;
/// How long healing may take once faults have stopped: the watchdog, the longest way back, and a few failed rounds.
const HEALING_MS: Millis = 180_000;
/// How long the end waits for a node that is idle: channels are renewed for ever, and what follows from it is soon done.
const RENEWING_MS: Millis = 60_000;
/// A run that does more than this is stuck.
const STEPS_MAX: u32 = 400_000;
/// How far back the gateway sends again.
pub(crate) const RESEND_MS: Millis = 10_000;

/// What comes next. `life` names the process that it is about: with that it goes.
#[derive(Debug)]
pub(crate) enum Next {
    Cloud,
    Calm,
    Crash(usize),
    Stop(usize),
    StepClock(usize),
    RightClock(usize, Millis),
    Pause(usize),
    Resume(usize),
    FullDisk(usize),
    FreeDisk(usize),
    Start(usize),
    Alive { node: usize, life: u32, what: Alive },
}

/// What comes next in the life of a process.
#[derive(Debug)]
pub(crate) enum Alive {
    Turn,
    Frame { feed: usize, socket: u32, text: Rc<str> },
    Look { feed: usize },
    Asks { feed: usize },
    Pong { feed: usize, socket: u32 },
    Connected { feed: usize },
    Dies { feed: usize },
    Noticed { feed: usize, socket: u32, why: &'static str },
    Retired { feed: usize, socket: u32 },
    Rim(Report),
    Repairs(Step),
}

pub(crate) struct World {
    pub plan: Plan,
    pub rng: Rng,
    pub now: Millis,
    pub stage: Stage,
    pub agenda: Agenda<Next>,
    pub nodes: Vec<Node>,
    pub trace: Trace,
    /// Faults have stopped.
    pub calm: bool,
    /// What the gateway sent lately.
    pub recent: VecDeque<(Millis, Rc<str>)>,
    pub sheet: Sheet,
    /// Conversations of which a node lacks something that nothing tells it of.
    pub unknowable: BTreeSet<Id>,
    outlets: BTreeMap<u8, Outlet>,
    /// Where all that any topic carries leaves the cloud, for the judge alone; `None` where every feed's topics are given.
    pub observer: Option<Outlet>,
}

impl World {
    /// The world of a seed before anything happens.
    pub fn new(plan: Plan, traced: bool) -> std::io::Result<Self> {
        let began = OPENING - 2_000;
        let mut world = Self {
            rng: Rng::with_seed(plan.seed),
            now: began,
            stage: Stage::new(&plan.options, began),
            agenda: Agenda::default(),
            nodes: Vec::new(),
            trace: Trace::new(traced, OPENING),
            calm: false,
            recent: VecDeque::new(),
            sheet: Sheet::default(),
            unknowable: BTreeSet::new(),
            outlets: BTreeMap::new(),
            observer: None,
            plan,
        };
        world.trace.say(began, || format!("{:#?}", world.plan));
        world.subscribe();
        for (index, plan) in world.plan.nodes.clone().into_iter().enumerate() {
            let disk = Disk::new()?;
            let seen = Seen::default();
            world.nodes.push(Node {
                index,
                plan,
                disk,
                ahead_ms: 0,
                missed_ms: 0,
                pause: None,
                life: None,
                lives: 0,
                doomed: false,
                seen,
            });
            let at = began + world.rng.i64(0..4_000);
            world.agenda.put(at, Next::Start(index));
            world.strike_later(index);
        }
        world.stage.open(OPENING);
        world.agenda.put(OPENING, Next::Cloud);
        Ok(world)
    }

    /// Plays all of it.
    pub fn play(&mut self) -> Result<(), Broken> {
        let mut until = Millis::MAX;
        for _ in 0..STEPS_MAX {
            let Some((at, next)) = self.agenda.take() else { return Ok(()) };
            if at > until && (self.is_idle() || at > until + RENEWING_MS) {
                return Ok(());
            }
            self.now = self.now.max(at);
            let was_calm = self.calm;
            self.happen(next)?;
            if self.calm && !was_calm {
                until = self.now + HEALING_MS;
            }
        }
        Err(Broken::new(Invariant::BoundsKept, format!("{STEPS_MAX} steps and no end")))
    }

    /// Nothing waits in any node.
    fn is_idle(&self) -> bool {
        self.nodes.iter().all(|node| node.life.as_ref().is_some_and(Life::is_idle))
    }

    fn happen(&mut self, next: Next) -> Result<(), Broken> {
        match next {
            Next::Cloud => self.cloud(),
            Next::Calm => self.calm_down()?,
            Next::Crash(node) if !self.calm => {
                self.crash(node)?;
                self.again(node, self.plan.crashes, Next::Crash);
            }
            Next::Stop(node) if !self.calm => {
                if self.nodes[node].pause.is_none() {
                    self.stop(node)?;
                }
                self.again(node, self.plan.stops, Next::Stop);
            }
            Next::StepClock(node) if !self.calm => {
                self.step_clock(node);
                self.again(node, self.plan.clock_steps, Next::StepClock);
            }
            Next::Pause(node) if !self.calm => {
                self.pause(node);
                self.again(node, self.plan.host.pauses, Next::Pause);
            }
            Next::FullDisk(node) if !self.calm => {
                self.fill_disk(node);
                self.again(node, self.plan.full_disks, Next::FullDisk);
            }
            Next::Crash(_) | Next::Stop(_) | Next::StepClock(_) | Next::Pause(_) | Next::FullDisk(_) => {}
            Next::RightClock(node, ahead) => self.set_clock(node, ahead),
            Next::Resume(node) => self.resume(node)?,
            Next::FreeDisk(node) => self.free_disk(node),
            Next::Start(node) => self.start(node)?,
            Next::Alive { node, life, what } => {
                if self.nodes[node].life(life).is_some()
                    && let Some(what) = self.hold(node, life, what)
                {
                    self.live(node, what)?;
                }
            }
        }
        Ok(())
    }

    fn live(&mut self, node: usize, what: Alive) -> Result<(), Broken> {
        match what {
            Alive::Turn => self.turn(node)?,
            Alive::Frame { feed, socket, text } => self.arrive(node, feed, socket, &text)?,
            Alive::Asks { feed } => self.ask_kernel(node, feed)?,
            Alive::Look { feed } => self.look(node, feed),
            Alive::Pong { feed, socket } => self.pong(node, feed, socket),
            Alive::Connected { feed } => self.connected(node, feed)?,
            Alive::Dies { feed } => self.dies(node, feed)?,
            Alive::Noticed { feed, socket, why } => self.noticed(node, feed, socket, why)?,
            Alive::Retired { feed, socket } => self.retired(node, feed, socket),
            Alive::Rim(report) => self.reported(node, report)?,
            Alive::Repairs(step) => self.repair(node, step)?,
        }
        Ok(())
    }

    /// Puts down something of a node's present life.
    pub fn soon(&mut self, node: usize, in_ms: Millis, what: Alive) {
        if let Some(life) = &self.nodes[node].life {
            let life = life.number;
            self.agenda.put(self.now + in_ms.max(0), Next::Alive { node, life, what });
        }
    }

    pub fn say(&mut self, text: impl FnOnce() -> String) {
        self.trace.say(self.now, text);
    }

    /// The next fault of a kind.
    pub fn again(&mut self, node: usize, every: Option<Millis>, what: impl Fn(usize) -> Next) {
        if let Some(every) = every {
            let at = self.now + every / 2 + self.rng.i64(0..=every);
            self.agenda.put(at, what(node));
        }
    }

    fn strike_later(&mut self, node: usize) {
        self.again(node, self.plan.crashes, Next::Crash);
        self.again(node, self.plan.stops, Next::Stop);
        self.again(node, self.plan.clock_steps, Next::StepClock);
        self.again(node, self.plan.full_disks, Next::FullDisk);
        self.again(node, self.plan.host.pauses, Next::Pause);
    }

    fn cloud(&mut self) {
        let frames = self.stage.play(self.now);
        self.sheet.outdated();
        self.note_uncovered(&frames);
        for frame in frames {
            if Some(frame.outlet) == self.observer {
                continue;
            }
            let text: Rc<str> = frame.text.into();
            if frame.outlet == Outlet::Gateway {
                self.recent.push_back((self.now, text.clone()));
            }
            self.send(frame.outlet, &text);
        }
        while self.recent.front().is_some_and(|(at, _)| *at < self.now - RESEND_MS) {
            self.recent.pop_front();
        }
        match self.stage.due() {
            Some(at) => self.agenda.put(at.max(self.now + 1), Next::Cloud),
            None => self.agenda.put(self.now + self.plan.faults_after_ms, Next::Calm),
        }
    }

    fn subscribe(&mut self) {
        let wanted: Vec<Topics> = self.plan.nodes.iter().flat_map(|node| node.feeds.clone()).collect();
        for topics in wanted {
            let key = topics as u8;
            if !self.outlets.contains_key(&key) && topics != Topics::Discovered {
                let outlet = self.outlet_for(topics);
                self.outlets.insert(key, outlet);
            }
        }
        if self.plan.nodes.iter().any(|node| node.feeds.contains(&Topics::Discovered)) {
            let queues =
                self.stage.queues().into_iter().map(|id| format!("v2.routing.queues.{id}.conversations"));
            let users = self.stage.users().into_iter().map(|id| format!("v2.users.{id}.conversations"));
            let all = queues.chain(users).collect();
            self.observer = Some(Outlet::Channel(self.stage.subscribe(all, self.now)));
        }
    }

    /// Where a set of topics that is named leaves the cloud; one that is found out about has no outlet yet.
    pub fn outlet(&self, topics: Topics) -> Vec<Outlet> {
        self.outlets.get(&(topics as u8)).copied().into_iter().collect()
    }

    fn outlet_for(&mut self, topics: Topics) -> Outlet {
        let media = ["calls", "callbacks", "chats", "emails", "messages"];
        let queues =
            self.stage.queues().into_iter().map(|id| format!("v2.routing.queues.{id}.conversations"));
        let users = self.stage.users().into_iter().map(|id| format!("v2.users.{id}.conversations"));
        let by_medium = |topics: Vec<String>| -> Vec<String> {
            topics.iter().flat_map(|topic| media.map(|medium| format!("{topic}.{medium}"))).collect()
        };
        let topics = match topics {
            Topics::Gateway | Topics::Discovered => return Outlet::Gateway,
            Topics::Queues => queues.collect(),
            Topics::Users => users.collect(),
            Topics::QueueMedia => by_medium(queues.collect()),
            Topics::UserMedia => by_medium(users.collect()),
        };
        Outlet::Channel(self.stage.subscribe(topics, self.now))
    }

    fn calm_down(&mut self) -> Result<(), Broken> {
        self.calm = true;
        self.say(|| "faults stop".to_owned());
        for node in 0..self.nodes.len() {
            (self.nodes[node].plan.turn_ms_max, self.nodes[node].doomed) = (1, false);
            self.resume(node)?;
            self.free_disk(node);
            if self.nodes[node].life.is_some() {
                self.wake(node)?;
            }
        }
        Ok(())
    }
}
