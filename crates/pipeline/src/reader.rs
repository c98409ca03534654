//! The read side: answers about what is committed, and only that.
//!
//! The summary behind `/api/v1/state` is a snapshot that the shard replaces after each commit, so that reading it costs
//! the shard nothing. Everything else is asked of the shard itself, which answers between two commits: what it says is
//! one consistent, durable state. Rejected: a lock around the engine (readers would see what is not yet on disk, or
//! stall it), and a second copy of every conversation for readers (twice the memory).

use crate::{ChangeLog, Followers, Gathered, Looked, Position};
use arc_swap::ArcSwap;
use engine::{
    Activity, Completeness, ConversationView, Explained, FeedView, Filter, Id, RangeView, SpellView, Time,
    TimelineEntry, UserView, When,
};
use std::sync::Arc;
use store::{CellQuestion, StoreError};
use tokio::sync::{mpsc, oneshot};

/// What `/api/v1/state` shows, as of one commit.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Where it stands.
    pub position: Position,
    /// Conversations that are active, those among them that are only remembered.
    pub active: u64,
    /// Of those, the ones of which no fact is known: what a follower's sink told of them after a lost disk.
    pub remembered: u64,
    /// Activity of the 24 hours that end with the newest event.
    pub activity: Activity,
    /// When the newest change was committed; none before the first.
    pub last_updated: Option<Time>,
    /// Of those, the ones whose end may have been missed.
    pub suspects: u64,
    /// The worst of the last 24 hours, of each feed since it was first listened to.
    pub completeness: Completeness,
    /// From when on that speaks of every feed, in nanoseconds since the epoch; none before any was listened to.
    pub complete_from: Option<i64>,
    /// Every feed as it stands.
    pub feeds: Vec<FeedView>,
    /// Why current data is not served; empty when it is.
    pub not_ready: Vec<String>,
    /// Why nothing new can be stored, so that nothing new is shown; none while it can.
    pub store_trouble: Option<String>,
}

/// An answer, and the committed state it is about.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// Where it stands.
    pub position: Position,
    /// What is known to be missing behind it.
    pub completeness: Completeness,
    /// There is nothing to tell, since what was known of this was removed: all of it had happened before this instant, in
    /// nanoseconds since the epoch.
    pub removed_until: Option<i64>,
}

/// A page of conversations, by ascending id.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The conversations, without their communications' details left out.
    pub items: Vec<ConversationView>,
    /// Where the next page begins: after this id; none at the end.
    pub next: Option<Id>,
    /// How many are active in all, whatever was asked for, at the page's position.
    pub active: u64,
}

/// A question to the shard.
#[derive(Debug)]
pub enum Query {
    /// One conversation, as of when it is asked for.
    Conversation(Id, When, oneshot::Sender<Answer<Option<ConversationView>>>),
    /// Its timeline, in order; as known at an instant, when one is given.
    Timeline(Id, Option<i64>, oneshot::Sender<Answer<Option<Vec<TimelineEntry>>>>),
    /// The timelines of several, in the order asked for; none of those that are unknown, and of the first ones only when
    /// there is too much to tell.
    Timelines(Vec<Id>, oneshot::Sender<Answer<Vec<Option<Vec<TimelineEntry>>>>>),
    /// Its spells, by participant and time; as known at an instant, when one is given.
    Spells(Id, Option<i64>, oneshot::Sender<Answer<Option<Vec<SpellView>>>>),
    /// Every fact of a conversation, or of one of its participants, explained.
    Why(Id, Option<Id>, oneshot::Sender<Answer<Option<Vec<Explained>>>>),
    /// A page of conversations after an id.
    List {
        /// Which.
        filter: Filter,
        /// After this id.
        after: Option<Id>,
        /// At most so many.
        limit: usize,
        /// As of when.
        when: When,
        /// Where to answer.
        to: oneshot::Sender<Answer<Page>>,
    },
    /// What is known of a range of time, from its first instant to the first one after it.
    Range(i64, i64, oneshot::Sender<Answer<RangeView>>),
    /// What is known of a user.
    User(Id, oneshot::Sender<Answer<Option<UserView>>>),
    /// What conversations in memory add to cells, and where the rest is read.
    Activity(Box<CellQuestion>, oneshot::Sender<Answer<Gathered>>),
    /// What the state was at an instant; what is stored of it is still to be read.
    State(When, oneshot::Sender<Answer<Looked>>),
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The shard has stopped: the program is on its way out.
    #[error("the engine has stopped; the program is shutting down")]
    Stopped,
    /// What was asked for cannot be told as it is committed, and why.
    #[error("{}", .0.join("; "))]
    Withheld(Vec<String>),
}

