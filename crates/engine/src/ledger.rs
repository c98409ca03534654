//! The ledger: for every feed, when it listened, and what became of the holes.
//!
//! A hole begins when a feed was last heard and ends when it listens again. It is *unknown* while nobody listens,
//! *repaired* once REST reads closed it or the peer's re-send provably covered it, *partial* when that failed. A moment at
//! which facts were dropped is *partial* for good: what reads again is their conversation, not the moment. The proof
//! of a re-send: every one of the last facts heard before the cut came again after it; a single one coming again may be a
//! stray duplicate and proves nothing.

use crate::limits::{HOLES_MAX, PROOF_FACTS, PROOF_FACTS_MIN, PROOF_SPAN_NS};
use crate::{Completeness, FactId, FeedEvent, FeedNote, FeedView, LedgerRow};
use std::collections::VecDeque;

/// What is known of every feed.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    feeds: Vec<Option<Feed>>,
    changed: Vec<LedgerRow>,
}

#[derive(Debug)]
struct Feed {
    name: String,
    resends: bool,
    listening: bool,
    since: i64,
    /// Why it cannot listen at present.
    failing: Option<String>,
    /// What it does not hear although it listens.
    limited: Option<String>,
    holes: VecDeque<Hole>,
    /// The newest facts heard and when, for the proof of a re-send.
    recent: VecDeque<(FactId, i64)>,
    /// Of those heard before the last cut, the ones that have not come again; none when there is nothing to prove.
    awaited: Option<Vec<FactId>>,
    /// How many of the newest holes that proof covers: nothing new was heard between them.
    covered: usize,
}

#[derive(Clone, Debug)]
struct Hole {
    from: i64,
    to: Option<i64>,
    state: Completeness,
    reason: String,
    /// Nobody listened in it, so that reading again closes it; not so where facts were dropped.
    gap: bool,
    /// It differs from what is stored.
    changed: bool,
}

/// The first instant of the row that says whether a feed listens; a hole never has it.
const STATUS_ROW: i64 = 0;

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
        let reopened = feed.apply(note.event, note.at);
        self.record(index);
        reopened
    }

    /// A fact was heard on a feed at `at`, new or not.
    pub fn heard(&mut self, feed: u16, fact: FactId, at: i64, new: bool) {
        let index = usize::from(feed);
        let Some(Some(feed)) = self.feeds.get_mut(index) else {
            return;
        };
        if !feed.resends {
            return;
        }
        if feed.hear(fact, at, new) {
            self.record(index);
        }
    }

    /// Facts of a feed are missing for good, such as those that were dropped: what it tells is partial at that time.
    pub fn dropped(&mut self, feed: u16, at: i64, reason: &str) {
        let index = usize::from(feed);
        if let Some(Some(feed)) = self.feeds.get_mut(index) {
            feed.lack(at, reason);
        }
        self.record(index);
    }

    /// The same of every feed.
    pub fn damaged(&mut self, at: i64, reason: &str) {
        for feed in (0..self.feeds.len()).filter_map(|index| u16::try_from(index).ok()) {
            self.dropped(feed, at, reason);
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
        if row.from == STATUS_ROW {
            feed.listening = row.listening;
            return;
        }
        feed.since = feed.since.max(row.from);
        let gap = row.listening;
        feed.holes.push_back(Hole {
            gap,
            changed: false,
            ..Hole::new(row.from, row.to, row.state, row.reason)
        });
    }

    /// After a restart: nobody listened since `last_heard`.
    pub fn resumed(&mut self, last_heard: i64) {
        for index in 0..self.feeds.len() {
            if let Some(Some(feed)) = self.feeds.get_mut(index) {
                feed.holes.make_contiguous().sort_by_key(|h| h.from);
                if feed.listening {
                    feed.lose("Headcount was not running".to_owned(), last_heard);
                }
            }
            self.record(index);
        }
    }

    /// Rows that changed since the last call.
    pub fn take_changed(&mut self) -> Vec<LedgerRow> {
        std::mem::take(&mut self.changed)
    }

    /// The worst that is known of `[from, to]`, and unknown when nobody ever listened.
    pub fn worst(&self, from: i64, to: i64) -> Completeness {
        let feeds = self.feeds.iter().flatten();
        feeds.map(|f| f.worst(from, to).0).max().unwrap_or(Completeness::Unknown)
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
        self.feeds.iter().flatten().map(view).collect()
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
        let status = Hole::new(STATUS_ROW, None, Completeness::Complete, String::new());
        self.changed.push(row(&status, feed.listening));
        for hole in feed.holes.iter_mut().filter(|h| h.changed) {
            hole.changed = false;
            self.changed.push(row(hole, hole.gap));
        }
    }
}

impl Hole {
    fn new(from: i64, to: Option<i64>, state: Completeness, reason: String) -> Self {
        Self { from, to, state, reason, gap: true, changed: true }
    }
}

impl Feed {
    fn new(name: String, resends: bool, since: i64) -> Self {
        Self {
            name,
            resends,
            listening: false,
            since,
            failing: None,
            limited: None,
            holes: VecDeque::new(),
            recent: VecDeque::new(),
            awaited: None,
            covered: 0,
        }
    }

