//! One feed of the ledger: its holes, and what begins, extends and settles them.

use crate::gaps::Claim;
use crate::limits::{HOLES_MAX, LACK_JOIN_NS, PROOF_FACTS, PROOF_FACTS_MIN, PROOF_SPAN_NS};
use crate::{Completeness, FactId, FeedEvent, Limit};
use std::collections::VecDeque;

/// How long a moment lasts at which facts were lost: our clock is no finer.
const MOMENT_NS: i64 = 1_000;
/// Why nothing is known of the time before.
pub(super) const NOBODY: &str = "nobody listened yet";

/// One feed.
#[derive(Debug)]
pub(crate) struct Feed {
    pub name: String,
    pub(super) resends: bool,
    pub listening: bool,
    pub(super) since: i64,
    /// When it listened first, in any run.
    pub(super) first: Option<i64>,
    /// What is known of conversations that were there already then.
    pub(super) before: Completeness,
    /// When what it told last had happened, less what clocks may be apart.
    pub(super) told_at: i64,
    /// Until when a clock that was set back runs through a time for the second time.
    pub(super) again_until: i64,
    /// Why it cannot listen at present.
    pub(super) failing: Option<String>,
    /// What it does not hear although it listens, and since when.
    pub(super) limited: Option<Hole>,
    /// In the order of their ends.
    pub(super) holes: VecDeque<Hole>,
    /// The newest facts heard and when, for the proof of a re-send.
    pub(super) recent: VecDeque<(FactId, i64)>,
    /// Of those heard before the last cut, the ones that have not come again; none when there is nothing to prove.
    pub(super) awaited: Option<Vec<FactId>>,
    /// How many of the newest holes that proof covers: nothing new was heard between them.
    pub(super) covered: usize,
}

/// A time of which not everything is known.
#[derive(Clone, Debug)]
pub(crate) struct Hole {
    pub(super) from: i64,
    pub(super) to: Option<i64>,
    pub(super) state: Completeness,
    pub(super) reason: String,
    /// Nobody listened in it, so that reading again closes it; not so where facts were dropped.
    pub(super) gap: bool,
    /// It began so long before the last restart that no round of repair of this run looks back to it.
    pub(super) beyond: bool,
    /// It differs from what is stored.
    pub(super) changed: bool,
}

impl Hole {
    pub(super) fn new(from: i64, to: Option<i64>, state: Completeness, reason: String) -> Self {
        Self { from, to, state, reason, gap: true, beyond: false, changed: true }
    }
}

impl Feed {
    pub(super) fn new(name: String, resends: bool, since: i64) -> Self {
        Self {
            name,
            resends,
            listening: false,
            since,
            first: None,
            before: Completeness::Unknown,
            told_at: i64::MIN,
            again_until: i64::MIN,
            failing: None,
            limited: None,
            holes: VecDeque::new(),
            recent: VecDeque::new(),
            awaited: None,
            covered: 0,
        }
    }

