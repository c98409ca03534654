//! The ledger: for every feed, when it listened, and what became of the holes.
//!
//! A hole begins when a feed was last heard and ends when it listens again. It is *unknown* while nobody listens,
//! *repaired* once REST reads closed it or the peer's re-send provably covered it, *partial* when that failed. A moment at
//! which facts were dropped is *partial* for good: what reads again is their conversation, not the moment. The proof
//! of a re-send: every one of the last facts heard before the cut came again after it; a single one coming again may be a
//! stray duplicate and proves nothing.

mod feed;

pub(crate) use feed::Feed;

use crate::limits::{LOOK_BACK_NS, LOOK_BACK_NS_MAX, STRAGGLING_NS_MAX, UNNOTICED_NS_MAX};
use crate::{Completeness, FactId, FeedEvent, FeedNote, FeedView, LedgerRow};
use feed::{Hole, NOBODY};

/// What is known of every feed.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    feeds: Vec<Option<Feed>>,
    changed: Vec<LedgerRow>,
    /// A hole began, ended or was settled since the last call of [`Ledger::take_news`]; when the newest of them did.
    news: Option<i64>,
    /// Rows of it were stored and cannot be read.
    lost_rows: bool,
}

/// The first instant of the row that says whether a feed listens, and that ends when it first did; a hole never has it.
pub const STATUS_ROW: i64 = 0;
/// The same of the row that says until when a clock that was set back runs through a time again; it ends then.
pub(crate) const AGAIN_ROW: i64 = 1;
/// Why all that a feed ever told may lack something.
pub const RECORDS_LOST: &str =
    "records of the history could not be read; `headcount store check` and the log of the program name them";

impl Ledger {
    /// Takes a note. True when the feed listens again after a hole that only REST reads can close.
    pub fn note(&mut self, note: FeedNote) -> bool {
        let index = usize::from(note.feed);
        if let FeedEvent::Named { name, resends } = note.event {
            self.name(index, name, resends, note.at);
            return false;
        }
        let Some(Some(feed)) = self.feeds.get_mut(index) else {
            return false;
        };
        let turns = !matches!(
            note.event,
            FeedEvent::Refused { .. } | FeedEvent::Limited { .. } | FeedEvent::Failing { .. }
        );
        let reopened = feed.apply(note.event, note.at);
        if turns {
            self.news = self.news.max(Some(note.at));
        }
        self.record(index);
        reopened
    }

    /// Whether REST reads can bring what a feed missed.
    pub fn can_be_read(&self, feed: u16) -> bool {
        let known = self.feeds.get(usize::from(feed)).and_then(Option::as_ref);
        known.is_some_and(|feed| !feed.resends)
    }

    /// A fact was heard on a feed at `at`, new or not; `happened`: its own time, where it has one. Until then the feed was
    /// alive: when it was read proves nothing, since it may have lain in a buffer while nobody ran.
    pub fn heard(&mut self, feed: u16, fact: FactId, at: i64, happened: Option<i64>, new: bool) {
        let index = usize::from(feed);
        let Some(Some(feed)) = self.feeds.get_mut(index) else {
            return;
        };
        let alive = happened.map(|happened| happened.min(at).saturating_sub(STRAGGLING_NS_MAX));
        feed.told_at = feed.told_at.max(alive.unwrap_or(i64::MIN));
        if !feed.resends {
            return;
        }
        if feed.hear(fact, at, new) {
            self.news = self.news.max(Some(at));
            self.record(index);
        }
    }

    /// Facts of a feed are missing for good, such as those that were dropped: what it tells is partial from `since` to `at`.
    /// When it does not listen any more, from `since` until that hole.
    pub fn dropped(&mut self, number: u16, since: i64, at: i64, reason: &str) {
        let index = usize::from(number);
        match self.feeds.get_mut(index) {
            Some(Some(feed)) if feed.listening => feed.lack(since, at, reason),
            Some(Some(feed)) if feed.open_since().is_some_and(|open| since < open) => {
                feed.lacked(since, reason)
            }
            _ => return,
        }
        self.record(index);
    }

