//! What a keeper answers: about all that is decided, which is all that is committed when it is asked between two turns.

use crate::{Answer, Keeper, Page, Query, Summary};
use engine::{Completeness, ConversationView, Filter, Id, Shown, StoredConversation};

impl Keeper {
    /// Answers one question as of `now`, in nanoseconds since the epoch.
    pub fn answer(&self, query: Query, now: i64) {
        match query {
            Query::Conversation(id, at, to) => drop(to.send(self.conversation(&id, at, now))),
            Query::Timeline(id, at, to) => {
                drop(to.send(self.about_at(&id, at, now, |shown| shown.timeline())))
            }
            Query::Timelines(ids, to) => {
                let timeline = |id| self.about(id, now, |shown| shown.timeline()).value;
                let all = ids.iter().map(timeline).collect();
                drop(to.send(self.stand(all, self.engine.completeness(now))));
            }
            Query::Spells(id, at, to) => drop(to.send(self.about_at(&id, at, now, |shown| shown.spells()))),
            Query::Range(from, until, to) => {
                let range = self.engine.range(from, until, now);
                let completeness = range.completeness;
                drop(to.send(self.stand(range, completeness)));
            }
            Query::Why(id, of, to) => drop(to.send(self.about(&id, now, |shown| shown.why(of.as_ref())))),
            Query::User(id, to) => {
                drop(to.send(self.stand(self.engine.user(&id), self.engine.completeness(now))))
            }
            Query::List { filter, after, limit, to } => {
                let page = self.page(&filter, after.as_ref(), limit, now);
                drop(to.send(self.stand(page, self.engine.completeness(now))));
            }
        }
    }

    /// What `/api/v1/state` shows as of `now`; `trouble`: why nothing can be committed.
    #[must_use]
    pub fn summary(&self, now: i64, trouble: Option<&str>) -> Summary {
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
            active: self.engine.active_count(),
            activity: self.engine.activity(),
            last_updated: self.last_updated(),
            suspects: self.engine.suspect_count(),
            completeness: self.engine.completeness(now),
            complete_from: self.engine.complete_from(now),
            feeds,
            not_ready,
        }
    }

    /// What is shown of a conversation, in memory or laid down; none when it is unknown.
    pub fn about<T>(&self, id: &Id, now: i64, tell: impl FnOnce(&Shown<'_>) -> T) -> Answer<Option<T>> {
        if let Some(shown) = self.engine.show(id, now) {
            return self.stand(Some(tell(&shown)), shown.completeness());
        }
        match self.load(id) {
            Some(stored) => {
                let shown = self.engine.show_stored(&stored, now);
                self.stand(Some(tell(&shown)), shown.completeness())
            }
            None => self.stand(None, self.engine.completeness(now)),
        }
    }

    /// What was shown of a conversation at an instant, and today's when none is given; none when nothing was known of it
    /// then. Position and completeness are today's.
    pub fn about_at<T>(
        &self,
        id: &Id,
        known_at: Option<i64>,
        now: i64,
        tell: impl FnOnce(&Shown<'_>) -> T,
    ) -> Answer<Option<T>> {
        let Some(at) = known_at else { return self.about(id, now, tell) };
        let answer = self.about(id, now, |shown| shown.known_at(at).map(|then| tell(&then)));
        self.stand(answer.value.flatten(), answer.completeness)
    }

    fn conversation(&self, id: &Id, known_at: Option<i64>, now: i64) -> Answer<Option<ConversationView>> {
        let mut answer = self.about_at(id, known_at, now, |shown| shown.conversation());
        if let (Some(then), Some(_)) = (&mut answer.value, known_at) {
            (then.completeness, then.suspect) = (answer.completeness, None);
        }
        answer
    }

    fn load(&self, id: &Id) -> Option<StoredConversation> {
        self.store.load(id).unwrap_or_else(|error| {
            tracing::error!(%error, "a conversation could not be read from the store");
            None
        })
    }

    fn stand<T>(&self, value: T, completeness: Completeness) -> Answer<T> {
        Answer { value, position: self.position(), completeness }
    }

    /// A page out of memory and store together, by ascending id.
    fn page(&self, filter: &Filter, after: Option<&Id>, limit: usize, now: i64) -> Page {
        let (mut items, mut next) = self.engine.list(filter, after, limit, now);
        if filter.active != Some(true) && filter.suspect != Some(true) {
            let stored = self.store.stored_after(after, limit).unwrap_or_else(|error| {
                tracing::error!(%error, "conversations could not be read from the store; the list lacks them");
                Vec::new()
            });
            let last = (stored.len() == limit).then(|| stored.last().map(|s| s.id.clone())).flatten();
            let elsewhere = stored.iter().filter(|s| !self.engine.knows(&s.id));
            let views = elsewhere.map(|s| self.engine.show_stored(s, now).conversation());
            items.extend(views.filter(|view| filter.matches(view)));
            next = match (next, last) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            items.sort_by(|a, b| a.id.cmp(&b.id));
        }
        if let Some(bound) = &next {
            items.retain(|view| view.id <= *bound);
        }
        if items.len() > limit {
            items.truncate(limit);
            next = items.last().map(|view| view.id.clone());
        }
        Page { items, next }
    }
}
