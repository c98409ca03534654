//! What conversations add to cells, by whom and what each event was about.
//!
//! Every entry that counts in its minute has, at its place in the order, a participant with a role, a queue and a user, and
//! a leg with a medium: what the timeline shows of it. So cells by any of these are a pure function of the sets, like the
//! cells of all events, and add up to them. They are worked out when a conversation leaves memory and when a question is
//! asked, never when a fact comes in. Rejected: moving them by differences as facts come (a late word on a queue moves the
//! cells of all events behind it, and most of what is moved is never asked for).

use crate::conversation::Conversation;
use crate::entry::Entry;
use crate::fold::Participant;
use crate::inherited::is_told_first;
use crate::names::{Name, Names, Sym};
use crate::{Engine, Id, MINUTE, StoredConversation, Word};
use std::ops::Range;

/// Whom and what an event was about. As a filter: what is none lets everything pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facets {
    /// The participant's role.
    pub role: Option<Word>,
    /// Its queue.
    pub queue: Option<Id>,
    /// Its user.
    pub user: Option<Id>,
    /// The communication's medium.
    pub medium: Option<Word>,
}

/// What pages of cells hold of a conversation that is in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Paged {
    /// Nothing.
    #[default]
    Not,
    /// What it adds as it stands: it was taken up, and nothing has changed.
    AsItStands,
    /// What it added before facts came to it that were new.
    AsItWas,
}

/// The same as [`Facets`], in the names of one conversation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    pub role: Sym,
    pub queue: Name,
    pub user: Name,
    pub medium: Sym,
}

impl About {
    /// Of an entry, and of its participant behind it.
    pub fn of(e: &Entry, p: Option<&Participant>) -> Self {
        let leg = p.and_then(|p| p.communications.iter().find(|c| c.id == e.communication));
        Self {
            role: p.map_or(e.role(), |p| p.role),
            queue: p.map_or(e.queue(), |p| p.queue),
            user: p.map_or(e.user(), |p| p.user),
            medium: leg.map_or(e.medium(), |c| c.medium),
        }
    }

    fn facets(self, names: &Names) -> Facets {
        Facets {
            role: names.get_word(self.role),
            queue: names.get_id(self.queue),
            user: names.get_id(self.user),
            medium: names.get_word(self.medium),
        }
    }

    fn passes(self, filter: &Facets, names: &Names) -> bool {
        let word = |wanted: &Option<Word>, is| wanted.is_none() || names.same_word(is, wanted.as_ref());
        let id = |wanted: &Option<Id>, is| wanted.is_none() || names.same_id(is, wanted.as_ref());
        word(&filter.role, self.role)
            && word(&filter.medium, self.medium)
            && id(&filter.queue, self.queue)
            && id(&filter.user, self.user)
    }
}

impl Facets {
    /// Whether they have all that a filter names.
    #[must_use]
    pub fn pass(&self, filter: &Self) -> bool {
        (filter.role.is_none() || filter.role == self.role)
            && (filter.queue.is_none() || filter.queue == self.queue)
            && (filter.user.is_none() || filter.user == self.user)
            && (filter.medium.is_none() || filter.medium == self.medium)
    }
}

/// What a conversation that was laid down adds to cells: each of its events with its minute since the epoch.
/// `removed_until`: before this instant, in nanoseconds since the epoch, all happened that retention had removed of it when
/// it was told of again; cells of that time hold it already.
pub fn contributions(
    stored: &StoredConversation,
    removed_until: Option<i64>,
    mut take: impl FnMut(i64, Facets),
) {
    let set = Conversation::take_up(stored);
    set.each_counted(|minute, about| {
        if is_told_first(removed_until, minute) {
            take(minute, about.facets(&set.names));
        }
    });
}

impl Conversation {
    /// Hands over each entry that counts, with its minute, in order.
    fn each_counted(&self, mut take: impl FnMut(i64, About)) {
        self.counted_until(i64::MAX, |minute, entry, folded| {
            let participant = folded.participants.iter().find(|p| p.id == entry.participant);
            take(minute, About::of(entry, participant));
        });
    }

    /// New facts change what it adds to cells.
    pub(crate) fn outgrow_page(&mut self) {
        if self.paged == Paged::AsItStands {
            self.paged = Paged::AsItWas;
        }
    }
}

impl Engine {
    /// What conversations in memory add to the cells of some minutes that pass a filter, where pages do not hold it: each
    /// event by its minute. Gives the ids of those of which pages hold what they added when they were laid down, and not
    /// what they add now: that is to be taken back. Facts that wait for what precedes them are not among it yet.
    pub fn contribute(&self, filter: &Facets, minutes: &Range<i64>, mut add: impl FnMut(i64)) -> Vec<Id> {
        let instants = minutes.start.saturating_mul(MINUTE)..minutes.end.saturating_mul(MINUTE);
        let mut outgrown = Vec::new();
        for known in self.conversations.each().filter(|known| known.paged != Paged::AsItStands) {
            if known.paged == Paged::AsItWas {
                outgrown.push(known.id.clone());
            }
            if !known.entries.iter().any(|entry| instants.contains(&entry.at_ns())) {
                continue;
            }
            let until = self.inherited.removed_until(&known.id);
            known.each_counted(|minute, about| {
                let wanted = minutes.contains(&minute) && about.passes(filter, &known.names);
                if wanted && is_told_first(until, minute) {
                    add(minute);
                }
            });
        }
        outgrown
    }

    /// Conversations that stay in memory were laid down, and that is committed: pages hold nothing of them any more.
    pub fn laid_down<'a>(&mut self, ids: impl Iterator<Item = &'a Id>) {
        for id in ids {
            if let Some(known) = self.conversations.get_mut(id) {
                known.paged = Paged::Not;
            }
        }
    }
}