    /// The same of what is found to be missing at an instant, whenever it was told: also when the feed does not listen.
    pub fn untold(&mut self, number: u16, at: i64, reason: &str) {
        match self.feeds.get_mut(usize::from(number)) {
            Some(Some(feed)) if !feed.listening => feed.lacked(at, reason),
            _ => return self.dropped(number, at, at, reason),
        }
        self.record(usize::from(number));
    }

    /// Rows of the ledger itself cannot be read: what they knew may have been the worst.
    pub fn lose_rows(&mut self) {
        self.lost_rows = true;
    }

    /// Records of the history cannot be read: which moments they told of is not known, so that all until `at` may lack some.
    pub fn damaged(&mut self, at: i64, reason: &str) {
        let state = if self.lost_rows { Completeness::Unknown } else { Completeness::Partial };
        self.each(|feed| feed.doubt(at, state, reason));
    }

    /// Our clock was set back from one instant to another.
    pub fn set_back(&mut self, from: i64, at: i64) {
        self.each(|feed| feed.set_back(from, at));
        self.news = self.news.map(|news| news.min(at));
    }

    /// The same while nobody ran: for how long, and where in what is known that time lies, nobody can tell.
    pub fn set_back_unseen(&mut self, from: i64, at: i64) {
        let reason = "our clock was set back while Headcount was not running";
        self.set_back(from, at);
        self.each(|feed| feed.doubt(from, Completeness::Partial, reason));
    }

    fn each(&mut self, change: impl Fn(&mut Feed)) {
        for index in 0..self.feeds.len() {
            if let Some(Some(feed)) = self.feeds.get_mut(index) {
                change(feed);
            }
            self.record(index);
        }
    }

    /// A row as it was stored.
    pub fn restore(&mut self, row: LedgerRow) {
        let index = usize::from(row.feed);
        if self.feeds.len() <= index {
            self.feeds.resize_with(index + 1, || None);
        }
        let Some(slot) = self.feeds.get_mut(index) else {
            return;
        };
        let feed = slot.get_or_insert_with(|| Feed::new(row.name.clone(), false, row.from));
        if feed.name != row.name {
            return;
        }
        if row.from == STATUS_ROW {
            (feed.listening, feed.first, feed.before) = (row.listening, row.to, row.state);
            return;
        }
        if row.from == AGAIN_ROW {
            feed.again_until = row.to.unwrap_or(i64::MIN);
            return;
        }
        let gap = row.listening;
        if gap {
            // It turned there; a moment at which facts were lost turns nothing.
            feed.since = feed.since.max(row.to.unwrap_or(row.from));
        }
        let hole = Hole { gap, changed: false, ..Hole::new(row.from, row.to, row.state, row.reason) };
        if gap || hole.to.is_some() {
            feed.holes.push_back(hole);
        } else {
            feed.limited = Some(hole);
        }
    }

    /// After a restart: nobody listened since `last_heard`, and a feed that died shortly before may not have been noticed.
    pub fn resumed(&mut self, last_heard: i64) {
        for index in 0..self.feeds.len() {
            if let Some(Some(feed)) = self.feeds.get_mut(index) {
                feed.holes.make_contiguous().sort_by_key(|h| (h.to.unwrap_or(i64::MAX), h.from));
                feed.limit(None, last_heard);
                let reach = last_heard.saturating_sub(LOOK_BACK_NS_MAX);
                feed.holes.iter_mut().for_each(|h| h.beyond = h.from < reach);
                if feed.listening {
                    let alive = last_heard.saturating_sub(UNNOTICED_NS_MAX).max(feed.told_at).min(last_heard);
                    feed.lose("Headcount was not running".to_owned(), alive);
                }
            }
            self.record(index);
        }
        self.news = Some(last_heard);
    }

    /// How far back the first round of repair of this run must look, so that what it proves is true of every hole that it
    /// closes.
    pub fn look_back_to(&self, last_heard: i64) -> i64 {
        let open = |h: &&Hole| h.gap && !h.beyond && h.state > Completeness::Repaired;
        let begins = self.feeds().flat_map(|feed| feed.holes.iter().filter(open)).map(|h| h.from);
        begins.fold(last_heard.saturating_sub(LOOK_BACK_NS), i64::min)
    }

