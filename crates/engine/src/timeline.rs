//! The timeline: a conversation's entries in their order, each with what it changed.

use crate::entry::Entry;
use crate::fold::{Folded, Participant, Step};
use crate::names::Names;
use crate::show::Shown;
use crate::{Source, Time, TimelineEntry, What, Word};
use std::collections::BTreeMap;

impl Shown<'_> {
    /// The timeline, in order.
    #[must_use]
    pub fn timeline(&self) -> Vec<TimelineEntry> {
        self.entries(0..self.set().entries.len())
    }

    /// The shown entries of a range of places.
    pub(crate) fn entries(&self, places: std::ops::Range<usize>) -> Vec<TimelineEntry> {
        let set = self.set();
        let mut folded = Folded::prepared(&set.entries);
        let mut out = Vec::new();
        let mut clocks = Clocks::default();
        for (place, entry) in set.entries.iter().enumerate().take(places.end) {
            let step = folded.apply(entry, &set.names);
            let (sum, clock) = clocks.at(entry);
            if step.shown && places.contains(&place) {
                let participant = folded.participants.iter().find(|p| p.id == entry.participant);
                out.push(self.entry(entry, step, participant, sum, clock));
            }
        }
        out
    }

    fn entry(
        &self,
        e: &Entry,
        step: Step,
        p: Option<&Participant>,
        vector_clock: u64,
        clock: Vec<(Word, u64)>,
    ) -> TimelineEntry {
        let set = self.set();
        let names = &set.names;
        let leg = p.and_then(|p| p.communications.iter().find(|c| c.id == e.communication));
        TimelineEntry {
            fact: e.id(),
            at: e.at(),
            effective_at: e
                .at()
                .filter(|at| at.nanos == e.effective)
                .unwrap_or(Time::from_nanos(e.effective)),
            received_at: Time::from_nanos(e.received).to_millis(),
            participant: names.get_id(e.participant),
            communication: names.get_id(e.communication),
            kind: kind(e.what),
            from: from_value(e, step, names),
            to: to_value(e, names),
            role: names.get_word(p.map_or(e.role, |p| p.role)),
            user: names.get_id(p.map_or(e.user, |p| p.user)),
            queue: names.get_id(p.map_or(e.queue, |p| p.queue)),
            medium: names.get_word(leg.map_or(e.medium, |c| c.medium)),
            reason: names.get_word(e.reason),
            source: source(e.source),
            late: e.late,
            concurrent: is_concurrent(e, &set.entries),
            vector_clock,
            clock,
        }
    }
}

/// Clocks along the timeline: an entry's own stamp, or how many facts without one stand up to it.
#[derive(Default)]
struct Clocks {
    own: BTreeMap<u32, u64>,
}

impl Clocks {
    fn at(&mut self, entry: &Entry) -> (u64, Vec<(Word, u64)>) {
        if let Some(stamp) = &entry.stamp {
            let clock = stamp.clock.iter().map(|(region, n)| (region.clone(), n)).collect();
            return (stamp.clock.sum(), clock);
        }
        *self.own.entry(entry.incarnation).or_default() += 1;
        let clock: Vec<_> =
            self.own.iter().map(|(&incarnation, &n)| (Word::own_actor(incarnation), n)).collect();
        (clock.iter().map(|(_, n)| n).sum(), clock)
    }
}

/// The API's word for what a fact says.
pub(crate) fn kind(what: What) -> &'static str {
    match what {
        What::LifeCycle => "lifeCycle",
        What::Joined => "joined",
        What::State => "state",
        What::Role => "role",
        What::Held => "held",
        What::Muted => "muted",
        What::AfterCallWork => "afterCallWork",
        What::WrapUp => "wrapUp",
        What::Left => "left",
    }
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Events => "events",
        Source::Snapshot => "snapshot",
        Source::MediaSnapshot => "mediaSnapshot",
        Source::Detail => "detail",
        Source::Rest => "rest",
    }
}

fn is_switch(what: What) -> bool {
    matches!(what, What::Held | What::Muted | What::AfterCallWork)
}

fn to_value(e: &Entry, names: &Names) -> Option<Word> {
    match e.what {
        what if is_switch(what) => Word::new(if e.on { "true" } else { "false" }),
        What::Role => names.get_word(e.role),
        What::WrapUp => names.get_word(e.reason),
        _ => names.get_word(e.state),
    }
}

fn from_value(e: &Entry, step: Step, names: &Names) -> Option<Word> {
    match e.what {
        what if is_switch(what) => Word::new(if e.on { "false" } else { "true" }),
        _ => names.get_word(step.from),
    }
}

/// Whether some other stamped fact is neither before nor after it.
fn is_concurrent(e: &Entry, entries: &[Entry]) -> bool {
    let Some(own) = &e.stamp else { return false };
    let others = entries.iter().filter(|o| o.id() != e.id()).filter_map(|o| o.stamp.as_ref());
    others.into_iter().any(|other| !own.clock.contains(&other.dot) && !other.clock.contains(&own.dot))
}
