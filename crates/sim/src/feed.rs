//! One feed of one node: its sockets, and what came through them and was not taken yet.

use crate::plan::Topics;
use engine::{Delivery, FeedEvent, FeedNote};
use pipeline::{Clock, Mailbox, Moment, Offered};
use simulator::{Dialect, Outlet};
use source::listening::{Elapsed, HeardUntil, LOOK_EVERY, Verdict, Watchdog};
use std::collections::VecDeque;
use std::time::Duration;
use wire::{Batch, CloudTime, Limits, Origin, Outcome, Refused};

/// Something that waits at a node's door.
#[derive(Debug)]
pub(crate) enum Item {
    /// The bytes of a frame.
    Frame(String),
    /// The answer to a REST read.
    Read(String),
    /// Something to tell the ledger of a feed once all before is taken.
    Note(u16, FeedEvent),
    /// The feed was lost, for a reason.
    Lost(&'static str),
}

/// What came and was not taken: a socket that is not read, a task that waits for room.
#[derive(Debug)]
pub(crate) struct Door {
    waiting: VecDeque<Item>,
    /// What lies in the kernel's buffer since before the process went on: the runtime has not asked for it yet.
    unasked: Option<Vec<String>>,
    /// Decoded, and no room in the mailbox.
    left: VecDeque<Delivery>,
    /// What is proved of the socket by what comes.
    proof: HeardUntil,
    /// When somebody began to look for more.
    before: Moment,
    /// Nothing was there; else what came waits for room.
    waits: bool,
    /// Nobody ran for so long that the socket is given up.
    pub gave_up: bool,
}

/// A feed, for as long as its node lives.
#[derive(Debug)]
pub(crate) struct Feed {
    pub index: u16,
    pub topics: Topics,
    /// Where its sockets are fed from.
    pub outlets: Vec<Outlet>,
    /// The socket that listens; none while it is away.
    pub socket: Option<u32>,
    /// It died, and nobody has noticed.
    pub dead: bool,
    /// Sockets that were replaced and still deliver.
    pub ending: Vec<u32>,
    pub sockets: u32,
    /// Of frames on their way in order, when the last one is due.
    pub last_due: i64,
    pub door: Door,
    /// When it was last heard, by the node's clock in nanoseconds.
    pub last_heard: i64,
    /// Counts its times of listening.
    pub times: u64,
    /// Watches a socket, by its number.
    watch: Option<(u32, Elapsed, Watchdog)>,
}

impl Feed {
    pub fn new(index: u16, topics: Topics, outlets: Vec<Outlet>, now: Moment, silence_max: Duration) -> Self {
        Self {
            index,
            topics,
            outlets,
            socket: None,
            dead: false,
            ending: Vec::new(),
            sockets: 0,
            last_due: 0,
            door: Door::new(now, silence_max),
            last_heard: now.wall,
            times: 0,
            watch: None,
        }
    }

    /// The sockets that frames reach.
    pub fn reached(&self) -> impl Iterator<Item = u32> {
        let main = self.socket.filter(|_| !self.dead);
        main.into_iter().chain(self.ending.iter().copied())
    }

    pub fn hears(&self, socket: u32) -> bool {
        self.reached().any(|open| open == socket)
    }

    /// Begins to watch a socket.
    pub fn watch(&mut self, socket: u32, now: Moment, silence_max: Duration) {
        let ping_after = silence_max * 4 / 5;
        let watchdog = Watchdog::new(0, ping_after, silence_max.saturating_sub(ping_after));
        self.watch = Some((socket, Elapsed::new(now, 0), watchdog));
    }

    /// Something came that is no frame.
    pub fn pong(&mut self, socket: u32, now: Moment) {
        if let Some((watched, elapsed, watchdog)) = &mut self.watch
            && *watched == socket
        {
            watchdog.heard(elapsed.advance(now));
            self.door.found(now);
        }
    }

    /// A look at what is there; what to do about the silence of a socket, and how soon to look again, in milliseconds.
    pub fn look(&mut self, now: Moment) -> Option<(u32, Verdict, u64)> {
        self.door.look(now);
        let (socket, elapsed, watchdog) = self.watch.as_mut().filter(|_| self.door.is_empty())?;
        let now = elapsed.advance(now);
        let verdict = watchdog.check(now);
        Some((*socket, verdict, watchdog.due().saturating_sub(now)))
    }

    /// Lets in what there is room for; an error names a frame that was refused.
    pub fn open(&mut self, hall: &mut Hall<'_>) -> Result<(), String> {
        let heard = self.door.open(self.index, &mut self.last_heard, hall)?;
        if let Some((_, elapsed, watchdog)) = self.watch.as_mut().filter(|_| heard) {
            watchdog.heard(elapsed.advance(hall.moment));
        }
        Ok(())
    }
}

/// What the hall behind the door is like.
pub(crate) struct Hall<'a> {
    pub mailbox: &'a Mailbox,
    pub clock: &'a Clock,
    pub dialect: Dialect,
    pub cloud: &'a CloudTime,
    /// By the node's clock, in nanoseconds; one more for each frame, so that those of one instant keep their order.
    pub now: &'a mut i64,
    pub moment: Moment,
    /// A clock may be so far off that frames seem to come from the future.
    pub refuses: bool,
}

impl Door {
    /// A door at which nothing waits.
    pub fn new(now: Moment, silence_max: Duration) -> Self {
        Self {
            waiting: VecDeque::new(),
            unasked: None,
            left: VecDeque::new(),
            proof: HeardUntil::new(now, silence_max),
            before: now,
            waits: false,
            gave_up: false,
        }
    }

    pub fn put(&mut self, item: Item) {
        self.waiting.push_back(item);
    }

