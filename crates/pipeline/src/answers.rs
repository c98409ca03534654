//! What a keeper answers: about what is committed, and nothing else.
//!
//! Between two turns all that is decided is committed. While a commit fails the engine is ahead of the disk by one batch:
//! then a conversation of that batch is told as it was known at the last commit, everything else as it is, and every answer
//! is at best partial, since facts are known that it lacks. What cannot be told that way (a user whose value is in the
//! batch, a ledger that moved in it) and what the disk does not give back is not answered; the asker is told why.

use crate::{Answer, Keeper, Query, Summary, When};
use engine::{Completeness, ConversationView, Id, Shown, StoredConversation, TimelineEntry};
use std::borrow::Cow;
use store::{Store, StoreError};
use tokio::sync::oneshot;

/// Entries of several timelines in one answer, but for those of the last: some milliseconds of work.
const ENTRIES_MAX: usize = 4_096;

impl Keeper {
    /// Answers one question as of `now`, in nanoseconds since the epoch; lets go of one that it cannot answer.
    pub fn answer(&self, query: Query, now: i64) {
        let now = self.instant(now);
        match query {
            Query::Conversation(id, when, to) => say(to, self.conversation(&id, when, now)),
            Query::Timeline(id, at, to) => {
                let told = self.about_at(&id, at, now, |shown| shown.timeline());
                say(to, told.map(|answer| self.none_of_remembered(&id, at, answer)));
            }
            Query::Timelines(ids, to) => {
                say(to, self.timelines(&ids, now).map(|all| self.stand(all, self.engine.completeness(now))));
            }
            Query::Spells(id, at, to) => {
                let told = self.about_at(&id, at, now, |shown| shown.spells());
                say(to, told.map(|answer| self.none_of_remembered(&id, at, answer)));
            }
            Query::Why(id, of, to) => say(to, self.about(&id, now, |shown| shown.why(of.as_ref()))),
            Query::List { filter, after, limit, when, to } => {
                say(to, self.list(&filter, (after.as_ref(), limit), when, now));
            }
            Query::Range(from, until, to) if !self.moves(|pending| !pending.batch.ledger.is_empty()) => {
                let known = if self.pending.is_some() { self.committed_at.min(now) } else { now };
                let range = self.engine.range(from, until, known);
                let completeness = range.completeness;
                say(to, Ok(self.stand(range, completeness)));
            }
            Query::User(id, to) if !self.moves(|p| p.batch.users.iter().any(|row| row.user == id)) => {
                say(to, Ok(self.stand(self.engine.user(&id), self.engine.completeness(now))));
            }
            Query::Activity(question, to) => say(to, self.gather(*question, now)),
            Query::State(when, to) => say(to, self.look_at(when, now)),
            Query::Range(..) | Query::User(..) => {}
        }
    }

    /// What `/api/v1/state` shows as of `now`; `trouble`: why nothing can be committed.
    #[must_use]
    pub fn summary(&self, now: i64, trouble: Option<&str>) -> Summary {
        let now = self.instant(now);
        let feeds = self.engine.feeds(now);
        let mut not_ready: Vec<String> = trouble.map(str::to_owned).into_iter().collect();
        if feeds.is_empty() {
            not_ready.push("no feed has connected yet".to_owned());
        }
        for feed in feeds.iter().filter(|f| !f.connected) {
            let reason = feed.reason.as_deref().unwrap_or("not connected");
            not_ready.push(format!("feed {}: {reason}", feed.name));
        }
        Summary {
            position: self.position(),
            active: self.active(),
            remembered: self.engine.remembered_count(),
            activity: self.engine.activity(),
            last_updated: self.last_updated(),
            suspects: self.engine.suspect_count(),
            completeness: self.engine.completeness(now).max(self.worst_remembered()),
            complete_from: self.engine.complete_from(now),
            feeds,
            not_ready,
            store_trouble: None,
        }
    }

