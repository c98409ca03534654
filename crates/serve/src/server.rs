//! The socket: connections with a bound on their number, their head and their idleness, and an orderly end.
//!
//! Rejected: `axum::serve`, which lets a client hold a connection open for ever by sending its head byte by byte, and
//! an orderly end that waits for event streams, which never end by themselves.

use axum::serve::Listener;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How many connections are served at once; more wait to be accepted.
const CONNECTIONS_MAX: usize = 1_024;
/// How long a client may take for a request's head, and how long a connection may idle between two requests.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);
/// How long answers that have begun may take after the stop.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);

/// Serves until `stop`; then takes no more connections, ends the event streams, and lets answers that have begun end
/// within five seconds.
///
/// # Errors
/// When the listener is not one any more.
pub async fn run(mut listener: TcpListener, router: Router, stop: CancellationToken) -> io::Result<()> {
    listener.local_addr()?;
    let router = router.layer(Extension(stop.clone()));
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let connections = TaskTracker::new();
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((place, Listener::accept(&mut listener).await.0))
        };
        let (place, stream) = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = accepted => accepted?,
        };
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(async move {
            serve(stream, router, stop).await;
            drop(place);
        });
    }
    connections.close();
    connections.wait().await;
    Ok(())
}

async fn serve(stream: TcpStream, router: Router, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
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
