//! One WebSocket, whichever dialect it speaks.
//!
//! A socket is a task with a bounded outbox. Whoever publishes never waits: an outbox that is full belongs to a client
//! that does not read, and its socket is cut, as the platform does. A cut is silent (the connection just ends) or
//! announced a moment before; which, is decided by the seed. What was still in the outbox then is lost, and the
//! conversations that it was about are remembered as such.

pub mod channels;
pub mod gateway;
pub mod topics;
pub mod upgrade;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::upgrade::Socket;
use crate::shared::Shared;

/// Parcels that wait for a client that does not read; more and it is cut.
const OUTBOX_PARCELS_MAX: usize = 65_536;

/// Frames that are written before they are flushed.
const WRITE_FRAMES_MAX: usize = 256;

/// The longest that an announcement comes before its cut.
const ANNOUNCED_BEFORE: Duration = Duration::from_millis(1_000);

/// What is put into an outbox.
pub enum Parcel {
    /// A frame, and the conversation that loses something if it is not delivered.
    Frame(Option<Uuid>, Utf8Bytes),
    /// Frames that go out together.
    Many(Vec<Utf8Bytes>),
    /// Close politely after all that came before.
    Goodbye,
}

/// The way to a socket.
#[derive(Clone)]
pub struct Outbox {
    pub id: u64,
    sender: mpsc::Sender<Parcel>,
    cut: CancellationToken,
    closing: Arc<AtomicBool>,
    in_flight: Arc<AtomicUsize>,
}

impl Outbox {
    /// An outbox and the end that its socket reads. `in_flight` counts parcels that are not yet written.
    pub fn new(
        id: u64,
        cut: CancellationToken,
        in_flight: Arc<AtomicUsize>,
    ) -> (Self, mpsc::Receiver<Parcel>) {
        let (sender, receiver) = mpsc::channel(OUTBOX_PARCELS_MAX);
        (Self { id, sender, cut, closing: Arc::default(), in_flight }, receiver)
    }

    /// Puts a parcel in. False when the socket is gone or so slow that it is cut for it.
    pub fn send(&self, parcel: Parcel) -> bool {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let sent = self.sender.try_send(parcel);
        if sent.is_err() {
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
            self.cut();
        }
        sent.is_ok()
    }

    /// Sends a text that is about no conversation.
    pub fn say(&self, text: String) {
        self.send(Parcel::Frame(None, text.into()));
    }

    /// Ends the connection without a word.
    pub fn cut(&self) {
        self.cut.cancel();
    }

    /// The client has been told that this socket closes soon, so another one may live beside it.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Remembers that the client has been told.
    pub fn set_closing(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }
}

/// How a socket behaves of itself.
pub struct Conduct {
    /// Time between heartbeats and what they say.
    pub heartbeat: Option<(Duration, Utf8Bytes)>,
    /// When it is cut.
    pub cut_after: Option<Duration>,
    /// Nobody is told of the cut: the connection stays open, and nothing comes any more.
    pub cut_in_silence: bool,
    /// What is said a moment before the cut.
    pub farewell: Option<Utf8Bytes>,
}

/// Runs a socket until either side ends it. `on_text` is called with each text of the client.
pub async fn run(
    shared: Arc<Shared>,
    mut socket: Socket,
    outbox: Outbox,
    mut parcels: mpsc::Receiver<Parcel>,
    conduct: Conduct,
    on_text: impl Fn(&str),
) {
    let cut = outbox.cut.clone();
    tokio::select! {
        _ = cut.cancelled() => {}
        _ = converse(&shared, &mut socket, &outbox, &mut parcels, conduct, on_text) => {}
    }
    parcels.close();
    while let Ok(parcel) = parcels.try_recv() {
        lose(&shared, &outbox, parcel);
    }
    shared.wake.notify_one();
}

/// Takes a parcel out of the world that nobody will get.
fn lose(shared: &Shared, outbox: &Outbox, parcel: Parcel) {
    outbox.in_flight.fetch_sub(1, Ordering::SeqCst);
    if let Parcel::Frame(Some(conversation), _) = parcel {
        shared.world().mark_lost(&[conversation]);
    }
}

