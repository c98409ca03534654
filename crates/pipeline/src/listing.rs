//! A page of conversations, out of memory and store together, as they stand or as of an instant.
//!
//! Ids come from memory and from the store, in one order, and each is told as a question about it alone would be. Who was
//! active at an instant and is not now was told of on both sides of it, so an index over spans finds these
//! (`store/src/span.rs`), however long the history is. All others go through the history by id, a page at a time.

use crate::{Answer, Keeper, Page, When};
use engine::{Completeness, Filter, Id, in_order};
use std::collections::BTreeSet;
use store::{Damaged, StoreError};

/// How much is looked at for a page, at most, so that no question holds up the shard for long.
const LOOKED_AT_MAX: usize = 5_000;
/// One that has to be read counts as so many in memory.
const READING_COUNTS: usize = 10;

impl Keeper {
    /// At most `limit` conversations that pass, behind `after`; partial when one that may be among them cannot be read.
    pub(crate) fn list(
        &self,
        filter: &Filter,
        (after, limit): (Option<&Id>, usize),
        when: When,
        now: i64,
    ) -> Result<Answer<Page>, StoreError> {
        let (page, whole) = self.page(filter, (after, limit), when, now)?;
        let of_day = |at: Option<i64>| at.map(|at| self.engine.completeness_then(at, now));
        let known = of_day(when.at).max(of_day(when.known_at));
        let known = known.unwrap_or_else(|| self.engine.completeness(now).max(self.worst_remembered()));
        Ok(self.stand(page, known.max(whole)))
    }

    fn page(
        &self,
        filter: &Filter,
        (after, limit): (Option<&Id>, usize),
        when: When,
        now: i64,
    ) -> Result<(Page, Completeness), StoreError> {
        let (stored, mut whole) = (self.stored(filter, after, when)?, Completeness::Complete);
        if stored.iter().any(Result::is_err) {
            whole = Completeness::Partial;
        }
        // Who was among them then may not be now.
        let among = if when == When::default() { filter } else { &Filter::default() };
        let in_memory = in_order(self.engine.candidates(among, after), self.waiting(after).into_iter());
        let mut ids = in_order(in_memory, stored.iter().flatten()).peekable();
        let (mut page, mut left) = (Page { active: self.active(), ..Page::default() }, LOOKED_AT_MAX);
        while let Some(id) = ids.next() {
            match self.conversation(id, when, now) {
                Ok(told) => page.items.extend(told.value.filter(|view| filter.matches(view))),
                Err(StoreError::Damaged(_)) => whole = Completeness::Partial,
                Err(error) => return Err(error),
            }
            left = left.saturating_sub(if self.engine.knows(id) { 1 } else { READING_COUNTS });
            if left == 0 || (page.items.len() == limit && ids.peek().is_some()) {
                page.next = Some(id.clone());
                break;
            }
        }
        Ok((page, whole))
    }

    /// The ids of those in the store that may pass, as many as are looked at.
    fn stored(
        &self,
        filter: &Filter,
        after: Option<&Id>,
        when: When,
    ) -> Result<Vec<Result<Id, Damaged>>, StoreError> {
        let most = LOOKED_AT_MAX / READING_COUNTS;
        if when != When::default() && filter.active == Some(true) {
            return self.store.ids_meeting((when.earlier(), when.earlier()), after, most);
        }
        if when == When::default() && (filter.active == Some(true) || filter.suspect == Some(true)) {
            return Ok(Vec::new());
        }
        self.store.ids_after(after, most)
    }

    /// Of those that a batch which waits for the disk moves, memory says what they are after it: each may have been among them
    /// before.
    fn waiting(&self, after: Option<&Id>) -> BTreeSet<&Id> {
        let moved = self.pending.iter().flat_map(|pending| {
            let changed = pending.batch.admitted.iter().map(|admitted| &admitted.conversation);
            changed.chain(pending.laid_down.iter().map(|one| &one.id))
        });
        moved.filter(|id| after.is_none_or(|after| *id > after)).collect()
    }
}
