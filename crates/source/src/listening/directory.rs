//! Which queues and users there are, list by list and page by page.
//!
//! Nobody is heard whom no list names. So a list that fails is asked again, from the page that failed, after waits that
//! begin with a second and grow; what was read of it is used meanwhile. A list is known when it was read whole, and for as
//! long as it is read whole again in time; until then it says what is wrong and since when. What is new in a list was
//! missed since the reading before began.
//!
//! Rejected: starting over after a failure (a list of a hundred pages on a bad day is never through), and waiting until
//! the next regular look (ten minutes in which half of an organisation is not heard).

use super::{Failure, Millis, millis};
use crate::{Timing, TopicTarget};
use engine::Id;
use outward::Backoff;
use std::time::Duration;

/// Pages read of one list: 100,000 users, five times what all channels of a client take.
pub(crate) const PAGES_MAX: u32 = 1_000;
/// The scale of the first waits after a failure.
const RETRY_MIN: Duration = Duration::from_secs(1);
/// What takes a person to mend is asked for so rarely at first, and never more rarely than lists are read anyway.
const LASTING_RETRY_MIN: Duration = Duration::from_secs(30);
/// How many regular readings may fail until a list that was known is not any more.
const READINGS_MISSED_MAX: u32 = 2;

/// A list of the organisation's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListKind {
    /// Its queues.
    Queues,
    /// Its users.
    Users,
}

/// One page of a list, as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The ids on it.
    pub ids: Vec<Id>,
    /// No page follows.
    pub is_last: bool,
}

/// What a list named, to be listened to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub targets: Vec<TopicTarget>,
    /// Since when those of them that are new may have been missed: the beginning of the last whole reading.
    pub since: Millis,
}

/// Both lists.
#[derive(Debug)]
pub(super) struct Directory {
    lists: [List; 2],
}

#[derive(Debug)]
struct List {
    kind: ListKind,
    timing: Timing,
    /// The page that is asked for next, from 1.
    page: u32,
    is_asked: bool,
    /// When it is asked for.
    due: Millis,
    /// When the present reading began; `None` between two.
    began: Option<Millis>,
    /// When the last whole reading began.
    whole: Option<Millis>,
    /// What the present reading found and nobody was told yet.
    found: Vec<TopicTarget>,
    failure: Option<String>,
    waits: Backoff,
    lasting_waits: Backoff,
}

impl ListKind {
    const ALL: [Self; 2] = [Self::Queues, Self::Users];

    /// In words for a person.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queues => "queues",
            Self::Users => "users",
        }
    }

    fn target(self, id: Id) -> TopicTarget {
        match self {
            Self::Queues => TopicTarget::Queue(id),
            Self::Users => TopicTarget::User(id),
        }
    }
}

impl Directory {
    /// Both lists, to be read at once.
    pub fn new(timing: Timing, random: &mut fastrand::Rng) -> Self {
        Self { lists: ListKind::ALL.map(|kind| List::new(kind, timing, random)) }
    }

    /// The page to ask for, until there is none at present.
    pub fn poll_ask(&mut self, now: Millis) -> Option<(ListKind, u32)> {
        let list = self.lists.iter_mut().find(|list| !list.is_asked && list.due <= now)?;
        list.is_asked = true;
        list.began.get_or_insert(now);
        Some((list.kind, list.page))
    }

    /// When [`Directory::poll_ask`] has something.
    pub fn poll_timeout(&self) -> Option<Millis> {
        self.lists.iter().filter(|list| !list.is_asked).map(|list| list.due).min()
    }

    /// A page came.
    pub fn handle_page(&mut self, now: Millis, kind: ListKind, page: Page) -> Option<Named> {
        self.list(kind)?.read(now, page)
    }

    /// A page did not come.
    pub fn handle_failure(&mut self, now: Millis, kind: ListKind, failure: Failure) -> Option<Named> {
        self.list(kind)?.fail(now, failure)
    }

    /// Whether each list was read whole or failed once.
    pub fn was_tried(&self) -> bool {
        self.lists.iter().all(|list| list.whole.is_some() || list.failure.is_some())
    }

