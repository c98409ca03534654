//! The conversations in memory, found by id.
//!
//! A flat table of pointers, 9 bytes a place, so that the table of a hundred thousand conversations stays in a core's
//! cache; what is behind a pointer is read anyway. When it grows it reads every conversation's id once. Rejected: a map
//! with the ids as keys (33 bytes a place, and the id a second time for each conversation).

use crate::contributions::Paged;
use crate::conversation::Conversation;
use crate::{Id, StoredConversation};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};

/// Conversations by id.
#[derive(Debug, Default)]
pub(crate) struct Residents {
    known: HashTable<Box<Conversation>>,
}

impl Residents {
    pub fn contains(&self, id: &Id) -> bool {
        self.get(id).is_some()
    }

    pub fn get(&self, id: &Id) -> Option<&Conversation> {
        self.known.find(hash(id), |known| known.id == *id).map(Box::as_ref)
    }

    pub fn get_mut(&mut self, id: &Id) -> Option<&mut Conversation> {
        self.known.find_mut(hash(id), |known| known.id == *id).map(Box::as_mut)
    }

    /// All of them, for sums alone: the order of a hash table is nobody's business.
    pub fn each(&self) -> impl Iterator<Item = &Conversation> {
        self.known.iter().map(Box::as_ref)
    }

    /// Takes one out, to let it go or to work on it; it must be [`put`](Self::put) back then.
    pub fn take(&mut self, id: &Id) -> Option<Box<Conversation>> {
        let found = self.known.find_entry(hash(id), |known| known.id == *id);
        found.ok().map(|place| place.remove().0)
    }

    /// Puts one back, or in; none of this id may be there.
    pub fn put(&mut self, conversation: Box<Conversation>) {
        self.known.insert_unique(hash(&conversation.id), conversation, |known| hash(&known.id));
    }
}

/// A conversation that was laid down, on its way back into memory: its order and state are worked out, on whatever thread, and
/// [`Engine::admit_taken_up`](crate::Engine::admit_taken_up) does the rest.
#[derive(Debug)]
pub struct TakenUp(pub(crate) Box<Conversation>);

impl TakenUp {
    /// Of what was laid down.
    #[must_use]
    pub fn of(stored: &StoredConversation) -> Self {
        let mut conversation = Conversation::take_up(stored);
        conversation.paged = if stored.resident { Paged::Not } else { Paged::AsItStands };
        Self(Box::new(conversation))
    }
}

fn hash(id: &Id) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(id.key());
    hasher.finish()
}
