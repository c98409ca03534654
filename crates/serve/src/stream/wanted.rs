//! Which changes a follower is told of.
//!
//! A conversation passes as it does in the list (`Filter`): it has a participant with this queue and this user. What
//! is judged is the conversation once the change was published, which the change itself carries: nothing is remembered
//! from one change to the next, so a follower that comes back is told of the same ones. Rejected: judging the change's
//! own participant (the customer hangs up, and who watches the queue is never told).

use crate::error::Problem;
use crate::parameters::Parameters;
use engine::{Belongs, Change, ConversationView, Filter, Id};

/// What a follower asked for.
#[derive(Debug)]
pub(super) struct Wanted {
    /// This one alone.
    pub conversation: Option<Id>,
    queue: Option<Id>,
    user: Option<Id>,
}

impl Wanted {
    /// What the parameters ask for.
    ///
    /// # Errors
    /// When a value is none.
    pub fn of(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            conversation: given
                .take_as("conversationId", "a conversation's id", |text| Id::new(text).ok())?,
            queue: given.take_as("queueId", "a queue's id", |text| Id::new(text).ok())?,
            user: given.take_as("userId", "a user's id", |text| Id::new(text).ok())?,
        })
    }

    /// Whether it is told of this change.
    pub fn passes(&self, change: &Change) -> bool {
        let holds = |wanted: &Option<Id>, is: &Option<Id>| wanted.is_none() || wanted == is;
        let of = |p: &Belongs| holds(&self.queue, &p.queue) && holds(&self.user, &p.user);
        self.conversation.as_ref().is_none_or(|id| *id == change.conversation)
            && (self.of_all() || change.about.iter().any(of))
    }

    /// Which of those that are active now pass.
    pub fn active(&self) -> Filter {
        Filter { active: Some(true), queue: self.queue.clone(), user: self.user.clone(), ..Filter::default() }
    }

    /// Whether the conversation asked for is active and passes.
    pub fn is_active(&self, view: &ConversationView) -> bool {
        self.active().matches(view)
    }

    /// Whether every conversation passes that is asked for.
    pub fn of_all(&self) -> bool {
        self.queue.is_none() && self.user.is_none()
    }
}
