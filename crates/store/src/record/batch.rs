//! A batch of admitted facts: the body of one row of the log.
//!
//! Each fact follows its conversation. What the row's columns say (when it was committed, under which incarnation)
//! is the base of the first fact's differences, and the checksum is over these columns too, so that nothing is stored
//! twice and no part of a row can change unseen.

use super::bytes::{Malformed, Reader};
use super::fact::{Before, FactReader};
use super::pack::unpack;
use super::{Scratch, checksum};
use crate::StoreError;
use engine::Admitted;

/// The columns of a row of the log, in the order of its decoding.
pub(crate) const COLUMNS: &str = "position, committed_at_ns, incarnation, seq, facts, checksum, body";

/// The columns of a row of the log beside its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The row's number, from 1.
    pub position: u64,
    /// When it was committed, in nanoseconds since the epoch.
    pub committed_at: i64,
    /// Under which incarnation.
    pub incarnation: u32,
    /// The last change number after it.
    pub seq: u64,
    /// Facts in the body.
    pub facts: u64,
}

impl Head {
    /// Of these columns and the body.
    pub fn checksum(&self, body: &[u8]) -> u32 {
        let columns = [
            self.position,
            self.committed_at.cast_unsigned(),
            u64::from(self.incarnation),
            self.seq,
            self.facts,
        ];
        checksum(b"log", &columns, body)
    }

    fn before(&self) -> Before {
        Before { received: self.committed_at, incarnation: self.incarnation, lane: 0 }
    }
}

/// The body, until the next call.
pub(crate) fn encode<'a>(
    scratch: &'a mut Scratch,
    head: &Head,
    admitted: &[Admitted],
) -> Result<&'a [u8], StoreError> {
    let mut writer = scratch.begin(head.before());
    for admitted in admitted {
        writer.id(&admitted.conversation);
        writer.fact(&admitted.fact, &admitted.arrival);
    }
    scratch.pack()
}

/// The facts of a body whose checksum is right.
pub(crate) fn decode(head: &Head, body: &[u8]) -> Result<Vec<Admitted>, Malformed> {
    let (raw, layout) = unpack(body)?;
    let mut reader = FactReader::new(Reader::new(&raw), layout, head.before());
    let mut admitted = reader.room_for(head.facts);
    for _ in 0..head.facts {
        let conversation = reader.id()?;
        let (fact, arrival) = reader.fact()?;
        admitted.push(Admitted { conversation, fact, arrival });
    }
    reader.finish()?;
    Ok(admitted)
}

#[cfg(test)]
mod tests;
