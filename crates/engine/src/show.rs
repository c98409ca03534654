//! From sets to what readers see: conversations, timelines, spells, pages, changes.

use crate::conversation::Conversation;
use crate::entry::Entry;
use crate::fold::{Communication, Folded, Participant, Step};
use crate::limits::LIST_SCAN_MAX;
use crate::names::{Name, Sym};
use crate::{
    Change, CommunicationView, Completeness, ConversationView, Engine, Filter, Id, ParticipantView, Publish,
    Source, SpellView, StoredConversation, Time, TimelineEntry, UserView, What, Word,
};
use std::collections::BTreeMap;
use std::ops::Bound;

/// A conversation, its timeline and its spells, of one and the same set.
#[derive(Debug)]
pub struct Shown<'a> {
    engine: &'a Engine,
    conversation: Cow<'a>,
    now: i64,
}

#[derive(Debug)]
enum Cow<'a> {
    Resident(&'a Conversation),
    Stored(Box<Conversation>),
}

impl Engine {
    /// A conversation in memory, as of `now`.
    #[must_use]
    pub fn show(&self, id: &Id, now: i64) -> Option<Shown<'_>> {
        // One whose facts all wait has nothing to show yet.
        let conversation = self.conversations.get(id).filter(|c| !c.entries.is_empty())?;
        Some(Shown { engine: self, conversation: Cow::Resident(conversation), now })
    }

    /// A conversation that was laid down, as of `now`; it stays where it is.
    #[must_use]
    pub fn show_stored(&self, stored: &StoredConversation, now: i64) -> Shown<'_> {
        let conversation = Cow::Stored(Box::new(Conversation::take_up(stored)));
        Shown { engine: self, conversation, now }
    }

    /// What is known of a user.
    #[must_use]
    pub fn user(&self, id: &Id) -> Option<UserView> {
        self.users.view(id)
    }

    /// At most `limit` conversations in memory that pass, by ascending id after `after`, and the last id looked at when
    /// more may follow.
    #[must_use]
    pub fn list(
        &self,
        filter: &Filter,
        after: Option<&Id>,
        limit: usize,
        now: i64,
    ) -> (Vec<ConversationView>, Option<Id>) {
        let ids = if filter.active == Some(true) { &self.active } else { &self.resident };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found = Vec::new();
        for (looked_at, id) in ids.range::<Id, _>((from, Bound::Unbounded)).enumerate() {
            if let Some(shown) = self.show(id, now) {
                let view = shown.conversation();
                if filter.matches(&view) {
                    found.push(view);
                }
            }
            if found.len() == limit || looked_at + 1 == LIST_SCAN_MAX {
                return (found, Some(id.clone()));
            }
        }
        (found, None)
    }

    /// What readers see of a change that is to be published; none when the conversation has left memory.
    #[must_use]
    pub fn change(&self, publish: &Publish) -> Option<Change> {
        let conversation = self.conversations.get(&publish.conversation)?;
        let at = conversation.entries.iter().position(|e| e.is(publish.fact))?;
        let shown = Shown { engine: self, conversation: Cow::Resident(conversation), now: 0 };
        let entry = shown.entries(at..at + 1).pop()?;
        let Publish { seq, conversation: id, revision, .. } = publish.clone();
        Some(Change { seq, conversation: id, entry, revision })
    }
}

