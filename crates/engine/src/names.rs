//! The ids and words that one conversation names, each once, as 16-bit numbers.
//!
//! A conversation speaks of a handful of participants, users and queues again and again; its entries hold numbers
//! instead. The table lives and goes with the conversation, so that hostile words cannot pile up. UUIDs stand in a list of
//! their own, 16 bytes each. Rejected: one table for all conversations (it would have to count references, or grow for
//! ever).

use crate::limits::{NAMES_MAX, WORDS_MAX};
use crate::{Id, Word};

/// A number in a conversation's [`Names`]; none is `Name::NONE`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Name(u16);

/// A known word's ordinal, or 256 and more: a place in the table of this conversation's other words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Sym(u16);

/// The tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// The ids that are UUIDs, numbered from 0 upwards.
    uuids: Vec<[u8; 16]>,
    others: Option<Box<Others>>,
    /// The incarnation of ours that admitted the first fact.
    incarnation: Option<u32>,
}

/// What few conversations name.
#[derive(Clone, Debug, Default)]
struct Others {
    /// Ids that are not UUIDs, numbered from the highest number downwards.
    texts: Vec<Id>,
    /// Words that are not the platform's own.
    words: Vec<Word>,
}

impl Name {
    pub const NONE: Self = Self(u16::MAX);

    pub fn is_some(self) -> bool {
        self != Self::NONE
    }

    pub fn number(self) -> u16 {
        self.0
    }
}

impl Sym {
    pub const NONE: Self = Self(u16::MAX);
    /// The known word `connected`.
    pub const CONNECTED: Self = Self(9);
    /// The known word `disconnected`.
    pub const DISCONNECTED: Self = Self(11);

    /// The known word of an ordinal.
    pub fn known(ordinal: u8) -> Self {
        Self(u16::from(ordinal))
    }

    pub fn is_some(self) -> bool {
        self != Self::NONE
    }

    pub fn number(self) -> u16 {
        self.0
    }

    /// Whether the word ends what is in it: all such words are known ones.
    pub fn ends(self) -> bool {
        u8::try_from(self.0).is_ok_and(Word::ends)
    }
}

impl Names {
    /// The number of an id; none when the table is full.
    pub fn id(&mut self, id: Option<&Id>) -> Option<Name> {
        let Some(id) = id else { return Some(Name::NONE) };
        if let Some(known) = self.find(id) {
            return Some(known);
        }
        let texts = self.others.as_ref().map_or(0, |others| others.texts.len());
        if self.uuids.len() + texts >= NAMES_MAX {
            return None;
        }
        match id.as_uuid() {
            Some(uuid) => {
                grow_by_a_quarter(&mut self.uuids);
                self.uuids.push(*uuid);
            }
            None => self.others.get_or_insert_default().texts.push(id.clone()),
        }
        self.find(id)
    }

    fn find(&self, id: &Id) -> Option<Name> {
        let at = match id.as_uuid() {
            Some(uuid) => self.uuids.iter().rposition(|known| known == uuid)?,
            None => NAMES_MAX - 1 - self.others.as_ref()?.texts.iter().rposition(|known| known == id)?,
        };
        u16::try_from(at).ok().map(Name)
    }

    /// The number of a word; none when the table is full.
    pub fn word(&mut self, word: Option<&Word>) -> Option<Sym> {
        let Some(word) = word else { return Some(Sym::NONE) };
        if let Some(ordinal) = word.ordinal() {
            return Some(Sym(u16::from(ordinal)));
        }
        let words = &mut self.others.get_or_insert_default().words;
        let at = match words.iter().position(|known| known == word) {
            Some(at) => at,
            None if words.len() >= WORDS_MAX => return None,
            None => {
                words.push(word.clone());
                words.len() - 1
            }
        };
        u16::try_from(at + 256).ok().map(Sym)
    }

    pub fn get_id(&self, name: Name) -> Option<Id> {
        match self.uuids.get(usize::from(name.0)) {
            Some(uuid) => Some(Id::from_uuid(*uuid)),
            None => self.text(name).cloned(),
        }
    }

    fn text(&self, name: Name) -> Option<&Id> {
        let at = (NAMES_MAX - 1).checked_sub(usize::from(name.0))?;
        self.others.as_ref()?.texts.get(at)
    }

    pub fn same_id(&self, name: Name, id: Option<&Id>) -> bool {
        match id.and_then(Id::as_uuid) {
            Some(uuid) => self.uuids.get(usize::from(name.0)) == Some(uuid),
            None => self.uuids.get(usize::from(name.0)).is_none() && self.text(name) == id,
        }
    }

    /// The incarnation that admitted the conversation's first fact; `this` one, when it is the first.
    pub fn first_incarnation(&mut self, this: u32) -> u32 {
        *self.incarnation.get_or_insert(this)
    }

    /// The incarnation that admitted the conversation's first fact.
    pub fn incarnation(&self) -> u32 {
        self.incarnation.unwrap_or(0)
    }

    /// Whether a word ends what is in it.
    pub fn is_end(&self, sym: Sym) -> bool {
        sym.ends()
    }

    fn other_word(&self, sym: Sym) -> Option<&Word> {
        self.others.as_ref()?.words.get(usize::from(sym.0).checked_sub(256)?)
    }

    pub fn get_word(&self, sym: Sym) -> Option<Word> {
        match u8::try_from(sym.0) {
            Ok(ordinal) => Word::from_ordinal(ordinal),
            Err(_) => self.other_word(sym).cloned(),
        }
    }

    pub fn same_word(&self, sym: Sym, word: Option<&Word>) -> bool {
        match (u8::try_from(sym.0), word) {
            (Ok(ordinal), Some(word)) => word.ordinal() == Some(ordinal),
            (Ok(_), None) => false,
            (Err(_), word) => self.other_word(sym) == word,
        }
    }
}

/// Makes room for one more, and little else: a conversation's lists are short, and there are millions of them.
pub(crate) fn grow_by_a_quarter<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 4).max(1));
    }
}
