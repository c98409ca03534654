//! The truth in the words of the engine, to hold answers against.
//!
//! Built from what the centre played, by rules of its own: nothing here asks the engine what a fact means.

use engine::{FactId, Id, Word};
use simulator::{Conversation, Event, Millis, Truth};
use std::collections::{BTreeMap, BTreeSet};

/// The id of the truth as the engine has it.
pub(crate) fn id_of(id: simulator::Id) -> Id {
    Id::from_uuid(*id.0.as_bytes())
}

/// The other way round; none for an id that is no UUID.
pub(crate) fn uuid_of(id: &Id) -> Option<simulator::Id> {
    id.as_uuid().map(|bytes| simulator::Id::from_bytes(*bytes))
}

/// All that may be said without inventing it.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    is_current: bool,
    conversations: BTreeMap<Id, Page>,
}

/// What is true of one conversation.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Its participants and, with each of them, its communications.
    pub people: BTreeSet<(Id, Option<Id>)>,
    /// What communications went through: whose, which, and the truth's word for it.
    pub facts: BTreeSet<(Id, &'static str)>,
    pub events: BTreeMap<FactId, Told>,
}

/// An event of the `events` dialect.
#[derive(Debug)]
pub(crate) struct Told {
    pub at: Millis,
    /// The same by the cloud's clock.
    pub happened_at: Millis,
    pub participant: Option<Id>,
    pub state: &'static str,
    pub role: Option<&'static str>,
    /// Its dot: who emitted it, and that region's counter.
    pub dot: Option<(&'static str, u64)>,
    pub clock: BTreeMap<&'static str, u64>,
}

impl Sheet {
    /// More has happened since.
    pub fn outdated(&mut self) {
        self.is_current = false;
    }

    /// Brings it up to date, unless it is.
    pub fn read(&mut self, truth: impl FnOnce() -> Truth) {
        if std::mem::replace(&mut self.is_current, true) {
            return;
        }
        for one in &truth().conversations {
            self.conversations.insert(id_of(one.id), Page::of(one));
        }
    }

    pub fn page(&self, conversation: &Id) -> Option<&Page> {
        self.conversations.get(conversation)
    }
}

impl Page {
    fn of(one: &Conversation) -> Self {
        let mut page = Self::default();
        for participant in &one.participants {
            let id = id_of(participant.id);
            let legs = participant.communications.iter().map(|leg| (id.clone(), Some(id_of(leg.id))));
            page.people.extend(legs);
            page.people.insert((id, None));
        }
        page.facts.extend(one.facts.iter().map(|fact| (id_of(fact.communication_id), fact.kind)));
        for event in &one.events {
            page.events.insert(FactId::of_event(&event.event_id.to_string()), Told::of(event));
        }
        page
    }
}

impl Told {
    fn of(event: &Event) -> Self {
        Self {
            at: event.at.0,
            happened_at: event.happened_at.0,
            participant: event.participant_id.map(id_of),
            state: event.state,
            role: event.role,
            dot: event.region.map(|region| (region, event.clock.get(region).copied().unwrap_or(0))),
            clock: event.clock.clone(),
        }
    }

    /// Whether its emitter had seen the other.
    pub fn has_seen(&self, other: &Self) -> bool {
        let seen = |(region, counter)| self.clock.get(region).is_some_and(|known| *known >= counter);
        self.dot != other.dot && other.dot.is_some_and(seen)
    }
}

/// Whether two words are one.
pub(crate) fn same(word: Option<&Word>, text: Option<&str>) -> bool {
    word.map(Word::as_str) == text
}