    pub(super) fn apply(&mut self, event: FeedEvent, at: i64) -> bool {
        match event {
            FeedEvent::Named { .. } | FeedEvent::Gone { .. } => {}
            FeedEvent::Listening => return self.listen(at),
            FeedEvent::Lost { reason, last_heard } => self.lose(reason, last_heard.min(at)),
            FeedEvent::Failing { reason } => self.failing = Some(reason),
            FeedEvent::Limited { limit } => return self.limit(limit, at),
            FeedEvent::Refused { reason, .. } => self.lack(at, at, &format!("frames were refused: {reason}")),
            FeedEvent::Repaired => self.settle_holes(Completeness::Repaired, None),
            FeedEvent::RepairFailed { reason } | FeedEvent::RepairedBut { reason, .. } => {
                self.settle_holes(Completeness::Partial, Some(&reason));
            }
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
        (hole.to, hole.changed) = (Some(at.max(hole.from).max(self.again_until)), true);
        self.keep_order();
        !self.resends
    }

    pub(super) fn lose(&mut self, reason: String, last_heard: i64) {
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
    pub(super) fn await_again(&mut self) {
        if self.listening || !self.resends {
            return;
        }
        let newest = self.recent.back().map_or(0, |(_, at)| *at);
        let awaited = self.recent.iter().rev().enumerate();
        let awaited = awaited.filter(|(n, (_, at))| *n < PROOF_FACTS_MIN || newest - at <= PROOF_SPAN_NS);
        let awaited: Vec<FactId> = awaited.map(|(_, (fact, _))| *fact).collect();
        self.awaited = (awaited.len() >= PROOF_FACTS_MIN).then_some(awaited);
    }

    /// When the hole began in which nobody listens; none while somebody does.
    pub(super) fn open_since(&self) -> Option<i64> {
        self.holes.iter().rev().find(|h| h.to.is_none()).map(|h| h.from)
    }

    /// What is found to be missing since an instant while nobody listens was missing before: closing the open hole does not
    /// make it good.
    pub(super) fn lacked(&mut self, since: i64, reason: &str) {
        let Some(open) = self.holes.iter().position(|h| h.to.is_none()) else { return };
        let Some(end) = self.holes.get(open).map(|h| h.from) else { return };
        let before = open.checked_sub(1).and_then(|at| self.holes.get(at));
        if before.is_some_and(|h| !h.gap && h.reason == reason && h.to == Some(end) && h.from <= since) {
            return;
        }
        let from = self.free_start(since.min(end.saturating_sub(MOMENT_NS)), -1);
        let moment = Hole::new(from, Some(end), Completeness::Partial, reason.to_owned());
        self.holes.insert(open, Hole { gap: false, ..moment });
        self.bound_holes();
    }

    /// Notes that facts of `[since, at]` are missing for good. While it does not listen that is known already. What lacks
    /// again soon, for the same reason, extends the hole that is there.
    pub(super) fn lack(&mut self, since: i64, at: i64, reason: &str) {
        if !self.listening {
            return;
        }
        let last_gap = self.holes.iter().rev().find(|h| h.gap).and_then(|h| h.to);
        let at = last_gap.map_or(at, |end| end.max(at));
        let moment = at.saturating_add(MOMENT_NS).max(self.again_until);
        let end = self.holes.back().and_then(|h| h.to).map_or(moment, |newest| newest.max(moment));
        let soon = |h: &Hole| {
            h.reason == reason
                && h.from <= since
                && h.to.is_some_and(|end| at.saturating_sub(end) <= LACK_JOIN_NS)
        };
        let behind_gaps = self.holes.iter().rev().take_while(|h| !h.gap).position(soon);
        let known = behind_gaps.and_then(|back| self.holes.remove(self.holes.len() - 1 - back));
        let hole = match known {
            Some(hole) => Hole { to: Some(end), changed: true, ..hole },
            None => {
                let from = self.free_start(since.min(at), 1);
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

    /// Notes that all it ever told until then may lack something; what was noted so before is extended.
    pub(super) fn doubt(&mut self, until: i64, state: Completeness, reason: &str) {
        let Some(first) = self.first else { return };
        let before = self.holes.iter().position(|h| !h.gap && h.to.is_some() && h.reason == reason);
        let before = before.and_then(|at| self.holes.remove(at));
        let from = before.as_ref().map_or_else(|| self.free_start(first, 1), |hole| hole.from);
        let state = before.map_or(state, |hole| hole.state.max(state));
        let end = self.holes.iter().filter_map(|h| h.to).fold(until.max(from), i64::max);
        let doubt = Hole::new(from, Some(end), state, reason.to_owned());
        let place = self.holes.len() - self.holes.iter().rev().take_while(|h| h.to.is_none()).count();
        self.holes.insert(place, Hole { gap: false, ..doubt });
        self.bound_holes();
    }

    /// Notes what it does not hear although it should, and since when. True when it hears everything again: what was not
    /// heard meanwhile is a hole then, which REST reads close.
    pub(super) fn limit(&mut self, limit: Option<Limit>, at: i64) -> bool {
        if let (Some(limit), Some(known)) = (&limit, &mut self.limited)
            && limit.since >= known.from
        {
            if known.reason != limit.reason {
                known.reason.clone_from(&limit.reason);
                known.changed = true;
            }
            return false;
        }
        let over = self.limited.take();
        let was_limited = over.is_some();
        if let Some(over) = over {
            self.end_limit(over, at);
        }
        let Some(limit) = limit else { return was_limited && !self.resends };
        let from = self.free_start(limit.since.min(at), -1);
        self.limited =
            Some(Hole { gap: false, ..Hole::new(from, None, Completeness::Partial, limit.reason) });
        false
    }

    fn end_limit(&mut self, over: Hole, at: i64) {
        let newest = self.holes.back().and_then(|h| h.to);
        let to = at.max(over.from).max(newest.unwrap_or(at)).max(self.again_until);
        let place = self.holes.len() - self.holes.iter().rev().take_while(|h| h.to.is_none()).count();
        self.holes.insert(place, Hole { to: Some(to), gap: true, changed: true, ..over });
        self.bound_holes();
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

    /// Our clock was set back from one instant to another: what was noted at later ones stands in a time that comes again.
    /// Nobody can tell any more where in it the holes were; and what is missed while it comes again may be of a conversation
    /// whose facts stand in it since the first time.
    pub(super) fn set_back(&mut self, from: i64, at: i64) {
        (self.since, self.told_at) = (self.since.min(at), self.told_at.min(at));
        self.first = self.first.map(|first| first.min(at));
        self.again_until = self.again_until.max(from);
        (self.awaited, self.covered) = (None, 0);
        if let Some(open) = self.holes.iter_mut().find(|h| h.to.is_none() && h.from > at) {
            (open.to, open.changed) = (Some(open.from), true);
            let reason = open.reason.clone();
            let from = self.free_start(at, -1);
            self.holes.push_back(Hole::new(from, None, Completeness::Unknown, reason));
        }
        let Some(end) = self.holes.iter().filter_map(|h| h.to).max().filter(|end| *end > at) else { return };
        let reason = "our clock was set back over a time in which not everything was heard";
        self.doubt(end, Completeness::Partial, reason);
    }

    /// Holes stand in the order of their ends; only a clock that was set back brings them out of it.
    fn keep_order(&mut self) {
        let end = |hole: &Hole| hole.to.unwrap_or(i64::MAX);
        if !self.holes.iter().is_sorted_by_key(end) {
            self.holes.make_contiguous().sort_by_key(end);
        }
    }

    /// Old holes merge into one that spans them, with the worst of what was known: wider than the truth, never narrower. Of
    /// the oldest three, two are of a kind: what a repair closes is not merged with what is missing for good.
    fn bound_holes(&mut self) {
        self.keep_order();
        while self.holes.len() > HOLES_MAX {
            let kinds = [0, 1, 2].map(|at| self.holes.get(at).map(|h| h.gap));
            let first = usize::from(kinds[0] != kinds[1] && kinds[0] != kinds[2]);
            let Some(old) = self.holes.remove(first) else { return };
            let Some(next) = self.holes.iter_mut().skip(first).find(|h| h.gap == old.gap) else { return };
            next.from = old.from.min(next.from);
            next.beyond |= old.beyond && old.state > Completeness::Repaired;
            if old.state > next.state {
                (next.state, next.reason) = (old.state, old.reason);
            }
            next.changed = true;
        }
    }

    pub(super) fn settle_holes(&mut self, state: Completeness, reason: Option<&str>) {
        if self.before > Completeness::Repaired && self.first.is_some() {
            self.before = state;
        }
        for hole in self.holes.iter_mut().filter(|h| h.to.is_some() && h.gap && !h.beyond) {
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
    pub(super) fn hear(&mut self, fact: FactId, at: i64, new: bool) -> bool {
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

    pub(super) fn worst(&self, from: i64, to: i64) -> (Completeness, Option<&str>) {
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
