//! What facts that came together changed in what was shown: spells, cells, and, when they came late, history.
//!
//! Whoever follows the changes keeps a copy of spells and cells by applying each effect: take away what is removed, put in
//! what is added. A late fact, or better evidence for a known one, also moves entries of the timeline and the state of
//! participants; its effect names them, before and after. An effect is the difference of two passes over the set, before
//! and after, and is worked out only while somebody follows; nobody else pays for it. Everything in it is bounded: what
//! does not fit is said not to fit, and the reader reads the conversation again.
//!
//! Rejected: rules by which a reader works out the spells himself (they are those of the fold, with everything that can
//! come late), and a difference a lane (a fact may open lanes that an earlier one had closed).

use crate::conversation::{Conversation, Met, Settled, Told, is_counted_at_once};
use crate::engine::{Engine, Facts};
use crate::fold::Folded;
use crate::names::Names;
use crate::show;
use crate::spells::{Spell, Spells};
use crate::{Fact, FactId, Id, ParticipantView, Publish, Revision, SpellView, Time};
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Facts of a conversation whose effects are worked out: two passes over more would hold up what comes behind.
const FACTS_MAX: usize = 512;
/// Spells that one effect names.
const SPELLS_MAX: usize = 64;
/// Moved entries, and changed participants, that one effect names.
const NAMED_MAX: usize = 16;

/// What facts that came together changed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Effect {
    /// What became of the spells; none: more than can be told here.
    pub spells: Option<SpellMoves>,
    /// Cells that moved: minute since the epoch and difference, ascending, no difference of 0.
    pub cells: Vec<(i64, i64)>,
    /// What else they changed of what had been told; none when all came in time.
    pub history: Option<Box<History>>,
}

/// Spells that no longer stand, and spells that stand now. One that only ended is in both.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SpellMoves {
    /// As they were shown until now.
    pub removed: Vec<SpellView>,
    /// As they are shown from now on.
    pub added: Vec<SpellView>,
}

/// What of the history changed, apart from spells and cells.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct History {
    /// Entries told earlier that stand elsewhere in the timeline now: the first few of `moved`.
    pub entries: Vec<MovedEntry>,
    /// How many entries told earlier stand elsewhere now.
    pub moved: u32,
    /// Participants that differ, before and after; none before: it was not known.
    pub participants: Vec<(Option<ParticipantView>, ParticipantView)>,
    /// The conversation before and after, when it differs.
    pub conversation: Option<(Life, Life)>,
    /// There was more than could be named.
    pub cut: bool,
}

/// An entry that stands elsewhere now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedEntry {
    /// Its fact.
    pub fact: FactId,
    /// As in [`TimelineEntry::kind`](crate::TimelineEntry::kind).
    pub kind: &'static str,
    /// Whose.
    pub participant: Option<Id>,
    /// Of which communication.
    pub communication: Option<Id>,
    /// Its place in the timeline until now, from 0; none: it was known, and not shown.
    pub from: Option<u32>,
    /// Its place from now on; none: it is no longer shown.
    pub to: Option<u32>,
}

/// A conversation's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Whether it is active.
    pub active: bool,
    /// The first instant that any evidence names.
    pub started_at: Option<Time>,
    /// When it ended; none while it is active.
    pub ended_at: Option<Time>,
}

/// A conversation before facts were taken, as far as effects need it.
#[derive(Debug)]
pub(crate) struct Before {
    spells: Vec<Spell>,
    folded: Folded,
    started_at: Option<Time>,
    /// Each fact's place in the timeline; none: it is not shown.
    places: HashMap<FactId, Option<u32>>,
}

/// Whose names and id a comparison is spelt in.
struct Speller<'a> {
    names: &'a Names,
    id: &'a Id,
}

impl Effect {
    /// No effect.
    pub(crate) fn none() -> Self {
        Self { spells: Some(SpellMoves::default()), ..Self::default() }
    }

