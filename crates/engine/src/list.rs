//! Pages of the conversations in memory, and of those that are remembered.

use crate::limits::LIST_SCAN_MAX;
use crate::{ConversationView, Engine, Filter, Id};
use std::ops::Bound;

impl Engine {
    /// At most `limit` conversations in memory, or remembered, that pass, by ascending id after `after`, and the last id
    /// looked at when more may follow.
    #[must_use]
    pub fn list(
        &self,
        filter: &Filter,
        after: Option<&Id>,
        limit: usize,
        now: i64,
    ) -> (Vec<ConversationView>, Option<Id>) {
        let from = behind(after);
        let remembered = self
            .remembered
            .after(from)
            .filter(|_| filter.suspect != Some(true) && filter.active != Some(false));
        let all = merged(self.candidates(filter, from), remembered);
        let view = |id: &Id| match self.show(id, now) {
            Some(shown) => Some(shown.conversation()),
            None => self.recall(id),
        };
        look_through(all, filter, limit, view)
    }

    /// The same of those that had begun by `at`, as they were then; that one is a suspect is about now, and of none.
    #[must_use]
    pub fn list_at(
        &self,
        filter: &Filter,
        after: Option<&Id>,
        limit: usize,
        at: i64,
        now: i64,
    ) -> (Vec<ConversationView>, Option<Id>) {
        let all = self.candidates(&Filter::default(), behind(after));
        look_through(all, filter, limit, |id| self.show(id, now)?.conversation_at(at))
    }

    /// The id of the first conversation in memory behind one.
    #[must_use]
    pub fn resident_after(&self, after: Option<&Id>) -> Option<&Id> {
        let behind = (behind(after), Bound::Unbounded);
        let sets = [&self.active, &self.ended];
        sets.into_iter().filter_map(|ids| ids.range::<Id, _>(behind).next()).min()
    }

    /// The ids of the smallest set that holds all who can pass.
    fn candidates<'a>(
        &'a self,
        filter: &Filter,
        from: Bound<&'a Id>,
    ) -> Box<dyn Iterator<Item = &'a Id> + 'a> {
        if filter.suspect == Some(true) {
            return Box::new(self.ghosts.after(from));
        }
        let active = self.active.range::<Id, _>((from, Bound::Unbounded));
        if filter.active == Some(true) {
            return Box::new(active);
        }
        Box::new(merged(active, self.ended.range::<Id, _>((from, Bound::Unbounded))))
    }
}

/// Of two ascending runs one, each id once.
fn merged<'a>(
    a: impl Iterator<Item = &'a Id>,
    b: impl Iterator<Item = &'a Id>,
) -> impl Iterator<Item = &'a Id> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    std::iter::from_fn(move || match (a.peek(), b.peek()) {
        (Some(left), Some(right)) if right < left => b.next(),
        (Some(left), Some(right)) if right == left => b.next().and(a.next()),
        (None, Some(_)) => b.next(),
        _ => a.next(),
    })
}

fn look_through<'a>(
    candidates: impl Iterator<Item = &'a Id>,
    filter: &Filter,
    limit: usize,
    view: impl Fn(&Id) -> Option<ConversationView>,
) -> (Vec<ConversationView>, Option<Id>) {
    let mut found = Vec::new();
    for (looked_at, id) in candidates.enumerate() {
        found.extend(view(id).filter(|view| filter.matches(view)));
        if found.len() == limit || looked_at + 1 == LIST_SCAN_MAX {
            return (found, Some(id.clone()));
        }
    }
    (found, None)
}

fn behind(id: Option<&Id>) -> Bound<&Id> {
    id.map_or(Bound::Unbounded, Bound::Excluded)
}
