//! What every task of the simulator can reach.
//!
//! The one place that asks the time: a wall clock read at start, moved on by tokio's clock, so that a test with a
//! paused clock plays in no time and two readings never go backwards.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::options::Options;
use crate::socket::{Outbox, Parcel};
use crate::time::Millis;
use crate::world::World;

/// The running simulator, shared by its tasks.
pub struct Shared {
    pub options: Options,
    pub address: SocketAddr,
    /// The driver has something new to look at.
    pub wake: Notify,
    /// A socket has subscribed.
    pub subscribed: Notify,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    /// Nothing is written to any socket.
    pub silent: AtomicBool,
    /// Parcels that are in an outbox and not yet written.
    pub in_flight: Arc<AtomicUsize>,
    pub finished: watch::Sender<bool>,
    sockets: AtomicU64,
    world: Mutex<World>,
    clock: Clock,
}

struct Clock {
    wall_ms: Millis,
    since: Instant,
}

impl Shared {
    /// A simulator that listens on `address` and has not begun.
    pub fn new(options: Options, address: SocketAddr) -> Self {
        let wall_ms = jiff::Timestamp::now().as_millisecond();
        Self {
            address,
            wake: Notify::new(),
            subscribed: Notify::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            silent: AtomicBool::new(false),
            in_flight: Arc::default(),
            finished: watch::Sender::new(false),
            sockets: AtomicU64::new(0),
            world: Mutex::new(World::new(&options, wall_ms)),
            clock: Clock { wall_ms, since: Instant::now() },
            options,
        }
    }

    /// The state. A panic elsewhere does not make it unreadable: the truth is wanted then more than ever.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time on the cloud's clock.
    pub fn now(&self) -> Millis {
        self.clock.wall_ms + self.clock.since.elapsed().as_millis() as Millis
    }

    /// The instant at which [`Self::now`] will be `at`.
    pub fn instant(&self, at: Millis) -> Instant {
        self.clock.since + Duration::from_millis((at - self.clock.wall_ms).max(0) as u64)
    }

    /// An outbox for a new socket, with the end that the socket reads.
    pub fn outbox(&self) -> (Outbox, tokio::sync::mpsc::Receiver<Parcel>) {
        let id = self.sockets.fetch_add(1, Ordering::Relaxed);
        Outbox::new(id, self.stop.child_token(), self.in_flight.clone())
    }
}
