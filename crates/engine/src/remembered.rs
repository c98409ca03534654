//! Conversations of which only a copy elsewhere still tells: what a follower's sink had of them when a disk was lost.
//!
//! A point is no evidence, so none of it becomes a fact: no cell moves, nothing is stored as history, nothing is published.
//! It stands apart, and is shown as what it is: remembered, at best partial. The first fact of a conversation that is shown
//! ends it, since from then on facts alone speak. The platform is asked for each, again with a growing wait; when it does
//! not know a conversation, that is no longer remembered. Where nobody can be asked, what lasts longer than its medium
//! plausibly does, counted from its newest point, goes. So nothing stays for ever, and all of it is a function of what is
//! kept and of the time: after a restart the same is remembered, and asked for once more.
//!
//! Rejected: a suspect made of facts of our own (whoever reads the history later could not tell them from what was heard).

use crate::limits::{LOOKS_MAX, Limits, SUSPECT_AGAIN_NS_MAX, SUSPECT_AGAIN_NS_MIN};
use crate::{
    Completeness, ConversationView, Engine, Id, Missing, ParticipantView, Time, Word, inherited, is_end,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// What was last told of a conversation that looked live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// The time of the newest that was told of it, in nanoseconds since the epoch.
    pub told_at: i64,
    /// What was last told of each participant, each once.
    pub participants: Vec<MemoryOfParticipant>,
}

/// What was last told of a participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryOfParticipant {
    /// Its id.
    pub id: Id,
    /// Its state.
    pub state: Option<Word>,
    /// Its role.
    pub role: Option<Word>,
    /// Its user.
    pub user: Option<Id>,
    /// Its queue.
    pub queue: Option<Id>,
    /// Its medium.
    pub medium: Option<Word>,
}

/// All that is remembered.
#[derive(Debug, Default)]
pub(crate) struct Memories {
    /// The count is this map's size.
    known: BTreeMap<Id, Remembered>,
    /// When each is asked for, or goes.
    due: BTreeSet<(i64, Id)>,
}

#[derive(Debug)]
struct Remembered {
    memory: Memory,
    /// It is plausible until then.
    until: i64,
    due: i64,
    /// How often it was asked for.
    asked: u32,
}

impl Memories {
    /// The ids of all, behind one.
    pub fn after(&self, id: Bound<&Id>) -> impl Iterator<Item = &Id> {
        self.known.range::<Id, _>((id, Bound::Unbounded)).map(|(id, _)| id)
    }

    /// When the next is to be asked for, or goes.
    pub fn due(&self) -> Option<i64> {
        self.due.first().map(|(at, _)| *at)
    }

    /// A conversation is no longer remembered.
    pub fn forget(&mut self, id: &Id) {
        if let Some(gone) = self.known.remove(id) {
            self.due.remove(&(gone.due, id.clone()));
        }
    }

    fn put(&mut self, id: Id, remembered: Remembered) {
        self.forget(&id);
        self.due.insert((remembered.due, id.clone()));
        self.known.insert(id, remembered);
    }
}

impl Engine {
    /// Remembers a conversation at `now`, in nanoseconds since the epoch, unless facts of it are known or it has plausibly
    /// ended since.
    pub fn remember(&mut self, conversation: Id, memory: Memory, now: i64) {
        // A time ahead of ours would let it stay for longer.
        let told_at = memory.told_at.min(now);
        let until = told_at.saturating_add(plausible(&memory, &self.limits));
        if until <= now || self.conversations.get(&conversation).is_some_and(|c| !c.entries.is_empty()) {
            return;
        }
        let memory = Memory { told_at, ..memory };
        self.remembered.put(conversation, Remembered { memory, until, due: now, asked: 0 });
    }

    /// How many conversations are remembered. No other is counted as active and as this.
    #[must_use]
    pub fn remembered_count(&self) -> u64 {
        self.remembered.known.len() as u64
    }

    /// What is shown of a conversation that is remembered; none when it is not.
    #[must_use]
    pub fn recall(&self, id: &Id) -> Option<ConversationView> {
        let Remembered { memory, .. } = self.remembered.known.get(id)?;
        let clock = self.inherited.of(id).unwrap_or_default();
        let mut media: Vec<Word> = memory.participants.iter().filter_map(|p| p.medium.clone()).collect();
        media.sort();
        media.dedup();
        Some(ConversationView {
            id: id.clone(),
            active: true,
            started_at: None,
            ended_at: None,
            media,
            vector_clock: clock,
            clock: (clock > 0)
                .then(|| (Word::own_actor(inherited::INCARNATION), clock))
                .into_iter()
                .collect(),
            completeness: Completeness::Partial,
            missing: Missing::default(),
            suspect: None,
            remembered_at: Some(Time::from_nanos(memory.told_at).to_millis()),
            participants: memory.participants.iter().map(participant).collect(),
        })
    }

    /// Asks for those whose time has come, and lets those go that have plausibly ended; at most so many, the rest is due at
    /// once.
    pub(crate) fn look_for_remembered(&mut self, now: i64) {
        for _ in 0..LOOKS_MAX {
            let Some((_, id)) = self.remembered.due.first().filter(|(at, _)| *at <= now).cloned() else {
                return;
            };
            let Some(mut remembered) = self.remembered.known.remove(&id) else { return };
            self.remembered.due.remove(&(remembered.due, id.clone()));
            if remembered.until <= now {
                continue;
            }
            self.wish(&id, "remembered");
            let wait =
                SUSPECT_AGAIN_NS_MIN.saturating_mul(1 << remembered.asked.min(16)).min(SUSPECT_AGAIN_NS_MAX);
            remembered.asked = remembered.asked.saturating_add(1);
            remembered.due = now.saturating_add(wait).min(remembered.until);
            self.remembered.put(id, remembered);
        }
    }
}

/// How long a conversation with these media may last.
fn plausible(memory: &Memory, limits: &Limits) -> i64 {
    let media = memory.participants.iter().filter_map(|p| p.medium.as_ref());
    media.map(|medium| limits.plausible.of(medium.as_str())).max().unwrap_or_else(|| limits.plausible.of(""))
}

fn participant(told: &MemoryOfParticipant) -> ParticipantView {
    ParticipantView {
        id: told.id.clone(),
        role: told.role.clone(),
        user: told.user.clone(),
        queue: told.queue.clone(),
        active: !told.state.as_ref().is_some_and(is_end),
        state: told.state.clone(),
        joined_at: None,
        left_at: None,
        end_reason: None,
        held: false,
        muted: false,
        communications: Vec::new(),
    }
}
