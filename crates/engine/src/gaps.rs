//! What is known of a range of time, interval by interval, and what is missing by name.
//!
//! A feed's list covers the range without gaps: each interval is as complete as the worst that is known of any moment in
//! it, and neighbours differ. Dots that clocks prove and that never came are named per conversation. Of those, and of
//! conversations that had facts dropped, a set is kept that follows what happens, so that no question has to look at
//! all conversations. [`check_intervals`] states what such a list promises, for whoever knows the truth.

use crate::conversation::Conversation;
use crate::engine::DAY;
use crate::limits::{INTERVALS_MAX, LACKING_NAMED_MAX, MISSING_NAMED_MAX, STRAGGLING_NS_MAX};
use crate::scope::Scope;
use crate::{Completeness, Engine, Id, Word};
use std::collections::BTreeSet;
use std::fmt;

/// Why nothing is claimed of the time whose conversations were removed.
pub const REMOVED: &str = "what was known of conversations that ended before was removed by retention";

/// A time of a feed in which what is known of it is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Its first instant, in nanoseconds since the epoch.
    pub from: i64,
    /// The first instant after it.
    pub to: i64,
    /// What is known of it.
    pub completeness: Completeness,
    /// Why it is not complete.
    pub reason: Option<String>,
}

/// What is known of a range of time of one feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedIntervals {
    /// Its name.
    pub name: String,
    /// Whether it is listening now.
    pub connected: bool,
    /// The worst of the range.
    pub completeness: Completeness,
    /// The range in order, without gaps.
    pub intervals: Vec<Interval>,
    /// There are more: ask again from the end of the last one on.
    pub truncated: bool,
}

/// Events that a clock proves and that never came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingDots {
    /// Whose.
    pub region: Word,
    /// The first one's counter.
    pub from: u64,
    /// The last one's.
    pub to: u64,
}

/// What is known to be missing of one conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Dots, by region and counter: the first few ranges.
    pub dots: Vec<MissingDots>,
    /// How many dots there are in all.
    pub dots_count: u64,
    /// Facts that were dropped, and not read again since; no more than there were.
    pub dropped: u64,
}

/// What is known of a range of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeView {
    /// The first instant of it, in nanoseconds since the epoch.
    pub from: i64,
    /// The first instant after it.
    pub to: i64,
    /// The worst of it, of all feeds.
    pub completeness: Completeness,
    /// Each feed.
    pub feeds: Vec<FeedIntervals>,
    /// How many conversations in memory lack something that is known by name.
    pub lacking: u64,
    /// The first few of them.
    pub lacks: Vec<(Id, Missing)>,
}

/// What is less than complete of a feed; none as its end: it lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    pub from: i64,
    pub to: Option<i64>,
    pub state: Completeness,
    pub reason: &'a str,
}

/// A promise of a list of intervals that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Nothing is said of this instant, or twice.
    NotCovered(i64),
    /// Two neighbours say the same, or one has no length or no reason.
    Malformed(Interval),
    /// It claims to be complete, and something is missing at this instant.
    Hole(Interval, i64),
}

/// The rule that a complete interval has no hole: a feed's list covers `[from, to)` without gaps, and none of the instants
/// at which it truly lost something lies in an interval that is said to be complete.
///
/// # Errors
/// The first promise that does not hold.
pub fn check_intervals(list: &[Interval], from: i64, to: i64, missing: &[i64]) -> Result<(), Broken> {
    let mut covered = from;
    for (n, interval) in list.iter().enumerate() {
        if interval.from != covered {
            return Err(Broken::NotCovered(covered.min(interval.from)));
        }
        let explained = interval.reason.is_some() == (interval.completeness != Completeness::Complete);
        let same =
            |next: &Interval| (next.completeness, &next.reason) == (interval.completeness, &interval.reason);
        if interval.to <= interval.from || !explained || list.get(n + 1).is_some_and(same) {
            return Err(Broken::Malformed(interval.clone()));
        }
        let within = |at: &&i64| (interval.from..interval.to).contains(*at);
        if interval.completeness == Completeness::Complete
            && let Some(at) = missing.iter().find(within)
        {
            return Err(Broken::Hole(interval.clone(), *at));
        }
        covered = interval.to;
    }
    if covered == to { Ok(()) } else { Err(Broken::NotCovered(covered)) }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCovered(at) => write!(f, "the intervals do not cover {at} just once"),
            Self::Malformed(interval) => write!(f, "not an interval of its own: {interval:?}"),
            Self::Hole(interval, at) => write!(f, "something is missing at {at}, in {interval:?}"),
        }
    }
}

