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
use crate::names::Names;
use crate::{Source, What, Word};
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

/// Sorts entries into the order, with `rank` and `effective` of each set.
pub(crate) fn place(entries: &mut [Entry], names: &Names) {
    for entry in entries.iter_mut() {
        entry.rank = rank_of(entry, names);
        entry.effective = if entry.at == NO_TIME { entry.received } else { entry.at };
    }
    if entries.iter().any(|e| e.stamp.is_some()) {
        push_by_clocks(entries);
    }
    if entries.iter().any(|e| e.source != Source::Events) {
        push_by_life_cycle(entries);
    }
    entries.sort_by_key(key);
}

/// Whether nothing can be proved to come before or after an entry: its time alone places it.
pub(crate) fn is_free(entry: &Entry) -> bool {
    entry.source == Source::Events && entry.stamp.is_none() && entry.at != NO_TIME
}

/// Puts a free entry into entries that are in order; its place.
pub(crate) fn insert_free(entries: &mut Vec<Entry>, mut entry: Entry, names: &Names) -> usize {
    entry.rank = rank_of(&entry, names);
    entry.effective = entry.at;
    let place = entries.partition_point(|e| key(e) < key(&entry));
    entries.insert(place, entry);
    place
}

fn key(entry: &Entry) -> (i64, u8, crate::FactId) {
    (entry.effective, entry.rank, entry.id())
}

fn rank_of(entry: &Entry, names: &Names) -> u8 {
    let end = names.is_end(entry.state);
    match entry.what {
        What::LifeCycle if end => rank::OVER,
        What::LifeCycle => rank::START,
        What::Joined => rank::JOINED,
        What::State if end => rank::END,
        What::State if entry.since != NO_TIME => rank::DURING,
        What::State => early_or_connected(names.get_word(entry.state).as_ref()),
        What::Role | What::Held | What::Muted => rank::DURING,
        What::AfterCallWork | What::WrapUp => rank::AFTER,
        What::Left => rank::LEFT,
    }
}

fn early_or_connected(state: Option<&Word>) -> u8 {
    match state.map(Word::as_str) {
        Some("connected" | "in-progress") => rank::CONNECTED,
        Some("none" | "scheduled") => rank::EARLY - 1,
        Some("offering" | "alerting" | "dialing" | "contacting" | "uploading" | "converting") => rank::EARLY,
        _ => rank::DURING,
    }
}

/// Clock edges. Each region's dots form a chain, so all that precedes an entry is, per region, the chain up to the
/// clock's counter; working in order of the clocks' sums, those are done before it is reached.
fn push_by_clocks(entries: &mut [Entry]) {
    // Equal sums are concurrent, unless a gateway counts wrong; then the ids decide, and never the order of arrival.
    let mut order: Vec<(u64, crate::FactId, usize)> = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        if let Some(stamp) = &entry.stamp {
            order.push((stamp.clock.sum(), entry.id(), at));
        }
    }
    order.sort_unstable();
    let mut chains: BTreeMap<Word, BTreeMap<u64, i64>> = BTreeMap::new();
    for (_, _, at) in order {
        let Some(entry) = entries.get_mut(at) else {
            continue;
        };
        let Some(stamp) = &entry.stamp else { continue };
        let before = stamp.clock.iter().filter_map(|(region, counter)| {
            let own = *region == stamp.dot.actor;
            let last = if own { stamp.dot.counter.get() - 1 } else { counter };
            let chain = chains.get(region)?;
            chain.range(..=last).next_back().map(|(_, &effective)| effective)
        });
        entry.effective = causal::effective(entry.effective, before.collect::<Vec<_>>());
        let chain = chains.entry(stamp.dot.actor.clone()).or_default();
        let slot = chain.entry(stamp.dot.counter.get()).or_insert(entry.effective);
        *slot = (*slot).max(entry.effective);
    }
}

/// Life-cycle edges, communication by communication.
fn push_by_life_cycle(entries: &mut [Entry]) {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    let bound =
        |at: &usize| entries.get(*at).is_some_and(|e| e.source != Source::Events && e.participant.is_some());
    order.retain(bound);
    order.sort_by_key(|&at| {
        entries.get(at).map(|e| (e.participant, e.communication.is_some(), e.communication, e.rank, e.at))
    });
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
        own.iter().filter_map(|&at| entries.get(at)).map(|e| e.at).filter(|&at| at != NO_TIME).min();
    let mut joined = None;
    let mut rest = own;
    if let Some(entry) = own.first().and_then(|&at| entries.get_mut(at))
        && entry.what == What::Joined
        && !entry.communication.is_some()
    {
        if let (NO_TIME, Some(first)) = (entry.at, first_timed) {
            entry.effective = entry.received.min(first.saturating_sub(1));
        }
        joined = Some(entry.effective);
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
    let timed = |at: &usize, rank: u8| entries.get(*at).filter(|e| e.rank == rank && e.at != NO_TIME);
    let Some((at, left)) = own.iter().find_map(|at| Some((*at, timed(at, rank::LEFT)?.at))) else { return };
    let ends = own.iter().filter_map(|at| timed(at, rank::END)).filter(|end| end.at <= left);
    let behind = ends.map(|end| end.effective).max();
    if let (Some(behind), Some(leave)) = (behind, entries.get_mut(at)) {
        leave.effective = leave.effective.max(behind);
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
        let chained = entry.rank <= rank::END;
        if entry.rank != class_rank {
            (below, class_rank) = (class, entry.rank);
        }
        let ends = entry.what == What::Held && !entry.on || entry.what == What::State && entry.at == NO_TIME;
        let since = (ends && entry.since != NO_TIME).then_some(entry.since);
        let floor = if chained { below } else { joined };
        entry.effective = causal::effective(entry.effective, floor.into_iter().chain(since));
        // What has no time of its own was pulled in front of what has one, and pushes nothing.
        if chained && entry.at != NO_TIME {
            class = class.max(Some(entry.effective));
        }
    }
}

/// Entries without a time go in front of what is proved to follow them.
fn pull_untimed(entries: &mut [Entry], leg: &[usize]) {
    let (mut above, mut class, mut class_rank) = (i64::MAX, i64::MAX, u8::MAX);
    for &at in leg.iter().rev() {
        let bound = bound_of_toggle(entries, leg, at);
        let Some(entry) = entries.get_mut(at) else {
            continue;
        };
        if entry.rank > rank::END {
            continue;
        }
        if entry.rank != class_rank {
            (above, class_rank) = (class, entry.rank);
        }
        if entry.at == NO_TIME {
            entry.effective = entry.received.min(above.saturating_sub(1)).min(bound.saturating_sub(1));
        }
        class = class.min(entry.effective);
    }
}

/// What an entry about a hold is proved to stand in front of: an end, of when the next hold began; that a hold lasts, of its
/// end where that has a time. The far future for anything else.
fn bound_of_toggle(entries: &[Entry], leg: &[usize], at: usize) -> i64 {
    let Some(entry) = entries.get(at).filter(|e| e.what == What::Held) else {
        return i64::MAX;
    };
    let holds = leg.iter().filter_map(|&at| entries.get(at)).filter(|e| e.what == What::Held);
    let later = holds.filter(|e| match entry.on {
        true => !e.on && e.at != NO_TIME && e.since == entry.since,
        false => e.on && e.at > entry.since,
    });
    later.map(|e| e.at).min().unwrap_or(i64::MAX)
}
