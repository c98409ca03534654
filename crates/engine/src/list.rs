//! Pages of the conversations in memory.

use crate::limits::LIST_SCAN_MAX;
use crate::{ConversationView, Engine, Filter, Id};
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
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found = Vec::new();
        for (looked_at, id) in self.candidates(filter, from).enumerate() {
            if let Some(shown) = self.show(id, now) {
                let view = shown.conversation();
                if filter.matches(&view) {
                    found.push(view);
                }
            }
            if found.len() == limit || looked_at + 1 == LIST_SCAN_MAX {
                return (found, Some(id.clone()));
            }
        }
        (found, None)
    }

    /// The id of the first conversation in memory behind one.
    #[must_use]
    pub fn resident_after(&self, after: Option<&Id>) -> Option<&Id> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = (from, Bound::Unbounded);
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
