//! `GET /api/v1/export`: history as a file, streamed while it is read.
//!
//! It is read from a snapshot of the store by a thread of its own, so that the shard is not asked and turns go on. The
//! snapshot keeps the write-ahead log from shrinking: hence few at a time, and a bound on how long one may take. What was
//! committed when the request came is in it, and nothing else. A body that breaks off is not all of it, and every HTTP
//! client says so; there is no manifest in it. Rejected: paging over the shard (it would be held up, and pages would be of
//! different instants).

use crate::Shared;
use crate::error::{Code, Problem};
use crate::parameters::{Parameters, short};
use crate::times;
use ::export::{Ask, ExportError, Format, Only, What, Written, to_stream};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderName, Method, header};
use axum::response::{IntoResponse, Response};
use engine::{Completeness, Id, Word};
use futures_util::stream::unfold;
use pipeline::Past;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How many exports are served at once: each costs the memory of the conversations that are live, and reads the disk.
pub(crate) const EXPORTS_MAX: usize = 2;
/// How long a client may leave a chunk waiting.
const CHUNK_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a whole export may take.
const EXPORT_TIME_MAX: Duration = Duration::from_secs(3_600);
/// Bytes of a chunk, and chunks that wait for the client.
const CHUNK_BYTES: usize = 64 << 10;
const CHUNKS_WAITING_MAX: usize = 4;

const POSITION: HeaderName = HeaderName::from_static("headcount-position");
const AS_OF: HeaderName = HeaderName::from_static("headcount-as-of");
const COMPLETENESS: HeaderName = HeaderName::from_static("headcount-completeness");

/// `GET /api/v1/export`.
pub(crate) async fn export(
    method: Method,
    State(shared): State<Arc<Shared>>,
    stop: Option<Extension<CancellationToken>>,
    given: Parameters,
) -> Result<Response, Problem> {
    let now = shared.clock.now();
    let ask = asked(given, now)?;
    let permit = shared.exports.clone().try_acquire_owned().map_err(|_| {
        Problem::new(
            Code::TooManyExports,
            format!("at most {EXPORTS_MAX} are served at once; try again later"),
        )
    })?;
    let (past, permit) = opened(shared.data.clone(), now, permit).await?;
    if past.damaged() > 0 {
        return Err(unreadable("records of it are damaged: `headcount export --data` says what is missing"));
    }
    let to = ask.to.unwrap_or_else(|| past.as_of());
    let from = ask.from.unwrap_or(i64::MIN);
    let holes = ask.what.holes(&past, from, to.max(from.saturating_add(1)));
    let worst = holes.iter().map(|(_, hole)| hole.completeness).max();
    let name = format!("attachment; filename=\"headcount-{}.{}\"", ask.what.as_str(), ask.format.as_str());
    let headers = [
        (header::CONTENT_TYPE, ask.format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (POSITION, past.position().to_string()),
        (AS_OF, Written::ours(past.as_of()).to_string()),
        (COMPLETENESS, worst.unwrap_or(Completeness::Complete).as_str().to_owned()),
    ];
    if method == Method::HEAD {
        // Nobody would read it, and until that is noticed it would be in the way of others.
        return Ok((headers, Body::empty()).into_response());
    }
    let stop = stop.map(|Extension(stop)| stop).unwrap_or_default();
    Ok((headers, streamed(past, ask, stop, permit)).into_response())
}

/// What the parameters ask for.
fn asked(mut given: Parameters, now: i64) -> Result<Ask, Problem> {
    let what = given.take_as("what", "facts, changes, spells or cells", What::of)?;
    let format = given.take_as("format", "parquet, csv or ndjson", Format::of)?;
    let from = given.take_as("from", times::MUST_BE, times::read)?;
    let to = given.take_as("to", times::MUST_BE, times::read)?;
    let only = Only {
        conversation: given.take_as("conversationId", "a conversation's id", |text| Id::new(text).ok())?,
        queue: given.take_as("queueId", "a queue's id", |text| Id::new(text).ok())?,
        user: given.take_as("userId", "a user's id", |text| Id::new(text).ok())?,
        role: given.take_as("role", "a role of at most 64 bytes", |text| short(text, Word::lower))?,
        medium: given.take_as("medium", "a medium of at most 64 bytes", |text| short(text, Word::new))?,
    };
    let wrong = |detail: String| Problem::new(Code::BadParameter, detail);
    let what = what.ok_or_else(|| wrong("\"what\" must be facts, changes, spells or cells".to_owned()))?;
    if from.is_some_and(|from| from >= now) {
        return Err(wrong("\"from\" must be in the past: nothing is known of the future".to_owned()));
    }
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        return Err(wrong("\"from\" must be before \"to\"".to_owned()));
    }
    let ask = Ask { what, format: format.unwrap_or(Format::Ndjson), from, to, only };
    match ask.misplaced() {
        Some(field) => Err(wrong(format!("\"{}\" cannot be applied to {}", field.as_str(), what.as_str()))),
        None => Ok(ask),
    }
}