    /// A frame is there, where nobody may see it yet.
    pub fn frame(&mut self, text: &str) {
        match &mut self.unasked {
            Some(unasked) => unasked.push(text.to_owned()),
            None => self.put(Item::Frame(text.to_owned())),
        }
    }

    /// The process goes on, and has not asked the kernel yet.
    pub fn goes_on(&mut self) {
        self.unasked.get_or_insert_default();
    }

    /// The kernel is asked; whether something lay there.
    pub fn ask(&mut self) -> bool {
        let before = self.waiting.len();
        self.waiting.extend(self.unasked.take().into_iter().flatten().map(Item::Frame));
        self.waiting.len() > before
    }

    /// Whether the kernel still has to be asked.
    pub fn is_unasked(&self) -> bool {
        self.unasked.is_some()
    }

    /// Frames that were not read are gone; what is to be told stays.
    pub fn reset(&mut self) {
        self.unasked = None;
        self.waiting.retain(|item| !matches!(item, Item::Frame(_)));
    }

    /// That the last socket is gone waits to be told.
    pub fn is_lost(&self) -> bool {
        self.waiting.iter().any(|item| matches!(item, Item::Lost(_)))
    }

    /// Something that is to be told waits.
    pub fn has_news(&self) -> bool {
        self.waiting.iter().any(|item| matches!(item, Item::Note(..) | Item::Lost(_)))
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.left.is_empty() && self.unasked.is_none()
    }

    /// Whoever waits here looks whether something is there, every second.
    fn look(&mut self, now: Moment) {
        if self.waits && now.since(self.before) >= nanos(LOOK_EVERY) {
            self.proof.empty(std::mem::replace(&mut self.before, now));
        }
    }

    /// How long ago the instant is, in nanoseconds, at which something that came now proves a socket to live.
    pub fn silent(&self, now: Moment) -> i64 {
        let mut proof = self.proof;
        if self.waits {
            proof.empty(self.before);
        }
        now.wall.saturating_sub(proof.found(!self.waits, now).until)
    }

    /// Something is there; until when that proves the socket to be heard.
    fn found(&mut self, now: Moment) -> i64 {
        let waited = std::mem::take(&mut self.waits);
        if waited {
            self.proof.empty(self.before);
        }
        let heard = self.proof.found(!waited, now);
        self.gave_up |= !heard.in_time;
        heard.until
    }

    /// Lets in what there is room for, and whether frames were among it. `last_heard` follows them; an error names one that
    /// was refused.
    pub fn open(&mut self, feed: u16, last_heard: &mut i64, hall: &mut Hall<'_>) -> Result<bool, String> {
        let mut heard = false;
        loop {
            if !self.left.is_empty() && hall.mailbox.offer(&mut self.left) == Offered::Left {
                return Ok(heard);
            }
            let Some(item) = self.waiting.pop_front() else {
                if !std::mem::replace(&mut self.waits, true) {
                    self.proof.empty(std::mem::replace(&mut self.before, hall.moment));
                }
                return Ok(heard);
            };
            match item {
                Item::Note(feed, event) => {
                    let at = hall.origin(feed).received;
                    hall.mailbox.note(FeedNote { feed, at, event });
                }
                Item::Lost(reason) => {
                    let event = FeedEvent::Lost { reason: reason.to_owned(), last_heard: *last_heard };
                    let at = hall.origin(feed).received;
                    hall.mailbox.note(FeedNote { feed, at, event });
                }
                Item::Frame(text) => {
                    heard = true;
                    *last_heard = self.found(hall.moment).max(*last_heard);
                    self.left.extend(hall.decode(&text, feed)?);
                    while let Some(Item::Frame(_)) = self.waiting.front()
                        && let Some(Item::Frame(text)) = self.waiting.pop_front()
                    {
                        self.left.extend(hall.decode(&text, feed)?);
                    }
                }
                Item::Read(text) => self.left.extend(read(&text, hall.origin(feed))?),
            }
        }
    }
}

impl Hall<'_> {
    fn origin(&mut self, feed: u16) -> Origin {
        *self.now += 1;
        let now = *self.now;
        Origin { feed, received: now, sent_by: self.cloud.at(now) }
    }

    fn decode(&mut self, text: &str, feed: u16) -> Result<Vec<Delivery>, String> {
        let (mut batch, bytes) = (Batch::default(), text.as_bytes());
        let origin = self.origin(feed);
        let outcome = match self.dialect {
            Dialect::Events => wire::decode_event(bytes, origin, &Limits::default(), &mut batch),
            _ => wire::decode_notification(bytes, origin, &Limits::default(), &mut batch),
        };
        if let Outcome::Refused(why @ Refused::FutureTime) = outcome
            && self.refuses
        {
            let conversation = wire::whose(bytes);
            let event = FeedEvent::Refused { reason: why.as_str().to_owned(), conversation };
            self.mailbox.note(FeedNote { feed, at: origin.received, event });
            return Ok(Vec::new());
        }
        let facts = batch.deliveries.iter().flat_map(|delivery| &delivery.facts);
        if let Some(newest) = facts.filter_map(|fact| fact.at).map(|at| at.nanos).max() {
            self.clock.witness(newest);
        }
        taken(outcome, text, batch)
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn read(text: &str, origin: Origin) -> Result<Vec<Delivery>, String> {
    let mut batch = Batch::default();
    let outcome = wire::decode_conversation(text.as_bytes(), origin, &Limits::default(), &mut batch);
    taken(outcome, text, batch)
}

fn taken(outcome: Outcome, text: &str, batch: Batch) -> Result<Vec<Delivery>, String> {
    match outcome {
        Outcome::Refused(why) => Err(format!("{} refused: {text}", why.as_str())),
        _ => Ok(batch.deliveries),
    }
}
