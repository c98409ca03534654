//! Lists, topics, channels and sockets as one machine.
//!
//! The first channel is there from the start, also while nothing is known to put on it: it is the one that says why nothing
//! is heard. What a channel does not hear is *limited*: from the instant since when something may be missed until all is
//! heard, and then a repair looks back to that instant. The first channel also answers for what no channel carries: lists
//! that are not known, topics for which no channel is left.

use super::directory::{Directory, ListKind, Named, Page};
use super::plan::{CHANNELS_MAX, Plan, TOPICS_OF_CHANNEL_MAX};
use super::session::{Action, Cause, Session};
use super::subscriptions::{Answer, Rejection, Subscriptions};
use super::{Failure, Millis, millis};
use crate::{Timing, TopicTarget, Topics};
use std::collections::VecDeque;
use std::time::Duration;
use wire::Control;

/// What the driver is to do. Channels are numbered from 0, as their feeds are; sockets from 1 within their channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read a page of a list, from 1.
    ReadPage(ListKind, u32),
    /// Make a channel on the platform; with a fresh token if so asked, since a channel may die with its token.
    MakeChannel {
        /// Which.
        channel: usize,
        /// Not with a token that was used before.
        fresh_token: bool,
    },
    /// Put topics on the channel that was made last.
    Subscribe {
        /// Which.
        channel: usize,
        /// Which of those that were made for it, to be given back with the answer.
        made: u32,
        /// The topics.
        topics: Vec<String>,
    },
    /// Open a socket.
    Open {
        /// Which channel.
        channel: usize,
        /// To which of those that were made for it, from 1: a newer one may lack its topics yet.
        made: u32,
        /// The socket.
        socket: u32,
    },
    /// Close a socket; what it delivered is kept.
    Close(usize, u32),
    /// Send a ping on a socket.
    Ping(usize, u32),
    /// The feed listens from now on.
    Listening(usize),
    /// The feed listens no longer.
    Lost(usize, Cause),
    /// A socket was replaced without a gap.
    Replaced(usize, Cause),
    /// The feed cannot listen at present.
    Failing {
        /// Which.
        channel: usize,
        /// Why, in words for a person.
        problem: String,
        /// When it is tried again.
        retry_in: Duration,
    },
    /// What the feed does not hear, and since when; `None` when it hears everything again.
    Limited(usize, Option<(String, Millis)>),
    /// Read by REST what the feed may have missed.
    Repair(usize),
    /// The topics of a feed that the platform rejects.
    Rejected(usize, Vec<Rejection>),
    /// What is wrong with looking up whom to listen to; `None` when nothing is.
    Lookup(Option<String>),
}

/// The machine.
#[derive(Debug)]
pub struct Listener {
    timing: Timing,
    random: fastrand::Rng,
    /// `None` when the topics are named.
    directory: Option<Directory>,
    plan: Plan,
    /// Since when there are topics for which no channel is left.
    left_over_since: Option<Millis>,
    /// What lists named before each of them was tried once.
    named: Vec<Named>,
    channels: Vec<Channel>,
    lookup: Option<String>,
    effects: VecDeque<Effect>,
}

/// One channel, through all that are made for it on the platform.
#[derive(Debug)]
struct Channel {
    /// `None` while there is nothing to put on it.
    session: Option<Session>,
    subscriptions: Subscriptions,
    /// How many were made on the platform.
    made: u32,
    /// Which of them is the session's: its topics were put on.
    prepared: u32,
    /// The session does not know yet that the newest is there: its topics are being put on.
    preparing: bool,
    listens: bool,
    /// What its newest subscriptions do not hear is what is not heard: no older socket delivers meanwhile.
    is_newest: bool,
    /// What the socket that delivers does not hear.
    unheard: Option<String>,
    limited: Option<(String, Millis)>,
    /// What was said last to be rejected.
    rejected: Vec<Rejection>,
}

impl Listener {
    /// A machine that answers for all time from the instant 0 on, and is driven from any later one.
    #[must_use]
    pub fn new(topics: &Topics, timing: Timing, mut random: fastrand::Rng) -> Self {
        let directory = (*topics == Topics::Discover).then(|| Directory::new(timing, &mut random));
        let first = Channel::new(&timing, random.fork());
        let mut listener = Self {
            timing,
            random,
            directory,
            plan: Plan::default(),
            left_over_since: None,
            named: Vec::new(),
            channels: vec![first],
            lookup: None,
            effects: VecDeque::new(),
        };
        if let Topics::Named(targets) = topics {
            listener.listen_to(0, targets.clone(), 0);
        }
        listener.tell_limit(0, 0, 0);
        listener
    }