async fn opened(
    folder: PathBuf,
    now: i64,
    permit: OwnedSemaphorePermit,
) -> Result<(Past, OwnedSemaphorePermit), Problem> {
    let open = tokio::task::spawn_blocking(move || (Past::open(&folder, now), permit));
    match open.await {
        Ok((Ok(past), permit)) => Ok((past, permit)),
        Ok((Err(error), _)) => {
            tracing::error!(%error, "the history cannot be read for an export");
            Err(unreadable("the log says more"))
        }
        Err(_) => Err(Problem::new(Code::Internal, "the log says more")),
    }
}

fn unreadable(detail: &str) -> Problem {
    Problem::new(Code::HistoryUnreadable, detail)
}

/// A body that a thread of its own fills. It ends in an error unless all was told, so that nobody takes a part for all.
fn streamed(past: Past, ask: Ask, stop: CancellationToken, permit: OwnedSemaphorePermit) -> Body {
    let (to, chunks) = mpsc::channel(CHUNKS_WAITING_MAX);
    let (runtime, is_whole) = (Handle::current(), Arc::new(AtomicBool::new(false)));
    let body = Told { chunks, is_whole: is_whole.clone(), ended: false };
    tokio::task::spawn_blocking(move || {
        let begun = Instant::now();
        let until = begun + EXPORT_TIME_MAX;
        let chunks = Chunks { runtime, to: to.clone(), stop, until, waiting: Vec::new() };
        match to_stream(&past, &ask, chunks) {
            Ok(rows) => {
                is_whole.store(true, Ordering::Release);
                tracing::debug!(rows, seconds = begun.elapsed().as_secs(), "an export was served");
            }
            Err(error @ ExportError::Stream(_)) => tracing::debug!(%error, "an export ended early"),
            Err(error) => tracing::error!(%error, "an export broke off"),
        }
        // Whoever sees the end may ask again at once.
        drop((past, permit));
        drop(to);
    });
    Body::from_stream(unfold(body, Told::next))
}

/// What the thread told so far.
struct Told {
    chunks: mpsc::Receiver<Bytes>,
    /// Set before the last sender goes.
    is_whole: Arc<AtomicBool>,
    ended: bool,
}

impl Told {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        if let Some(chunk) = self.chunks.recv().await {
            return Some((Ok(chunk), self));
        }
        if self.ended || self.is_whole.load(Ordering::Acquire) {
            return None;
        }
        self.ended = true;
        Some((Err(io::Error::other("the export broke off")), self))
    }
}

/// Hands bytes to the client in chunks, and waits for it within bounds.
struct Chunks {
    runtime: Handle,
    to: mpsc::Sender<Bytes>,
    stop: CancellationToken,
    until: Instant,
    waiting: Vec<u8>,
}

impl Chunks {
    fn send(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let chunk = Bytes::from(std::mem::take(&mut self.waiting));
        let deadline = self.until.min(Instant::now() + CHUNK_TIME_MAX);
        let (to, stop) = (&self.to, &self.stop);
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = stop.cancelled() => Err(io::Error::other("the program is shutting down")),
                sent = tokio::time::timeout_at(deadline, to.send(chunk)) => match sent {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
                    Err(_) => Err(io::Error::other("the client took too long")),
                },
            }
        })
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= CHUNK_BYTES {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}
