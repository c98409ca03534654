//! The ledger: for every feed, when it listened, and what became of the holes.
//!
//! A hole begins when a feed was last heard and ends when it listens again. It is *unknown* while nobody listens,
//! *repaired* once REST reads closed it or the peer's re-send provably covered it, *partial* when that failed. A moment at
//! which facts were dropped is *partial* for good: what reads again is their conversation, not the moment. The proof
//! of a re-send: every one of the last facts heard before the cut came again after it; a single one coming again may be a
//! stray duplicate and proves nothing.

use crate::gaps::Claim;
use crate::limits::{HOLES_MAX, LACK_JOIN_NS, PROOF_FACTS, PROOF_FACTS_MIN, PROOF_SPAN_NS};
use crate::{Completeness, FactId, FeedEvent, FeedNote, FeedView, LedgerRow};
use std::collections::VecDeque;

/// What is known of every feed.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    feeds: Vec<Option<Feed>>,
    changed: Vec<LedgerRow>,
    /// A hole began, ended or was settled since the last call of [`Ledger::take_news`]; when the newest of them did.
    news: Option<i64>,
}

#[derive(Debug)]
pub(crate) struct Feed {
    pub name: String,
    resends: bool,
    pub listening: bool,
    since: i64,
    /// When it listened first, in any run.
    first: Option<i64>,
    /// What is known of conversations that were there already then.
    before: Completeness,
    /// Why it cannot listen at present.
    failing: Option<String>,
    /// What it does not hear although it listens, and since when.
    limited: Option<Hole>,
    /// In the order of their ends.
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

/// The first instant of the row that says whether a feed listens, and that ends when it first did; a hole never has it.
const STATUS_ROW: i64 = 0;
/// How long a moment lasts at which facts were lost: our clock is no finer.
const MOMENT_NS: i64 = 1_000;
/// Why nothing is known of the time before.
const NOBODY: &str = "nobody listened yet";

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
            self.news = self.news.max(Some(at));
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
        if feed.name != row.name {
            return;
        }
        if row.from == STATUS_ROW {
            (feed.listening, feed.first, feed.before) = (row.listening, row.to, row.state);
            return;
        }
        feed.since = feed.since.max(row.from);
        let gap = row.listening;
        let hole = Hole { gap, changed: false, ..Hole::new(row.from, row.to, row.state, row.reason) };
        if gap || hole.to.is_some() {
            feed.holes.push_back(hole);
        } else {
            feed.limited = Some(hole);
        }
    }

    /// After a restart: nobody listened since `last_heard`.
    pub fn resumed(&mut self, last_heard: i64) {
        for index in 0..self.feeds.len() {
            if let Some(Some(feed)) = self.feeds.get_mut(index) {
                feed.holes.make_contiguous().sort_by_key(|h| (h.to.unwrap_or(i64::MAX), h.from));
                feed.limit(None, last_heard);
                if feed.listening {
                    feed.lose("Headcount was not running".to_owned(), last_heard);
                }
            }
            self.record(index);
        }
        self.news = Some(last_heard);
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
        for hole in feed.holes.iter_mut().chain(&mut feed.limited).filter(|h| h.changed) {
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
            first: None,
            before: Completeness::Unknown,
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
            FeedEvent::Named { .. } | FeedEvent::Gone { .. } => {}
            FeedEvent::Listening => return self.listen(at),
            FeedEvent::Lost { reason, last_heard } => self.lose(reason, last_heard.min(at)),
            FeedEvent::Failing { reason } => self.failing = Some(reason),
            FeedEvent::Limited { reason } => self.limit(reason, at),
            FeedEvent::Refused { reason } => self.lack(at, &format!("frames were refused: {reason}")),
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
        self.first.get_or_insert(at);
        let Some(hole) = self.holes.iter_mut().rev().find(|h| h.to.is_none()) else { return false };
        (hole.to, hole.changed) = (Some(at.max(hole.from)), true);
        !self.resends
    }

    fn lose(&mut self, reason: String, last_heard: i64) {
        if !self.listening {
            return;
        }
        self.listening = false;
        let from = last_heard.max(self.since);
        self.since = from;
        let from = self.free_start(from, -1);
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

    /// Notes that facts are missing for good. While it does not listen that is known already. What lacks again soon, for
    /// the same reason, extends the hole that is there.
    fn lack(&mut self, at: i64, reason: &str) {
        if !self.listening {
            return;
        }
        let last_gap = self.holes.iter().rev().find(|h| h.gap).and_then(|h| h.to);
        let at = last_gap.map_or(at, |end| end.max(at));
        let moment = at.saturating_add(MOMENT_NS);
        let end = self.holes.back().and_then(|h| h.to).map_or(moment, |newest| newest.max(moment));
        let soon = |h: &Hole| h.reason == reason && h.to.is_some_and(|end| at - end <= LACK_JOIN_NS);
        let behind_gaps = self.holes.iter().rev().take_while(|h| !h.gap).position(soon);
        let known = behind_gaps.and_then(|back| self.holes.remove(self.holes.len() - 1 - back));
        let hole = match known {
            Some(hole) => Hole { to: Some(end), changed: true, ..hole },
            None => {
                let from = self.free_start(at, 1);
                let hole = Hole::new(
                    from,
                    Some(end.max(from.saturating_add(MOMENT_NS))),
                    Completeness::Partial,
                    reason.to_owned(),
                );
                Hole { gap: false, ..hole }
            }
        };
        self.holes.push_back(hole);
        self.bound_holes();
    }

    /// Notes what it does not hear from now on; none: it hears everything again.
    fn limit(&mut self, reason: Option<String>, at: i64) {
        if self.limited.as_ref().map(|h| &h.reason) == reason.as_ref() {
            return;
        }
        let newest = self.holes.back().and_then(|h| h.to);
        if let Some(over) = self.limited.take() {
            let to = at.max(over.from).max(newest.unwrap_or(at));
            let place = self.holes.len() - self.holes.iter().rev().take_while(|h| h.to.is_none()).count();
            self.holes.insert(place, Hole { to: Some(to), changed: true, ..over });
            self.bound_holes();
        }
        let from = self.free_start(at, 1);
        self.limited =
            reason.map(|reason| Hole { gap: false, ..Hole::new(from, None, Completeness::Partial, reason) });
    }

    /// The first instant from `at` on, stepping by `step`, at which no other hole begins: that is a hole's name in the store.
    fn free_start(&self, at: i64, step: i64) -> i64 {
        let taken = |from: i64| {
            let near = self.holes.iter().rev().take_while(|h| h.to.is_none_or(|end| end >= from));
            near.chain(&self.limited).any(|h| h.from == from)
        };
        let mut from = at;
        while taken(from) {
            from = from.saturating_add(step);
        }
        from
    }

    /// Old holes merge into one that spans them, with the worst of what was known: wider than the truth, never narrower.
    fn bound_holes(&mut self) {
        while self.holes.len() > HOLES_MAX {
            let Some(first) = self.holes.pop_front() else {
                return;
            };
            if let Some(next) = self.holes.front_mut() {
                next.from = first.from.min(next.from);
                next.state = next.state.max(first.state);
                next.changed = true;
            }
        }
    }

    fn settle_holes(&mut self, state: Completeness, reason: Option<&str>) {
        if self.before > Completeness::Repaired && self.first.is_some() {
            self.before = state;
        }
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
        let limited = self.limited.as_ref().filter(|h| h.from <= to);
        let limited = limited.map(|h| (Completeness::Partial, Some(h.reason.as_str())));
        let silent = (!self.listening && self.since <= to).then(|| {
            let reason = self.failing.as_deref().or(self.holes.back().map(|h| h.reason.as_str()));
            (Completeness::Unknown, Some(reason.unwrap_or("it has not begun to listen yet")))
        });
        let worst = [hole, limited, silent].into_iter().flatten().max_by_key(|(state, _)| *state);
        worst.unwrap_or((Completeness::Complete, None))
    }
    /// All that is less than complete, in intervals that may overlap.
    pub fn claims(&self) -> Vec<Claim<'_>> {
        let failing = self.failing.as_deref();
        let mut claims = vec![Claim {
            from: i64::MIN,
            to: self.first,
            state: Completeness::Unknown,
            reason: if self.first.is_none() { failing.unwrap_or(NOBODY) } else { NOBODY },
        }];
        claims.extend(self.holes.iter().chain(&self.limited).map(|h| Claim {
            from: h.from,
            to: h.to,
            state: h.state,
            reason: failing.filter(|_| h.gap && h.to.is_none()).unwrap_or(&h.reason),
        }));
        claims
    }
}