/// What is said when nothing else is wrong than that a record could not be read.
const UNREADABLE: &str = "what is stored of this could not be read: the log says more, and `headcount store check` names what is damaged";

/// The other end of a [`Reader`]: what the shard fills and answers.
#[derive(Debug)]
pub struct ReaderBackend {
    /// Replaced after each commit.
    pub summary: Arc<ArcSwap<Summary>>,
    /// Questions to answer.
    pub queries: mpsc::Receiver<Query>,
    /// Where changes are published.
    pub changes: Arc<ChangeLog>,
    /// Those who take the history elsewhere.
    pub followers: Arc<Followers>,
}

/// How many questions may wait for the shard.
const QUERIES_WAITING_MAX: usize = 256;

/// A reader and its other end.
#[must_use]
pub fn reader_pair(summary: Summary) -> (Reader, ReaderBackend) {
    let summary = Arc::new(ArcSwap::from_pointee(summary));
    let changes = Arc::new(ChangeLog::default());
    let (queries, asked) = mpsc::channel(QUERIES_WAITING_MAX);
    let followers = Arc::new(Followers::default());
    let reader =
        Reader { summary: summary.clone(), queries, changes: changes.clone(), followers: followers.clone() };
    (reader, ReaderBackend { summary, queries: asked, changes, followers })
}

/// The read side's handle. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    summary: Arc<ArcSwap<Summary>>,
    queries: mpsc::Sender<Query>,
    changes: Arc<ChangeLog>,
    followers: Arc<Followers>,
}

impl Reader {
    /// The summary of the newest commit.
    #[must_use]
    pub fn summary(&self) -> Arc<Summary> {
        self.summary.load_full()
    }

    /// The published changes: history in memory, and what comes.
    #[must_use]
    pub fn changes(&self) -> &Arc<ChangeLog> {
        &self.changes
    }

    /// Those who take the history elsewhere.
    #[must_use]
    pub fn followers(&self) -> &Arc<Followers> {
        &self.followers
    }

    /// The timelines of several conversations, in the order asked for; none of those that are unknown. The shard answers
    /// in one go, so the answer may end early, behind the first or any other: ask for the rest again.
    ///
    /// # Errors
    /// [`NoAnswer::Stopped`] when the program is on its way out, [`NoAnswer::Withheld`] when they cannot be told.
    pub async fn timelines(&self, ids: Vec<Id>) -> Result<Answer<Vec<Option<Vec<TimelineEntry>>>>, NoAnswer> {
        self.ask(|to| Query::Timelines(ids, to)).await
    }

    /// One conversation; none when it is unknown, or nothing of it had happened or was known then. Its position is today's,
    /// and so is its completeness with `known_at`; with `at` alone that is of its life up to then.
    ///
    /// # Errors
    /// [`NoAnswer::Stopped`] when the program is on its way out, [`NoAnswer::Withheld`] when it cannot be told.
    pub async fn conversation(
        &self,
        id: Id,
        when: When,
    ) -> Result<Answer<Option<ConversationView>>, NoAnswer> {
        self.ask(|to| Query::Conversation(id, when, to)).await
    }