    /// How many channels there are; each is a feed.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    /// Whether there is anybody to listen to.
    #[must_use]
    pub fn knows_anybody(&self) -> bool {
        self.plan.len() > 0
    }

    /// A page of a list came, or did not.
    pub fn handle_page(&mut self, now: Millis, list: ListKind, page: Result<Page, Failure>) {
        let Some(directory) = &mut self.directory else { return };
        let named = match page {
            Ok(page) => directory.handle_page(now, list, page),
            Err(failure) => directory.handle_failure(now, list, failure),
        };
        self.named.extend(named);
        if directory.was_tried() {
            for Named { targets, since } in std::mem::take(&mut self.named) {
                self.listen_to(now, targets, since);
            }
        }
        self.tell_lookup(now);
        self.limit(now, 0);
    }

    /// A channel was made on the platform, or could not be.
    pub fn handle_channel(&mut self, now: Millis, at: usize, made: Result<(), Failure>) {
        let Some(channel) = self.channels.get_mut(at) else { return };
        match made {
            Ok(()) => {
                channel.made += 1;
                channel.preparing = true;
                channel.is_newest = !channel.listens;
                channel.subscriptions.begin(now, channel.made);
                self.prepared(now, at);
            }
            Err(failure) => self.channel_failed(now, at, &failure),
        }
    }

    /// Topics were put on a channel, or could not be; `made` as the effect gave it.
    pub fn handle_subscribed(&mut self, now: Millis, at: usize, made: u32, answer: Result<Answer, Failure>) {
        let Some(channel) = self.channels.get_mut(at) else { return };
        match answer {
            Ok(answer) => channel.subscriptions.handle_answer(now, made, answer),
            Err(failure) => channel.subscriptions.handle_failure(now, made, failure),
        }
        self.prepared(now, at);
        self.tell_rejected(at);
        self.limit(now, at);
    }

    /// A socket is open.
    pub fn handle_open(&mut self, now: Millis, at: usize, socket: u32) {
        self.with_session(now, at, |session| session.handle_open(now, socket));
    }

    /// A socket could not be opened; `refused`: the channel is no good.
    pub fn handle_open_failed(
        &mut self,
        now: Millis,
        at: usize,
        socket: u32,
        refused: bool,
        problem: String,
    ) {
        self.with_session(now, at, |session| session.handle_open_failed(now, socket, refused));
        self.failing(now, at, problem);
    }

    /// Something was heard on a socket, which proves that it lived at an instant, `proved`.
    pub fn handle_heard(&mut self, now: Millis, at: usize, socket: u32, proved: Millis) {
        self.with_session(now, at, |session| session.handle_heard(now, socket, proved));
    }

    /// A message about the channel or the socket itself.
    pub fn handle_control(&mut self, now: Millis, at: usize, socket: u32, control: &Control) {
        self.with_session(now, at, |session| session.handle_control(now, socket, control));
    }

    /// A socket ended.
    pub fn handle_closed(&mut self, now: Millis, at: usize, socket: u32, cause: Cause) {
        self.with_session(now, at, |session| session.handle_closed(now, socket, cause));
    }

    /// Time went by.
    pub fn handle_timeout(&mut self, now: Millis) {
        for at in 0..self.channels.len() {
            self.with_session(now, at, |session| session.handle_timeout(now));
            let Some(channel) = self.channels.get_mut(at) else { continue };
            if let Some((made, topics)) = channel.subscriptions.poll_ask(now) {
                self.effects.push_back(Effect::Subscribe { channel: at, made, topics });
            }
        }
        let Some(directory) = &mut self.directory else { return };
        while let Some((list, page)) = directory.poll_ask(now) {
            self.effects.push_back(Effect::ReadPage(list, page));
        }
        self.limit(now, 0);
    }