    fn apply(&mut self, event: FeedEvent, at: i64) -> bool {
        match event {
            FeedEvent::Named { .. } => {}
            FeedEvent::Listening => return self.listen(at),
            FeedEvent::Lost { reason, last_heard } => self.lose(reason, last_heard.min(at)),
            FeedEvent::Failing { reason } => self.failing = Some(reason),
            FeedEvent::Limited { reason } => self.limited = reason,
            FeedEvent::Repaired => self.settle_holes(Completeness::Repaired, None),
            FeedEvent::RepairFailed { reason } => self.settle_holes(Completeness::Partial, Some(&reason)),
        }
        false
    }

    fn listen(&mut self, at: i64) -> bool {
        if self.listening {
            return false;
        }
        (self.listening, self.since, self.failing) = (true, at, None);
        let Some(hole) = self.holes.iter_mut().rev().find(|h| h.to.is_none()) else { return false };
        (hole.to, hole.changed) = (Some(at), true);
        !self.resends
    }

    fn lose(&mut self, reason: String, last_heard: i64) {
        if !self.listening {
            return;
        }
        self.listening = false;
        let from = last_heard.max(self.since);
        self.since = from;
        self.holes.push_back(Hole::new(from, None, Completeness::Unknown, reason));
        self.covered += 1;
        self.await_again();
        self.bound_holes();
    }

    /// What must come again to prove a re-send: all heard shortly before the cut, and some in any case.
    fn await_again(&mut self) {
        if self.listening || !self.resends {
            return;
        }
        let newest = self.recent.back().map_or(0, |(_, at)| *at);
        let awaited = self.recent.iter().rev().enumerate();
        let awaited = awaited.filter(|(n, (_, at))| *n < PROOF_FACTS_MIN || newest - at <= PROOF_SPAN_NS);
        let awaited: Vec<FactId> = awaited.map(|(_, (fact, _))| *fact).collect();
        self.awaited = (awaited.len() >= PROOF_FACTS_MIN).then_some(awaited);
    }

    /// Notes that facts are missing for good. While it does not listen that is known already.
    fn lack(&mut self, at: i64, reason: &str) {
        if !self.listening {
            return;
        }
        let at = self.holes.back().and_then(|h| h.to).map_or(at, |end| end.max(at));
        match self.holes.back_mut() {
            Some(hole) if hole.reason == reason && !hole.gap => (hole.to, hole.changed) = (Some(at), true),
            _ => self.holes.push_back(Hole {
                gap: false,
                ..Hole::new(at, Some(at), Completeness::Partial, reason.to_owned())
            }),
        }
        self.bound_holes();
    }

    /// Old holes merge into one that spans them, with the worst of what was known: wider than the truth, never narrower.
    fn bound_holes(&mut self) {
        while self.holes.len() > HOLES_MAX {
            let Some(first) = self.holes.pop_front() else {
                return;
            };
            if let Some(next) = self.holes.front_mut() {
                next.from = first.from;
                next.state = next.state.max(first.state);
                next.changed = true;
            }
        }
    }

    fn settle_holes(&mut self, state: Completeness, reason: Option<&str>) {
        for hole in self.holes.iter_mut().filter(|h| h.to.is_some() && h.gap) {
            let open = hole.state == Completeness::Unknown
                || (hole.state == Completeness::Partial && reason.is_none());
            if open {
                (hole.state, hole.changed) = (state, true);
                if let Some(reason) = reason {
                    hole.reason = reason.to_owned();
                }
            }
        }
    }

    /// True when the proof of a re-send is complete.
    fn hear(&mut self, fact: FactId, at: i64, new: bool) -> bool {
        if new {
            if self.recent.len() >= PROOF_FACTS {
                self.recent.pop_front();
            }
            self.recent.push_back((fact, at));
            self.covered = 0;
            return false;
        }
        let Some(awaited) = self.awaited.as_mut().filter(|_| self.listening) else { return false };
        awaited.retain(|other| *other != fact);
        if !awaited.is_empty() {
            return false;
        }
        self.awaited = None;
        let gaps = self.holes.iter_mut().rev().filter(|h| h.gap).take(self.covered.max(1));
        for hole in gaps.filter(|h| h.state == Completeness::Unknown) {
            (hole.state, hole.changed) = (Completeness::Repaired, true);
        }
        self.covered = 0;
        true
    }

    fn worst(&self, from: i64, to: i64) -> (Completeness, Option<&str>) {
        let within = self
            .holes
            .iter()
            .rev()
            .take_while(|h| h.to.is_none_or(|end| end >= from))
            .filter(|h| h.from <= to);
        let hole = within.max_by_key(|h| (h.state, h.from)).map(|h| (h.state, Some(h.reason.as_str())));
        let limited = self.limited.as_deref().map(|reason| (Completeness::Partial, Some(reason)));
        let silent = (!self.listening && self.since <= to).then(|| {
            let reason = self.failing.as_deref().or(self.holes.back().map(|h| h.reason.as_str()));
            (Completeness::Unknown, Some(reason.unwrap_or("it has not begun to listen yet")))
        });
        let worst = [hole, limited, silent].into_iter().flatten().max_by_key(|(state, _)| *state);
        worst.unwrap_or((Completeness::Complete, None))
    }
}
