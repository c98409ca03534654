//! What only a socket shows: that the server serves, and that it ends in order.

use crate::world::World;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

async fn started(world: World) -> (SocketAddr, CancellationToken, JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let server = tokio::spawn(serve::run(listener, world.board().router, stop.clone()));
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
    let mut stream = request(address, "GET /api/v1/state HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(read_until(&mut stream, "\"activeInteractions\":7").await.starts_with("HTTP/1.1 200 OK"));
    stream.write_all(b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    read_until(&mut stream, "404 Not Found").await;
    stop.cancel();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_stop_ends_open_streams_and_idle_connections() {
    let (address, stop, server) = started(World::of(1)).await;
    let mut follower = request(address, "GET /api/v1/stream HTTP/1.1\r\nhost: x\r\n\r\n").await;
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
    let mut stream = request(address, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    read_until(&mut stream, "\"ok\"").await;
    stop.cancel();
    server.await.unwrap().unwrap();
}
