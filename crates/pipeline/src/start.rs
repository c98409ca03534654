//! The start of the shard's thread, and the handles to it.

use crate::intake::Wish;
use crate::mailbox::{Mail, Mailbox, MailboxSettings};
use crate::merging::Merging;
use crate::removal::Removing;
use crate::retention::Retention;
use crate::shard::{Drained, Shard};
use crate::wishes::Wishes;
use crate::{Clock, Intake, Keeper, Reader, Telemetry, reader_pair};
use engine::Limits;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Inherited, OpenError, OutboxBounds, Progress, Store, StoreError};
use tokio::sync::{mpsc, oneshot, watch};

/// Wishes that may wait for a source.
const WISHES_WAITING_MAX: usize = 10_000;

/// What a pipeline is started with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// The queue between sources and the shard.
    pub mailbox: MailboxSettings,
    /// The engine's bounds.
    pub limits: Limits,
    /// What is kept for followers that are away; none: nobody follows, and nothing is kept.
    pub outbox: Option<OutboxBounds>,
    /// How long, and how much, history is kept.
    pub retention: Retention,
}

/// A running shard and the handles to it.
#[derive(Debug)]
pub struct Pipeline {
    intake: Intake,
    reader: Reader,
    wishes: Option<mpsc::Receiver<Wish>>,
    stop: watch::Sender<Option<Instant>>,
    ended: oneshot::Receiver<Result<Drained, StoreError>>,
    recovered: Recovery,
}

/// What came back at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Under which incarnation the program runs now.
    pub incarnation: u32,
    /// Conversations that were laid down and live on.
    pub conversations: u64,
    /// Facts replayed from the log.
    pub facts: u64,
    /// Conversations in memory, those that the log told of among them.
    pub in_memory: u64,
    /// Of these, the active ones.
    pub active: u64,
    /// The bytes of the data file and its write-ahead log.
    pub size_bytes: u64,
    /// The last change number that was published; 0 before the first.
    pub seq: u64,
    /// Records that could not be read and were set aside.
    pub damaged: u64,
    /// When something was committed last, in nanoseconds since the epoch; none in a new folder.
    pub last_committed_at: Option<i64>,
    /// How far back the first repair must look, in nanoseconds since the epoch.
    pub look_back_to: i64,
}

/// The pipeline could not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The data folder could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The shard's thread could not be started, or died.
    #[error("the engine's thread could not run: {0}")]
    Thread(String),
}

impl Pipeline {
    /// Opens the data folder, brings back what it holds, and starts the shard. Blocks while it recovers.
    ///
    /// # Errors
    /// When the folder cannot be opened or read; the message names the cause and the way out.
    pub fn start(
        folder: &Path,
        settings: Settings,
        telemetry: Arc<Telemetry>,
        clock: Clock,
        new_epoch: u64,
    ) -> Result<Self, PipelineError> {
        Self::start_from(folder, settings, telemetry, clock, new_epoch, &[])
    }

    /// The same in a folder that may be new: there, what an earlier history left is taken up. In any other it is passed over.
    ///
    /// # Errors
    /// As for [`Pipeline::start`].
    pub fn start_from(
        folder: &Path,
        settings: Settings,
        telemetry: Arc<Telemetry>,
        clock: Clock,
        new_epoch: u64,
        left: &[Inherited],
    ) -> Result<Self, PipelineError> {
        let mut opened = Store::open(folder, new_epoch)?;
        if opened.store.last_position() == 0 && !left.is_empty() {
            opened.store.inherit(left)?;
        }
        if let Some(format) = opened.upgraded_from {
            tracing::info!("the data folder had the older format {format} and was upgraded");
        }
        let given_up = opened.store.begin_outbox(settings.outbox.is_some())?;
        if given_up > 0 {
            tracing::warn!(
                given_up,
                "changes waited for a follower that is no longer configured; it will not get them"
            );
        }
        let newest = Progress { position: opened.store.last_position(), seq: opened.seq };
        let now = clock.now();
        let (mut keeper, recovered) = Keeper::recover(opened, settings.limits, now)?;
        if !keeper.keep_reserve() {
            tracing::warn!(
                "the disk of {} is nearly full: no room can be kept for the moment when it is",
                folder.display()
            );
        }
        // Whoever asks before the shard's first turn sees what came back, not an empty board.
        let (reader, backend) = reader_pair(keeper.summary(now, Some("the engine is starting")));
        backend.changes.publish(Vec::new(), keeper.position().seq);
        backend.followers.publish(newest);
        let (wishes, wished) = mpsc::channel(WISHES_WAITING_MAX);
        let mailbox = Arc::new(Mailbox::new(settings.mailbox, telemetry.clone()));
        let (stop, stopped) = watch::channel(None);
        let shard = Shard {
            keeper,
            mailbox: mailbox.clone(),
            mail: Mail::default(),
            backend,
            wishes: Wishes::new(wishes),
            telemetry,
            clock,
            repair_delay: settings.limits.repair_delay_ns,
            store_trouble: None,
            outbox: settings.outbox,
            removing: Removing::new(settings.retention, now),
            merging: Merging::new(now),
            stop: stopped,
        };
        let ended = spawn(shard)?;
        Ok(Self { intake: Intake::new(mailbox), reader, wishes: Some(wished), stop, ended, recovered })
    }

    /// Where sources hand in facts.
    #[must_use]
    pub fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// Where answers come from.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// What came back at the start.
    #[must_use]
    pub fn recovered(&self) -> Recovery {
        self.recovered
    }

    /// The engine's wishes, for the one source that can grant them; none the second time.
    pub fn take_wishes(&mut self) -> Option<mpsc::Receiver<Wish>> {
        self.wishes.take()
    }

    /// Resolves when the shard stops by itself, which only a failing store makes it do.
    ///
    /// # Errors
    /// What made it stop.
    pub async fn failed(&mut self) -> Result<Drained, PipelineError> {
        ended((&mut self.ended).await)
    }

    /// Takes and commits what waits, for at most `limit`, then closes the store.
    ///
    /// # Errors
    /// What kept it from committing.
    pub async fn drain(self, limit: Duration) -> Result<Drained, PipelineError> {
        let _already_gone = self.stop.send(Instant::now().checked_add(limit));
        ended(self.ended.await)
    }
}

fn ended(
    how: Result<Result<Drained, StoreError>, oneshot::error::RecvError>,
) -> Result<Drained, PipelineError> {
    match how {
        Ok(result) => Ok(result?),
        Err(_) => Err(PipelineError::Thread("it panicked, and the log says where".to_owned())),
    }
}

/// The shard's thread: blocking on the disk is its business, and nobody else's.
fn spawn(shard: Shard) -> Result<oneshot::Receiver<Result<Drained, StoreError>>, PipelineError> {
    let failed = |error: std::io::Error| PipelineError::Thread(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
    let (tell, ended) = oneshot::channel();
    let body = move || {
        let how = runtime.block_on(shard.run());
        let _nobody_waits = tell.send(how);
    };
    std::thread::Builder::new().name("shard".to_owned()).spawn(body).map_err(failed)?;
    Ok(ended)
}
