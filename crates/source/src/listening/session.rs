//! The life of one notification channel and its sockets, without any I/O.
//!
//! The driver hands in what happened with the time as an argument (milliseconds on any clock that only goes forward),
//! then takes out actions until there are none, and comes back at [`Session::poll_timeout`]. So every order of events,
//! and 24 hours, can be played in a test without a socket.
//!
//! A channel is made, then a socket is opened to it; the newest open socket is the *main* one. A replacement (for
//! `socket_closing`, or a channel about to expire) is opened while the main one still delivers, which is then read on for
//! a while, so that nothing falls between the two. Whatever kills the channel (gone, evicted, token revoked, handshake
//! refused) makes a new one; whatever kills only the socket opens another to the same channel. Rejected: closing first
//! and connecting then (the platform replays nothing), and one wait for sockets and channels alike (making channels in a
//! loop evicts the channels of others).

use super::{Millis, millis};
use crate::Timing;
use outward::Backoff;
use std::collections::VecDeque;
use wire::Control;

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Make a channel and put the topics on it; with a fresh token if so asked, since a channel may die with its token.
    MakeChannel { fresh_token: bool },
    /// Open a socket to the channel that was made last.
    Open { socket: u32 },
    /// Close a socket; what it delivered is kept.
    Close { socket: u32 },
    /// Send a ping on a socket.
    Ping { socket: u32 },
    /// The feed listens from now on.
    Listening,
    /// The feed listens no longer.
    Lost(Cause),
    /// A socket was replaced without a gap, as far as is known.
    Replaced(Cause),
    /// A socket that was replaced was never heard again: it may have died in silence before, since when.
    Unproved {
        /// When it was heard last.
        since: Millis,
    },
    /// Read by REST what may have been missed.
    Repair,
}

/// Why a socket was lost or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nothing was heard, and a ping was not answered.
    Silent,
    /// The server closed it.
    Closed,
    /// The connection broke.
    Broken,
    /// The server said that it will close it.
    SocketClosing,
    /// The channel is gone.
    ChannelGone,
    /// The channel has no subscriptions any more.
    NoLongerSubscribed,
    /// The token that made the channel was revoked.
    TokenRevoked,
    /// The channel came near its end of life.
    Renewal,
    /// The server did not confirm the subscription.
    NotConfirmed,
    /// A part of the program panicked.
    Panicked,
}

#[derive(Debug)]
enum Making {
    Due { at: Millis, fresh_token: bool },
    Asked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opening,
    Main,
    /// Read on until then, beside its replacement; and pinged in between, since what comes at once may have lain in a buffer.
    Ending {
        until: Millis,
        ping_at: Option<Millis>,
    },
}

#[derive(Debug)]
struct Socket {
    id: u32,
    channel: u32,
    phase: Phase,
    opened_at: Millis,
    heard_at: Millis,
    pinged_at: Option<Millis>,
    /// The server said that it will close it.
    closing: bool,
    /// Until when it lived, as far as is proved.
    proved_at: Millis,
    /// When it was replaced, as long as it is not proved that it lived then.
    replaced_at: Option<Millis>,
}

/// One channel's life.
#[derive(Debug)]
pub(crate) struct Session {
    timing: Timing,
    making: Option<Making>,
    /// The number of the channel made last.
    channel: u32,
    /// When it was made; none while there is none that lives.
    made_at: Option<Millis>,
    sockets: Vec<Socket>,
    sockets_opened: u32,
    open_at: Option<Millis>,
    socket_waits: Backoff,
    channel_waits: Backoff,
    actions: VecDeque<Action>,
}

impl Cause {
    /// The metric label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Closed => "closed",
            Self::Broken => "broken",
            Self::SocketClosing => "socket_closing",
            Self::ChannelGone => "channel_gone",
            Self::NoLongerSubscribed => "no_longer_subscribed",
            Self::TokenRevoked => "token_revoked",
            Self::Renewal => "renewal",
            Self::NotConfirmed => "not_confirmed",
            Self::Panicked => "panicked",
        }
    }

    /// In words for a person.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Silent => "nothing was heard for too long and a ping was not answered",
            Self::Closed => "the server closed the socket",
            Self::Broken => "the connection broke",
            Self::SocketClosing => "the server announced that it closes the socket",
            Self::ChannelGone => "the channel expired or was evicted (a client has 20)",
            Self::NoLongerSubscribed => {
                "the channel lost its subscriptions; another program may use its client id"
            }
            Self::TokenRevoked => "the token that made the channel was revoked",
            Self::Renewal => "the channel came near its end of life",
            Self::NotConfirmed => "the server did not confirm the subscription",
            Self::Panicked => "a defect of the program stopped the feeds",
        }
    }
}

impl Session {
    /// A session that wants its first channel at once.
    pub fn new(timing: Timing, mut random: fastrand::Rng) -> Self {
        let waits = |random| Backoff::new(timing.backoff_min, timing.backoff_max, random);
        Self {
            making: Some(Making::Due { at: 0, fresh_token: false }),
            channel: 0,
            made_at: None,
            sockets: Vec::new(),
            sockets_opened: 0,
            open_at: None,
            socket_waits: waits(random.fork()),
            channel_waits: waits(random),
            actions: VecDeque::new(),
            timing,
        }
    }