impl std::error::Error for Broken {}

impl Engine {
    /// What is known of `[from, to)`, as of `now`; nothing is claimed of the future.
    #[must_use]
    pub fn range(&self, from: i64, to: i64, now: i64) -> RangeView {
        let (state, reason) = (Completeness::Unknown, REMOVED);
        let removed = self.removed_before.map(|end| Claim { from: i64::MIN, to: Some(end), state, reason });
        self.range_with(removed, from, to, now)
    }

    /// The same for cells, which outlive the conversations that retention removes.
    #[must_use]
    pub fn range_of_cells(&self, from: i64, to: i64, now: i64) -> RangeView {
        self.range_with(None, from, to, now)
    }

    fn range_with(&self, removed: Option<Claim<'_>>, from: i64, to: i64, now: i64) -> RangeView {
        let to = to.min(now).max(from);
        let feeds: Vec<FeedIntervals> = self
            .ledger
            .feeds()
            .map(|feed| {
                let claims = within(feed.claims().into_iter().chain(removed).collect(), from, to);
                let completeness = claims.iter().map(|c| c.state).max().unwrap_or_default();
                let (intervals, truncated) = cover(&claims, from, to, INTERVALS_MAX);
                FeedIntervals {
                    name: feed.name.clone(),
                    connected: feed.listening,
                    completeness,
                    intervals,
                    truncated,
                }
            })
            .collect();
        let lacks = self.lacking.iter().take(LACKING_NAMED_MAX);
        let lacks = lacks.filter_map(|id| Some((id.clone(), self.missing_of(self.conversations.get(id)?))));
        RangeView {
            from,
            to,
            completeness: feeds.iter().map(|f| f.completeness).max().unwrap_or(Completeness::Unknown),
            lacks: lacks.collect(),
            lacking: self.lacking.len() as u64,
            feeds,
        }
    }

    /// Conversations that ended before `at`, in nanoseconds since the epoch, were removed or may have been: of the time before
    /// nothing is claimed. It never goes back.
    pub fn removed_before(&mut self, at: i64) {
        self.removed_before = self.removed_before.max(Some(at));
    }

    /// The instant before which conversations that had ended were removed; none: none ever was.
    #[must_use]
    pub fn horizon(&self) -> Option<i64> {
        self.removed_before
    }

    /// The worst of what is known of a conversation's life: its feeds, its missing dots, its dropped facts.
    pub(crate) fn completeness_of(&self, conversation: &Conversation, now: i64) -> Completeness {
        self.completeness_up_to(conversation, i64::MAX, now)
    }

    /// The same of its life up to `at`: what was told in time of what happened until then came soon after.
    pub(crate) fn completeness_at(&self, conversation: &Conversation, at: i64, now: i64) -> Completeness {
        self.completeness_up_to(conversation, at.saturating_add(STRAGGLING_NS_MAX), now)
    }

    fn completeness_up_to(&self, conversation: &Conversation, bound: i64, now: i64) -> Completeness {
        let Some((from, last)) = conversation.heard() else {
            return Completeness::Unknown;
        };
        // One whose beginning was not told may have begun at any time before.
        let from = if self.beginnings.told && conversation.began_unseen() { i64::MIN } else { from };
        let to = if conversation.active { now } else { last.saturating_add(STRAGGLING_NS_MAX) };
        let to = to.min(bound);
        let holes = self.scopes.scope() != Scope::Feed && conversation.lacks_dots();
        let lacks = conversation.dropped() > 0
            || conversation.overfull
            || holes
            || self.inherited.removed_until(&conversation.id).is_some();
        let own = if lacks { Completeness::Partial } else { Completeness::Complete };
        own.max(self.ledger.worst_of_life(from, to))
    }

    /// The worst that is known of the day that ended at `at`, the time before anybody listened included, and of the few
    /// seconds in which what happened until then was told.
    #[must_use]
    pub fn completeness_then(&self, at: i64, now: i64) -> Completeness {
        self.range(at.saturating_sub(DAY), at.saturating_add(STRAGGLING_NS_MAX), now).completeness
    }