    /// Rows that changed since the last call.
    pub fn take_changed(&mut self) -> Vec<LedgerRow> {
        std::mem::take(&mut self.changed)
    }

    /// The worst that is known of `[from, to]`, of each feed since it first listened, and unknown when none ever did.
    pub fn worst(&self, from: i64, to: i64) -> Completeness {
        self.feeds().map(|f| f.worst(from, to).0).max().unwrap_or(Completeness::Unknown)
    }

    /// The same of a conversation that was heard of in `[from, to]`: it may have begun before anybody listened.
    pub fn worst_of_life(&self, from: i64, to: i64) -> Completeness {
        let before = |f: &Feed| f.first.filter(|first| from < *first).map(|_| f.before);
        let began = self.feeds().filter_map(before).max().unwrap_or_default();
        self.worst(from, to).max(began)
    }

    /// The feeds that are known.
    pub fn feeds(&self) -> impl Iterator<Item = &Feed> {
        self.feeds.iter().flatten()
    }

    /// From when on every feed that ever listened is spoken of.
    pub fn first_listened(&self) -> Option<i64> {
        self.feeds().filter_map(|f| f.first).max()
    }

    /// When a hole began, ended or was settled last, once.
    pub fn take_news(&mut self) -> Option<i64> {
        self.news.take()
    }

    /// When a hole began, ended or was settled last, until that is taken.
    pub fn news(&self) -> Option<i64> {
        self.news
    }

    /// Since when a feed was not listened to after `heard`, so that something may be missing to this day, and why.
    pub fn unheard_since(&self, feed: u16, heard: i64) -> Option<(i64, &str)> {
        let feed = self.feeds.get(usize::from(feed))?.as_ref()?;
        let after = feed.holes.iter().rev().take_while(|h| h.to.is_none_or(|end| end > heard));
        let open = after.filter(|h| h.gap && h.state >= Completeness::Partial).last()?;
        Some((open.from, &open.reason))
    }

    /// Every feed as it stands, with its worst since `from`.
    pub fn views(&self, from: i64, to: i64) -> Vec<FeedView> {
        let view = |feed: &Feed| {
            let (completeness, reason) = feed.worst(from, to);
            FeedView {
                name: feed.name.clone(),
                connected: feed.listening,
                completeness,
                reason: reason.map(str::to_owned),
                since: feed.since,
            }
        };
        self.feeds().map(view).collect()
    }

    /// What a feed is called.
    pub fn name_of(&self, feed: u16) -> Option<&str> {
        self.feeds.get(usize::from(feed))?.as_ref().map(|feed| feed.name.as_str())
    }

    fn name(&mut self, index: usize, name: String, resends: bool, at: i64) {
        if self.feeds.len() <= index {
            self.feeds.resize_with(index + 1, || None);
        }
        let Some(slot) = self.feeds.get_mut(index) else {
            return;
        };
        match slot {
            Some(feed) if feed.name == name => {
                feed.resends = resends;
                feed.await_again();
            }
            _ => *slot = Some(Feed::new(name, resends, at)),
        }
    }

    /// Notes the rows of a feed that changed: its status, and holes.
    fn record(&mut self, index: usize) {
        let Some(Some(feed)) = self.feeds.get_mut(index) else {
            return;
        };
        let Ok(number) = u16::try_from(index) else { return };
        let name = feed.name.clone();
        let row = |hole: &Hole, listening| LedgerRow {
            feed: number,
            name: name.clone(),
            from: hole.from,
            to: hole.to,
            state: hole.state,
            listening,
            reason: hole.reason.clone(),
        };
        let status = Hole::new(STATUS_ROW, feed.first, feed.before, NOBODY.to_owned());
        self.changed.push(row(&status, feed.listening));
        if feed.again_until > i64::MIN {
            let again = Hole::new(AGAIN_ROW, Some(feed.again_until), Completeness::Complete, String::new());
            self.changed.push(row(&again, false));
        }
        for hole in feed.holes.iter_mut().chain(&mut feed.limited).filter(|h| h.changed) {
            hole.changed = false;
            self.changed.push(row(hole, hole.gap));
        }
    }
}
