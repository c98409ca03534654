//! What only a socket shows: that the server serves, and that it ends in order.

use crate::stream::publish;
use crate::world::{Board, World};
use serve::Bounds;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

async fn started(world: World) -> (SocketAddr, CancellationToken, JoinHandle<std::io::Result<()>>) {
    started_within(world, Bounds::default()).await
}

async fn started_within(
    world: World,
    bounds: Bounds,
) -> (SocketAddr, CancellationToken, JoinHandle<std::io::Result<()>>) {
    served(world.board(), bounds).await
}

async fn served(
    board: Board,
    bounds: Bounds,
) -> (SocketAddr, CancellationToken, JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve::run(listener, board.router, stop.clone(), bounds));
    (address, stop, server)
}

async fn request(address: SocketAddr, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        let mut chunk = [0; 4_096];
        let n = stream.read(&mut chunk).await.unwrap();
        assert!(n > 0, "ended before {text:?}: {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&chunk[..n]);
    }
    String::from_utf8_lossy(&read).into_owned()
}

#[tokio::test]
async fn it_serves_and_keeps_the_connection() {
    let (address, stop, server) = started(World::of(7)).await;
    let mut stream = request(address, "GET /api/v1/state HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(read_until(&mut stream, "\"activeInteractions\":7").await.starts_with("HTTP/1.1 200 OK"));
    stream.write_all(b"GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    read_until(&mut stream, "404 Not Found").await;
    stop.cancel();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_stop_ends_open_streams_and_idle_connections() {
    let (address, stop, server) = started(World::of(1)).await;
    let mut follower = request(address, "GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    read_until(&mut follower, "event: snapshot").await;
    let _idle = TcpStream::connect(address).await.unwrap();
    stop.cancel();
    server.await.unwrap().unwrap();
    let mut rest = Vec::new();
    follower.read_to_end(&mut rest).await.unwrap();
    assert!(String::from_utf8_lossy(&rest).ends_with("0\r\n\r\n"), "the stream ends, it is not cut");
    assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
}

#[tokio::test]
async fn what_is_no_request_costs_only_its_connection() {
    let (address, stop, server) = started(World::of(1)).await;
    let mut noise = request(address, "\u{0}\u{1}nonsense\r\n\r\n").await;
    let mut answer = Vec::new();
    noise.read_to_end(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 400"));
    let mut stream = request(address, "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    read_until(&mut stream, "\"ok\"").await;
    stop.cancel();
    server.await.unwrap().unwrap();
}

/// The status and the body of an answer on a connection of its own.
async fn asked(address: SocketAddr, path: &str) -> (u16, String) {
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let mut answer = Vec::new();
    request(address, &head).await.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    (head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default(), body.to_owned())
}

#[tokio::test]
async fn probes_are_answered_when_everybody_else_has_taken_all_places() {
    let bounds = Bounds { connections_max: 2, probes_max: 2, ..Bounds::default() };
    let (address, stop, server) = started_within(World::of(1), bounds).await;
    let mut follower = request(address, "GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    read_until(&mut follower, "event: snapshot").await;
    let _idle = TcpStream::connect(address).await.unwrap();
    let mut more = Vec::new();
    for _ in 0..20 {
        more.push(TcpStream::connect(address).await.unwrap());
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(asked(address, path).await.0, 200, "{path}");
    }
    for given_way in &mut more[..18] {
        let cut = tokio::time::timeout(Duration::from_secs(20), given_way.read(&mut [0; 1])).await;
        assert_eq!(cut.expect("the oldest gives way").unwrap_or(0), 0);
    }
    for path in ["/", "/api/v1/state", "/api/v1/stream", "/nothing"] {
        let (status, body) = asked(address, path).await;
        assert!(status == 503 && body.contains("too_many_connections"), "{path}: {status} {body}");
    }
    drop(follower);
    let free = async { while asked(address, "/api/v1/state").await.0 != 200 {} };
    tokio::time::timeout(Duration::from_secs(20), free).await.expect("a place that is left is free");
    stop.cancel();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_reads_nothing_loses_its_place() {
    let write_time_max = Duration::from_millis(200);
    let bounds = Bounds { connections_max: 1, write_time_max, ..Bounds::default() };
    let (address, stop, server) = started_within(World::of(1_000), bounds).await;
    // More than the buffers of two systems take.
    let head = "GET /api/v1/conversations?limit=1000 HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let _silent = request(address, &head.repeat(100)).await;
    let free = async { while asked(address, "/api/v1/state").await.0 != 200 {} };
    tokio::time::timeout(Duration::from_secs(60), free).await.expect("its place is free again");
    stop.cancel();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_follower_that_reads_nothing_loses_its_place() {
    let write_time_max = Duration::from_millis(200);
    let bounds = Bounds { connections_max: 1, write_time_max, ..Bounds::default() };
    let (board, mut newest) = (World::of(1).board(), 42);
    let changes = board.changes.clone();
    let (address, stop, server) = served(board, bounds).await;
    let mut silent = request(address, "GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    read_until(&mut silent, "event: snapshot").await;
    let free = async {
        while asked(address, "/api/v1/state").await.0 != 200 {
            publish(&changes, newest + 1..=newest + 500);
            newest += 500;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), free).await.expect("its place is free again");
    stop.cancel();
    server.await.unwrap().unwrap();
    drop(silent);
}

#[tokio::test]
async fn a_head_that_does_not_end_and_an_idle_connection_are_cut() {
    let bounds = Bounds { head_time_max: Duration::from_millis(100), ..Bounds::default() };
    let (address, stop, server) = started_within(World::of(1), bounds).await;
    let asks = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n";
    let (idle, body) = (format!("{asks}\r\n"), format!("{asks}content-length: 99\r\n\r\nx"));
    for begun in ["", "GET / HTTP/1.1\r\nhost:", &idle, &body] {
        let mut answer = Vec::new();
        let mut stream = request(address, begun).await;
        let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        ended.expect("it is cut").unwrap();
    }
    stop.cancel();
    server.await.unwrap().unwrap();
}