    /// The channel that was asked for is there, its topics on it.
    pub fn handle_channel_made(&mut self, now: Millis) {
        self.making = None;
        self.channel += 1;
        self.made_at = Some(now);
        self.open_at = Some(now);
    }

    /// It could not be made; trying again before `retry_in` is of no use.
    pub fn handle_channel_failed(&mut self, now: Millis, retry_in: Millis) {
        let wait = millis(self.channel_waits.wait()).max(retry_in);
        self.making = Some(Making::Due { at: now + wait, fresh_token: false });
    }

    /// A socket is open.
    pub fn handle_open(&mut self, now: Millis, id: u32) {
        let overlap = millis(self.timing.overlap);
        let ending = Phase::Ending { until: now + overlap, ping_at: Some(now + overlap / 2) };
        let mut replaced = None;
        let Some(channel) = self.sockets.iter().find(|s| s.id == id).map(|s| s.channel) else { return };
        for socket in &mut self.sockets {
            if socket.id == id {
                socket.phase = Phase::Main;
                (socket.opened_at, socket.heard_at, socket.proved_at) = (now, now, now);
            } else if socket.phase == Phase::Main {
                (socket.phase, socket.replaced_at) = (ending, Some(now));
                replaced =
                    Some(if socket.channel == channel { Cause::SocketClosing } else { Cause::Renewal });
            }
        }
        self.actions.push_back(replaced.map_or(Action::Listening, Action::Replaced));
        self.actions.push_back(Action::Repair);
    }

    /// A socket could not be opened; `refused`: the handshake was answered 401 or 404, so the channel is no good.
    pub fn handle_open_failed(&mut self, now: Millis, id: u32, refused: bool) {
        let Some(socket) = self.remove(id) else { return };
        if socket.channel != self.channel {
            return;
        }
        if refused {
            self.abandon_channel(now, false);
        } else {
            self.open_at = Some(now + millis(self.socket_waits.wait()));
        }
    }

    /// A socket ended. One that was replaced may have ended before, and its end have lain in a buffer: what came on it proves
    /// more, or nothing does.
    pub fn handle_closed(&mut self, now: Millis, id: u32, cause: Cause) {
        if let Some(socket) = self.remove(id)
            && socket.phase == Phase::Main
        {
            self.lost(now, &socket, cause);
        }
    }

    /// Something was heard on a socket, which proves that it lived at an instant, `proved`. What comes after a silence that no
    /// watchdog would have borne lay in a buffer while nobody ran: it proves nothing about the time between, nor that the
    /// peer still lives.
    pub fn handle_heard(&mut self, now: Millis, id: u32, proved: Millis) {
        let silence_max = self.silence_max();
        let Some(at) = self.sockets.iter().position(|s| s.id == id) else { return };
        let pong_by = self.sockets[at].pinged_at.map(|pinged| pinged + millis(self.timing.pong_timeout));
        let socket = &mut self.sockets[at];
        let silent = now.saturating_sub(socket.heard_at) > silence_max;
        if silent && pong_by.is_none_or(|by| now > by) {
            if socket.phase == Phase::Main {
                self.fall_silent(now, at);
            }
            return;
        }
        (socket.heard_at, socket.pinged_at) = (now, None);
        socket.proved_at = socket.proved_at.max(proved);
        socket.replaced_at.take_if(|replaced| *replaced <= proved);
    }

    /// A message about the channel or the socket itself.
    pub fn handle_control(&mut self, now: Millis, id: u32, control: &Control) {
        match control {
            Control::SocketClosing => self.replace_socket(now, id),
            Control::ChannelGone => self.channel_died(now, id, Cause::ChannelGone),
            Control::NoLongerSubscribed { .. } => self.channel_died(now, id, Cause::NoLongerSubscribed),
            Control::TokenRevoked => self.channel_died(now, id, Cause::TokenRevoked),
            _ => {}
        }
    }

    /// Time went by.
    pub fn handle_timeout(&mut self, now: Millis) {
        self.watch(now);
        for socket in &mut self.sockets {
            if let Phase::Ending { ping_at, .. } = &mut socket.phase
                && ping_at.take_if(|at| *at <= now).is_some()
            {
                self.actions.push_back(Action::Ping { socket: socket.id });
            }
        }
        let expired = |s: &Socket| matches!(s.phase, Phase::Ending { until, .. } if until <= now);
        while let Some(id) = self.sockets.iter().find(|s| expired(s)).map(|s| s.id) {
            self.remove(id);
            self.actions.push_back(Action::Close { socket: id });
        }
        if self.making.is_none() && self.made_at.is_some_and(|at| at + self.renew_after() <= now) {
            self.making = Some(Making::Due { at: now, fresh_token: true });
        }
        if let Some(Making::Due { at, fresh_token }) = self.making
            && at <= now
        {
            self.making = Some(Making::Asked);
            self.actions.push_back(Action::MakeChannel { fresh_token });
        }
        if self.open_at.is_some_and(|at| at <= now) && self.made_at.is_some() && !self.is_opening() {
            self.open(now);
        }
    }

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Session::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Millis> {
        let sockets = self.sockets.iter().filter_map(|socket| match socket.phase {
            Phase::Opening => None,
            Phase::Main => Some(self.watch_at(socket)),
            Phase::Ending { until, ping_at } => Some(ping_at.unwrap_or(until)),
        });
        let making = match self.making {
            Some(Making::Due { at, .. }) => Some(at),
            Some(Making::Asked) => None,
            None => self.made_at.map(|at| at + self.renew_after()),
        };
        let open = self.open_at.filter(|_| self.made_at.is_some() && !self.is_opening());
        sockets.chain(making).chain(open).min()
    }

