//! A Genesys Cloud that misbehaves on request, and the truth of what it played.
//!
//! Whoever builds a consumer of the platform's real-time feeds needs three things that no test account gives: a centre
//! where everything that can happen does, a network that loses, doubles and reorders on demand, and an answer sheet.
//! The simulator is all three: one model of a contact centre, decided by a seed; the platform's own REST interface
//! and sockets in front of it, in both dialects; and [`Truth`], which says what really happened.
//!
//! It shares no encoding or decoding with the program that it tests, or both could be wrong in the same way and agree.
//!
//! Rejected: recorded traffic (it holds people's data, it cannot misbehave differently on each run, and nobody knows
//! the truth behind it), and mocks of single endpoints (the platform's pitfalls lie between its endpoints).

mod body;
mod centre;
mod control;
mod delays;
mod driver;
mod faults;
mod http;
mod options;
mod shared;
mod socket;
mod stage;
mod time;
mod truth;
mod world;

pub use control::Control;
pub use faults::FaultOptions;
pub use options::{Dialect, Options, parse_duration};
pub use stage::{Frame, Outlet, Stage};
pub use time::{Millis, Stamp};
pub use truth::{
    ActivePoint, Communication, Conversation, Event, EventParticipant, Fact, Id, Minutes, Participant, Truth,
};

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::shared::Shared;

/// How long tasks have to end after a stop.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// Why a simulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Options that make no sense, all of them.
    #[error("{}", .0.join("; "))]
    Options(Vec<String>),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
}

/// Where a simulator is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Urls {
    /// Base of `POST {login}/oauth/token`.
    pub login: String,
    /// Base of `{api}/api/v2/...`.
    pub api: String,
    /// The events socket, without a token.
    pub events: String,
}

/// A running simulator. Dropping it stops it without waiting.
pub struct Simulator {
    shared: Arc<Shared>,
}

impl Simulator {
    /// Listens and begins to play, in tasks on the current tokio runtime.
    ///
    /// # Errors
    /// When the options make no sense (an address that is not loopback among them) or the address is taken.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let problems = options.problems();
        if !problems.is_empty() {
            return Err(StartError::Options(problems));
        }
        let address = options.listen;
        let listen_error = |error| StartError::Listen { address, error };
        let listener = TcpListener::bind(address).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let shared = Arc::new(Shared::new(options, address));
        let router = http::router(shared.clone());
        let stop = shared.stop.clone();
        shared.tasks.spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
            if let Err(error) = served.await {
                tracing::error!(%error, "the simulator stopped listening");
            }
        });
        shared.tasks.spawn(driver::run(shared.clone()));
        shared.tasks.spawn(driver::write_truth(shared.clone()));
        Ok(Self { shared })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Where a client has to be pointed to.
    #[must_use]
    pub fn urls(&self) -> Urls {
        let base = format!("http://{}", self.shared.address);
        let events = format!("ws://{}/api/v2/events", self.shared.address);
        Urls { login: base.clone(), api: base, events }
    }

    /// What really happened until now.
    #[must_use]
    pub fn truth(&self) -> Truth {
        self.shared.world().truth(self.shared.now())
    }

    /// Waits until no conversation will start any more, all have been played out, and every frame has been delivered
    /// or lost. Sockets and REST stay up. A run without `--conversations` and `--duration` never finishes.
    pub async fn finished(&self) {
        // The sender lives in `shared`, so the wait cannot fail.
        let _ = self.shared.finished.subscribe().wait_for(|finished| *finished).await;
    }

    /// A handle to make things go wrong.
    #[must_use]
    pub fn control(&self) -> Control {
        Control::new(self.shared.clone())
    }

    /// Ends all tasks and sockets and writes the truth file for the last time.
    pub async fn stop(self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        if tokio::time::timeout(STOP_WITHIN, self.shared.tasks.wait()).await.is_err() {
            tracing::warn!("some tasks of the simulator did not end in time");
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}
