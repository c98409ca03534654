//! Ghosts: conversations that are shown as active, and whose end may have been missed.
//!
//! An end that was lost leaves a conversation active for ever, and nothing in the set of facts tells it from one that
//! lasts. So one that is active for longer than its medium plausibly lasts, or of which nothing was heard since its feed
//! had a hole that is not closed, is a *suspect*: a repair is wished for, again with a growing wait, and it is shown as
//! suspect. It stays active and counted: removing it would replace a doubt by a guess. What proves it live (new facts, a
//! REST read that says that it is still there) or ends it clears the mark; when the platform does not know it any more,
//! the mark says so.
//!
//! Every active conversation stands in one queue, by when it is to be looked at. A hole, and its repair, let all active ones
//! be looked at, in order, so many a call. Rejected: a scan of all at every timeout, and an end of our own making.

use crate::conversation::Conversation;
use crate::entry::Entry;
use crate::limits::{LOOKS_MAX, Limits, SUSPECT_AGAIN_NS_MAX, SUSPECT_AGAIN_NS_MIN};
use crate::{Engine, Id, MINUTE, Source, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Why a conversation is suspected to be over, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// Since when.
    pub since: Time,
    /// Why, in words for a person.
    pub reason: String,
}

/// Why the platform's word is not what we show.
const GONE: &str = "the platform does not know it any more";

/// Who is looked at when, and who is a suspect.
#[derive(Debug, Default)]
pub(crate) struct Ghosts {
    due: BTreeSet<(i64, Id)>,
    /// The count is this map's size.
    suspects: BTreeMap<Id, Suspect>,
    sweep: Sweep,
}

#[derive(Debug)]
struct Suspect {
    since: i64,
    reason: String,
    /// How often it was asked for.
    asked: u32,
    /// The platform said that it does not know it.
    gone: bool,
}

/// A look at all active conversations.
#[derive(Debug, Default)]
struct Sweep {
    /// When the next one begins.
    at: Option<i64>,
    /// It begins at once: a hole is settled, and suspects may be cleared.
    soon: bool,
    /// By when the dust of the newest hole has settled.
    settled: i64,
    /// How far the present one has come.
    after: Option<Id>,
}

/// What a conversation remembers of this.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    /// When it stands in the queue; none: it does not.
    due: Option<i64>,
    /// When it was proven live, after it had been a suspect.
    proven: i64,
}

impl Default for Watch {
    fn default() -> Self {
        Self { due: None, proven: i64::MIN }
    }
}

impl Ghosts {
    /// How many suspects there are.
    pub fn len(&self) -> u64 {
        self.suspects.len() as u64
    }

    /// The ids of all suspects, behind one.
    pub fn after(&self, id: Bound<&Id>) -> impl Iterator<Item = &Id> {
        self.suspects.range::<Id, _>((id, Bound::Unbounded)).map(|(id, _)| id)
    }

    /// Why a conversation is a suspect.
    pub fn suspicion(&self, id: &Id) -> Option<Suspicion> {
        let suspect = self.suspects.get(id)?;
        Some(Suspicion { since: Time::from_nanos(suspect.since).to_millis(), reason: suspect.reason.clone() })
    }

    /// Whether a conversation is a suspect.
    pub fn suspects(&self, id: &Id) -> bool {
        !self.suspects.is_empty() && self.suspects.contains_key(id)
    }

    /// When somebody is to be looked at next.
    pub fn due(&self) -> Option<i64> {
        let next = self.due.first().map(|(at, _)| *at);
        let at_once = self.sweep.soon || self.sweep.after.is_some();
        let sweep = if at_once { Some(i64::MIN) } else { self.sweep.at };
        next.into_iter().chain(sweep).min()
    }

    /// A conversation became active: when it is looked at first.
    pub fn begin(&mut self, of: &mut Conversation, now: i64, limits: &Limits) {
        let started = of.entries.first().map_or(now, |e| e.effective().min(now));
        self.put(of, started.saturating_add(limits.plausible.shortest()));
    }

