//! Spells: the intervals of a participant's life in which nothing about it changed.
//!
//! One pass over the entries opens and closes them, lane by lane (a communication, or a participant that has none). They
//! are made of the conversation's own numbers, so that two sets of them can be held against one another without a copy of
//! any id; only what is shown is spelt out.

use crate::entry::Entry;
use crate::fold::{Folded, Participant};
use crate::names::{Name, Names, Sym};
use crate::show::Shown;
use crate::{Id, SpellView, Time};
use std::collections::BTreeMap;

/// A participant, and its communication or none.
type Lane = (Name, Name);

/// A spell, in numbers of its conversation's [`Names`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spell {
    pub lane: Lane,
    about: About,
    pub from: Time,
    pub to: Option<Time>,
}

/// What holds as long as a spell lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct About {
    role: Sym,
    user: Name,
    queue: Name,
    medium: Sym,
    state: Sym,
    held: bool,
}

/// The spells of a set, and its state at the end.
#[derive(Debug, Default)]
pub(crate) struct Spells {
    open: BTreeMap<Lane, Spell>,
    closed: Vec<Spell>,
    /// Up to when each lane has been in a state that took time.
    taken: BTreeMap<Lane, Time>,
}

impl Shown<'_> {
    /// Spells: by participant and communication, then by time.
    #[must_use]
    pub fn spells(&self) -> Vec<SpellView> {
        let set = self.set();
        let (spells, _) = Spells::of(&set.entries, &set.names);
        let mut views: Vec<_> = spells.iter().map(|spell| spell.view(&set.names, &set.id)).collect();
        views.sort_by(|a, b| {
            (&a.participant, &a.communication, a.from).cmp(&(&b.participant, &b.communication, b.from))
        });
        views
    }
}

impl Spells {
    /// The spells of entries in their order, and the state that they end in.
    pub fn of(entries: &[Entry], names: &Names) -> (Vec<Spell>, Folded) {
        let mut folded = Folded::prepared(entries);
        let mut spells = Self::default();
        for entry in entries {
            folded.apply(entry, names);
            let concerned = |p: &&Participant| p.id == entry.participant || !entry.participant.is_some();
            for participant in folded.participants.iter().filter(concerned) {
                spells.turn(participant, entry.instant(), names);
            }
        }
        let Self { open, mut closed, .. } = spells;
        closed.extend(open.into_values());
        closed.retain(|spell| spell.to != Some(spell.from) || spell.about.state.is_some());
        (closed, folded)
    }

    /// Ends and begins spells of one participant after an entry.
    fn turn(&mut self, participant: &Participant, at: Time, names: &Names) {
        let active = participant.is_active(names);
        if participant.communications.is_empty() {
            let about = About::of(participant, Sym::NONE, participant.state(names), false);
            return self.turn_lane((participant.id, Name::NONE), active.then_some(about), at);
        }
        for leg in &participant.communications {
            let live = active && leg.state.is_some() && !names.is_end(leg.state);
            let about = About::of(participant, leg.medium, leg.state, leg.held);
            self.turn_lane((participant.id, leg.id), live.then_some(about), at);
        }
    }

    /// What holds of a lane from now on; none: it is not live.
    fn turn_lane(&mut self, lane: Lane, about: Option<About>, at: Time) {
        if self.open.get(&lane).map(|spell| spell.about) == about {
            return;
        }
        if let Some(mut ended) = self.open.remove(&lane) {
            let to = at.max(ended.from);
            ended.to = Some(to);
            self.closed.push(ended);
            if to > ended.from {
                self.taken.insert(lane, to);
            }
        }
        if let Some(about) = about {
            // What is proved to come later may bear an earlier time; it does not reach back into what came before.
            let from = self.taken.get(&lane).map_or(at, |taken| at.max(*taken));
            self.open.insert(lane, Spell { lane, about, from, to: None });
        }
    }
}

impl About {
    fn of(participant: &Participant, medium: Sym, state: Sym, held: bool) -> Self {
        let Participant { role, user, queue, .. } = *participant;
        Self { role, user, queue, medium, state, held }
    }
}

impl Spell {
    /// What makes it another spell than any other of its conversation, as readers see them.
    pub fn key(&self) -> [i64; 6] {
        let About { role, user, queue, medium, state, held } = self.about;
        let (participant, communication) = self.lane;
        let pack = |parts: [u16; 4]| parts.into_iter().fold(0i64, |all, part| all << 16 | i64::from(part));
        let to = self.to.map_or((i64::MAX, 0), |to| (to.nanos, to.digits));
        let digits = [u16::from(self.from.digits), u16::from(to.1), u16::from(held), state.number()];
        [
            pack([0, 0, participant.number(), communication.number()]),
            self.from.nanos,
            to.0,
            pack(digits),
            pack([role.number(), user.number(), queue.number(), medium.number()]),
            i64::from(self.to.is_some()),
        ]
    }

    /// The spell as readers see it; `of`: its conversation.
    pub fn view(&self, names: &Names, of: &Id) -> SpellView {
        let (participant, communication) = self.lane;
        let About { role, user, queue, medium, state, held } = self.about;
        SpellView {
            participant: names.get_id(participant).unwrap_or_else(|| of.clone()),
            communication: names.get_id(communication),
            role: names.get_word(role),
            user: names.get_id(user),
            queue: names.get_id(queue),
            medium: names.get_word(medium),
            state: names.get_word(state),
            held,
            from: self.from,
            to: self.to,
        }
    }
}