    /// Why somebody may be there whom nobody knows of, and since when; `None` when both lists are known.
    pub fn unknown(&self, now: Millis) -> Option<(String, Millis)> {
        let unknown = || self.lists.iter().filter(|list| !list.is_known(now));
        let since = unknown().map(|list| list.whole.unwrap_or(0)).min()?;
        let why = told_once(unknown().map(|list| {
            let why = list.failure.as_ref();
            (list.kind, why.map_or("not read yet".to_owned(), |failure| format!("not whole: {failure}")))
        }));
        Some((
            why.map(|(kinds, why)| format!("the list of {kinds} is {why}")).collect::<Vec<_>>().join("; "),
            since,
        ))
    }

    /// What fails at present, whether the list is known from before or not; `None` before each was tried once.
    pub fn failing(&self) -> Option<String> {
        let failing = self.lists.iter().filter_map(|list| Some((list.kind, list.failure.clone()?)));
        let told = told_once(failing).map(|(kinds, why)| format!("the {kinds} cannot be looked up: {why}"));
        let told = told.collect::<Vec<_>>().join("; ");
        (self.was_tried() && !told.is_empty()).then_some(told)
    }

    fn list(&mut self, kind: ListKind) -> Option<&mut List> {
        self.lists.iter_mut().find(|list| list.kind == kind)
    }
}

impl List {
    fn new(kind: ListKind, timing: Timing, random: &mut fastrand::Rng) -> Self {
        let retry_min = timing.backoff_min.max(RETRY_MIN).min(timing.backoff_max);
        let lasting_min = LASTING_RETRY_MIN.min(timing.rediscover_every);
        Self {
            kind,
            page: 1,
            is_asked: false,
            due: 0,
            began: None,
            whole: None,
            found: Vec::new(),
            failure: None,
            waits: Backoff::new(retry_min, timing.backoff_max, random.fork()),
            lasting_waits: Backoff::new(lasting_min, timing.rediscover_every, random.fork()),
            timing,
        }
    }

    fn read(&mut self, now: Millis, page: Page) -> Option<Named> {
        self.is_asked = false;
        self.found.extend(page.ids.into_iter().map(|id| self.kind.target(id)));
        if !page.is_last && self.page < PAGES_MAX {
            self.page += 1;
            self.due = now;
            return None;
        }
        let named = self.hand_over();
        self.whole = self.began.take();
        (self.page, self.failure) = (1, None);
        self.due = now + millis(self.timing.rediscover_every);
        self.waits.reset();
        self.lasting_waits.reset();
        named
    }

    fn fail(&mut self, now: Millis, failure: Failure) -> Option<Named> {
        self.is_asked = false;
        let waits = if failure.lasting { &mut self.lasting_waits } else { &mut self.waits };
        let wait = waits.wait().max(failure.retry_in).max(self.timing.backoff_min);
        self.due = now + millis(wait);
        self.failure = Some(failure.problem);
        self.hand_over()
    }

    fn hand_over(&mut self) -> Option<Named> {
        let targets = std::mem::take(&mut self.found);
        (!targets.is_empty()).then_some(Named { targets, since: self.whole.unwrap_or(0) })
    }

    fn is_known(&self, now: Millis) -> bool {
        let lasts = millis(self.timing.rediscover_every).saturating_mul(u64::from(READINGS_MISSED_MAX));
        self.whole.is_some_and(|began| self.failure.is_none() || now <= began.saturating_add(lasts))
    }
}

/// What is so of lists, with those of which the same is so together.
fn told_once(said: impl Iterator<Item = (ListKind, String)>) -> impl Iterator<Item = (String, String)> {
    let mut kinds_of: Vec<(Vec<&str>, String)> = Vec::new();
    for (kind, what) in said {
        match kinds_of.iter_mut().find(|(_, known)| *known == what) {
            Some((kinds, _)) => kinds.push(kind.as_str()),
            None => kinds_of.push((vec![kind.as_str()], what)),
        }
    }
    kinds_of.into_iter().map(|(kinds, what)| (kinds.join(" and "), what))
}

#[cfg(test)]
mod tests;
