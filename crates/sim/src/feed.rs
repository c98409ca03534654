//! One feed of one node: its sockets, and what came through them and was not taken yet.

use crate::plan::Topics;
use engine::{Delivery, FeedEvent, FeedNote};
use pipeline::{Mailbox, Offered};
use simulator::{Dialect, Outlet};
use std::collections::VecDeque;
use wire::{Batch, CloudTime, Limits, Origin, Outcome};

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
#[derive(Debug, Default)]
pub(crate) struct Door {
    waiting: VecDeque<Item>,
    /// Decoded, and no room in the mailbox.
    left: VecDeque<Delivery>,
    /// When nothing waited here last: what is read now may be as old.
    emptied_at: i64,
}

/// A feed, for as long as its node lives.
#[derive(Debug)]
pub(crate) struct Feed {
    pub index: u16,
    pub topics: Topics,
    pub outlet: Outlet,
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
}

impl Feed {
    pub fn new(index: u16, topics: Topics, outlet: Outlet, now: i64) -> Self {
        Self {
            index,
            topics,
            outlet,
            socket: None,
            dead: false,
            ending: Vec::new(),
            sockets: 0,
            last_due: 0,
            door: Door::default(),
            last_heard: now,
            times: 0,
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
}

/// What the hall behind the door is like.
pub(crate) struct Hall<'a> {
    pub mailbox: &'a Mailbox,
    pub dialect: Dialect,
    pub cloud: &'a CloudTime,
    /// By the node's clock, in nanoseconds; one more for each frame, so that those of one instant keep their order.
    pub now: &'a mut i64,
}

impl Door {
    pub fn put(&mut self, item: Item) {
        self.waiting.push_back(item);
    }

    /// A frame comes at `now`, by the node's clock in nanoseconds.
    pub fn knock(&mut self, text: &str, now: i64) {
        if self.is_empty() {
            self.emptied_at = now;
        }
        self.put(Item::Frame(text.to_owned()));
    }

    /// Frames that were not read are gone; what is to be told stays.
    pub fn reset(&mut self) {
        self.waiting.retain(|item| !matches!(item, Item::Frame(_)));
    }

    /// That the last socket is gone waits to be told.
    pub fn is_lost(&self) -> bool {
        self.waiting.iter().any(|item| matches!(item, Item::Lost(_)))
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.left.is_empty()
    }

    /// Lets in what there is room for. `last_heard` follows the frames; an error names a frame that was refused.
    pub fn open(&mut self, feed: u16, last_heard: &mut i64, hall: &mut Hall<'_>) -> Result<(), String> {
        loop {
            if !self.left.is_empty() && hall.mailbox.offer(&mut self.left) == Offered::Left {
                return Ok(());
            }
            let Some(item) = self.waiting.pop_front() else { return Ok(()) };
            *hall.now += 1;
            let now = *hall.now;
            let origin = Origin { feed, received: now, sent_by: hall.cloud.at(now) };
            match item {
                Item::Note(feed, event) => hall.mailbox.note(FeedNote { feed, at: now, event }),
                Item::Lost(reason) => {
                    let event = FeedEvent::Lost { reason: reason.to_owned(), last_heard: *last_heard };
                    hall.mailbox.note(FeedNote { feed, at: now, event });
                }
                Item::Frame(text) => {
                    *last_heard = self.emptied_at.max(*last_heard);
                    self.left.extend(decode(&text, hall.dialect, origin)?);
                }
                Item::Read(text) => self.left.extend(read(&text, origin)?),
            }
        }
    }
}

fn decode(text: &str, dialect: Dialect, origin: Origin) -> Result<Vec<Delivery>, String> {
    let mut batch = Batch::default();
    let outcome = match dialect {
        Dialect::Events => wire::decode_event(text.as_bytes(), origin, &Limits::default(), &mut batch),
        _ => wire::decode_notification(text.as_bytes(), origin, &Limits::default(), &mut batch),
    };
    taken(outcome, text, batch)
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
