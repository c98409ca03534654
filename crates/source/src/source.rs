//! Starts the parts of a source, stops them, and starts them again when one of them panics.
//!
//! All of them together: feeds and repair rely on what the other has in hand, and after a panic nobody knows what that was.
//! So every feed is lost and connects again, and the repair looks back over the whole time since the source was started. A
//! frame that makes the same part panic again costs ever longer waits, which the ledger shows. Rejected: starting only the
//! task that panicked (what it owed to others would never come, and they would wait for it).

use crate::context::{Context, or_alarm};
use crate::health::{Board, Health};
use crate::repair::{self, Rounds, Wishes};
use crate::sink::Sink;
use crate::{Dialect, Settings, events, notifications};
use outward::SetupError;
use pipeline::{Clock, Restarts, Telemetry, Wish};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// What is said to have stopped when a part panics.
const PART: &str = "feeds";

/// A running source: sockets that are read, holes that are closed, until its token is cancelled.
pub struct Source {
    keeping: JoinHandle<()>,
    board: Arc<Board>,
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
        let (board, wishes) = (Arc::<Board>::default(), Arc::new(tokio::sync::Mutex::new(wishes)));
        let begun = Instant::now();
        let kept = Kept { settings, sink, wishes, telemetry, clock, board: board.clone(), cancel, begun };
        let first = kept.context()?;
        Ok(Self { keeping: tokio::spawn(kept.keep(first)), board })
    }

    /// Waits until everything has stopped, after the token was cancelled.
    pub async fn stopped(self) {
        let _either_way = self.keeping.await;
    }

    /// How it is doing.
    #[must_use]
    pub fn health(&self) -> Health {
        self.board.read()
    }
}

/// What a source is started with, each time.
struct Kept<S> {
    settings: Settings,
    sink: S,
    wishes: Wishes,
    telemetry: Arc<Telemetry>,
    clock: Clock,
    board: Arc<Board>,
    cancel: CancellationToken,
    begun: Instant,
}

impl<S: Sink> Kept<S> {
    fn context(&self) -> Result<Arc<Context<S>>, SetupError> {
        let mut settings = self.settings.clone();
        settings.timing.look_back_first += self.begun.elapsed();
        let (sink, telemetry, clock) = (self.sink.clone(), self.telemetry.clone(), self.clock.clone());
        let (board, cancel) = (self.board.clone(), self.cancel.clone());
        Ok(Arc::new(Context::new(settings, sink, telemetry, clock, board, cancel)?))
    }

    async fn keep(self, mut context: Arc<Context<S>>) {
        let mut restarts = Restarts::new(PART, self.telemetry.faults.clone());
        loop {
            let mut tasks = self.launch(&context);
            tokio::select! {
                () = context.alarm.cancelled() => tasks.shutdown().await,
                () = all_ended(&mut tasks) => return,
            }
            context = loop {
                let wait = restarts.panicked();
                if self.cancel.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                    return;
                }
                match self.context() {
                    Ok(context) => break context,
                    Err(error) => tracing::error!("the feeds cannot be started again: {error}"),
                }
            };
            restarts.started();
        }
    }

    fn launch(&self, context: &Arc<Context<S>>) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        let alarm = || context.alarm.clone();
        match context.settings.dialect {
            Dialect::Notifications => {
                let rounds = Rounds::default();
                let repair = repair::run(context.clone(), rounds.clone(), self.wishes.clone());
                tasks.spawn(or_alarm(alarm(), repair));
                tasks.spawn(or_alarm(alarm(), notifications::run(context.clone(), rounds)));
            }
            Dialect::Events => {
                tasks.spawn(or_alarm(alarm(), repair::ignore(context.clone(), self.wishes.clone())));
                tasks.spawn(or_alarm(alarm(), events::run(context.clone())));
            }
        }
        tasks
    }
}

async fn all_ended(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}
