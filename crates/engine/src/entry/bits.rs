//! What an entry's attributes of a few values each are packed into: sixteen bits.

use crate::{Authority, Source};

/// Digits of the time (4), authority (2), source (3), where the time stands (2), and five flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bits(u16);

/// Where an entry's source time stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum When {
    /// There is none.
    Never = 0,
    /// It is the entry's place in the order.
    Effective = 1,
    /// It differs from that place.
    Apart = 2,
}

const AUTHORITY_SHIFT: u16 = 4;
const SOURCE_SHIFT: u16 = 6;
const WHEN_SHIFT: u16 = 9;

impl Bits {
    /// Of a toggle: on.
    pub const ON: u16 = 1 << 11;
    /// Its place had been published before it came.
    pub const LATE: u16 = 1 << 12;
    /// Counted in the cell of its own minute; decided by the fold.
    pub const COUNTED: u16 = 1 << 13;
    /// Shown in the timeline; decided by the fold.
    pub const SHOWN: u16 = 1 << 14;
    /// Not settled yet.
    pub const FRESH: u16 = 1 << 15;

    pub fn new(authority: Authority, source: Source, when: When, digits: u8) -> Self {
        let shifted = (authority as u16) << AUTHORITY_SHIFT
            | (source as u16) << SOURCE_SHIFT
            | (when as u16) << WHEN_SHIFT;
        Self(shifted | u16::from(digits & 15))
    }

    pub fn has(self, flag: u16) -> bool {
        self.0 & flag != 0
    }

    pub fn set(&mut self, flag: u16, to: bool) {
        self.0 = if to { self.0 | flag } else { self.0 & !flag };
    }

    pub fn digits(self) -> u8 {
        (self.0 & 15) as u8
    }

    pub fn authority(self) -> Authority {
        match self.0 >> AUTHORITY_SHIFT & 3 {
            0 => Authority::Received,
            1 => Authority::Derived,
            2 => Authority::Reported,
            _ => Authority::Recorded,
        }
    }

    pub fn source(self) -> Source {
        match self.0 >> SOURCE_SHIFT & 7 {
            0 => Source::Events,
            1 => Source::Snapshot,
            2 => Source::MediaSnapshot,
            3 => Source::Detail,
            _ => Source::Rest,
        }
    }

    pub fn when(self) -> When {
        match self.0 >> WHEN_SHIFT & 3 {
            0 => When::Never,
            1 => When::Effective,
            _ => When::Apart,
        }
    }

    pub fn set_when(&mut self, when: When) {
        self.0 = self.0 & !(3 << WHEN_SHIFT) | (when as u16) << WHEN_SHIFT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back() {
        let authorities = [Authority::Received, Authority::Derived, Authority::Reported, Authority::Recorded];
        let sources = [Source::Events, Source::Snapshot, Source::MediaSnapshot, Source::Detail, Source::Rest];
        for (authority, source) in authorities.iter().flat_map(|a| sources.iter().map(move |s| (*a, *s))) {
            for (when, digits) in [(When::Never, 0), (When::Effective, 9), (When::Apart, 3)] {
                let mut bits = Bits::new(authority, source, When::Never, digits);
                bits.set(Bits::FRESH, true);
                bits.set_when(when);
                assert_eq!((bits.authority(), bits.source()), (authority, source));
                assert_eq!((bits.when(), bits.digits()), (when, digits));
                assert!(bits.has(Bits::FRESH) && !bits.has(Bits::SHOWN));
            }
        }
    }
}