    /// The next thing to do.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Listener::handle_timeout`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Millis> {
        let channels = self.channels.iter().flat_map(|channel| {
            let session = channel.session.as_ref().and_then(Session::poll_timeout);
            [session, channel.subscriptions.poll_timeout()]
        });
        let directory = self.directory.as_ref().and_then(Directory::poll_timeout);
        channels.flatten().chain(directory).min()
    }

    fn listen_to(&mut self, now: Millis, targets: Vec<TopicTarget>, since: Millis) {
        let left_over = self.plan.left_over();
        let shares = self.plan.add(targets);
        if self.plan.left_over() > left_over {
            self.left_over_since = Some(self.left_over_since.map_or(since, |known| known.min(since)));
        }
        for share in shares {
            while self.channels.len() <= share.channel {
                self.channels.push(Channel::new(&self.timing, self.random.fork()));
            }
            let Some(channel) = self.channels.get_mut(share.channel) else { continue };
            if channel.made > 0 || since > 0 {
                channel.unheard = Some(format!("{} topics are not subscribed yet", share.topics.len()));
            }
            channel.subscriptions.add(now, share.topics);
            let (timing, random) = (self.timing, &mut self.random);
            channel.session.get_or_insert_with(|| Session::new(timing, random.fork()));
            self.tell_limit(now, share.channel, since);
        }
    }

    /// Hands the newest channel to its session once each of its topics was asked for.
    fn prepared(&mut self, now: Millis, at: usize) {
        let Some(channel) = self.channels.get_mut(at) else { return };
        if !channel.preparing || !channel.subscriptions.were_tried() {
            return;
        }
        channel.preparing = false;
        match channel.subscriptions.failure() {
            Some(failure) if !channel.subscriptions.any_settled() => {
                let failure = failure.clone();
                self.channel_failed(now, at, &failure);
            }
            _ => {
                channel.prepared = channel.made;
                self.with_session(now, at, |session| session.handle_channel_made(now));
            }
        }
    }

    fn channel_failed(&mut self, now: Millis, at: usize, failure: &Failure) {
        let retry_in = millis(failure.retry_in);
        self.with_session(now, at, |session| session.handle_channel_failed(now, retry_in));
        self.failing(now, at, format!("no notification channel could be made: {}", failure.problem));
    }

    fn failing(&mut self, now: Millis, channel: usize, problem: String) {
        let due = self.channels.get(channel).and_then(|c| c.session.as_ref()?.poll_timeout());
        let retry_in = Duration::from_millis(due.map_or(0, |due| due.saturating_sub(now)));
        self.effects.push_back(Effect::Failing { channel, problem, retry_in });
    }

    fn with_session(&mut self, now: Millis, at: usize, act: impl FnOnce(&mut Session)) {
        let Some(session) = self.channels.get_mut(at).and_then(|channel| channel.session.as_mut()) else {
            return;
        };
        act(session);
        while let Some(action) = self.next_action(at) {
            self.take(now, at, action);
        }
    }

    fn next_action(&mut self, at: usize) -> Option<Action> {
        self.channels.get_mut(at)?.session.as_mut()?.poll_action()
    }

    fn take(&mut self, now: Millis, at: usize, action: Action) {
        let Some(channel) = self.channels.get_mut(at) else { return };
        let effect = match action {
            Action::MakeChannel { fresh_token } => Effect::MakeChannel { channel: at, fresh_token },
            Action::Open { socket } => Effect::Open { channel: at, made: channel.prepared, socket },
            Action::Close { socket } => Effect::Close(at, socket),
            Action::Ping { socket } => Effect::Ping(at, socket),
            Action::Repair => Effect::Repair(at),
            Action::Unproved { since } => return self.tell_unproved(now, at, since),
            Action::Lost(cause) => {
                channel.listens = false;
                Effect::Lost(at, cause)
            }
            Action::Listening => {
                (channel.listens, channel.is_newest) = (true, !channel.preparing);
                Effect::Listening(at)
            }
            Action::Replaced(cause) => {
                channel.is_newest = !channel.preparing;
                Effect::Replaced(at, cause)
            }
        };
        let speaks = matches!(effect, Effect::Listening(_) | Effect::Replaced(..));
        self.effects.push_back(effect);
        if speaks {
            self.limit(now, at);
        }
    }

    /// Looks at what a channel does not hear, and says it if that is news.
    fn limit(&mut self, now: Millis, at: usize) {
        let Some(channel) = self.channels.get_mut(at) else { return };
        if channel.made > 0 && !channel.preparing && (channel.is_newest || !channel.listens) {
            channel.unheard = channel.subscriptions.unheard();
        }
        self.tell_limit(now, at, now);
    }

    /// Says what a channel does not hear, if that is news; what its subscriptions lack was missed since `since`.
    fn tell_limit(&mut self, now: Millis, at: usize, since: Millis) {
        let beyond = if at == 0 { self.uncarried(now) } else { Vec::new() };
        let Some(channel) = self.channels.get_mut(at) else { return };
        let since = beyond.iter().map(|(_, since)| *since).fold(since, Millis::min);
        let beyond = beyond.into_iter().map(|(reason, _)| reason);
        let reasons: Vec<String> = beyond.chain(channel.unheard.clone()).collect();
        let reason = (!reasons.is_empty()).then(|| reasons.join("; "));
        let limited = match (reason, &channel.limited) {
            (None, None) => return,
            (None, Some(_)) => None,
            (Some(reason), Some((known, from))) => {
                if reason == *known && since >= *from {
                    return;
                }
                Some((reason, since.min(*from)))
            }
            (Some(reason), None) => Some((reason, since)),
        };
        channel.limited.clone_from(&limited);
        let heals = limited.is_none() && channel.listens;
        self.effects.push_back(Effect::Limited(at, limited));
        if heals {
            self.effects.push_back(Effect::Repair(at));
        }
    }

    /// What a socket that was replaced may not have heard since `since` is a hole, which ends with its replacement.
    fn tell_unproved(&mut self, now: Millis, at: usize, since: Millis) {
        let reason = Some("a socket was replaced that may have died in silence before".to_owned());
        let Some(channel) = self.channels.get_mut(at) else { return };
        let unheard = std::mem::replace(&mut channel.unheard, reason);
        self.tell_limit(now, at, since);
        if let Some(channel) = self.channels.get_mut(at) {
            channel.unheard = unheard;
        }
        self.limit(now, at);
    }

    /// What no channel carries, and since when: of lists that are not known, and beyond all channels.
    fn uncarried(&self, now: Millis) -> Vec<(String, Millis)> {
        let unknown = self.directory.as_ref().and_then(|directory| directory.unknown(now));
        let left_over = self.left_over_since.map(|since| {
            let reason = format!(
                "{} queues and users are not heard: {CHANNELS_MAX} channels of {TOPICS_OF_CHANNEL_MAX} topics are all \
                 that one OAuth client has; name the topics, or share them between several clients",
                self.plan.left_over()
            );
            (reason, since)
        });
        unknown.into_iter().chain(left_over).collect()
    }

    /// Says what a channel's topics are rejected, if that is news: others in place of as many before are.
    fn tell_rejected(&mut self, at: usize) {
        let Some(channel) = self.channels.get_mut(at) else { return };
        let rejected: Vec<Rejection> = channel.subscriptions.rejected().cloned().collect();
        if channel.rejected != rejected {
            channel.rejected.clone_from(&rejected);
            self.effects.push_back(Effect::Rejected(at, rejected));
        }
    }

    /// Says what is wrong with looking up, where that is news; and that nothing can be heard, where nobody is known.
    fn tell_lookup(&mut self, now: Millis) {
        let Some(directory) = &self.directory else { return };
        let nobody = directory.was_tried() && !self.knows_anybody();
        let nobody = nobody.then(|| {
            "the organisation shows no queue and no user to this OAuth client: look at its divisions"
                .to_owned()
        });
        let lookup = directory.failing().or(nobody);
        let retry_in = directory.poll_timeout().map_or(0, |due| due.saturating_sub(now));
        if lookup == self.lookup {
            return;
        }
        self.lookup.clone_from(&lookup);
        self.effects.push_back(Effect::Lookup(lookup.clone()));
        if let Some(problem) = lookup.filter(|_| !self.knows_anybody()) {
            let retry_in = Duration::from_millis(retry_in);
            self.effects.push_back(Effect::Failing { channel: 0, problem, retry_in });
        }
    }
}

impl Channel {
    fn new(timing: &Timing, random: fastrand::Rng) -> Self {
        Self {
            session: None,
            subscriptions: Subscriptions::new(timing, random),
            made: 0,
            prepared: 0,
            preparing: false,
            listens: false,
            is_newest: true,
            unheard: None,
            limited: None,
            rejected: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