    fn watch_at(&self, socket: &Socket) -> Millis {
        match socket.pinged_at {
            Some(at) => at + millis(self.timing.pong_timeout),
            None => socket.heard_at + millis(self.timing.ping_after),
        }
    }

    fn watch(&mut self, now: Millis) {
        let Some(at) = self.sockets.iter().position(|s| s.phase == Phase::Main) else { return };
        if self.watch_at(&self.sockets[at]) > now {
            return;
        }
        let overdue = now.saturating_sub(self.sockets[at].heard_at) > self.silence_max();
        let socket = &mut self.sockets[at];
        if socket.pinged_at.is_none() && !overdue {
            socket.pinged_at = Some(now);
            self.actions.push_back(Action::Ping { socket: socket.id });
            return;
        }
        self.fall_silent(now, at);
    }

    fn fall_silent(&mut self, now: Millis, at: usize) {
        let socket = self.sockets.remove(at);
        self.actions.push_back(Action::Close { socket: socket.id });
        self.lost(now, &socket, Cause::Silent);
    }

    /// Longer than this no socket that lives is silent: by then it was pinged, and has answered.
    fn silence_max(&self) -> Millis {
        millis(self.timing.ping_after).saturating_add(millis(self.timing.pong_timeout))
    }

    fn replace_socket(&mut self, now: Millis, id: u32) {
        let Some(main) = self.main().filter(|main| main.id == id && !main.closing) else { return };
        main.closing = true;
        if !self.is_opening() && self.open_at.is_none() {
            self.open_at = Some(now);
        }
    }

    fn channel_died(&mut self, now: Millis, id: u32, cause: Cause) {
        let of_channel = |s: &&Socket| s.id == id && s.channel == self.channel;
        if self.made_at.is_none() || self.sockets.iter().find(of_channel).is_none() {
            return;
        }
        self.abandon_channel(now, cause == Cause::TokenRevoked);
        let listened = self.main().is_some();
        for socket in std::mem::take(&mut self.sockets) {
            self.note_unproved(&socket);
            self.actions.push_back(Action::Close { socket: socket.id });
        }
        if listened {
            self.actions.push_back(Action::Lost(cause));
        }
    }

    fn abandon_channel(&mut self, now: Millis, fresh_token: bool) {
        let lived = self.made_at.take().map_or(0, |at| now - at);
        self.open_at = None;
        if lived >= millis(self.timing.channel_stable_after) {
            self.channel_waits.reset();
        }
        if self.making.is_none() {
            self.making = Some(Making::Due { at: now + millis(self.channel_waits.wait()), fresh_token });
        }
    }

    fn lost(&mut self, now: Millis, socket: &Socket, cause: Cause) {
        self.actions.push_back(Action::Lost(cause));
        if now - socket.opened_at >= millis(self.timing.socket_stable_after) {
            self.socket_waits.reset();
        }
        if self.made_at.is_some() && !self.is_opening() && self.open_at.is_none() {
            self.open_at = Some(now + millis(self.socket_waits.wait()));
        }
    }

    fn open(&mut self, now: Millis) {
        self.open_at = None;
        self.sockets_opened += 1;
        let id = self.sockets_opened;
        self.sockets.push(Socket {
            id,
            channel: self.channel,
            phase: Phase::Opening,
            opened_at: now,
            heard_at: now,
            pinged_at: None,
            closing: false,
            proved_at: now,
            replaced_at: None,
        });
        self.actions.push_back(Action::Open { socket: id });
    }

    fn main(&mut self) -> Option<&mut Socket> {
        self.sockets.iter_mut().find(|s| s.phase == Phase::Main)
    }

    fn is_opening(&self) -> bool {
        self.sockets.iter().any(|s| s.phase == Phase::Opening)
    }

    fn remove(&mut self, id: u32) -> Option<Socket> {
        let at = self.sockets.iter().position(|s| s.id == id)?;
        let socket = self.sockets.remove(at);
        self.note_unproved(&socket);
        Some(socket)
    }

    fn note_unproved(&mut self, socket: &Socket) {
        if socket.replaced_at.is_some() {
            self.actions.push_back(Action::Unproved { since: socket.proved_at });
        }
    }

    fn renew_after(&self) -> Millis {
        millis(self.timing.channel_renew_after)
    }
}

#[cfg(test)]
mod tests;
