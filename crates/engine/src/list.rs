//! Pages of the conversations in memory.

use crate::limits::LIST_SCAN_MAX;
use crate::{ConversationView, Engine, Filter, Id, Shown};
use std::ops::Bound;

impl Engine {
    /// At most `limit` conversations in memory that pass, by ascending id after `after`, and the last id looked at when
    /// more may follow.
    #[must_use]
    pub fn list(
        &self,
        filter: &Filter,
        after: Option<&Id>,
        limit: usize,
        now: i64,
    ) -> (Vec<ConversationView>, Option<Id>) {
        let view = |shown: &Shown<'_>| Some(shown.conversation());
        self.look_through(self.candidates(filter, behind(after)), filter, limit, now, view)
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
        self.look_through(all, filter, limit, now, |shown| shown.conversation_at(at))
    }

    fn look_through<'a>(
        &'a self,
        candidates: impl Iterator<Item = &'a Id>,
        filter: &Filter,
        limit: usize,
        now: i64,
        view: impl Fn(&Shown<'_>) -> Option<ConversationView>,
    ) -> (Vec<ConversationView>, Option<Id>) {
        let mut found = Vec::new();
        for (looked_at, id) in candidates.enumerate() {
            let view = self.show(id, now).and_then(|shown| view(&shown));
            found.extend(view.filter(|view| filter.matches(view)));
            if found.len() == limit || looked_at + 1 == LIST_SCAN_MAX {
                return (found, Some(id.clone()));
            }
        }
        (found, None)
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
        let mut active = self.active.range::<Id, _>((from, Bound::Unbounded)).peekable();
        if filter.active == Some(true) {
            return Box::new(active);
        }
        let mut ended = self.ended.range::<Id, _>((from, Bound::Unbounded)).peekable();
        Box::new(std::iter::from_fn(move || match (active.peek(), ended.peek()) {
            (Some(a), Some(e)) if e < a => ended.next(),
            (None, Some(_)) => ended.next(),
            _ => active.next(),
        }))
    }
}

fn behind(id: Option<&Id>) -> Bound<&Id> {
    id.map_or(Bound::Unbounded, Bound::Excluded)
}
