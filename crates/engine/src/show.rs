//! From sets to what readers see: a conversation with its participants, and changes.
//!
//! Everything is built when it is asked for, by one pass over the set (`fold.rs`); nothing is kept that could drift from
//! it. The timeline, spells and pages have files of their own.

use crate::conversation::Conversation;
use crate::entry::Entry;
use crate::fold::{Communication, Folded, Participant};
use crate::names::Names;
use crate::{
    Arrival, Belongs, Change, CommunicationView, Completeness, ConversationView, Engine, Fact, FactId, Id,
    ParticipantView, Publish, StoredConversation, TimelineEntry, UserView, Word,
};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

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

/// Of one conversation: the entries of the facts asked for, and whom its participants belong to.
#[derive(Default)]
struct Told {
    entries: HashMap<FactId, Option<TimelineEntry>, FixedState>,
    about: Arc<[Belongs]>,
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

    /// What readers see of a change that is to be published; none when the conversation has left memory.
    #[must_use]
    pub fn change(&self, publish: &Publish) -> Option<Change> {
        self.changes(std::slice::from_ref(publish)).pop()
    }

    /// What readers see of changes that are to be published, in their order, without those of conversations that have left
    /// memory. However many changes a conversation has among them, it is gone through once.
    #[must_use]
    pub fn changes(&self, publish: &[Publish]) -> Vec<Change> {
        let mut told: HashMap<&Id, Told, FixedState> = HashMap::default();
        for Publish { conversation, fact, .. } in publish {
            told.entry(conversation).or_default().entries.insert(*fact, None);
        }
        told.retain(|id, told| match self.conversations.get(id) {
            Some(set) => {
                let shown = Shown { engine: self, conversation: Cow::Resident(set), now: 0 };
                told.about = shown.timeline_of(&mut told.entries);
                true
            }
            None => false,
        });
        let change = |publish: &Publish| {
            let Told { entries, about } = told.get(&publish.conversation)?;
            let (entry, about) = (entries.get(&publish.fact)?.clone(), about.clone());
            let Publish { seq, conversation, revision, effect, .. } = publish.clone();
            Some(Change { seq, conversation, entry, revision, effect, about })
        };
        publish.iter().filter_map(change).collect()
    }
}

impl Shown<'_> {
    /// How many facts of it an earlier history had counted.
    pub(crate) fn inherited(&self) -> Option<u64> {
        self.engine.inherited.of(&self.set().id)
    }

    pub(crate) fn set(&self) -> &Conversation {
        match &self.conversation {
            Cow::Resident(conversation) => conversation,
            Cow::Stored(conversation) => conversation,
        }
    }

    /// The name of a feed, as the ledger has it.
    #[must_use]
    pub fn feed_name(&self, feed: u16) -> Option<String> {
        self.engine.ledger.name_of(feed).map(str::to_owned)
    }

    /// The same conversation as it was shown at `at`, by our clock, in nanoseconds since the epoch; none when nothing of it
    /// was known then. Its completeness is today's knowledge.
    #[must_use]
    pub fn known_at(&self, at: i64) -> Option<Self> {
        let conversation = Cow::Stored(Box::new(self.set().as_known_at(at)?));
        Some(Self { engine: self.engine, conversation, now: self.now })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &Id {
        &self.set().id
    }

    /// The evidence for all its facts, in their order; the pieces of one fact as they came.
    #[must_use]
    pub fn evidence(&self) -> Vec<(Fact, Arrival)> {
        self.set().evidence().collect()
    }

    /// What is known to be missing behind it.
    #[must_use]
    pub fn completeness(&self) -> Completeness {
        self.engine.completeness_of(self.set(), self.now)
    }

    /// What the conversation adds to each minute's cell, recounted from its set. Cells move by differences; this is what
    /// these must add up to, once no fact waits.
    #[must_use]
    pub fn recounted(&self) -> BTreeMap<i64, u64> {
        self.set().recount()
    }

    /// The conversation as it stands.
    #[must_use]
    pub fn conversation(&self) -> ConversationView {
        let set = self.set();
        let suspect = self.engine.ghosts.suspicion(&set.id);
        ConversationView { suspect, ..self.view(&set.entries, &set.folded(), self.completeness()) }
    }

    /// The conversation as it was at `at`, in nanoseconds since the epoch, by all that is known now: what stands no later in
    /// the order has happened, nothing else. None when nothing of it had. Its completeness is that of its life up to then.
    #[must_use]
    pub fn conversation_at(&self, at: i64) -> Option<ConversationView> {
        let set = self.set();
        let (past, folded) = set.folded_at(at);
        let completeness = self.engine.completeness_at(set, at, self.now);
        (!past.is_empty()).then(|| self.view(past, &folded, completeness))
    }

    /// What a state after some entries shows.
    fn view(&self, entries: &[Entry], folded: &Folded, completeness: Completeness) -> ConversationView {
        let set = self.set();
        let mut participants: Vec<_> =
            folded.participants.iter().map(|p| participant(p, &set.names, &set.id)).collect();
        participants.sort_by(|a, b| (a.joined_at, &a.id).cmp(&(b.joined_at, &b.id)));
        let mut media: Vec<Word> =
            participants.iter().flat_map(|p| &p.communications).filter_map(|c| c.medium.clone()).collect();
        media.extend(entries.iter().filter_map(|e| set.names.get_word(e.medium())));
        media.sort();
        media.dedup();
        let mut clock = clock_of(entries, &set.names);
        clock.extend(self.engine.inherited.entry(&set.id));
        ConversationView {
            id: set.id.clone(),
            active: folded.is_active(&set.names),
            started_at: folded.started(entries),
            ended_at: folded.ended(&set.names),
            media,
            vector_clock: clock.values().fold(0u64, |sum, n| sum.saturating_add(*n)),
            clock: clock.into_iter().collect(),
            completeness,
            missing: self.engine.missing_of(set),
            suspect: None,
            remembered_at: None,
            participants,
        }
    }
}

/// A participant as readers see it; `of`: its conversation.
pub(crate) fn participant(p: &Participant, names: &Names, of: &Id) -> ParticipantView {
    let active = p.is_active(names);
    ParticipantView {
        id: names.get_id(p.id).unwrap_or_else(|| of.clone()),
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
        communications: p.communications.iter().map(|c| communication(c, names, of)).collect(),
    }
}

fn communication(c: &Communication, names: &Names, of: &Id) -> CommunicationView {
    CommunicationView {
        id: names.get_id(c.id).unwrap_or_else(|| of.clone()),
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

/// The clock of a conversation: the merged source clocks, and for facts without a stamp our own incarnations' counts.
fn clock_of(entries: &[Entry], names: &Names) -> BTreeMap<Word, u64> {
    let mut clock: BTreeMap<Word, u64> = BTreeMap::new();
    for entry in entries {
        match entry.stamp() {
            Some(stamp) => {
                for (region, counter) in stamp.clock.iter() {
                    let known = clock.entry(region.clone()).or_default();
                    *known = (*known).max(counter);
                }
            }
            None => *clock.entry(Word::own_actor(entry.incarnation(names))).or_default() += 1,
        }
    }
    clock
}
