//! The conversations in memory, found by id.
//!
//! A flat table of hashes and pointers: one cache line to find a conversation, one more to open it, and growing reads
//! nothing but the table. While one is worked on it is out of its place, which stays reserved, so that putting it back
//! costs no second search through memory. Rejected: a map with the ids as keys (the id a second time for each
//! conversation, and a removal and an insertion for each fact).

use crate::Id;
use crate::conversation::Conversation;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};

/// Conversations by id. Never iterated: the order of a hash table is nobody's business.
#[derive(Debug, Default)]
pub(crate) struct Residents {
    places: HashTable<Place>,
    hasher: FixedState,
}

/// The place of one conversation; none in it: it is being worked on.
#[derive(Debug)]
struct Place {
    hash: u64,
    conversation: Option<Box<Conversation>>,
}

impl Residents {
    pub fn contains(&self, id: &Id) -> bool {
        self.get(id).is_some()
    }

    pub fn get(&self, id: &Id) -> Option<&Conversation> {
        let hash = self.hash(id);
        self.places.find(hash, |place| place.holds(hash, id))?.conversation.as_deref()
    }

    pub fn get_mut(&mut self, id: &Id) -> Option<&mut Conversation> {
        let hash = self.hash(id);
        self.places.find_mut(hash, |place| place.holds(hash, id))?.conversation.as_deref_mut()
    }

    /// Takes one out to work on it; it must be [`put`](Self::put) back.
    pub fn take(&mut self, id: &Id) -> Option<Box<Conversation>> {
        let hash = self.hash(id);
        self.places.find_mut(hash, |place| place.holds(hash, id))?.conversation.take()
    }

    /// Puts one back, or in.
    pub fn put(&mut self, conversation: Box<Conversation>) {
        let hash = self.hash(&conversation.id);
        let free = |place: &Place| place.hash == hash && place.conversation.is_none();
        match self.places.find_mut(hash, free) {
            Some(place) => place.conversation = Some(conversation),
            None => {
                let place = Place { hash, conversation: Some(conversation) };
                self.places.insert_unique(hash, place, |place| place.hash);
            }
        }
    }

    /// Lets one go.
    pub fn remove(&mut self, id: &Id) {
        let hash = self.hash(id);
        if let Ok(place) = self.places.find_entry(hash, |place| place.holds(hash, id)) {
            place.remove();
        }
    }

    fn hash(&self, id: &Id) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(id.key());
        hasher.finish()
    }
}

impl Place {
    fn holds(&self, hash: u64, id: &Id) -> bool {
        self.hash == hash && self.conversation.as_ref().is_some_and(|c| c.id == *id)
    }
}
