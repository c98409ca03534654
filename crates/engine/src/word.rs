//! The platform's words: states, roles, media, directions, end reasons.
//!
//! The lists are open: the vendor adds values without notice, and the notification schema leaves the purpose a free
//! string. A word that is known packs into one byte; any other is kept as it came. Rejected: closed enums (an
//! unknown value would be lost or fail a whole frame).

use std::fmt;
use std::sync::Arc;

/// The longest word that is accepted, in bytes; longer ones are cut at a character's edge.
pub const WORD_BYTES_MAX: usize = 64;

/// A word of the platform's vocabulary. Equal exactly when the texts are equal. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Word(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Known(u8),
    Other(Arc<str>),
}

/// Every word that packs; the position is the stored ordinal, so new ones go to the end.
const KNOWN: [&str; 84] = [
    "none",
    "scheduled",
    "offering",
    "alerting",
    "dialing",
    "contacting",
    "uploading",
    "converting",
    "transmitting",
    "connected",
    "parked",
    "disconnected",
    "terminated",
    "in-progress",
    "ended",
    "acd",
    "agent",
    "api",
    "botflow",
    "campaign",
    "customer",
    "dialer",
    "external",
    "fax",
    "group",
    "inbound",
    "ivr",
    "manual",
    "outbound",
    "station",
    "user",
    "voicemail",
    "voicesurveyflow",
    "workflow",
    "supervisor",
    "consult",
    "flow",
    "voice",
    "chat",
    "message",
    "email",
    "callback",
    "video",
    "screenshare",
    "cobrowse",
    "social",
    "internalMessage",
    "screenMonitoring",
    "unknown",
    "endpoint",
    "dndEndpoint",
    "client",
    "system",
    "timeout",
    "transfer",
    "conferenceTransfer",
    "consultTransfer",
    "forwardTransfer",
    "noAnswerTransfer",
    "notAvailableTransfer",
    "dndTransfer",
    "transportFailure",
    "error",
    "peer",
    "other",
    "spam",
    "uncallable",
    "inactivity",
    "sessionExpired",
    "takeover",
    "pending",
    "skipped",
    "complete",
    "notApplicable",
    "observer",
    "monitor",
    "coach",
    "barge",
    "left",
    "joined",
    "active",
    "held",
    "alert",
    "interact",
];

impl Word {
    /// Takes a word as it is, cut to [`WORD_BYTES_MAX`] bytes; none when it is empty.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = cut(text);
        if text.is_empty() {
            return None;
        }
        Some(match known(text) {
            Some(ordinal) => Self(Repr::Known(ordinal)),
            None => Self(Repr::Other(text.into())),
        })
    }

    /// Takes a word in lower case, as states and roles are shown.
    #[must_use]
    pub fn lower(text: &str) -> Option<Self> {
        if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
            return Self::new(text);
        }
        Self::new(&text.to_lowercase())
    }

    /// The name under which an incarnation of ours counts facts that carry no clock of their source.
    #[must_use]
    pub fn own_actor(incarnation: u32) -> Self {
        Self(Repr::Other(format!("headcount-{incarnation}").into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Known(ordinal) => KNOWN.get(usize::from(*ordinal)).copied().unwrap_or_default(),
            Repr::Other(text) => text,
        }
    }

    /// The stored ordinal of a known word.
    #[must_use]
    pub fn ordinal(&self) -> Option<u8> {
        match self.0 {
            Repr::Known(ordinal) => Some(ordinal),
            Repr::Other(_) => None,
        }
    }

    /// Whether the word of an ordinal is `disconnected`, `terminated` or `ended`.
    pub(crate) const fn ends(ordinal: u8) -> bool {
        matches!(ordinal, 11 | 12 | 14)
    }

    /// The known word of an ordinal.
    #[must_use]
    pub fn from_ordinal(ordinal: u8) -> Option<Self> {
        (usize::from(ordinal) < KNOWN.len()).then_some(Self(Repr::Known(ordinal)))
    }
}

impl PartialOrd for Word {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Word {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialEq<str> for Word {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(WORD_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// A scan over at most 84 short words: the length test rejects nearly all, so it beats hashing.
fn known(text: &str) -> Option<u8> {
    KNOWN.iter().position(|w| w.len() == text.len() && *w == text).and_then(|at| u8::try_from(at).ok())
}

#[cfg(test)]
mod tests;