    /// The effect of facts on a conversation too large for it: their cells alone.
    pub(crate) fn untold(cells: Vec<(i64, i64)>, late: bool) -> Self {
        let history = late.then(|| Box::new(History { cut: true, ..History::default() }));
        Self { spells: None, cells, history }
    }
}

impl Engine {
    /// Notes for publication what came of facts that a conversation took; `before`: how it stood, when somebody follows.
    /// What is published, and under which numbers, does not depend on that.
    pub(crate) fn tell(
        &mut self,
        of: &Conversation,
        before: Option<Option<Before>>,
        facts: &Facts,
        met: &[Met],
        settled: &mut Settled,
    ) {
        let mut changes = std::mem::take(&mut settled.changes);
        if changes.is_empty() {
            changes.extend(hidden_news(facts, met).map(|fact| (fact, None)));
        }
        if changes.is_empty() {
            return;
        }
        let followed = before.is_some();
        let mut effect = before.map(|before| effect(of, before, &mut changes, facts, met, settled));
        let last_late = changes.iter().rposition(|(_, revision)| revision.is_some());
        let bearer = last_late.unwrap_or(changes.len() - 1);
        for (n, (fact, revision)) in changes.into_iter().enumerate() {
            let effect = if n == bearer { effect.take() } else { followed.then(Effect::none) };
            self.seq += 1;
            let (seq, conversation) = (self.seq, of.id.clone());
            let effect = effect.map(Arc::new);
            self.batch.changes.push(Publish { seq, conversation, fact, revision, effect });
        }
    }
}

/// A fact that is news, though the timeline does not show it. What it says of a participant, or where it makes others
/// stand, may change what is shown elsewhere.
fn hidden_news(facts: &Facts, met: &[Met]) -> Option<FactId> {
    let mut news = facts.iter().zip(met).filter(|(_, met)| matches!(met, Met::New | Met::Better));
    news.next().map(|(news, _)| news.fact.id)
}

/// What facts changed, with the places of those that came late counted in entries that are shown.
fn effect(
    of: &Conversation,
    before: Option<Before>,
    changes: &mut [Told],
    facts: &Facts,
    met: &[Met],
    settled: &Settled,
) -> Effect {
    let late = !settled.late.is_empty() || met.contains(&Met::Better);
    let new = facts.iter().zip(met).filter(|(_, met)| **met == Met::New);
    let cells = cells(&settled.cells, new.map(|(new, _)| &new.fact));
    let (Some(before), Some(now)) = (before, Before::of(of)) else { return Effect::untold(cells, late) };
    changes.iter_mut().for_each(|(fact, revision)| before.place(&now, *fact, revision));
    before.compare(&now, of, late, cells)
}

impl Before {
    /// What is shown of a set now; none when it is too large.
    pub fn of(set: &Conversation) -> Option<Self> {
        if set.entries.len() > FACTS_MAX {
            return None;
        }
        let (spells, folded) = Spells::of(&set.entries, &set.names);
        let started_at = folded.started(&set.entries);
        Some(Self { spells, started_at, folded, places: places(set) })
    }

    /// How what is shown differs from what is shown `now`, of the same set with more facts. `late`: some of what made the
    /// difference came late, or was better evidence.
    pub fn compare(&self, now: &Self, set: &Conversation, late: bool, cells: Vec<(i64, i64)>) -> Effect {
        let speller = Speller { names: &set.names, id: &set.id };
        let history = late.then(|| Box::new(self.history(now, set, &speller)));
        Effect { spells: speller.moves(&self.spells, &now.spells), cells, history }
    }

    /// Counts a revision's place, and what stands behind it, in entries that are shown.
    fn place(&self, now: &Self, fact: FactId, revision: &mut Option<Revision>) {
        let (Some(revision), Some(Some(place))) = (revision, now.places.get(&fact)) else { return };
        let behind =
            now.places.iter().filter(|(id, at)| **at > Some(*place) && self.places.contains_key(*id));
        *revision = Revision { place: *place, moved: u32::try_from(behind.count()).unwrap_or(u32::MAX) };
    }

