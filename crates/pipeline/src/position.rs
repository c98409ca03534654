//! Where in the order of publication an answer stands: `epoch.seq`, as in `"1.42"`.
//!
//! The epoch belongs to the data folder. A reader that comes back with another epoch's position is told to begin anew,
//! instead of being served a number that means something else now.

use std::fmt;
use std::str::FromStr;

/// A place in the order of publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Position {
    /// Of the data folder.
    pub epoch: u64,
    /// How many changes were published up to here.
    pub seq: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}

/// The text is not `epoch.seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a position is two numbers with a dot between them, as in 1.42")]
pub struct NoPosition;

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let (epoch, seq) = text.split_once('.').ok_or(NoPosition)?;
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| digits.parse().ok()).flatten().ok_or(NoPosition)
        };
        Ok(Self { epoch: number(epoch)?, seq: number(seq)? })
    }
}