async fn converse(
    shared: &Shared,
    socket: &mut Socket,
    outbox: &Outbox,
    parcels: &mut mpsc::Receiver<Parcel>,
    conduct: Conduct,
    on_text: impl Fn(&str),
) -> Result<(), Error> {
    let now = Instant::now();
    let never = now + Duration::from_secs(86_400 * 365);
    let cut_at = conduct.cut_after.map_or(never, |after| now + after);
    let lead = conduct.cut_after.map_or(Duration::ZERO, |after| ANNOUNCED_BEFORE.min(after / 4));
    let (period, beat) = conduct.heartbeat.unwrap_or((never - now, Utf8Bytes::default()));
    let mut heartbeat = interval_at(now + period, period);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut farewell = conduct.farewell;
    loop {
        let announce_at = if farewell.is_some() { cut_at - lead } else { never };
        tokio::select! {
            biased;
            () = sleep_until(cut_at) => {
                if conduct.cut_in_silence {
                    fall_silent(shared, socket, outbox, parcels).await;
                }
                return Ok(());
            }
            () = sleep_until(announce_at) => {
                outbox.set_closing();
                write(shared, socket, farewell.take()).await?;
            }
            _ = heartbeat.tick() => write(shared, socket, Some(beat.clone())).await?,
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => on_text(&text),
                Some(Ok(Message::Close(_))) | None => return Ok(()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
            },
            parcel = parcels.recv() => {
                let Some(parcel) = parcel else { return Ok(()) };
                if !deliver(shared, socket, outbox, parcels, parcel).await? {
                    return socket.close(None).await;
                }
            }
        }
    }
}

/// Says nothing more, not even to a ping, until the client gives up. What was to be said is lost.
async fn fall_silent(
    shared: &Shared,
    socket: &mut Socket,
    outbox: &Outbox,
    parcels: &mut mpsc::Receiver<Parcel>,
) {
    // Read below the protocol, which would answer pings by itself.
    let (wire, mut unread) = (socket.get_mut(), [0; 1_024]);
    loop {
        tokio::select! {
            parcel = parcels.recv() => {
                let Some(parcel) = parcel else { return };
                lose(shared, outbox, parcel);
                shared.wake.notify_one();
            }
            heard = wire.read(&mut unread) => {
                if !heard.is_ok_and(|bytes| bytes > 0) {
                    return;
                }
            }
        }
    }
}

/// Writes a parcel and those that wait behind it. False after a goodbye.
async fn deliver(
    shared: &Shared,
    socket: &mut Socket,
    outbox: &Outbox,
    parcels: &mut mpsc::Receiver<Parcel>,
    first: Parcel,
) -> Result<bool, Error> {
    let mut batch = VecDeque::from([first]);
    while batch.len() < WRITE_FRAMES_MAX {
        let Ok(parcel) = parcels.try_recv() else { break };
        batch.push_back(parcel);
    }
    let taken = InFlight { count: batch.len(), of: outbox };
    let mut stays = true;
    for parcel in batch {
        match parcel {
            Parcel::Frame(_, text) => feed(shared, socket, text).await?,
            Parcel::Many(texts) => {
                for text in texts {
                    feed(shared, socket, text).await?;
                }
            }
            Parcel::Goodbye => stays = false,
        }
    }
    socket.flush().await?;
    drop(taken);
    Ok(stays)
}

/// Parcels that have been taken out and are being written; they count as on their way until then, also on an error.
struct InFlight<'a> {
    count: usize,
    of: &'a Outbox,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.of.in_flight.fetch_sub(self.count, Ordering::SeqCst);
    }
}

async fn write(
    shared: &Shared,
    socket: &mut Socket,
    texts: impl IntoIterator<Item = Utf8Bytes>,
) -> Result<(), Error> {
    for text in texts {
        feed(shared, socket, text).await?;
    }
    socket.flush().await
}

/// A simulator that has been silenced writes nothing and lets the connection stand.
async fn feed(shared: &Shared, socket: &mut Socket, text: Utf8Bytes) -> Result<(), Error> {
    if shared.silent.load(Ordering::SeqCst) {
        return Ok(());
    }
    socket.feed(Message::Text(text)).await
}
