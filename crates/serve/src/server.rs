//! The socket: connections with a bound on their number and on all that a client can hold up, and an orderly end.
//!
//! A client that goes silent must cost nothing for long: one that does not send a head or idles between two requests, one
//! that does not read what it asked for (`moving.rs`), and one whose machine is gone are cut. Above the bound on
//! connections some more are taken, for probes alone: who watches over the program must hear from it when everybody
//! else fills it. Of these the oldest gives way to the newest, so that no number of idle ones is in a probe's way.
//!
//! Rejected: `axum::serve`, which lets a client hold a connection open for ever; to wait with accepting while all places
//! are taken, which leaves probes in the backlog; and an orderly end that waits for event streams, which never end.

mod moving;

use axum::Router;
use axum::serve::Listener;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use moving::Moving;
use rustix::net::sockopt;
use std::collections::VecDeque;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How long answers that have begun may take after the stop.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);
/// How long a silent peer is left alone, how far apart it is asked for a sign of life, and how often in vain.
const SILENCE_MAX: Duration = Duration::from_secs(30);
const ASKED_EVERY: Duration = Duration::from_secs(10);
const ASKED_IN_VAIN_MAX: u32 = 3;
/// How long what was sent may stay without an acknowledgement: as long as a silent peer is waited for.
const UNACKNOWLEDGED_MS_MAX: u32 = 60_000;

/// What clients may hold on to.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How many connections are served at once.
    pub connections_max: usize,
    /// How many more are taken when these are, for probes alone.
    pub probes_max: usize,
    /// How long a client may take for a request's head, and how long a connection may idle between two requests.
    pub head_time_max: Duration,
    /// How long a write may wait for a client that reads nothing.
    pub write_time_max: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            probes_max: 32,
            head_time_max: Duration::from_secs(30),
            write_time_max: Duration::from_secs(30),
        }
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Everything.
    Any,
    /// Probes: all other places are taken.
    Probe,
}

/// Serves until `stop`; then takes no more connections, ends the event streams, and lets answers that have begun end
/// within five seconds.
///
/// # Errors
/// When the listener is not one any more.
pub async fn run(
    mut listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    bounds: Bounds,
) -> io::Result<()> {
    listener.local_addr()?;
    let places = Arc::new(Semaphore::new(bounds.connections_max));
    let mut probes = Probes { max: bounds.probes_max, cut: VecDeque::new() };
    let connections = TaskTracker::new();
    loop {
        let stream = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            (stream, _) = Listener::accept(&mut listener) => stream,
        };
        tend(&stream);
        let (place, cut, kept) = match places.clone().try_acquire_owned() {
            Ok(place) => (Place::Any, CancellationToken::new(), Kept::Place(place)),
            Err(_) => {
                let cut = probes.take();
                (Place::Probe, cut.clone(), Kept::Probe(cut.drop_guard()))
            }
        };
        let connection = Connection { router: router.clone(), place, stop: stop.clone(), cut, bounds };
        connections.spawn(async move {
            connection.serve(stream).await;
            drop(kept);
        });
    }
    connections.close();
    connections.wait().await;
    Ok(())
}

/// What goes back when a connection ends.
enum Kept {
    Place(#[expect(dead_code, reason = "goes back when it is dropped")] OwnedSemaphorePermit),
    Probe(#[expect(dead_code, reason = "marks the end when it is dropped")] DropGuard),
}

/// The connections that were taken for probes, oldest first.
struct Probes {
    max: usize,
    cut: VecDeque<CancellationToken>,
}

impl Probes {
    /// Makes room for one more, at the cost of the oldest.
    fn take(&mut self) -> CancellationToken {
        self.cut.retain(|cut| !cut.is_cancelled());
        while self.cut.len() >= self.max.max(1) {
            if let Some(oldest) = self.cut.pop_front() {
                oldest.cancel();
            }
        }
        let cut = CancellationToken::new();
        self.cut.push_back(cut.clone());
        cut
    }
}

/// One connection, and what it may do.
struct Connection {
    router: Router,
    place: Place,
    stop: CancellationToken,
    /// Its place is wanted by somebody else.
    cut: CancellationToken,
    bounds: Bounds,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        let Self { router, place, stop, cut, bounds } = self;
        let (told, routes) = (stop.clone(), TowerToHyperService::new(router));
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(place);
            request.extensions_mut().insert(told.clone());
            routes.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(bounds.head_time_max)
            .keep_alive(place == Place::Any)
            .serve_connection(TokioIo::new(Moving::new(stream, bounds.write_time_max)), service);
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = cut.cancelled() => None,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                tokio::time::timeout(DRAIN_TIME_MAX, connection.as_mut()).await.ok()
            }
        };
        match ended {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::debug!(%error, "a connection ended early"),
            None => tracing::debug!("a connection did not end in time and was cut"),
        }
    }
}

/// Sees to it that the system notices when the peer's machine is gone. Where it does not take an option, the connection
/// is served all the same.
fn tend(stream: &TcpStream) {
    let options = stream
        .set_nodelay(true)
        .and_then(|()| Ok(sockopt::set_socket_keepalive(stream, true)?))
        .and_then(|()| Ok(sockopt::set_tcp_keepidle(stream, SILENCE_MAX)?))
        .and_then(|()| Ok(sockopt::set_tcp_keepintvl(stream, ASKED_EVERY)?))
        .and_then(|()| Ok(sockopt::set_tcp_keepcnt(stream, ASKED_IN_VAIN_MAX)?));
    #[cfg(target_os = "linux")]
    let options = options.and_then(|()| Ok(sockopt::set_tcp_user_timeout(stream, UNACKNOWLEDGED_MS_MAX)?));
    if let Err(error) = options {
        tracing::debug!(%error, "a connection is not watched by the system");
    }
}

#[cfg(test)]
mod tests;
