//! What a copy elsewhere last told of a conversation whose evidence is gone: a small record with a checksum before it.
//!
//! One is bounded in bytes: of a conversation with very many participants those that were told of last are kept, which
//! stand first.

use super::bytes::{Malformed, Reader, put_signed, put_text};
use engine::{ID_BYTES_MAX, Id, Memory, MemoryOfParticipant, WORD_BYTES_MAX, Word};

/// How the bytes are laid out.
const VERSION: u8 = 1;
/// Bytes of one record.
const BYTES_MAX: usize = 8 << 10;
/// Bytes of the checksum before it.
const CHECKSUM_BYTES: usize = 4;

/// As bytes.
pub(crate) fn write(memory: &Memory) -> Vec<u8> {
    let mut body = vec![VERSION];
    put_signed(&mut body, memory.told_at);
    for told in &memory.participants {
        let before = body.len();
        participant(&mut body, told);
        if CHECKSUM_BYTES + body.len() > BYTES_MAX {
            body.truncate(before);
            break;
        }
    }
    let mut bytes = crc32fast::hash(&body).to_le_bytes().to_vec();
    bytes.append(&mut body);
    bytes
}

fn participant(out: &mut Vec<u8>, told: &MemoryOfParticipant) {
    put_text(out, &told.id.to_string());
    let ids = [&told.user, &told.queue].map(|id| id.as_ref().map(Id::to_string).unwrap_or_default());
    ids.iter().for_each(|id| put_text(out, id));
    let words = [&told.state, &told.role, &told.medium];
    words.iter().for_each(|word| put_text(out, word.as_ref().map(Word::as_str).unwrap_or_default()));
}

/// From bytes.
pub(crate) fn read(bytes: &[u8]) -> Result<Memory, Malformed> {
    if bytes.len() > BYTES_MAX {
        return Err(Malformed("a memory above its bound"));
    }
    let (checksum, body) = bytes.split_first_chunk::<CHECKSUM_BYTES>().ok_or(Malformed("cut off"))?;
    if u32::from_le_bytes(*checksum) != crc32fast::hash(body) {
        return Err(Malformed("bytes that do not fit their checksum"));
    }
    let mut from = Reader::new(body);
    if from.byte()? != VERSION {
        return Err(Malformed("a memory of another version"));
    }
    let mut memory = Memory { told_at: from.signed()?, participants: Vec::new() };
    while from.remaining() > 0 {
        memory.participants.push(read_participant(&mut from)?);
    }
    Ok(memory)
}

fn read_participant(from: &mut Reader<'_>) -> Result<MemoryOfParticipant, Malformed> {
    let id = id(from)?.ok_or(Malformed("a participant without an id"))?;
    let (user, queue) = (self::id(from)?, self::id(from)?);
    let mut word = || Ok::<_, Malformed>(Word::new(from.text(WORD_BYTES_MAX)?));
    let (state, role, medium) = (word()?, word()?, word()?);
    Ok(MemoryOfParticipant { id, state, role, user, queue, medium })
}

fn id(from: &mut Reader<'_>) -> Result<Option<Id>, Malformed> {
    match from.text(ID_BYTES_MAX)? {
        "" => Ok(None),
        text => Id::new(text).map(Some).map_err(|_| Malformed("an impossible id")),
    }
}

#[cfg(test)]
mod tests;
