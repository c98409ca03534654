//! The one order of a conversation's facts: a function of the set alone, never of arrival order.
//!
//! Happens-before is proved by two things: the clocks that events carry, and the life cycle of one communication
//! (there, alerting, connected, ended). Effective time is the source's time, pushed behind everything that is proved to
//! come before: `effective(x) = max(x.at, max over a → x of effective(a) + 1 ns)`. Ties go by life-cycle rank, then by
//! the fact's id. A fact without a time of its own (a snapshot says "alerting" but not since when) takes the instant of
//! its first receipt, pulled in front of whatever is proved to follow it; it never pushes a fact that has a time.
//!
//! Facts of the `events` dialect without a clock have no such edges: a participant joins, leaves and joins again, and
//! only the times tell. Rejected: sorting by time alone (a provider clock 25 ms ahead ends a call before it connects),
//! and comparing pairs of whole clocks (quadratic; a chain per region needs one look-up per region).

use crate::entry::{Entry, NO_TIME};
use crate::names::{Name, Sym};
use crate::{FactId, Source, What, Word};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Ranks of the life cycle; equal effective times are ordered by them.
mod rank {
    pub const START: u8 = 0;
    pub const JOINED: u8 = 1;
    pub const EARLY: u8 = 10;
    pub const CONNECTED: u8 = 20;
    pub const DURING: u8 = 30;
    pub const END: u8 = 200;
    pub const AFTER: u8 = 210;
    pub const LEFT: u8 = 220;
    pub const OVER: u8 = 250;
}

/// Sorts entries into the order, with `effective` of each set.
pub(crate) fn place(entries: &mut [Entry]) {
    for entry in entries.iter_mut() {
        entry.place_at(told(entry));
    }
    if entries.iter().any(|e| e.stamp().is_some()) {
        push_by_clocks(entries);
    }
    if entries.iter().any(|e| e.source() != Source::Events) {
        push_by_life_cycle(entries);
    }
    entries.sort_by_key(key);
}

/// Whether nothing can be proved to come before or after an entry: its time alone places it.
pub(crate) fn is_free(entry: &Entry) -> bool {
    is_event(entry) && entry.stamp().is_none()
}

/// Whether an entry is an event with a time: nothing but clocks can prove what comes before or after it.
pub(crate) fn is_event(entry: &Entry) -> bool {
    entry.source() == Source::Events && entry.at_ns() != NO_TIME
}

/// Puts one more entry into entries that are in order, and says where it stands; none when others may have moved. `last`:
/// where the last one stands; `newest_sum`: the greatest sum of a clock among them, none when none has a clock.
pub(crate) fn insert(
    entries: &mut Vec<Entry>,
    mut entry: Entry,
    last: Option<i64>,
    newest_sum: Option<u128>,
) -> Option<usize> {
    let follows = |sum: u128| newest_sum.is_none_or(|newest| newest < sum);
    let pushes_none = match entry.stamp() {
        None => is_free(&entry) || (newest_sum.is_none() && !is_bound(&entry)),
        // The last by its clock is seen by nobody; behind all by its time it is pushed by nobody.
        Some(stamp) => {
            let at = entry.at_ns();
            let alone = last.is_none_or(|last| last < at);
            is_event(&entry) && alone && follows(stamp.clock.sum())
        }
    };
    if pushes_none {
        entry.place_at(told(&entry));
        return Some(put(entries, entry, last));
    }
    if newest_sum.is_none() && entry.stamp().is_none() {
        return insert_bound(entries, entry, last);
    }
    entries.push(entry);
    place(entries);
    None
}

/// Puts an entry where its key says.
pub(crate) fn put(entries: &mut Vec<Entry>, entry: Entry, last: Option<i64>) -> usize {
    if last.is_none_or(|last| last < entry.effective()) {
        entries.push(entry);
        return entries.len() - 1;
    }
    let own = key(&entry);
    let place = entries.partition_point(|e| key(e) < own);
    entries.insert(place, entry);
    place
}

/// The same as [`insert`], where nothing has a clock: none but the entries of its own participant can push it, or be pushed.
fn insert_bound(entries: &mut Vec<Entry>, entry: Entry, last: Option<i64>) -> Option<usize> {
    let (new, participant) = (entries.len(), entry.participant);
    entries.push(entry);
    let of_it = |(_, e): &(usize, &mut Entry)| e.participant == participant && is_bound(e);
    let mut own: SmallVec<[usize; 32]> = SmallVec::new();
    let mut stood: SmallVec<[i64; 32]> = SmallVec::new();
    for (at, entry) in entries.iter_mut().enumerate().filter(of_it) {
        own.push(at);
        stood.push(entry.effective());
        entry.place_at(told(entry));
    }
    let known = own.clone();
    own.sort_by_key(|&at| entries.get(at).map(life_key));
    place_participant(entries, &own);
    let stays =
        |(at, stood): (&usize, &i64)| *at == new || entries.get(*at).is_some_and(|e| e.effective() == *stood);
    if !known.iter().zip(&stood).all(stays) {
        entries.sort_by_key(key);
        return None;
    }
    let entry = entries.pop()?;
    Some(put(entries, entry, last))
}