    /// A conversation is no longer active, or out of memory.
    pub fn end(&mut self, of: &mut Conversation) {
        if let Some(at) = of.watch.due.take() {
            self.due.remove(&(at, of.id.clone()));
        }
        if !self.suspects.is_empty() {
            self.suspects.remove(&of.id);
        }
    }

    fn put(&mut self, of: &mut Conversation, at: i64) {
        if of.watch.due == Some(at) {
            return;
        }
        if let Some(before) = of.watch.due.replace(at) {
            self.due.remove(&(before, of.id.clone()));
        }
        self.due.insert((at, of.id.clone()));
    }

    /// How long to wait until a suspect is asked for again, which it is now.
    fn ask(&mut self, id: &Id) -> i64 {
        let Some(suspect) = self.suspects.get_mut(id) else { return SUSPECT_AGAIN_NS_MAX };
        let wait = SUSPECT_AGAIN_NS_MIN.saturating_mul(1 << suspect.asked.min(16));
        suspect.asked = suspect.asked.saturating_add(1);
        wait.min(SUSPECT_AGAIN_NS_MAX)
    }
}

impl Engine {
    /// How many active conversations are suspected to be over.
    #[must_use]
    pub fn suspect_count(&self) -> u64 {
        self.ghosts.len()
    }

    /// When a conversation is to be looked at next.
    pub(crate) fn ghosts_due(&self) -> Option<i64> {
        let news = self.ledger.news().map(|at| at.saturating_add(self.limits.suspect_unheard_ns));
        self.ghosts.due().into_iter().chain(news).min()
    }

    /// Looks at those whose time has come, at most so many; the rest is due at once.
    pub(crate) fn look_for_ghosts(&mut self, now: i64) {
        if let Some(at) = self.ledger.take_news() {
            let (sweep, settled) =
                (&mut self.ghosts.sweep, at.saturating_add(self.limits.suspect_unheard_ns));
            sweep.soon = !self.ghosts.suspects.is_empty();
            sweep.settled = settled;
            sweep.at = Some(sweep.at.map_or(settled, |before| before.min(settled)));
        }
        for _ in 0..LOOKS_MAX {
            let Some((_, id)) = self.ghosts.due.first().filter(|(at, _)| *at <= now).cloned() else { break };
            self.look_at(&id, now, true);
        }
        let Sweep { at, soon, after, .. } = &self.ghosts.sweep;
        if *soon || after.is_some() || at.is_some_and(|at| at <= now) {
            self.sweep(now);
        }
    }

    /// Looks at the next of all active conversations. While a feed does not listen, there will be another time.
    fn sweep(&mut self, now: i64) {
        let after = self.ghosts.sweep.after.take();
        if after.is_none() {
            let deaf = self.ledger.feeds().any(|feed| !feed.listening);
            let again = deaf.then(|| now.saturating_add(self.limits.suspect_unheard_ns));
            let sweep = &mut self.ghosts.sweep;
            sweep.soon = false;
            sweep.at = Some(sweep.settled).filter(|settled| *settled > now).or(again);
        }
        let from = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let next: Vec<Id> =
            self.active.range::<Id, _>((from, Bound::Unbounded)).take(LOOKS_MAX).cloned().collect();
        for id in &next {
            self.look_at(id, now, false);
        }
        if next.len() == LOOKS_MAX {
            self.ghosts.sweep.after = next.last().cloned();
        }
    }

    /// Decides whether a conversation is a suspect; `due`: its own time has come, so that it is asked for again.
    fn look_at(&mut self, id: &Id, now: i64, due: bool) {
        let Some(mut conversation) = self.conversations.take(id) else { return };
        let known = self.ghosts.suspects.get(id);
        let gone = known.is_some_and(|suspect| suspect.gone);
        let is_new = known.is_none();
        match self.suspicion_of(&conversation, now) {
            Err(_) if gone && due => self.ask_for(&mut conversation, now),
            Err(_) if gone => {}
            Err(until) => {
                self.ghosts.suspects.remove(id);
                self.ghosts.put(&mut conversation, until);
            }
            Ok((since, reason)) => {
                if is_new {
                    let suspect = Suspect { since, reason, asked: 0, gone: false };
                    self.ghosts.suspects.insert(id.clone(), suspect);
                }
                if is_new || due {
                    self.ask_for(&mut conversation, now);
                }
            }
        }
        self.conversations.put(conversation);
    }

