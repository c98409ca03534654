//! Bodies as they lie in the file: compressed, and never larger in memory than they may be.
//!
//! The size before compression stands in front (4 bytes, lowest first, the highest bit says the layout) of one lz4 block. Since a block of n bytes cannot
//! hold more than 255 n, a size that claims more is damage and is refused before memory is taken for it. Rejected: zstd
//! (a minute of C to build for a tenth of the bytes, as most of them are random ids).

use super::bytes::Malformed;
use crate::StoreError;
use lz4_flex::block::{CompressTable, compress_into_with_table, decompress_into, get_maximum_output_size};

/// The most a body may hold before compression: a bound on what one damaged row can cost.
pub(crate) const BODY_BYTES_MAX: usize = 256 << 20;
/// The most that one byte of a block can stand for.
const EXPANSION_MAX: usize = 255;
/// Bytes of the size in front.
const PREFIX: usize = 4;
/// In the size in front: [`Layout::Chained`].
const CHAINED: u32 = 1 << 31;

/// How what is in a body is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Layout {
    /// Up to format 4: each clock stands for itself.
    Plain,
    /// As it is written: a clock is what it adds to the one before.
    Chained,
}

/// Compresses bodies; kept for its memory.
#[derive(Default)]
pub(crate) struct Packer {
    table: CompressTable,
    packed: Vec<u8>,
}

impl Packer {
    /// The body as it is stored, until the next call.
    pub fn pack(&mut self, raw: &[u8]) -> Result<&[u8], StoreError> {
        let too_large = StoreError::TooLarge { bytes: raw.len(), bytes_max: BODY_BYTES_MAX };
        let size = u32::try_from(raw.len()).ok().filter(|_| raw.len() <= BODY_BYTES_MAX);
        let Some(size) = size else { return Err(too_large) };
        let room = PREFIX + get_maximum_output_size(raw.len());
        if self.packed.len() < room {
            self.packed.resize(room, 0);
        }
        let Some((prefix, block)) = self.packed.split_first_chunk_mut::<PREFIX>() else {
            return Err(too_large);
        };
        *prefix = (size | CHAINED).to_le_bytes();
        let Ok(length) = compress_into_with_table(raw, block, &mut self.table) else {
            return Err(too_large);
        };
        Ok(self.packed.get(..PREFIX + length).unwrap_or_default())
    }
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer").field("room_bytes", &self.packed.len()).finish_non_exhaustive()
    }
}

/// The body as it was packed, and its layout.
pub(crate) fn unpack(body: &[u8]) -> Result<(Vec<u8>, Layout), Malformed> {
    let (prefix, block) = body.split_first_chunk::<PREFIX>().ok_or(Malformed("cut off"))?;
    let size = u32::from_le_bytes(*prefix);
    let layout = if size & CHAINED == 0 { Layout::Plain } else { Layout::Chained };
    let size = usize::try_from(size & !CHAINED).unwrap_or(usize::MAX);
    if size > BODY_BYTES_MAX || size > block.len().saturating_mul(EXPANSION_MAX) {
        return Err(Malformed("a size above its bound"));
    }
    let mut raw = vec![0; size];
    match decompress_into(block, &mut raw) {
        Ok(length) if length == size => Ok((raw, layout)),
        _ => Err(Malformed("not an lz4 block")),
    }
}

#[cfg(test)]
mod tests;
