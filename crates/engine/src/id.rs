//! Ids as the platform gave them.
//!
//! Nearly every id is a UUID in its canonical lower-case form, which packs into 16 bytes and compares in one
//! instruction; a gateway may send any other short text, which is kept to the letter. Rejected: strings
//! everywhere (36 bytes and a pointer for each of millions), and UUIDs only (a tutorial gateway's `"call-17"` is an
//! id too).

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// The longest id that is accepted, in bytes. The platform's own are 36; analytics ids of external systems reach 64.
pub const ID_BYTES_MAX: usize = 128;

/// The id of a conversation, participant, communication, user or queue.
///
/// Equal exactly when the texts are equal. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Id(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Uuid([u8; 16]),
    Text(Arc<str>),
}

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// It is empty.
    Empty,
    /// It is longer than [`ID_BYTES_MAX`] bytes.
    TooLong,
    /// It holds a control character.
    Control,
}

impl Id {
    /// Takes an id as it was given: 1 to [`ID_BYTES_MAX`] bytes, no control characters.
    ///
    /// # Errors
    /// An [`IdError`] that names what is wrong.
    pub fn new(text: &str) -> Result<Self, IdError> {
        if let Some(bytes) = canonical_uuid(text.as_bytes()) {
            return Ok(Self(Repr::Uuid(bytes)));
        }
        match text {
            "" => Err(IdError::Empty),
            _ if text.len() > ID_BYTES_MAX => Err(IdError::TooLong),
            _ if text.chars().any(char::is_control) => Err(IdError::Control),
            _ => Ok(Self(Repr::Text(text.into()))),
        }
    }

    /// The id of 16 bytes that are a UUID.
    #[must_use]
    pub fn from_uuid(bytes: [u8; 16]) -> Self {
        Self(Repr::Uuid(bytes))
    }

    /// The 16 bytes, when the id is a canonical UUID.
    #[must_use]
    pub fn as_uuid(&self) -> Option<&[u8; 16]> {
        match &self.0 {
            Repr::Uuid(bytes) => Some(bytes),
            Repr::Text(_) => None,
        }
    }

    /// Hands over the text, without memory of its own.
    pub fn spelled<T>(&self, with: impl FnOnce(&str) -> T) -> T {
        match &self.0 {
            Repr::Uuid(bytes) => with(std::str::from_utf8(&uuid_text(bytes)).unwrap_or_default()),
            Repr::Text(text) => with(text),
        }
    }

    /// The text, when the id is not a canonical UUID.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Repr::Uuid(_) => None,
            Repr::Text(text) => Some(text),
        }
    }

    /// The bytes that identify it in a hash: 16 of a UUID, else the text.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        match &self.0 {
            Repr::Uuid(bytes) => bytes,
            Repr::Text(text) => text.as_bytes(),
        }
    }
}

impl Id {
    /// The order of the texts, whatever the representation: pages of ids are by it, in memory and in the store.
    fn compare(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Uuid(a), Repr::Uuid(b)) => a.cmp(b),
            (Repr::Text(a), Repr::Text(b)) => a.cmp(b),
            (Repr::Uuid(a), Repr::Text(b)) => uuid_text(a).as_slice().cmp(b.as_bytes()),
            (Repr::Text(a), Repr::Uuid(b)) => a.as_bytes().cmp(uuid_text(b).as_slice()),
        }
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(other)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spelled(|text| f.write_str(text))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the id is empty",
            Self::TooLong => "the id is longer than 128 bytes",
            Self::Control => "the id holds a control character",
        })
    }
}

impl std::error::Error for IdError {}

/// The canonical spelling.
fn uuid_text(bytes: &[u8; 16]) -> [u8; 36] {
    let mut text = [b'-'; 36];
    let mut slots = text.iter_mut();
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            slots.next();
        }
        for nibble in [byte >> 4, byte & 15] {
            if let Some(slot) = slots.next() {
                *slot = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            }
        }
    }
    text
}

/// The bytes of `8-4-4-4-12` lower-case hexadecimal digits; none for any other spelling, so that text survives as given.
fn canonical_uuid(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.try_into().ok()?;
    let mut bytes = [0u8; 16];
    let mut digits = 0usize;
    for (at, &c) in text.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if c != b'-' {
                return None;
            }
            continue;
        }
        let nibble = match c {
            b'0'..=b'9' => c - b'0',
            b'a'..=b'f' => c - b'a' + 10,
            _ => return None,
        };
        let byte = bytes.get_mut(digits / 2)?;
        *byte = *byte << 4 | nibble;
        digits += 1;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
