//! What a test can make go wrong while the simulator runs.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::http::StatusCode;

use crate::options::Dialect;
use crate::shared::Shared;
use crate::socket::channels::{closing, system};

/// A handle on a running simulator. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Cuts every socket without a word.
    pub fn drop_sockets(&self) {
        let world = self.shared.world();
        world.channels.sockets().for_each(|(_, socket)| socket.cut());
        world.gateway.sockets().for_each(|socket| socket.cut());
    }

    /// Voids every token; channels are told so.
    pub fn revoke_tokens(&self) {
        let mut world = self.shared.world();
        world.access.revoke_all();
        for (channel, socket) in world.channels.sockets() {
            socket.say(system(&format!("v2.system.token_revoked.{channel}"), channel, "token_revoked"));
        }
    }

    /// Removes every notification channel and closes its socket.
    pub fn remove_channels(&self) {
        self.shared.world().channels.remove_all();
    }

    /// Tells every notification socket that it will close soon. From then on a second socket may live beside it;
    /// the first stays until [`Self::drop_sockets`] or its own time.
    pub fn announce_socket_closing(&self) {
        for (channel, socket) in self.shared.world().channels.sockets() {
            socket.set_closing();
            socket.say(closing(channel));
        }
    }

    /// Sends a text frame as it is to every socket of a dialect.
    pub fn inject(&self, dialect: Dialect, text: &str) {
        let world = self.shared.world();
        if dialect.speaks(Dialect::Notifications) {
            world.channels.sockets().for_each(|(_, socket)| socket.say(text.to_owned()));
        }
        if dialect.speaks(Dialect::Events) {
            world.gateway.sockets().for_each(|socket| socket.say(text.to_owned()));
        }
    }

    /// From now on topics that begin with `prefix` are rejected for want of their permission.
    pub fn reject_topics(&self, prefix: &str) {
        self.shared.world().channels.reject(prefix);
    }

    /// From now on REST paths that begin with `prefix` (for example `/api/v2/users`) answer 403 for want of
    /// `permission`.
    pub fn forbid_path(&self, prefix: &str, permission: &str) {
        self.shared.world().access.forbid(prefix, permission);
    }

    /// The next `count` REST requests fail with `status`; a number that is no HTTP status counts as 500.
    pub fn fail_next(&self, count: usize, status: u16) {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.shared.world().access.fail_next(count, status);
    }

    /// Stops writing anything to any socket, heartbeats included, without closing it; `false` starts again.
    pub fn silence(&self, silent: bool) {
        self.shared.silent.store(silent, Ordering::SeqCst);
    }

    /// How many sockets are connected: those of channels, and subscribed ones of the events dialect.
    #[must_use]
    pub fn sockets(&self) -> (usize, usize) {
        let world = self.shared.world();
        (world.channels.sockets().count(), world.gateway.sockets().count())
    }
}
