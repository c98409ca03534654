//! The causal stamp of a gateway: `data.region` and `data.vectorClock`.
//!
//! A clock proves an order, so that a wrong one is worse than none: what is no map of regions to counters is refused.
//! A counter of zero means that nothing was seen, which a clock says by having no entry. Without the emitter's own
//! entry, or without a region, there is no dot, and so no stamp; the event itself stays. Names that a word would cut
//! are refused, lest two regions become one.

use crate::field::Text;
use crate::{Limits, Refused};
use causal::{Dot, VectorClock};
use engine::{Stamp, WORD_BYTES_MAX, Word};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

/// The stamp of an event; none where it has no complete one.
pub(crate) fn stamp(
    region: &Text,
    clock: Option<&RawValue>,
    limits: &Limits,
) -> Result<Option<Arc<Stamp>>, Refused> {
    let Some(clock) = clock else { return Ok(None) };
    let entries = entries(clock, limits)?;
    if region.as_str().len() > WORD_BYTES_MAX {
        return Err(Refused::BadClock);
    }
    let own = entries.iter().find(|(actor, _)| actor == region.as_str());
    let dot = own
        .and_then(|(actor, counter)| Some(Dot { actor: actor.clone(), counter: NonZeroU64::new(*counter)? }));
    let Some(dot) = dot else { return Ok(None) };
    let clock = VectorClock::from_iter(entries.into_iter().filter(|(_, counter)| *counter > 0));
    Ok(Some(Arc::new(Stamp { dot, clock })))
}

/// The regions are few; more than four spill to the heap.
type Entries = SmallVec<[(Word, u64); 4]>;

fn entries(clock: &RawValue, limits: &Limits) -> Result<Entries, Refused> {
    let seed = ClockSeed { entries_max: limits.clock_entries_max };
    let mut deserializer = serde_json::Deserializer::from_str(clock.get());
    match seed.deserialize(&mut deserializer) {
        Ok(Some(entries)) => Ok(entries),
        Ok(None) => Err(Refused::TooMany),
        Err(_) => Err(Refused::BadClock),
    }
}

/// Reads a map of regions to counters; none when it has more entries than allowed, which are counted, not kept.
struct ClockSeed {
    entries_max: usize,
}

impl<'de> DeserializeSeed<'de> for ClockSeed {
    type Value = Option<Entries>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ClockSeed {
    type Value = Option<Entries>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of regions to counters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Entries::new();
        while let Some((name, counter)) = map.next_entry::<Text, u64>()? {
            if entries.len() == self.entries_max {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(None);
            }
            let name = name.as_str();
            let is_new = name.len() <= WORD_BYTES_MAX && entries.iter().all(|(other, _)| other != name);
            let region = Word::new(name).filter(|_| is_new);
            let region = region.ok_or_else(|| A::Error::custom("no region, or one that is there twice"))?;
            entries.push((region, counter));
        }
        Ok(Some(entries))
    }
}
