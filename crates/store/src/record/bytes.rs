//! Numbers and texts as bytes, and back.
//!
//! Nearly every number in a record is small (a delta, an index, a count), so it takes 7 bits a byte, lowest first;
//! signed ones are folded so that small negatives stay small. Reading trusts nothing: every length is checked against
//! what is left before anything is allocated for it. Rejected: fixed widths (three times the size before compression,
//! and lz4 does not win it back), and a serialisation crate (the layout must be ours to pin).

use std::num::NonZeroU64;

/// Why bytes are not a record. The text says what was found instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub &'static str);

/// Appends a number, 7 bits a byte, lowest first.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number: 0, -1, 1, -2, … as 0, 1, 2, 3, …
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

/// Appends a text with its length in bytes before it.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Takes values off the front of bytes.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// That nothing is left.
    pub fn finish(self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed("bytes behind the end")) }
    }

    /// The next byte, which is not taken.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    #[inline]
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let (&first, rest) = self.rest.split_first().ok_or(Malformed("cut off"))?;
        self.rest = rest;
        Ok(first)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (first, rest) = self.rest.split_first_chunk::<N>().ok_or(Malformed("cut off"))?;
        self.rest = rest;
        Ok(*first)
    }

    /// So many bytes as they are.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(Malformed("cut off"))?;
        self.rest = rest;
        Ok(bytes)
    }

    pub fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed("a number above 64 bits"))
    }

    /// A number that fits a smaller type.
    pub fn small<T: TryFrom<u64>>(&mut self) -> Result<T, Malformed> {
        T::try_from(self.varint()?).map_err(|_| Malformed("a number above its range"))
    }

    pub fn signed(&mut self) -> Result<i64, Malformed> {
        let folded = self.varint()?;
        Ok((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
    }

    pub fn counter(&mut self) -> Result<NonZeroU64, Malformed> {
        NonZeroU64::new(self.varint()?).ok_or(Malformed("a counter of zero"))
    }

    /// A text of at most `max` bytes.
    pub fn text(&mut self, max: usize) -> Result<&'a str, Malformed> {
        let length: usize = self.small()?;
        if length > max {
            return Err(Malformed("a text above its bound"));
        }
        let (text, rest) = self.rest.split_at_checked(length).ok_or(Malformed("cut off"))?;
        self.rest = rest;
        std::str::from_utf8(text).map_err(|_| Malformed("a text that is not UTF-8"))
    }
}

#[cfg(test)]
mod tests;
