//! `GET /api/v1/stream`: every change as it is committed, as server-sent events.
//!
//! A follower gets either what it missed since its last event, or a snapshot, and then every change after that without
//! a hole: changes are numbered without gaps, so a follower checks its own completeness. One that fell too far behind
//! is told to come back (`event: reset`); with its last event's id it then gets what it missed, or a snapshot. It
//! follows first and looks second, so what is committed in between is in the snapshot and not told again. One that wants
//! less (`Wanted`) is told the changes of conversations that pass as they stand when a change is published, so that the
//! same filter passes the same changes after a reconnect; numbers of others are passed over. Rejected: making the
//! publisher wait for slow followers, and skipping what a slow one could not take.

use crate::Shared;
use crate::error::{Code, Problem};
use crate::parameters::{Known, Parameters};
use crate::show::Changed;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use engine::Change;
use futures_util::stream::unfold;
use pipeline::Position;
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::{OwnedSemaphorePermit, broadcast};
use tokio_util::sync::CancellationToken;
use wanted::Wanted;

mod snapshot;
mod wanted;

/// The parameters that it knows.
pub(crate) const KNOWN: Known = &["lastEventId", "conversationId", "queueId", "userId"];
/// How many streams are served at once.
pub(crate) const STREAMS_MAX: usize = 256;
/// How long a stream may be silent; API.md promises 15 s, and this leaves room for a busy machine.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// How long a browser waits before it comes back.
const RETRY: Duration = Duration::from_secs(1);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells a proxy of the nginx kind to pass events on at once.
const UNBUFFERED: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// `GET /api/v1/stream`. Where the stream begins is said by the `Last-Event-ID` header, else by `?lastEventId=`.
pub(crate) async fn stream(
    State(shared): State<Arc<Shared>>,
    stop: Option<Extension<CancellationToken>>,
    headers: HeaderMap,
    mut given: Parameters,
) -> Result<Response, Problem> {
    let wanted = Wanted::of(&mut given)?;
    let asked = given.take_as("lastEventId", "the id of an event, as in 1.42", |text| text.parse().ok())?;
    let permit = shared.streams.clone().try_acquire_owned().map_err(|_| {
        Problem::new(Code::TooManyStreams, format!("at most {STREAMS_MAX} are served at once"))
    })?;
    let told = match headers.get(LAST_EVENT_ID) {
        Some(told) => told.to_str().ok().and_then(|text| text.parse().ok()),
        None => asked,
    };
    let stop = stop.map(|Extension(stop)| stop).unwrap_or_default();
    let follower = Follower::begin(shared, wanted, told, (stop, permit));
    let events = Sse::new(unfold(follower, Follower::next))
        .keep_alive(KeepAlive::new().interval(SILENCE_MAX).text("still here"));
    Ok(([UNBUFFERED], events).into_response())
}

/// One reader of the stream.
struct Follower {
    shared: Arc<Shared>,
    wanted: Wanted,
    stop: CancellationToken,
    live: Receiver<Arc<[Arc<Change>]>>,
    /// Published, and not yet told.
    waiting: VecDeque<Arc<Change>>,
    /// What was told up to here.
    at: Position,
    then: Then,
    _permit: OwnedSemaphorePermit,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Snapshot,
    Changes,
    End,
}

impl Follower {
    fn begin(
        shared: Arc<Shared>,
        wanted: Wanted,
        told: Option<Position>,
        (stop, permit): (CancellationToken, OwnedSemaphorePermit),
    ) -> Self {
        let epoch = shared.reader.summary().position.epoch;
        let told = told.filter(|told| told.epoch == epoch);
        let following = shared.reader.changes().follow(told.map(|told| told.seq));
        let seq = told.map_or(following.seq, |told| told.seq);
        let missed =
            following.missed.filter(|missed| missed.first().is_none_or(|first| first.seq == seq + 1));
        Self {
            shared,
            wanted,
            stop,
            live: following.live,
            then: if missed.is_some() { Then::Changes } else { Then::Snapshot },
            waiting: missed.unwrap_or_default().into(),
            at: Position { epoch, seq },
            _permit: permit,
        }
    }

    /// The next event; none when the stream ends.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        let stop = self.stop.clone();
        let event = tokio::select! {
            biased;
            () = stop.cancelled() => None,
            event = self.event() => event,
        };
        event.map(|event| (Ok(event), self))
    }

    async fn event(&mut self) -> Option<Event> {
        match self.then {
            Then::Snapshot => {
                self.then = Then::Changes;
                self.snapshot().await.ok()
            }
            Then::Changes => self.change().await,
            Then::End => None,
        }
    }

    async fn change(&mut self) -> Option<Event> {
        loop {
            while let Some(change) = self.waiting.pop_front() {
                if change.seq <= self.at.seq {
                    continue;
                }
                if change.seq != self.at.seq + 1 {
                    return Some(self.reset("a change is gone that comes before the next one"));
                }
                self.at.seq = change.seq;
                if !self.wanted.passes(&change) {
                    continue;
                }
                let name = if change.entry.is_some() { "change" } else { "revision" };
                let event = Event::default().event(name).id(self.at.to_string());
                return event.json_data(Changed::of(&change)).ok();
            }
            match self.live.recv().await {
                Ok(batch) => self.waiting.extend(batch.iter().cloned()),
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    return Some(self.reset("this stream was read too slowly"));
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// Says that the stream cannot go on without a hole, and ends it. Has no id: the last one told stays good.
    fn reset(&mut self, detail: &str) -> Event {
        self.then = Then::End;
        let data = json!({"detail": detail, "action": "reconnect"});
        Event::default().event("reset").retry(RETRY).data(data.to_string())
    }
}
