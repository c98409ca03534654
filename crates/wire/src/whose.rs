//! Whose a refused frame is.
//!
//! What a frame said that is refused is not known; which conversation it was about often is, and then that one alone lacks
//! something and can be read again. The frame may be cut, or anything at all, so nothing is parsed: the first text under one
//! of the keys that name a conversation is taken, within the first few thousand bytes. A guess that is wrong names something
//! that nobody knows, and costs one read in vain. Rejected: parsing what is whole (what is refused for its size or its depth
//! is what must not be parsed).

use engine::Id;

/// The name of the conversation stands near the beginning.
const LOOKED_AT_BYTES_MAX: usize = 4_096;
/// Where a body begins, in either dialect, and what names the conversation there.
const BODY: [&[u8]; 2] = [b"\"eventBody\"", b"\"data\""];
const KEYS: [&[u8]; 3] = [b"\"conversationId\"", b"\"interactionId\"", b"\"id\""];

/// The conversation that a refused frame was most likely about; `None` when nothing in it tells.
#[must_use]
pub fn whose(frame: &[u8]) -> Option<Id> {
    let frame = frame.get(..LOOKED_AT_BYTES_MAX).unwrap_or(frame);
    let body = BODY.iter().filter_map(|key| find(frame, key)).min()?;
    let body = frame.get(body..)?;
    let (at, key) = KEYS.iter().filter_map(|key| Some((find(body, key)?, key))).min()?;
    let value = body.get(at + key.len()..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let value = value.strip_prefix(b"\"")?;
    let end = value.iter().position(|byte| *byte == b'"')?;
    // What is escaped is no id of the platform's.
    let id = std::str::from_utf8(value.get(..end)?).ok().filter(|id| !id.contains('\\'))?;
    Id::new(id).ok()
}

fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests;
