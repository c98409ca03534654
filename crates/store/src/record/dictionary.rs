//! Ids and words, written out once a record.
//!
//! A batch names the same conversations, participants and regions again and again. The first mention writes the value
//! in place and gives it the next number; later ones write the number. Words that the platform knows take their own
//! ordinal and never enter. So both sides build the table as they go, in one pass. Rejected: a table in front (a second
//! pass over the facts), and leaving it to lz4 (its matches cost 3 bytes and miss what lies 64 KiB back).
//!
//! | id | | word | |
//! |---|---|---|---|
//! | 0 | 16 bytes of a UUID follow | 0 | a text follows |
//! | 1 | a text follows | 1 … 256 | the known word of ordinal n − 1 |
//! | n ≥ 2 | the (n − 2)th id of this record | n ≥ 257 | the (n − 257)th text of this record |

use super::bytes::{Malformed, Reader, put_text, put_varint};
use engine::{ID_BYTES_MAX, Id, WORD_BYTES_MAX, Word};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

const UUID: u64 = 0;
const TEXT: u64 = 1;
const IDS_FROM: u64 = 2;
const NEW_WORD: u64 = 0;
const KNOWN_FROM: u64 = 1;
const WORDS_FROM: u64 = 257;

/// What a record that is being written has mentioned. Kept between records for its memory.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    ids: HashMap<Id, u64, RandomState>,
    words: HashMap<Word, u64, RandomState>,
}

impl Mentions {
    /// Forgets everything: the next record begins.
    pub fn clear(&mut self) {
        self.ids.clear();
        self.words.clear();
    }

    pub fn put_id(&mut self, out: &mut Vec<u8>, id: &Id) {
        let next = self.ids.len() as u64;
        match self.ids.entry(id.clone()) {
            Entry::Occupied(known) => return put_varint(out, IDS_FROM + known.get()),
            Entry::Vacant(place) => place.insert(next),
        };
        match id.as_uuid() {
            Some(bytes) => {
                put_varint(out, UUID);
                out.extend_from_slice(bytes);
            }
            None => {
                put_varint(out, TEXT);
                put_text(out, id.as_text().unwrap_or_default());
            }
        }
    }

    pub fn put_word(&mut self, out: &mut Vec<u8>, word: &Word) {
        if let Some(ordinal) = word.ordinal() {
            return put_varint(out, KNOWN_FROM + u64::from(ordinal));
        }
        let next = self.words.len() as u64;
        match self.words.entry(word.clone()) {
            Entry::Occupied(known) => return put_varint(out, WORDS_FROM + known.get()),
            Entry::Vacant(place) => place.insert(next),
        };
        put_varint(out, NEW_WORD);
        put_text(out, word.as_str());
    }
}

/// What a record that is being read has mentioned.
#[derive(Debug, Default)]
pub(crate) struct Mentioned {
    ids: Vec<Id>,
    words: Vec<Word>,
}

impl Mentioned {
    pub fn take_id(&mut self, from: &mut Reader<'_>) -> Result<Id, Malformed> {
        let id = match from.varint()? {
            UUID => Id::from_uuid(from.array()?),
            TEXT => Id::new(from.text(ID_BYTES_MAX)?).map_err(|_| Malformed("an impossible id"))?,
            number => return known(&self.ids, number - IDS_FROM),
        };
        self.ids.push(id.clone());
        Ok(id)
    }

    pub fn take_word(&mut self, from: &mut Reader<'_>) -> Result<Word, Malformed> {
        let number = from.varint()?;
        if number >= WORDS_FROM {
            return known(&self.words, number - WORDS_FROM);
        }
        if number != NEW_WORD {
            let ordinal = u8::try_from(number - KNOWN_FROM).ok();
            return ordinal.and_then(Word::from_ordinal).ok_or(Malformed("a word of a newer version"));
        }
        let word = Word::new(from.text(WORD_BYTES_MAX)?).ok_or(Malformed("an empty word"))?;
        self.words.push(word.clone());
        Ok(word)
    }
}

fn known<T: Clone>(values: &[T], number: u64) -> Result<T, Malformed> {
    let value = usize::try_from(number).ok().and_then(|at| values.get(at));
    value.cloned().ok_or(Malformed("a mention of what was never named"))
}

#[cfg(test)]
mod tests;