/// Whether the life cycle of a participant, or of one of its communications, binds an entry.
fn is_bound(entry: &Entry) -> bool {
    entry.source() != Source::Events && entry.participant.is_some()
}

/// Life-cycle edges are worked out in this order: a participant's own entries before its communications', each by rank.
fn life_key(entry: &Entry) -> (Name, bool, Name, u8, i64) {
    let communication = entry.communication;
    (entry.participant, communication.is_some(), communication, rank(entry), entry.at_ns())
}

/// Where an entry stands as long as nothing is proved.
fn told(entry: &Entry) -> i64 {
    let at = entry.at_ns();
    if at == NO_TIME { entry.received } else { at }
}

fn key(entry: &Entry) -> (i64, u8, FactId) {
    (entry.effective(), rank(entry), entry.id())
}

/// The life-cycle rank: equal effective times are ordered by it.
pub(crate) fn rank(entry: &Entry) -> u8 {
    let state = entry.state();
    let end = state.ends();
    match entry.what {
        What::LifeCycle if end => rank::OVER,
        What::LifeCycle => rank::START,
        What::Joined => rank::JOINED,
        What::State if end => rank::END,
        What::State if entry.since() != NO_TIME => rank::DURING,
        What::State => early_or_connected(state),
        What::Role | What::Held | What::Muted => rank::DURING,
        What::AfterCallWork | What::WrapUp => rank::AFTER,
        What::Left => rank::LEFT,
    }
}

/// By the ordinals of the platform's words (`word.rs`).
fn early_or_connected(state: Sym) -> u8 {
    match state.number() {
        // connected, in-progress
        9 | 13 => rank::CONNECTED,
        // none, scheduled
        0 | 1 => rank::EARLY - 1,
        // offering, alerting, dialing, contacting, uploading, converting
        2..=7 => rank::EARLY,
        _ => rank::DURING,
    }
}

/// Clock edges. Each region's dots form a chain, so all that precedes an entry is, per region, the chain up to the
/// clock's counter; working in order of the clocks' sums, those are done before it is reached.
fn push_by_clocks(entries: &mut [Entry]) {
    // Equal sums are concurrent, unless a gateway counts wrong; then the ids decide, and never the order of arrival.
    let mut order: Vec<(u128, FactId, usize)> = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        if let Some(stamp) = entry.stamp() {
            order.push((stamp.clock.sum(), entry.id(), at));
        }
    }
    order.sort_unstable();
    let mut chains: BTreeMap<Word, BTreeMap<u64, i64>> = BTreeMap::new();
    for (_, _, at) in order {
        let Some(entry) = entries.get_mut(at) else {
            continue;
        };
        let Some(stamp) = entry.stamp() else { continue };
        let before = stamp.clock.iter().filter_map(|(region, counter)| {
            let own = *region == stamp.dot.actor;
            let last = if own { stamp.dot.counter.get() - 1 } else { counter };
            let chain = chains.get(region)?;
            chain.range(..=last).next_back().map(|(_, &effective)| effective)
        });
        let effective = causal::effective(entry.effective(), before.collect::<Vec<_>>());
        let chain = chains.entry(stamp.dot.actor.clone()).or_default();
        let slot = chain.entry(stamp.dot.counter.get()).or_insert(effective);
        *slot = (*slot).max(effective);
        entry.place_at(effective);
    }
}

/// Life-cycle edges, communication by communication.
fn push_by_life_cycle(entries: &mut [Entry]) {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.retain(|&at| entries.get(at).is_some_and(is_bound));
    order.sort_by_key(|&at| entries.get(at).map(life_key));
    let mut rest = order.as_slice();
    while let Some(participant) = rest.first().and_then(|&at| entries.get(at)).map(|e| e.participant) {
        let len = rest
            .iter()
            .take_while(|&&at| entries.get(at).is_some_and(|e| e.participant == participant))
            .count();
        let (own, others) = rest.split_at(len);
        place_participant(entries, own);
        rest = others;
    }
}

