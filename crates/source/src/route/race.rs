//! Addresses of both families, tried in turn, each for a quarter of a second before the next one begins (RFC 8305).

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long an attempt has the field to itself: the delay that RFC 8305, section 8, recommends.
const HEAD_START: Duration = Duration::from_millis(250);
/// Addresses that are tried of one name.
const ADDRESSES_MAX: usize = 16;

/// Connects to whichever address of a host answers first.
pub(super) async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let addresses = tokio::net::lookup_host((host, port)).await?;
    race(in_turn(addresses), TcpStream::connect).await
}

/// The families by turns, that of the first address first (RFC 8305, section 4).
fn in_turn(addresses: impl Iterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let all: Vec<SocketAddr> = addresses.take(ADDRESSES_MAX).collect();
    let Some(first) = all.first().map(SocketAddr::is_ipv6) else { return VecDeque::new() };
    let (mut one, mut other): (VecDeque<_>, VecDeque<_>) =
        all.into_iter().partition(|a| a.is_ipv6() == first);
    let mut turns = VecDeque::new();
    while !(one.is_empty() && other.is_empty()) {
        turns.extend(one.pop_front());
        turns.extend(other.pop_front());
    }
    turns
}

/// The first that connects; when none does, why the last did not.
async fn race<T, F>(mut addresses: VecDeque<SocketAddr>, connect: impl Fn(SocketAddr) -> F) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut running = FuturesUnordered::new();
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        running.extend(addresses.pop_front().map(&connect));
        if running.is_empty() {
            return Err(failed);
        }
        let head_start = async {
            match addresses.is_empty() {
                true => std::future::pending().await,
                false => tokio::time::sleep(HEAD_START).await,
            }
        };
        tokio::select! {
            Some(outcome) = running.next() => match outcome {
                Ok(connected) => return Ok(connected),
                Err(error) => failed = error,
            },
            () = head_start => {}
        }
    }
}

#[cfg(test)]
mod tests;
