//! What the program shows: its change stream until it dies, and its answers.

use super::Seen;
use super::gateway::{Event, Gateway};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Follows the change stream, and keeps its lines.
pub struct Stream {
    lines: JoinHandle<Vec<String>>,
    changes: Arc<AtomicU64>,
}

impl Stream {
    pub fn follow(address: &str) -> Self {
        let mut socket = TcpStream::connect(address).unwrap();
        write!(socket, "GET /api/v1/stream HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\r\n")
            .unwrap();
        let changes = Arc::new(AtomicU64::new(0));
        let counted = changes.clone();
        let lines = std::thread::spawn(move || {
            let mut lines = Vec::new();
            for line in BufReader::with_capacity(1 << 20, socket).lines().map_while(Result::ok) {
                assert!(!line.starts_with("event: reset"), "the oracle is too slow");
                if line.starts_with("data:")
                    && line.contains("\"conversationId\"")
                    && line.contains("\"receivedAt\"")
                {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                lines.push(line);
            }
            lines
        });
        Self { lines, changes }
    }

    /// Changes so far.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Every fact that was shown before it ended, and with each its change number; and the newest of these.
    pub fn all_until_it_ended(self, gateway: &Gateway) -> (Seen, Vec<(u64, u64)>, u64) {
        let lines = self.lines.join().unwrap();
        let (mut seen, mut numbers, mut newest, mut own) = (Seen::new(), Vec::new(), 0, None);
        for line in &lines {
            if let Some(id) = line.strip_prefix("id: ") {
                newest = newest.max(number(id));
                own = Some(number(id));
            }
            let Some(data) = line.strip_prefix("data: ") else { continue };
            let Ok(change) = serde_json::from_str::<Value>(data) else { continue };
            if change.get("receivedAt").is_none() {
                continue;
            }
            let event = Event::told_by(&change).unwrap_or_else(|| panic!("this never happened: {change}"));
            assert!(event.number < gateway.sent(), "this was never sent: {change}");
            seen.entry(event.conversation()).or_default().insert(event.number);
            numbers.extend(own.take().map(|own| (own, event.number)));
        }
        (seen, numbers, newest)
    }
}

/// The change number of a position.
pub fn number(position: &str) -> u64 {
    position.trim().split_once('.').unwrap().1.parse().unwrap()
}

/// Many questions over one connection.
pub struct Client {
    socket: BufReader<TcpStream>,
    address: String,
}

impl Client {
    pub fn connect(address: &str) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { socket: BufReader::new(socket), address: address.to_owned() }
    }

    /// Status and body.
    pub fn get(&mut self, path: &str) -> (u16, String) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        self.socket.get_mut().write_all(request.as_bytes()).unwrap();
        let mut status = String::new();
        self.socket.read_line(&mut status).unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.socket.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.socket.read_exact(&mut body).unwrap();
        (status.split(' ').nth(1).unwrap().parse().unwrap(), String::from_utf8(body).unwrap())
    }
}
