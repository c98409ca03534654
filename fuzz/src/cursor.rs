//! Choices out of bytes, for targets that are not about the bytes themselves.
//!
//! Every byte is one small decision, so that a fuzzer which changes a byte changes a decision and leaves the others as
//! they were. Behind the end all decisions are the first one, and a loop sees that it is over. Rejected: a derive that
//! builds whole values (their layout in bytes is nobody's to read, and moves with the library's version).

/// Takes decisions off the front of bytes.
pub(crate) struct Cursor<'a> {
    rest: std::slice::Iter<'a, u8>,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes.iter() }
    }

    /// Whether no byte is left.
    pub fn is_over(&self) -> bool {
        self.rest.as_slice().is_empty()
    }

    /// The next byte; 0 behind the end.
    pub fn byte(&mut self) -> u8 {
        self.rest.next().copied().unwrap_or(0)
    }

    /// A number below `end`, which is at least 1.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())]
    }

    /// Yes or no.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Two bytes, lowest first.
    pub fn pair(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }
}
