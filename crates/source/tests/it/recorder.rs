//! A sink that writes down what it is given.

use engine::{Delivery, FeedEvent, FeedNote, UserFact};
use source::Sink;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// What a source handed in.
#[derive(Clone)]
pub struct Recorder {
    record: Arc<Mutex<Record>>,
    /// Whether what was handed in counts as decided.
    settled: watch::Sender<bool>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { record: Arc::default(), settled: watch::Sender::new(true) }
    }
}

#[derive(Default)]
pub struct Record {
    pub deliveries: Vec<Delivery>,
    pub users: Vec<UserFact>,
    pub notes: Vec<FeedNote>,
    /// So many of the next submissions are dropped, as by a full mailbox.
    pub drops: u32,
    /// So many submissions panic.
    pub panics: u32,
    /// How often somebody waited until all was decided.
    pub asked_settled: u32,
}

impl Recorder {
    pub fn with<T>(&self, look: impl FnOnce(&Record) -> T) -> T {
        look(&self.record.lock().unwrap())
    }

    /// Drops so many of the next submissions.
    pub fn drop_next(&self, times: u32) {
        self.record.lock().unwrap().drops = times;
    }

    /// Panics in the next submission, as a defect behind it does.
    pub fn panic_next(&self) {
        self.record.lock().unwrap().panics = 1;
    }

    /// Says whether what was handed in counts as decided.
    pub fn settle(&self, settled: bool) {
        self.settled.send_replace(settled);
    }

    /// How many deliveries were about this conversation.
    pub fn heard_of(&self, conversation: &str) -> usize {
        self.with(|record| {
            record.deliveries.iter().filter(|d| d.conversation.to_string() == conversation).count()
        })
    }

    /// What became of feeds, one word each; how they fare in between is in [`Recorder::limits`].
    pub fn story(&self) -> Vec<String> {
        let word = |note: &FeedNote| match &note.event {
            FeedEvent::Named { name, resends } => Some(format!("named {name} {resends}")),
            FeedEvent::Listening => Some("listening".to_owned()),
            FeedEvent::Lost { reason, .. } => Some(format!("lost: {reason}")),
            FeedEvent::Repaired => Some("repaired".to_owned()),
            FeedEvent::RepairedBut { unread, .. } => Some(format!("repaired but for {}", unread.len())),
            FeedEvent::RepairFailed { reason } => Some(format!("failed: {reason}")),
            FeedEvent::Refused { reason, .. } => Some(format!("refused: {reason}")),
            FeedEvent::Gone { conversation } => Some(format!("gone: {conversation}")),
            FeedEvent::Failing { .. } | FeedEvent::Limited { .. } => None,
        };
        self.with(|record| record.notes.iter().filter_map(word).collect())
    }

    /// What the ledger was told that feeds do not hear.
    pub fn limits(&self) -> Vec<Option<String>> {
        let limit = |note: &FeedNote| match &note.event {
            FeedEvent::Limited { limit } => Some(limit.as_ref().map(|limit| limit.reason.clone())),
            _ => None,
        };
        self.with(|record| record.notes.iter().filter_map(limit).collect())
    }

    /// How often a word of the story begins so.
    pub fn told(&self, word: &str) -> usize {
        self.story().iter().filter(|told| told.starts_with(word)).count()
    }
}

impl Sink for Recorder {
    async fn submit(&self, deliveries: Vec<Delivery>, users: Vec<UserFact>) -> bool {
        let mut record = self.record.lock().unwrap();
        if let Some(left) = record.panics.checked_sub(1) {
            record.panics = left;
            drop(record);
            panic!("a defect");
        }
        if let Some(left) = record.drops.checked_sub(1) {
            record.drops = left;
            return false;
        }
        record.deliveries.extend(deliveries);
        record.users.extend(users);
        true
    }

    fn note(&self, note: FeedNote) {
        self.record.lock().unwrap().notes.push(note);
    }

    async fn settled(&self) {
        self.record.lock().unwrap().asked_settled += 1;
        let mut settled = self.settled.subscribe();
        let _sender_is_ours = settled.wait_for(|settled| *settled).await;
    }
}