    /// What is shown of a conversation, in memory or laid down; none when it is unknown.
    ///
    /// # Errors
    /// When what is stored of it cannot be read.
    pub fn about<T>(
        &self,
        id: &Id,
        now: i64,
        tell: impl FnOnce(&Shown<'_>) -> T,
    ) -> Result<Answer<Option<T>>, StoreError> {
        self.about_at(id, None, now, tell)
    }

    /// What was shown of a conversation at an instant, and today's when none is given; none when nothing was known of it
    /// then. Position and completeness are today's.
    ///
    /// # Errors
    /// When what is stored of it cannot be read.
    pub fn about_at<T>(
        &self,
        id: &Id,
        known_at: Option<i64>,
        now: i64,
        tell: impl FnOnce(&Shown<'_>) -> T,
    ) -> Result<Answer<Option<T>>, StoreError> {
        let (at, now) = (self.known_until(id, known_at)?, self.instant(now));
        let then = |shown: &Shown<'_>| match at {
            Some(at) => shown.known_at(at).map(|then| tell(&then)),
            None => Some(tell(shown)),
        };
        if let Some(shown) = self.engine.show(id, now) {
            return Ok(self.stand(then(&shown), shown.completeness()));
        }
        Ok(match self.laid_down(id)? {
            Some(stored) => {
                let shown = self.engine.show_stored(&stored, now);
                self.stand(then(&shown), shown.completeness())
            }
            None => {
                let gone = self.store.removed(id)?.map(|gone| gone.until);
                let known = gone.map_or_else(|| self.engine.completeness(now), |_| Completeness::Unknown);
                Answer { removed_until: gone, ..self.stand(None, known) }
            }
        })
    }

    /// The timelines of the first ones of several, for those who compare them with what they were told: none of one that is
    /// unknown, whose record is damaged, or of which a part was removed. It ends with the one that fills the answer.
    fn timelines(&self, ids: &[Id], now: i64) -> Result<Vec<Option<Vec<TimelineEntry>>>, StoreError> {
        let (mut timelines, mut entries) = (Vec::with_capacity(ids.len()), 0);
        for id in ids {
            let timeline = match self.about(id, now, |shown| shown.timeline()) {
                Ok(answer) => answer.value.filter(|_| !self.engine.was_removed(id)),
                Err(StoreError::Damaged(_)) => None,
                Err(error) => return Err(error),
            };
            entries += timeline.as_ref().map_or(0, Vec::len);
            timelines.push(timeline);
            if entries >= ENTRIES_MAX {
                break;
            }
        }
        Ok(timelines)
    }

    pub(crate) fn conversation(
        &self,
        id: &Id,
        when: When,
        now: i64,
    ) -> Result<Answer<Option<ConversationView>>, StoreError> {
        let When { at, known_at } = when;
        let Answer { value, position, completeness, removed_until } =
            self.about_at(id, known_at, now, |shown| view_at(shown, at))?;
        let mut answer = Answer { value: value.flatten(), position, completeness, removed_until };
        if when == When::default() && answer.value.is_none() {
            answer.value = self.engine.recall(id);
            answer.completeness = answer.value.as_ref().map_or(completeness, |view| view.completeness);
        }
        if let Some(then) = &mut answer.value {
            if known_at.is_some() {
                then.suspect = None;
            }
            if known_at.is_some() || self.pending.is_some() {
                then.completeness = answer.completeness;
            }
        }
        Ok(answer)
    }

    /// Of a conversation that is only remembered no fact is known, and so nothing that follows from facts; not so at an
    /// instant of the past.
    fn none_of_remembered<T>(
        &self,
        id: &Id,
        known_at: Option<i64>,
        answer: Answer<Option<Vec<T>>>,
    ) -> Answer<Option<Vec<T>>> {
        if answer.value.is_some() || known_at.is_some() || self.engine.recall(id).is_none() {
            return answer;
        }
        let completeness = answer.completeness.max(Completeness::Partial);
        Answer { value: Some(Vec::new()), completeness, ..answer }
    }

    /// The store, for a reader of answers that are worked out elsewhere.
    ///
    /// # Errors
    /// While something waits for the disk: memory is ahead of it then.
    pub(crate) fn stored_as_known(&self) -> Result<&Store, StoreError> {
        if self.pending.is_some() || self.store.is_poisoned() {
            return Err(StoreError::Poisoned);
        }
        Ok(&self.store)
    }

    /// What is remembered stands for facts that are missing.
    pub(crate) fn worst_remembered(&self) -> Completeness {
        let any = self.engine.remembered_count() > 0;
        if any { Completeness::Partial } else { Completeness::Complete }
    }

    /// As of when a conversation may be told: of one that the batch which waits for the disk changes, nothing newer than
    /// the last commit.
    fn known_until(&self, id: &Id, known_at: Option<i64>) -> Result<Option<i64>, StoreError> {
        let changes = |pending: &crate::keeper::Pending| {
            pending.batch.admitted.iter().any(|admitted| admitted.conversation == *id)
        };
        if !self.moves(changes) {
            return Ok(known_at);
        }
        if self.moves(|pending| pending.at <= self.committed_at) {
            // The instants do not tell the two apart.
            return Err(StoreError::Poisoned);
        }
        Ok(Some(known_at.map_or(self.committed_at, |at| at.min(self.committed_at))))
    }

    /// Whether a batch waits for the disk and does this.
    fn moves(&self, what: impl FnOnce(&crate::keeper::Pending) -> bool) -> bool {
        self.pending.as_ref().is_some_and(what)
    }

    /// One that left memory; it may have done so in a batch that waits for the disk.
    fn laid_down(&self, id: &Id) -> Result<Option<Cow<'_, StoredConversation>>, StoreError> {
        let waiting = self.pending.iter().flat_map(|pending| &pending.laid_down).find(|one| one.id == *id);
        match waiting {
            Some(stored) => Ok(Some(Cow::Borrowed(stored))),
            None => Ok(self.store.load(id)?.map(Cow::Owned)),
        }
    }

    pub(crate) fn stand<T>(&self, value: T, completeness: Completeness) -> Answer<T> {
        let worst = if self.pending.is_some() { Completeness::Partial } else { Completeness::Complete };
        let completeness = completeness.max(worst);
        Answer { value, position: self.position(), completeness, removed_until: None }
    }
}

/// Hands over an answer; who asked may be gone. Where there is none, letting go of the sender says so.
fn say<T>(to: oneshot::Sender<Answer<T>>, answer: Result<Answer<T>, StoreError>) {
    match answer {
        Ok(answer) => drop(to.send(answer)),
        // What waits for the disk is said where the summary is.
        Err(StoreError::Poisoned) => {}
        Err(error) => tracing::error!(%error, "a question could not be answered"),
    }
}

/// A conversation as it stands, or as it was at an instant; none when nothing of it had happened by then.
fn view_at(shown: &Shown<'_>, at: Option<i64>) -> Option<ConversationView> {
    match at {
        Some(at) => shown.conversation_at(at),
        None => Some(shown.conversation()),
    }
}
