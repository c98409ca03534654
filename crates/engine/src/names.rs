//! The ids and words that one conversation names, each once, as 16-bit numbers.
//!
//! A conversation speaks of a handful of participants, users and queues again and again; its entries hold numbers
//! instead. The table lives and goes with the conversation, so that hostile words cannot pile up. Rejected: one
//! table for all conversations (it would have to count references, or grow for ever).

use crate::limits::NAMES_MAX;
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
    ids: Vec<Id>,
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
    /// The known word `disconnected`.
    pub const DISCONNECTED: Self = Self(11);

    pub fn is_some(self) -> bool {
        self != Self::NONE
    }

    pub fn number(self) -> u16 {
        self.0
    }
}

impl Names {
    /// The number of an id; none when the table is full.
    pub fn id(&mut self, id: Option<&Id>) -> Option<Name> {
        let Some(id) = id else { return Some(Name::NONE) };
        if let Some(at) = self.ids.iter().position(|known| known == id) {
            return u16::try_from(at).ok().map(Name);
        }
        if self.ids.len() >= NAMES_MAX {
            return None;
        }
        self.ids.push(id.clone());
        u16::try_from(self.ids.len() - 1).ok().map(Name)
    }

    /// The number of a word; none when the table is full.
    pub fn word(&mut self, word: Option<&Word>) -> Option<Sym> {
        let Some(word) = word else { return Some(Sym::NONE) };
        if let Some(ordinal) = word.ordinal() {
            return Some(Sym(u16::from(ordinal)));
        }
        let at = match self.words.iter().position(|known| known == word) {
            Some(at) => at,
            None if self.words.len() >= NAMES_MAX => return None,
            None => {
                self.words.push(word.clone());
                self.words.len() - 1
            }
        };
        u16::try_from(at + 256).ok().map(Sym)
    }

    pub fn get_id(&self, name: Name) -> Option<Id> {
        self.ids.get(usize::from(name.0)).cloned()
    }

    pub fn same_id(&self, name: Name, id: Option<&Id>) -> bool {
        self.ids.get(usize::from(name.0)) == id
    }

    pub fn get_word(&self, sym: Sym) -> Option<Word> {
        match u8::try_from(sym.0) {
            Ok(ordinal) => Word::from_ordinal(ordinal),
            Err(_) => self.words.get(usize::from(sym.0) - 256).cloned(),
        }
    }

    pub fn same_word(&self, sym: Sym, word: Option<&Word>) -> bool {
        match (u8::try_from(sym.0), word) {
            (Ok(ordinal), Some(word)) => word.ordinal() == Some(ordinal),
            (Ok(_), None) => false,
            (Err(_), word) => self.words.get(usize::from(sym.0) - 256) == word,
        }
    }

    /// Whether a word ends what is in it: all such words are known ones.
    pub fn is_end(&self, sym: Sym) -> bool {
        u8::try_from(sym.0).is_ok_and(Word::ends)
    }
}
