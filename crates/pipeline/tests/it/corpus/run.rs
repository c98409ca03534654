//! Plays a file of the corpus: bytes through `wire`, the mailbox and a keeper with a store, on a clock of its own.
//!
//! Each line is one turn of the shard: take the mail, let time pass, commit. Nothing that readers see comes from
//! anywhere but the keeper.

use crate::corpus::parse::{Case, Frame, Kind, Step, What};
use engine::{FeedEvent, FeedNote, Id, LedgerRow, Limits};
use pipeline::{Keeper, Mail, Mailbox, MailboxSettings, Offered, Telemetry};
use prometheus_client::registry::Registry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use store::Store;
use tempfile::TempDir;
use wire::{Batch, Limits as WireLimits, Origin, Outcome};
use wire::{decode_conversation, decode_event, decode_notification};

/// The program as far as facts go, and what was seen to come out of it.
pub struct World {
    folder: TempDir,
    keeper: Option<Keeper>,
    mailbox: Mailbox,
    feeds: Vec<crate::corpus::parse::Feed>,
    pub now: i64,
    pub midnight: i64,
    pub conversations: BTreeSet<String>,
    /// Conversations whose spells the file shows.
    pub spelt: BTreeSet<String>,
    /// The newest row of each hole.
    pub holes: BTreeMap<(u16, i64), LedgerRow>,
    /// How often a frame was refused, or ignored, and why.
    pub outcomes: BTreeMap<(&'static str, String), u64>,
    /// Conversations that a REST read was asked for, and why.
    pub asked: BTreeSet<(String, &'static str)>,
    /// Everything that cells moved by.
    moved: BTreeMap<i64, i64>,
}

/// Plays the steps of a case, which may be other ones than its file has.
pub fn play(case: &Case, steps: &[Step]) -> World {
    let mut world = World::new(case);
    for step in steps {
        world.step(step);
    }
    world.check_cells();
    world
}

impl World {
    fn new(case: &Case) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let telemetry = Telemetry::new(&mut Registry::default());
        let mut world = Self {
            folder,
            keeper: None,
            mailbox: Mailbox::new(MailboxSettings::default(), telemetry),
            feeds: case.feeds.clone(),
            now: case.midnight,
            midnight: case.midnight,
            conversations: BTreeSet::new(),
            spelt: case
                .sections
                .iter()
                .filter_map(|(head, _)| head.strip_prefix("spells "))
                .map(str::to_owned)
                .collect(),
            holes: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            asked: BTreeSet::new(),
            moved: BTreeMap::new(),
        };
        world.start();
        world
    }

    pub fn keeper(&self) -> &Keeper {
        self.keeper.as_ref().unwrap()
    }

    /// Opens the store, names the feeds, and lets those listen that listened.
    fn start(&mut self) {
        let opened = Store::open(self.folder.path(), 7).unwrap();
        let (mut keeper, _) = Keeper::recover(opened, Limits::default(), self.now).unwrap();
        keeper.begin(self.now);
        self.keeper = Some(keeper);
        self.turn(Mail::default());
        for number in 0..self.feeds.len() {
            let feed = self.feeds[number].clone();
            self.note(number as u16, FeedEvent::Named { name: feed.name, resends: feed.resends });
            self.note(number as u16, FeedEvent::Listening);
        }
    }

    fn step(&mut self, step: &Step) {
        self.pass_to(step.at);
        match &step.what {
            What::Frame(frame) => self.frame(frame),
            What::Listening(feed) => self.note(*feed, FeedEvent::Listening),
            What::Lost { feed, heard, reason } => {
                self.note(*feed, FeedEvent::Lost { reason: reason.clone(), last_heard: *heard });
            }
            What::Repaired(feed) => self.note(*feed, FeedEvent::Repaired),
            What::RepairFailed(feed, reason) => {
                self.note(*feed, FeedEvent::RepairFailed { reason: reason.clone() });
            }
            What::Dropped { feed, conversation, facts } => {
                let of = Id::new(conversation).unwrap();
                let dropped = engine::Dropped { facts: *facts, since: self.now, until: self.now };
                self.turn(Mail { dropped: vec![((*feed, of), dropped)], ..Mail::default() });
            }
            What::Wait => self.turn(Mail::default()),
            What::Restart => {
                self.keeper.take().unwrap().close().unwrap();
                self.start();
            }
        }
    }

    /// Lets time pass up to an instant: whatever is due on the way happens when it is due.
    fn pass_to(&mut self, at: i64) {
        while let Some(due) = self.keeper().wake_at().filter(|due| *due < at) {
            self.now = self.now.max(due);
            self.turn(Mail::default());
        }
        self.now = at;
    }

    fn note(&mut self, feed: u16, event: FeedEvent) {
        self.mailbox.note(FeedNote { feed, at: self.now, event });
        self.take();
    }

    fn frame(&mut self, frame: &Frame) {
        let decode = match frame.kind {
            Kind::Event => decode_event,
            Kind::Notification => decode_notification,
            Kind::Read => decode_conversation,
        };
        let origin = Origin { feed: frame.feed, received: frame.received, sent_by: frame.received };
        let mut batch = Batch::default();
        let told = match decode(frame.bytes.as_bytes(), origin, &WireLimits::default(), &mut batch) {
            Outcome::Facts(_) => None,
            Outcome::Control(_) => Some(("control", "message".to_owned())),
            Outcome::Ignored(why) => Some(("ignored", why.as_str().to_owned())),
            Outcome::Refused(why) => Some(("refused", why.as_str().to_owned())),
        };
        told.into_iter().for_each(|told| *self.outcomes.entry(told).or_default() += 1);
        self.conversations.extend(batch.deliveries.iter().map(|d| d.conversation.to_string()));
        assert_eq!(self.mailbox.offer(&mut VecDeque::from(batch.deliveries)), Offered::Taken);
        self.take();
    }

    fn take(&mut self) {
        let mut mail = Mail::default();
        assert!(!self.mailbox.take(usize::MAX, &mut mail));
        self.turn(mail);
    }

    fn turn(&mut self, mut mail: Mail) {
        let keeper = self.keeper.as_mut().unwrap();
        keeper.take(&mut mail, self.now).unwrap();
        keeper.pass_time(self.now);
        let batch = keeper.commit(self.now).unwrap();
        for row in batch.ledger.iter().filter(|row| row.is_hole()) {
            self.holes.insert((row.feed, row.from), row.clone());
        }
        self.asked.extend(batch.wishes.iter().map(|(id, reason)| (id.to_string(), *reason)));
        for (minute, difference) in &batch.cells {
            *self.moved.entry(*minute).or_default() += difference;
        }
        keeper.reuse(batch);
    }

    /// Cells move by differences: all of them together are the counts that are shown.
    fn check_cells(&self) {
        let activity = self.keeper().engine().activity();
        let first = activity.newest_minute.unwrap_or_default() - activity.counts.len() as i64 + 1;
        for (minute, count) in (first..).zip(activity.counts) {
            let moved = self.moved.get(&minute).copied().unwrap_or(0);
            assert_eq!(moved, count as i64, "the moves of minute {minute} do not add up to its count");
        }
        assert!(self.moved.values().all(|count| *count >= 0), "a cell below nothing");
    }
}