/// `own`: one participant's entries, its own before its communications', each by rank.
fn place_participant(entries: &mut [Entry], own: &[usize]) {
    let first_timed =
        own.iter().filter_map(|&at| entries.get(at)).map(Entry::at_ns).filter(|&at| at != NO_TIME).min();
    let mut joined = None;
    let mut rest = own;
    if let Some(entry) = own.first().and_then(|&at| entries.get_mut(at))
        && entry.what == What::Joined
        && !entry.communication.is_some()
    {
        if let (NO_TIME, Some(first)) = (entry.at_ns(), first_timed) {
            entry.place_at(entry.received.min(first.saturating_sub(1)));
        }
        joined = Some(entry.effective());
        rest = own.get(1..).unwrap_or_default();
    }
    while let Some(communication) = rest.first().and_then(|&at| entries.get(at)).map(|e| e.communication) {
        let len = rest
            .iter()
            .take_while(|&&at| entries.get(at).is_some_and(|e| e.communication == communication))
            .count();
        let (leg, others) = rest.split_at(len);
        place_leg(entries, leg, joined);
        rest = others;
    }
    place_leave(entries, own);
}

/// Who left had ended on every leg that ended by then: one clock writes both times, so that they may be compared.
fn place_leave(entries: &mut [Entry], own: &[usize]) {
    let timed = |at: &usize, of: u8| entries.get(*at).filter(|e| rank(e) == of && e.at_ns() != NO_TIME);
    let leave = own.iter().find_map(|at| Some((*at, timed(at, rank::LEFT)?.at_ns())));
    let Some((at, left)) = leave else { return };
    let ends = own.iter().filter_map(|at| timed(at, rank::END)).filter(|end| end.at_ns() <= left);
    let behind = ends.map(Entry::effective).max();
    if let (Some(behind), Some(leave)) = (behind, entries.get_mut(at)) {
        leave.place_at(leave.effective().max(behind));
    }
}

/// `leg`: the entries of one communication (or of a participant itself), by rank.
fn place_leg(entries: &mut [Entry], leg: &[usize], joined: Option<i64>) {
    pull_untimed(entries, leg);
    let (mut below, mut class, mut class_rank) = (joined, joined, 0);
    for &at in leg {
        let Some(entry) = entries.get_mut(at) else {
            continue;
        };
        let own_rank = rank(entry);
        let chained = own_rank <= rank::END;
        if own_rank != class_rank {
            (below, class_rank) = (class, own_rank);
        }
        let untimed = entry.at_ns() == NO_TIME;
        let ends = entry.what == What::Held && !entry.on() || entry.what == What::State && untimed;
        let since = (ends && entry.since() != NO_TIME).then(|| entry.since());
        let floor = if chained { below } else { joined };
        entry.place_at(causal::effective(entry.effective(), floor.into_iter().chain(since)));
        // What has no time of its own was pulled in front of what has one, and pushes nothing.
        if chained && !untimed {
            class = class.max(Some(entry.effective()));
        }
    }
}

/// Entries without a time go in front of what is proved to follow them.
fn pull_untimed(entries: &mut [Entry], leg: &[usize]) {
    let holds = Holds::of(leg.iter().filter_map(|&at| entries.get(at)));
    let (mut above, mut class, mut class_rank) = (i64::MAX, i64::MAX, u8::MAX);
    for &at in leg.iter().rev() {
        let Some(entry) = entries.get_mut(at) else {
            continue;
        };
        let own_rank = rank(entry);
        if own_rank > rank::END {
            continue;
        }
        if own_rank != class_rank {
            (above, class_rank) = (class, own_rank);
        }
        if entry.at_ns() == NO_TIME {
            let bound = holds.bound(entry).min(above).saturating_sub(1);
            entry.place_at(entry.received.min(bound));
        }
        class = class.min(entry.effective());
    }
}

/// The holds of one leg.
#[derive(Default)]
struct Holds {
    /// When those that have an end with a time began, and that end; ascending.
    ends: SmallVec<[(i64, i64); 4]>,
    /// When each began, ascending.
    starts: SmallVec<[i64; 4]>,
}

impl Holds {
    fn of<'a>(leg: impl Iterator<Item = &'a Entry>) -> Self {
        let mut holds = Self::default();
        for entry in leg.filter(|e| e.what == What::Held) {
            if entry.on() {
                holds.starts.push(entry.at_ns());
            } else if entry.at_ns() != NO_TIME {
                holds.ends.push((entry.since(), entry.at_ns()));
            }
        }
        holds.ends.sort_unstable();
        holds.starts.sort_unstable();
        holds
    }

    /// What an entry about a hold is proved to stand in front of: an end, of when the next hold began; that a hold lasts, of
    /// its end where that has a time. The far future for anything else.
    fn bound(&self, entry: &Entry) -> i64 {
        let since = entry.since();
        let later = match (entry.what, entry.on()) {
            (What::Held, true) => {
                let end = self.ends.get(self.ends.partition_point(|(began, _)| *began < since));
                end.filter(|(began, _)| *began == since).map(|(_, end)| *end)
            }
            (What::Held, false) => {
                self.starts.get(self.starts.partition_point(|began| *began <= since)).copied()
            }
            _ => None,
        };
        later.unwrap_or(i64::MAX)
    }
}