    fn ask_for(&mut self, suspect: &mut Conversation, now: i64) {
        let wait = self.ghosts.ask(&suspect.id);
        self.ghosts.put(suspect, now.saturating_add(wait));
        self.wish(&suspect.id, "suspect");
    }

    /// Since when a conversation is a suspect, and why; or until when its time lasts.
    fn suspicion_of(&self, of: &Conversation, now: i64) -> Result<(i64, String), i64> {
        let (kind, limit) = kind_of(of, &self.limits);
        let started = of.heard().map_or(now, |(first, _)| first);
        let until = started.max(of.watch.proven).saturating_add(limit);
        if until <= now {
            let hours = limit / (60 * MINUTE);
            return Ok((until, format!("active for longer than {kind} plausibly lasts: {hours} h")));
        }
        let quiet = now.saturating_sub(of.last_received) >= self.limits.suspect_unheard_ns;
        let feed = of.entries.iter().filter(|e| e.source() != Source::Rest).max_by_key(|e| e.received);
        let feed = feed.filter(|_| quiet).map(|e| e.feed);
        let unheard = feed.and_then(|feed| {
            let (since, why) = self.ledger.unheard_since(feed, of.last_received)?;
            let name = self.ledger.name_of(feed).unwrap_or_default();
            Some((since, format!("not heard of since feed {name} had a hole: {why}")))
        });
        unheard.ok_or(until)
    }

    /// New facts of a conversation came, or a REST read told that it is there: if it is still active it is live.
    pub(crate) fn prove_live(&mut self, conversation: &mut Conversation, at: i64) {
        if !self.ghosts.suspects(&conversation.id) || !conversation.active {
            return;
        }
        self.ghosts.suspects.remove(&conversation.id);
        conversation.watch.proven = at;
        let (_, limit) = kind_of(conversation, &self.limits);
        self.ghosts.put(conversation, at.saturating_add(limit));
    }

    /// The platform does not know a conversation any more: shown as active, it is a suspect for that reason. Nor is it
    /// remembered any longer.
    pub(crate) fn gone(&mut self, id: &Id, at: i64) {
        self.remembered.forget(id);
        let Some(mut conversation) = self.conversations.take(id) else { return };
        if conversation.active {
            let is_new = !self.ghosts.suspects(id);
            let suspect = Suspect { since: at, reason: String::new(), asked: 1, gone: true };
            let suspect = self.ghosts.suspects.entry(id.clone()).or_insert(suspect);
            (suspect.gone, suspect.reason) = (true, GONE.to_owned());
            if is_new {
                self.ghosts.put(&mut conversation, at.saturating_add(SUSPECT_AGAIN_NS_MIN));
            }
        }
        self.conversations.put(conversation);
    }
}

/// What a conversation is of those things that last longest, and how long that plausibly lasts.
fn kind_of(of: &Conversation, limits: &Limits) -> (String, i64) {
    let mut longest: Option<(i64, String)> = None;
    let mut seen = smallvec::SmallVec::<[crate::names::Sym; 4]>::new();
    for medium in of.entries.iter().map(Entry::medium).filter(|medium| medium.is_some()) {
        if seen.contains(&medium) {
            continue;
        }
        seen.push(medium);
        if let Some(word) = of.names.get_word(medium) {
            let limit = limits.plausible.of(word.as_str());
            longest = longest.max(Some((limit, word.to_string())));
        }
    }
    let (limit, kind) = longest.unwrap_or_else(|| (limits.plausible.of(""), "a conversation".to_owned()));
    (kind, limit)
}
