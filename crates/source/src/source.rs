//! Starts the parts of a source and stops them.

use crate::context::Context;
use crate::health::Health;
use crate::repair::{self, Rounds};
use crate::sink::Sink;
use crate::{Dialect, Settings, events, notifications};
use outward::SetupError;
use pipeline::{Clock, Telemetry, Wish};
use std::fmt;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A running source: sockets that are read, holes that are closed, until its token is cancelled.
pub struct Source {
    tasks: JoinSet<()>,
    health: Arc<dyn Fn() -> Health + Send + Sync>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("health", &self.health()).finish_non_exhaustive()
    }
}

impl Source {
    /// Starts in the background; must be called inside a Tokio runtime. What it hears goes to `sink`, what the engine
    /// wants read again comes from `wishes`.
    ///
    /// # Errors
    /// [`SetupError`] when no client can be made at all. Anything the network or the platform does wrong later is said
    /// in the log and in [`Source::health`], and tried again.
    pub fn start<S: Sink>(
        settings: Settings,
        sink: S,
        wishes: mpsc::Receiver<Wish>,
        telemetry: Arc<Telemetry>,
        clock: Clock,
        cancel: CancellationToken,
    ) -> Result<Self, SetupError> {
        let context = Arc::new(Context::new(settings, sink, telemetry, clock, cancel)?);
        let mut tasks = JoinSet::new();
        match context.settings.dialect {
            Dialect::Notifications => {
                let rounds = Rounds::default();
                tasks.spawn(repair::run(context.clone(), rounds.clone(), wishes));
                tasks.spawn(notifications::run(context.clone(), rounds));
            }
            Dialect::Events => {
                tasks.spawn(repair::ignore(context.clone(), wishes));
                tasks.spawn(events::run(context.clone()));
            }
        }
        Ok(Self { tasks, health: Arc::new(move || context.board.read()) })
    }

    /// Waits until everything has stopped, after the token was cancelled.
    pub async fn stopped(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    /// How it is doing.
    #[must_use]
    pub fn health(&self) -> Health {
        (self.health)()
    }

    /// A handle that tells how it is doing, for those who outlive no source.
    #[must_use]
    pub fn health_handle(&self) -> Arc<dyn Fn() -> Health + Send + Sync> {
        self.health.clone()
    }
}
