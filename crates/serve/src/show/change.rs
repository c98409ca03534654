//! A change of the stream: a timeline entry, what it did to spells and cells, and what it corrects.
//!
//! `spells` and `cells` are all that a reader needs who keeps a copy of them: take away what is `removed`, put in what is
//! `added`, add each `difference`. They come with every change, late or not; null says that there was more than can be told,
//! and that the conversation is to be read again. `revision` says the same of a change that came late, together with the
//! history that it corrects.

use super::{Entry, Participant, Spell, Text, fact_id, id, time};
use crate::times::Written;
use engine::{Change, Effect, Id, Life, MINUTE, MovedEntry, ParticipantView, SpellMoves, Time};
use serde::Serialize;

/// A published change.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Changed<'a> {
    conversation_id: Text<&'a Id>,
    revision: Option<Revised<'a>>,
    spells: Option<Moves<'a>>,
    cells: Option<Vec<Cell>>,
    #[serde(flatten)]
    entry: Option<Entry<'a>>,
}

/// What a late change, or better evidence, corrects. `place` and `moved` count entries that the timeline shows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Revised<'a> {
    place: Option<u32>,
    moved: u32,
    /// The first few of those that moved, from place to place; null: not shown there.
    entries: Vec<Moved<'a>>,
    spells: Option<Moves<'a>>,
    cells: Option<Vec<Cell>>,
    participants: Vec<Differs<'a>>,
    conversation: Option<Lives>,
    /// There was more to name: read the conversation again.
    cut: bool,
}

#[derive(Serialize)]
struct Moves<'a> {
    removed: Vec<Spell<'a>>,
    added: Vec<Spell<'a>>,
}

/// A cell by the first instant of its minute.
#[derive(Serialize)]
struct Cell {
    minute: Written,
    difference: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Moved<'a> {
    id: String,
    kind: &'static str,
    participant_id: Option<Text<&'a Id>>,
    communication_id: Option<Text<&'a Id>>,
    from: Option<u32>,
    to: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Differs<'a> {
    participant_id: Text<&'a Id>,
    before: Option<Participant<'a>>,
    after: Participant<'a>,
}

#[derive(Serialize)]
struct Lives {
    before: Lived,
    after: Lived,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Lived {
    active: bool,
    started_at: Option<Written>,
    ended_at: Option<Written>,
}

impl<'a> Changed<'a> {
    /// A published change.
    pub(crate) fn of(change: &'a Change) -> Self {
        let effect = change.effect.as_deref();
        let corrects = change.revision.is_some() || change.entry.is_none();
        let (place, moved) = change.revision.map_or((None, 0), |r| (Some(r.place), r.moved));
        Self {
            conversation_id: Text(&change.conversation),
            revision: corrects.then(|| Revised::of(place, moved, effect)),
            spells: effect.and_then(Moves::of),
            cells: effect.map(cells),
            entry: change.entry.as_ref().map(Entry::of),
        }
    }
}

impl<'a> Revised<'a> {
    /// What became of the history; without an effect it is not known.
    pub(crate) fn of(place: Option<u32>, moved: u32, effect: Option<&'a Effect>) -> Self {
        let history = effect.and_then(|e| e.history.as_deref());
        Self {
            place,
            moved: history.map_or(moved, |h| h.moved.max(moved)),
            entries: history.iter().flat_map(|h| &h.entries).map(Moved::of).collect(),
            spells: effect.and_then(Moves::of),
            cells: effect.map(cells),
            participants: history.iter().flat_map(|h| &h.participants).map(Differs::of).collect(),
            conversation: history.and_then(|h| h.conversation).map(Lives::of),
            cut: effect.is_none() || history.is_some_and(|h| h.cut),
        }
    }
}

impl<'a> Moves<'a> {
    fn of(effect: &'a Effect) -> Option<Self> {
        let SpellMoves { removed, added } = effect.spells.as_ref()?;
        Some(Self {
            removed: removed.iter().map(Spell::of).collect(),
            added: added.iter().map(Spell::of).collect(),
        })
    }
}

fn cells(effect: &Effect) -> Vec<Cell> {
    let cell = |&(minute, difference): &(i64, i64)| {
        let nanos = minute.saturating_mul(MINUTE);
        Cell { minute: Written(Time { nanos, digits: 0 }), difference }
    };
    effect.cells.iter().map(cell).collect()
}

impl<'a> Moved<'a> {
    fn of(entry: &'a MovedEntry) -> Self {
        Self {
            id: fact_id(entry.fact),
            kind: entry.kind,
            participant_id: id(&entry.participant),
            communication_id: id(&entry.communication),
            from: entry.from,
            to: entry.to,
        }
    }
}

impl<'a> Differs<'a> {
    fn of((before, after): &'a (Option<ParticipantView>, ParticipantView)) -> Self {
        Self {
            participant_id: Text(&after.id),
            before: before.as_ref().map(Participant::whole),
            after: Participant::whole(after),
        }
    }
}

impl Lives {
    fn of((before, after): (Life, Life)) -> Self {
        Self { before: Lived::of(before), after: Lived::of(after) }
    }
}

impl Lived {
    fn of(life: Life) -> Self {
        Self { active: life.active, started_at: time(life.started_at), ended_at: time(life.ended_at) }
    }
}