    fn history(&self, now: &Self, set: &Conversation, speller: &Speller<'_>) -> History {
        let (was, is) = (self.life(speller.names), now.life(speller.names));
        let mut history = History {
            conversation: (was != is).then_some((was, is)),
            participants: speller.participants(&self.folded, &now.folded),
            ..History::default()
        };
        for entry in &set.entries {
            let to = now.places.get(&entry.id()).copied().flatten();
            let Some(&from) = self.places.get(&entry.id()) else { continue };
            if from == to {
                continue;
            }
            history.moved += 1;
            history.entries.push(MovedEntry {
                fact: entry.id(),
                kind: entry.what.as_str(),
                participant: speller.names.get_id(entry.participant),
                communication: speller.names.get_id(entry.communication),
                from,
                to,
            });
        }
        history.cut = history.entries.len() > NAMED_MAX || history.participants.len() > NAMED_MAX;
        history.entries.truncate(NAMED_MAX);
        history.participants.truncate(NAMED_MAX);
        history
    }

    fn life(&self, names: &Names) -> Life {
        let folded = &self.folded;
        Life { active: folded.is_active(names), started_at: self.started_at, ended_at: folded.ended(names) }
    }
}

impl Speller<'_> {
    /// The spells that differ; none when they are too many.
    fn moves(&self, was: &[Spell], is: &[Spell]) -> Option<SpellMoves> {
        let mut balance: HashMap<[i64; 6], (i32, Spell)> = HashMap::new();
        for (spells, sign) in [(was, -1), (is, 1)] {
            for spell in spells {
                balance.entry(spell.key()).or_insert((0, *spell)).0 += sign;
            }
        }
        let mut moved: Vec<_> = balance.into_iter().filter(|(_, (count, _))| *count != 0).collect();
        if moved.iter().map(|(_, (count, _))| count.unsigned_abs() as usize).sum::<usize>() > SPELLS_MAX {
            return None;
        }
        moved.sort_unstable_by_key(|(key, _)| *key);
        let mut moves = SpellMoves::default();
        for (_, (count, spell)) in moved {
            let side = if count < 0 { &mut moves.removed } else { &mut moves.added };
            side.extend((0..count.unsigned_abs()).map(|_| spell.view(self.names, self.id)));
        }
        Some(moves)
    }

    fn participants(&self, was: &Folded, is: &Folded) -> Vec<(Option<ParticipantView>, ParticipantView)> {
        let view = |p| show::participant(p, self.names, self.id);
        let mut changed = Vec::new();
        for now in &is.participants {
            let before = was.participants.iter().find(|p| p.id == now.id).map(view);
            let after = view(now);
            if before.as_ref() != Some(&after) {
                changed.push((before, after));
            }
            if changed.len() > NAMED_MAX {
                break;
            }
        }
        changed
    }
}

/// Where each fact of a set stands in its timeline.
fn places(set: &Conversation) -> HashMap<FactId, Option<u32>> {
    let mut next = 0..;
    set.entries.iter().map(|e| (e.id(), if e.shown() { next.next() } else { None })).collect()
}

/// Moves of cells, each minute once: those that settling brought about, and those of new facts that were counted when they
/// were admitted.
fn cells<'a>(settled: &[(i64, i64)], new: impl Iterator<Item = &'a Fact>) -> Vec<(i64, i64)> {
    let at_once = new.filter(|fact| is_counted_at_once(fact)).filter_map(|fact| fact.at);
    let mut moved: BTreeMap<i64, i64> = BTreeMap::new();
    for (minute, difference) in settled.iter().copied().chain(at_once.map(|at| (at.minute(), 1))) {
        *moved.entry(minute).or_default() += difference;
    }
    moved.into_iter().filter(|(_, difference)| *difference != 0).collect()
}
