//! From points to what is remembered: which conversations looked live, and who was on them.
//!
//! Slices are asked for backwards, so a point counts when it is newer than what is known of the same participant. Only of
//! those who look live more is kept than when they were told of: of a week of a centre nearly all have ended.

use super::rows::Told;
use engine::{Id, Memory, MemoryOfParticipant, Word, is_end};
use std::collections::HashMap;

/// Participants, and conversations, that are gone through: some 100 MB of memory while it lasts.
const TOLD_MAX: usize = 500_000;
/// Conversations that are remembered: several times the live ones of the largest centre.
const REMEMBERED_MAX: usize = 50_000;
/// Participants of one conversation that are remembered.
const PARTICIPANTS_MAX: usize = 32;

/// The newest that was told, by conversation.
#[derive(Debug, Default)]
pub(super) struct Last {
    of: HashMap<Id, Of>,
    told: usize,
}

#[derive(Debug, Default)]
struct Of {
    told_at: i64,
    /// When its life-cycle state was last told, and whether that is an end.
    life_cycle: Option<(i64, bool)>,
    /// When each participant was last told of, and what, unless that is an end.
    participants: HashMap<Id, (i64, Option<MemoryOfParticipant>)>,
}

impl Last {
    /// Takes a row; false when there is no room for it.
    pub fn take(&mut self, row: Told) -> bool {
        let (Ok(id), Some(at)) = (Id::new(&row.id), row.at) else { return true };
        let participant = row.participant.as_deref().map(Id::new);
        if !self.of.contains_key(&id) {
            if self.told >= TOLD_MAX {
                return false;
            }
            self.told += 1;
        }
        let of = self.of.entry(id).or_insert_with(|| Of { told_at: at, ..Of::default() });
        of.told_at = of.told_at.max(at);
        let state = row.state.as_deref().and_then(Word::new);
        let ends = state.as_ref().is_some_and(is_end);
        match participant {
            None => {
                if of.life_cycle.is_none_or(|(known, _)| known < at) {
                    of.life_cycle = Some((at, ends));
                }
            }
            Some(Err(_)) => {}
            Some(Ok(participant)) => {
                let known = of.participants.get(&participant).map(|(at, _)| *at);
                if known.is_none() && self.told >= TOLD_MAX {
                    return false;
                }
                self.told += usize::from(known.is_none());
                if known.is_none_or(|known| known < at) {
                    let live = (!ends).then(|| memory_of(participant.clone(), state, &row));
                    of.participants.insert(participant, (at, live));
                }
            }
        }
        true
    }

    /// Those that looked live, newest first, and whether there are more.
    pub fn live(self) -> (Vec<(Id, Memory)>, bool) {
        let mut live: Vec<(Id, Of)> = self.of.into_iter().filter(|(_, of)| of.is_live()).collect();
        live.sort_unstable_by(|(a, of_a), (b, of_b)| (of_b.told_at, a).cmp(&(of_a.told_at, b)));
        let more = live.len() > REMEMBERED_MAX;
        live.truncate(REMEMBERED_MAX);
        (live.into_iter().map(|(id, of)| (id, of.memory())).collect(), more)
    }
}

impl Of {
    /// As of a conversation of which facts are known: the life cycle decides where it was told of, else who is there.
    fn is_live(&self) -> bool {
        match self.life_cycle {
            Some((_, ended)) => !ended,
            None => self.participants.values().any(|(_, live)| live.is_some()),
        }
    }

    fn memory(self) -> Memory {
        let mut live: Vec<_> =
            self.participants.into_values().filter_map(|(at, live)| live.map(|live| (at, live))).collect();
        live.sort_unstable_by(|(at_a, a), (at_b, b)| (at_b, &a.id).cmp(&(at_a, &b.id)));
        live.truncate(PARTICIPANTS_MAX);
        Memory { told_at: self.told_at, participants: live.into_iter().map(|(_, live)| live).collect() }
    }
}

fn memory_of(id: Id, state: Option<Word>, row: &Told) -> MemoryOfParticipant {
    let word = |text: &Option<String>| text.as_deref().and_then(Word::new);
    let named = |text: &Option<String>| text.as_deref().and_then(|text| Id::new(text).ok());
    MemoryOfParticipant {
        id,
        state,
        role: word(&row.role),
        user: named(&row.user),
        queue: named(&row.queue),
        medium: word(&row.medium),
    }
}

#[cfg(test)]
mod tests;