impl Shown<'_> {
    fn set(&self) -> &Conversation {
        match &self.conversation {
            Cow::Resident(conversation) => conversation,
            Cow::Stored(conversation) => conversation,
        }
    }

    /// What is known to be missing behind it.
    #[must_use]
    pub fn completeness(&self) -> Completeness {
        self.engine.completeness_of(self.set(), self.now)
    }

    /// The conversation as it stands.
    #[must_use]
    pub fn conversation(&self) -> ConversationView {
        let set = self.set();
        let folded = set.folded();
        let mut participants: Vec<_> = folded.participants.iter().map(|p| self.participant(p)).collect();
        participants.sort_by(|a, b| (a.joined_at, &a.id).cmp(&(b.joined_at, &b.id)));
        let mut media: Vec<Word> =
            participants.iter().flat_map(|p| &p.communications).filter_map(|c| c.medium.clone()).collect();
        media.extend(set.entries.iter().filter_map(|e| set.names.get_word(e.medium)));
        media.sort();
        media.dedup();
        let clock = clock_of(set);
        ConversationView {
            id: set.id.clone(),
            active: set.active,
            started_at: folded.started(&set.entries),
            ended_at: folded.ended(&set.names),
            media,
            vector_clock: clock.values().fold(0u64, |sum, n| sum.saturating_add(*n)),
            clock: clock.into_iter().collect(),
            completeness: self.completeness(),
            participants,
        }
    }

    /// The timeline, in order.
    #[must_use]
    pub fn timeline(&self) -> Vec<TimelineEntry> {
        self.entries(0..self.set().entries.len())
    }

    /// Spells: by participant and communication, then by time.
    #[must_use]
    pub fn spells(&self) -> Vec<SpellView> {
        let set = self.set();
        let mut folded = Folded::prepared(&set.entries);
        let mut open: BTreeMap<(Name, Name), SpellView> = BTreeMap::new();
        let mut closed = Vec::new();
        for entry in &set.entries {
            folded.apply(entry, &set.names);
            let concerned = |p: &&Participant| p.id == entry.participant || !entry.participant.is_some();
            for participant in folded.participants.iter().filter(concerned) {
                self.turn(participant, entry, &mut open, &mut closed);
            }
        }
        closed.extend(open.into_values());
        closed.retain(|spell| spell.to != Some(spell.from) || spell.state.is_some());
        closed.sort_by(|a, b| {
            (&a.participant, &a.communication, a.from).cmp(&(&b.participant, &b.communication, b.from))
        });
        closed
    }

    /// Ends and begins spells of one participant after an entry.
    fn turn(
        &self,
        participant: &Participant,
        entry: &Entry,
        open: &mut BTreeMap<(Name, Name), SpellView>,
        closed: &mut Vec<SpellView>,
    ) {
        let names = &self.set().names;
        let own = (Name::NONE, participant.is_active(names), participant.state(names), Sym::NONE, false);
        let legs = participant
            .communications
            .iter()
            .map(|c| (c.id, !names.is_end(c.state), c.state, c.medium, c.held));
        let lanes: Vec<_> = if participant.communications.is_empty() { vec![own] } else { legs.collect() };
        for (leg, live, state, medium, held) in lanes {
            let key = (participant.id, leg);
            let seen = leg == Name::NONE || state.is_some();
            let next = (live && participant.is_active(names) && seen).then(|| SpellView {
                participant: names.get_id(participant.id).unwrap_or_else(|| self.set().id.clone()),
                communication: names.get_id(leg),
                role: names.get_word(participant.role),
                user: names.get_id(participant.user),
                queue: names.get_id(participant.queue),
                medium: names.get_word(medium),
                state: names.get_word(state),
                held,
                from: entry.instant(),
                to: None,
            });
            let same = |a: &SpellView, b: &SpellView| {
                let mut b = b.clone();
                b.from = a.from;
                *a == b
            };
            if let (Some(now), Some(next)) = (open.get(&key), &next)
                && same(now, next)
            {
                continue;
            }
            if let Some(mut ended) = open.remove(&key) {
                ended.to = Some(entry.instant().max(ended.from));
                closed.push(ended);
            }
            if let Some(next) = next {
                open.insert(key, next);
            }
        }
    }

    fn participant(&self, p: &Participant) -> ParticipantView {
        let names = &self.set().names;
        let active = p.is_active(names);
        ParticipantView {
            id: names.get_id(p.id).unwrap_or_else(|| self.set().id.clone()),
            role: names.get_word(p.role),
            user: names.get_id(p.user),
            queue: names.get_id(p.queue),
            active,
            state: names.get_word(p.state(names)),
            joined_at: p.joined,
            left_at: p.left(names),
            end_reason: names.get_word(p.end_reason(names)),
            held: active && p.communications.iter().any(|c| c.held),
            muted: active && p.communications.iter().any(|c| c.muted),
            communications: p.communications.iter().map(|c| self.communication(c)).collect(),
        }
    }

    fn communication(&self, c: &Communication) -> CommunicationView {
        let names = &self.set().names;
        CommunicationView {
            id: names.get_id(c.id).unwrap_or_else(|| self.set().id.clone()),
            medium: names.get_word(c.medium),
            direction: names.get_word(c.direction),
            state: names.get_word(c.state),
            connected_at: c.connected,
            ended_at: c.ended_at,
            end_reason: names.get_word(c.reason),
            held: c.held,
            muted: c.muted,
        }
    }

    /// The shown entries of a range of places.
    fn entries(&self, places: std::ops::Range<usize>) -> Vec<TimelineEntry> {
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

/// The clock of a conversation: the merged source clocks, and for facts without a stamp our own incarnations' counts.
fn clock_of(set: &Conversation) -> BTreeMap<Word, u64> {
    let mut clock: BTreeMap<Word, u64> = BTreeMap::new();
    for entry in &set.entries {
        match &entry.stamp {
            Some(stamp) => {
                for (region, counter) in stamp.clock.iter() {
                    let known = clock.entry(region.clone()).or_default();
                    *known = (*known).max(counter);
                }
            }
            None => *clock.entry(Word::own_actor(entry.incarnation)).or_default() += 1,
        }
    }
    clock
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

fn kind(what: What) -> &'static str {
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

fn to_value(e: &Entry, names: &crate::names::Names) -> Option<Word> {
    match e.what {
        what if is_switch(what) => Word::new(if e.on { "true" } else { "false" }),
        What::Role => names.get_word(e.role),
        What::WrapUp => names.get_word(e.reason),
        _ => names.get_word(e.state),
    }
}

fn from_value(e: &Entry, step: Step, names: &crate::names::Names) -> Option<Word> {
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