    /// A conversation's timeline, in order. With `known_at`, in nanoseconds since the epoch: as it was shown at that instant,
    /// and none when nothing of it was known then; position and completeness are today's.
    ///
    /// # Errors
    /// [`NoAnswer::Stopped`] when the program is on its way out, [`NoAnswer::Withheld`] when it cannot be told.
    pub async fn timeline(
        &self,
        id: Id,
        known_at: Option<i64>,
    ) -> Result<Answer<Option<Vec<TimelineEntry>>>, NoAnswer> {
        self.ask(|to| Query::Timeline(id, known_at, to)).await
    }

    /// A conversation's spells; `known_at` as for [`Reader::timeline`].
    ///
    /// # Errors
    /// [`NoAnswer::Stopped`] when the program is on its way out, [`NoAnswer::Withheld`] when it cannot be told.
    pub async fn spells(
        &self,
        id: Id,
        known_at: Option<i64>,
    ) -> Result<Answer<Option<Vec<SpellView>>>, NoAnswer> {
        self.ask(|to| Query::Spells(id, known_at, to)).await
    }

    /// What is known of `[from, to)`, in nanoseconds since the epoch, of each feed; nothing is claimed of the future.
    ///
    /// # Errors
    /// [`NoAnswer::Stopped`] when the program is on its way out, [`NoAnswer::Withheld`] when it cannot be told.
    pub async fn range(&self, from: i64, to: i64) -> Result<Answer<RangeView>, NoAnswer> {
        self.ask(|answer| Query::Range(from, to, answer)).await
    }

    /// Every fact of a conversation, or of one of its participants, in order, explained; none when the conversation is
    /// unknown, and nothing when the participant is.
    ///
    /// # Errors
    /// [`NoAnswer::Stopped`] when the program is on its way out, [`NoAnswer::Withheld`] when it cannot be told.
    pub async fn why(
        &self,
        id: Id,
        participant: Option<Id>,
    ) -> Result<Answer<Option<Vec<Explained>>>, NoAnswer> {
        self.ask(|to| Query::Why(id, participant, to)).await
    }

    /// At most `limit` conversations that pass, by ascending id, after `after`. A page may come short, even empty,
    /// with a `next`: the search is cut so that no question holds up the shard for long. As of an instant: those that had
    /// begun, or were known, by then, as [`Reader::conversation`] tells each.
    ///
    /// # Errors
    /// [`NoAnswer::Stopped`] when the program is on its way out, [`NoAnswer::Withheld`] when it cannot be told.
    pub async fn list(
        &self,
        filter: Filter,
        after: Option<Id>,
        limit: usize,
        when: When,
    ) -> Result<Answer<Page>, NoAnswer> {
        self.ask(|to| Query::List { filter, after, limit, when, to }).await
    }

    /// What is known of a user; none when it is unknown.
    ///
    /// # Errors
    /// [`NoAnswer::Stopped`] when the program is on its way out, [`NoAnswer::Withheld`] when it cannot be told.
    pub async fn user(&self, id: Id) -> Result<Answer<Option<UserView>>, NoAnswer> {
        self.ask(|to| Query::User(id, to)).await
    }

    pub(crate) async fn ask<T>(
        &self,
        query: impl FnOnce(oneshot::Sender<T>) -> Query,
    ) -> Result<T, NoAnswer> {
        let (to, answer) = oneshot::channel();
        self.queries.send(query(to)).await.map_err(|_| NoAnswer::Stopped)?;
        answer.await.map_err(|_| self.why_not())
    }

    /// Works out the rest of an answer, which would hold up the shard.
    pub(crate) async fn elsewhere<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                tracing::error!(%error, "a question could not be answered");
                Err(self.why_not())
            }
            Err(_) => Err(NoAnswer::Stopped),
        }
    }

    fn why_not(&self) -> NoAnswer {
        if self.queries.is_closed() {
            return NoAnswer::Stopped;
        }
        let trouble = self.summary().store_trouble.clone();
        NoAnswer::Withheld(vec![trouble.unwrap_or_else(|| UNREADABLE.to_owned())])
    }
}
