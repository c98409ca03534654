//! What followers have to look at again: the body of one row of the outbox.
//!
//! Ids of conversations and minutes of cells, and not what they became: a follower asks for what stands when it sends, so
//! that a conversation which changed a hundred times during an outage goes out once, revisions included. The checksum is
//! over the row's columns too.

use super::bytes::{Malformed, Reader, put_signed, put_varint};
use super::dictionary::Mentioned;
use super::fact::Before;
use super::pack::unpack;
use super::{Scratch, checksum};
use crate::StoreError;
use engine::Id;

/// The columns of a row of the outbox beside its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The position in the log of the commit.
    pub position: u64,
    /// When it was committed, in nanoseconds since the epoch.
    pub committed_at: i64,
    /// The last change number before it.
    pub after_seq: u64,
    /// The last change number after it.
    pub seq: u64,
}

/// What a body names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    pub conversations: Vec<Id>,
    pub minutes: Vec<i64>,
}

impl Head {
    /// Of these columns and the body.
    pub fn checksum(&self, body: &[u8]) -> u32 {
        let columns = [self.position, self.committed_at.cast_unsigned(), self.after_seq, self.seq];
        checksum(b"outbox", &columns, body)
    }
}

/// The body, until the next call.
pub(crate) fn encode<'a, 'b>(
    scratch: &'a mut Scratch,
    conversations: &[Id],
    minutes: impl ExactSizeIterator<Item = &'b i64>,
) -> Result<&'a [u8], StoreError> {
    let mut writer = scratch.begin(Before::default());
    put_varint(writer.out, conversations.len() as u64);
    conversations.iter().for_each(|id| writer.id(id));
    put_varint(writer.out, minutes.len() as u64);
    let mut before = 0;
    for &minute in minutes {
        put_signed(writer.out, minute.wrapping_sub(before));
        before = minute;
    }
    scratch.pack()
}

/// What a body whose checksum is right names.
pub(crate) fn decode(body: &[u8]) -> Result<Named, Malformed> {
    let (raw, _) = unpack(body)?;
    let (mut from, mut mentioned) = (Reader::new(&raw), Mentioned::default());
    let mut named = Named::default();
    for _ in 0..count(&mut from)? {
        named.conversations.push(mentioned.take_id(&mut from)?);
    }
    let mut before = 0i64;
    for _ in 0..count(&mut from)? {
        before = before.wrapping_add(from.signed()?);
        named.minutes.push(before);
    }
    from.finish()?;
    Ok(named)
}

/// How many things follow, each of a byte at least.
fn count(from: &mut Reader<'_>) -> Result<usize, Malformed> {
    let count: usize = from.small()?;
    if count > from.remaining() {
        return Err(Malformed("a count above what is there"));
    }
    Ok(count)
}

#[cfg(test)]
mod tests;