    /// What is known by name to be missing of a conversation.
    pub(crate) fn missing_of(&self, of: &Conversation) -> Missing {
        // Where counters count all events of a region, those of other conversations are no loss of this one.
        let ranges = if self.scopes.scope() == Scope::Feed { Vec::new() } else { of.missing_dots() };
        let count = |sum: u64, r: &causal::DotRange<Word>| {
            sum.saturating_add(r.to.get().saturating_sub(r.from.get()).saturating_add(1))
        };
        Missing {
            dots_count: ranges.iter().fold(0, count),
            dots: ranges
                .into_iter()
                .take(MISSING_NAMED_MAX)
                .map(|r| MissingDots { region: r.actor, from: r.from.get(), to: r.to.get() })
                .collect(),
            dropped: of.dropped().max(u64::from(of.overfull)),
        }
    }

    /// Notes whether a conversation lacks something. Called where that may have begun, and for those that did at each change.
    pub(crate) fn note_lack(&mut self, of: &Conversation) {
        let dots = || self.scopes.scope() != Scope::Feed && of.lacks_dots();
        if of.dropped() > 0 || of.overfull || dots() {
            self.lacking.insert(of.id.clone());
        } else {
            self.lacking.remove(&of.id);
        }
    }

    /// Looks again at those that lack something: what counters count is seen in another way now.
    pub(crate) fn note_lacks_again(&mut self) {
        let scope = self.scopes.scope();
        let conversations = &self.conversations;
        // One that is being decided about is looked at when it is put back.
        let lacks =
            |c: &Conversation| c.dropped() > 0 || c.overfull || (scope != Scope::Feed && c.lacks_dots());
        self.lacking.retain(|id| conversations.get(id).is_none_or(&lacks));
    }
}

/// Those claims that touch `[from, to)`, cut to it. A moment lasts as short as can be.
fn within(claims: Vec<Claim<'_>>, from: i64, to: i64) -> Vec<Claim<'_>> {
    let cut = |c: Claim<'_>| {
        let end = c.to.map_or(to, |end| end.max(c.from.saturating_add(1)));
        (c.from.max(from), end.min(to))
    };
    let touching = claims.into_iter().filter(|c| cut(*c).0 < cut(*c).1);
    touching.map(|c| Claim { from: cut(c).0, to: Some(cut(c).1), ..c }).collect()
}

/// Intervals that cover `[from, to)`, each as complete as the worst claim about it; at most so many, and whether there
/// are more.
fn cover(claims: &[Claim<'_>], from: i64, to: i64, max: usize) -> (Vec<Interval>, bool) {
    let mut turns: Vec<(i64, bool, usize)> = Vec::with_capacity(claims.len() * 2 + 1);
    for (n, claim) in claims.iter().enumerate() {
        turns.push((claim.from, true, n));
        turns.push((claim.to.unwrap_or(to), false, n));
    }
    turns.push((to, false, usize::MAX));
    turns.sort_unstable();
    let mut list: Vec<Interval> = Vec::new();
    // The worst is the last; of two alike the one that began later.
    let mut standing: BTreeSet<(Completeness, i64, usize)> = BTreeSet::new();
    let mut at = from;
    for (turn, begins, n) in turns {
        if turn > at {
            let worst = standing.last().and_then(|(_, _, n)| claims.get(*n));
            let completeness = worst.map_or(Completeness::Complete, |c| c.state);
            if !extend(&mut list, at, turn, completeness, worst.map(|c| c.reason), max) {
                return (list, true);
            }
            at = turn;
        }
        if let Some(claim) = claims.get(n) {
            let key = (claim.state, claim.from, n);
            if begins {
                standing.insert(key)
            } else {
                standing.remove(&key)
            };
        }
    }
    (list, false)
}

/// Puts `[from, to)` at the end of a list; false when that has no room.
fn extend(
    list: &mut Vec<Interval>,
    from: i64,
    to: i64,
    completeness: Completeness,
    reason: Option<&str>,
    max: usize,
) -> bool {
    let full = list.len() >= max;
    match list.last_mut() {
        Some(last) if last.completeness == completeness && last.reason.as_deref() == reason => last.to = to,
        _ if full => return false,
        _ => list.push(Interval { from, to, completeness, reason: reason.map(str::to_owned) }),
    }
    true
}

#[cfg(test)]
mod tests;
