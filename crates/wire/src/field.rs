//! The kinds of fields that are read: text, time, flag lists.
//!
//! Both kinds treat what is absent, `null` and the empty text alike, since senders do. Text borrows from the frame
//! and owns only what was escaped: serde's own `Option<Cow<str>>` always owns, and `&str` fails on an escape. A time
//! that cannot be read is kept as [`Moment::Bad`] instead of failing the parse, so that the refusal can say what was
//! wrong.

use crate::{Origin, Refused, parse_time};
use engine::{Id, Time, Word};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;

/// 2000-01-01T00:00:00Z: nothing of this platform is older, so an earlier time is a mistake.
const EARLIEST: i64 = 946_684_800 * engine::SECOND;

/// How far a source's clock may run ahead of ours before its times are refused: one such time moves the 24 hours of the
/// heatmap by as much.
const AHEAD_MAX: i64 = 60 * engine::MINUTE;

/// A text field, borrowed where it has no escape; empty when absent.
#[derive(Default)]
pub(crate) struct Text<'a>(Cow<'a, str>);

/// A time field: RFC 3339 text, or an integer of milliseconds since the epoch.
#[derive(Clone, Copy, Default)]
pub(crate) enum Moment {
    /// Not there.
    #[default]
    Absent,
    /// Readable.
    At(Time),
    /// There, but no time.
    Bad,
}

impl Text<'_> {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when it is absent.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The word in lower case; none when absent.
    pub fn lower(&self) -> Option<Word> {
        Word::lower(&self.0)
    }

    /// The id; none when absent.
    pub fn id(&self) -> Result<Option<Id>, Refused> {
        if self.is_empty() {
            return Ok(None);
        }
        Id::new(&self.0).map(Some).map_err(|_| Refused::BadId)
    }

    /// The id, which must be there.
    pub fn needed_id(&self) -> Result<Id, Refused> {
        self.id()?.ok_or(Refused::MissingId)
    }

    /// At most `bytes_max` bytes of it, for texts that are shown.
    pub fn bounded(&self, bytes_max: usize) -> String {
        let end = self.0.floor_char_boundary(bytes_max.min(self.0.len()));
        self.0.get(..end).unwrap_or_default().to_owned()
    }
}

impl Moment {
    /// The time; none when absent. Refused when it is unreadable or impossible for a frame of this origin.
    pub fn checked(self, origin: Origin) -> Result<Option<Time>, Refused> {
        match self.planned()? {
            Some(time) if time.nanos > origin.sent_by.saturating_add(AHEAD_MAX) => Err(Refused::FutureTime),
            checked => Ok(checked),
        }
    }

    /// As [`Moment::checked`], but of a field that may hold a plan, however far ahead.
    pub fn planned(self) -> Result<Option<Time>, Refused> {
        match self {
            Self::Absent => Ok(None),
            Self::At(time) if time.nanos >= EARLIEST => Ok(Some(time)),
            Self::At(_) | Self::Bad => Err(Refused::BadTime),
        }
    }

    /// The time, which must be there.
    pub fn needed(self, origin: Origin) -> Result<Time, Refused> {
        self.checked(origin)?.ok_or(Refused::BadTime)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MomentVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Text::default())
    }
}

struct MomentVisitor;

impl Visitor<'_> for MomentVisitor {
    type Value = Moment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Moment, E> {
        Ok(match text {
            "" => Moment::Absent,
            _ => parse_time(text).map_or(Moment::Bad, Moment::At),
        })
    }

    fn visit_i64<E: Error>(self, millis: i64) -> Result<Moment, E> {
        Ok(match millis.checked_mul(1_000_000) {
            Some(_) => Moment::At(Time::from_millis(millis)),
            None => Moment::Bad,
        })
    }

    fn visit_u64<E: Error>(self, millis: u64) -> Result<Moment, E> {
        i64::try_from(millis).map_or(Ok(Moment::Bad), |millis| self.visit_i64(millis))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Moment, E> {
        Ok(Moment::Bad)
    }

    fn visit_unit<E: Error>(self) -> Result<Moment, E> {
        Ok(Moment::Absent)
    }
}
