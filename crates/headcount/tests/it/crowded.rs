//! A crowd of readers takes no descriptor that the feeds or the store need.

use crate::program::{Cloud, eventually, get};
use std::net::TcpStream;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const PLAY: [&str; 8] =
    ["--rate", "40", "--pace", "20", "--dialect", "notifications", "--drop-socket-every", "2s"];

/// How often the feed has connected anew.
fn reconnects(metrics: &str) -> u64 {
    let lines = metrics.lines().filter(|line| line.starts_with("headcount_reconnects_total"));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[test]
fn feeds_connect_again_while_readers_hold_all_that_they_may() {
    let cloud = Cloud::start(&PLAY);
    let service = cloud.serve("notifications", &[("FILES_MAX", "256")]);
    let crowd: Vec<TcpStream> = (0..500).filter_map(|_| TcpStream::connect(&service.address).ok()).collect();
    assert!(crowd.len() > 256, "more than there are descriptors");
    let metrics = || get(&service.address, "/metrics").1;
    let seen = std::cell::Cell::new(None);
    // Probes are answered all the while.
    eventually(LONG, || {
        let now = reconnects(&metrics());
        let first = seen.get().unwrap_or(now);
        seen.set(Some(first));
        (now < first + 3).then(|| format!("{now} reconnects, {first} at first"))
    });
    eventually(LONG, || {
        let (_, body) = get(&service.address, "/readyz");
        body.contains("Too many open files").then_some(body)
    });
    assert!(!service.program.said().contains("Too many open files"), "{}", service.program.said());
    drop(crowd);
}
