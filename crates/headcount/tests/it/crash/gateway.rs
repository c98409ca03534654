//! A gateway of the `events` dialect that sends 20,000 facts a second, and knows each by its number.
//!
//! Everything about an event follows from its number: a thousand conversations live at once, each with seven participants
//! and an end, and its source time is its number in milliseconds. After a pause the block of conversations that was under
//! way is sent from its beginning again, so that none stays open; what was known already is a duplicate.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

/// Facts a second.
pub const PER_SECOND: u64 = 20_000;
/// Conversations that live at once.
pub const AT_ONCE: u64 = 1_000;
/// Facts of each.
const FACTS: u64 = 8;
const TICK: Duration = Duration::from_millis(5);
const PER_TICK: u64 = PER_SECOND / 200;

/// One fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub number: u64,
}

/// The running gateway.
pub struct Gateway {
    shared: Arc<Shared>,
    address: String,
    _runtime: tokio::runtime::Runtime,
}

struct Shared {
    /// Numbers below were sent, or are being sent.
    sent: AtomicU64,
    next: AtomicU64,
    runs: AtomicBool,
}

/// The source time of the event 0, in milliseconds since the epoch.
static BEGUN_MS: std::sync::OnceLock<i64> = std::sync::OnceLock::new();

/// Six hours ago: many rounds are over before its times reach now.
fn begun_ms() -> i64 {
    let now_ms = pipeline::Clock::system().now() / 1_000_000;
    (now_ms - 6 * 3_600_000) / 1_000 * 1_000
}

pub fn conversation_id(conversation: u64) -> String {
    format!("c0000000-0000-4000-8000-{conversation:012x}")
}

impl Event {
    pub fn conversation(self) -> u64 {
        let (block, within) = (self.number / (AT_ONCE * FACTS), self.number % (AT_ONCE * FACTS));
        block * AT_ONCE + within % AT_ONCE
    }

    fn is_end(self) -> bool {
        self.number % (AT_ONCE * FACTS) / AT_ONCE == FACTS - 1
    }

    fn participant(self) -> String {
        format!("a0000000-0000-4000-8000-{:012x}", self.number)
    }

    fn at(self) -> String {
        let at =
            jiff::Timestamp::from_millisecond(BEGUN_MS.get_or_init(begun_ms) + self.number.cast_signed());
        format!("{:.3}", at.unwrap())
    }

    fn frame(self) -> String {
        let (kind, participant, state, role) = match self.is_end() {
            false => {
                ("interaction.participant.joined", Value::String(self.participant()), "connected", "agent")
            }
            true => ("interaction.lifecycleStateChange", Value::Null, "terminated", ""),
        };
        let data = json!({"interactionId": conversation_id(self.conversation()), "participantId": participant,
                          "state": state, "role": role});
        json!({"eventId": format!("e-{}", self.number), "eventType": kind, "timestamp": self.at(), "data": data}).to_string()
    }

    /// The event of an instant, in nanoseconds since the epoch; none before the first.
    pub fn at_time(nanos: i64) -> Option<Self> {
        let number = nanos.div_euclid(1_000_000) - BEGUN_MS.get_or_init(begun_ms);
        Some(Self { number: u64::try_from(number).ok()? })
    }

    /// The event that an entry of a timeline or of the stream is about; none when it is none of ours in every field.
    pub fn told_by(entry: &Value) -> Option<Self> {
        let at: jiff::Timestamp = entry["at"].as_str()?.parse().ok()?;
        let number = at.as_millisecond() - BEGUN_MS.get_or_init(begun_ms);
        let event = Self { number: u64::try_from(number).ok()? };
        let whose = match event.is_end() {
            true => entry["participantId"].is_null() && entry["to"] == "terminated",
            false => entry["participantId"] == event.participant() && entry["role"] == "agent",
        };
        whose.then_some(event)
    }
}

impl Gateway {
    pub fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let shared = Arc::new(Shared {
            sent: AtomicU64::new(0),
            next: AtomicU64::new(0),
            runs: AtomicBool::new(false),
        });
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        runtime.spawn(serve(listener, shared.clone()));
        Self { shared, address, _runtime: runtime }
    }

    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// Events with a number below may have been sent.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }

    pub fn pause(&self) {
        self.shared.runs.store(false, Ordering::SeqCst);
    }

    /// Goes on from the beginning of the block that was under way; which event that is.
    pub fn begin_again(&self) -> u64 {
        let block = AT_ONCE * FACTS;
        let first = self.sent() / block * block;
        self.shared.next.store(first, Ordering::SeqCst);
        self.shared.runs.store(true, Ordering::SeqCst);
        first
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((socket, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            let mut start = [0; 18];
            let _cut_off = socket.peek(&mut start).await;
            match start.starts_with(b"GET /api/v2/events") {
                true => events(socket, shared).await,
                false => rest(socket).await,
            }
        });
    }
}

/// Tokens for everybody, and nothing else.
async fn rest(mut socket: TcpStream) {
    let mut head = vec![0; 4_096];
    while let Ok(read) = socket.read(&mut head).await {
        if read == 0 {
            return;
        }
        let (status, body) = match head.starts_with(b"POST /oauth/token") {
            true => ("200 OK", r#"{"access_token":"crash","token_type":"bearer","expires_in":86400}"#),
            false => ("404 Not Found", "{}"),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        if socket.write_all(answer.as_bytes()).await.is_err() || socket.shutdown().await.is_err() {
            return;
        }
    }
}

async fn events(socket: TcpStream, shared: Arc<Shared>) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(socket).await else { return };
    let _subscription = socket.next().await;
    let confirmed = json!({"eventId": "s", "eventType": "subscription", "timestamp": Event { number: 0 }.at(), "data": {}});
    if socket.send(Message::text(confirmed.to_string())).await.is_err() {
        return;
    }
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            heard = socket.next() => match heard {
                Some(Ok(_)) => {}
                _ => return,
            },
            _ = tick.tick() => {
                for _ in 0..PER_TICK {
                    if !shared.runs.load(Ordering::SeqCst) {
                        break;
                    }
                    let event = Event { number: shared.next.fetch_add(1, Ordering::SeqCst) };
                    shared.sent.fetch_max(event.number + 1, Ordering::SeqCst);
                    if socket.feed(Message::text(event.frame())).await.is_err() {
                        return;
                    }
                }
                if socket.flush().await.is_err() {
                    return;
                }
            }
        }
    }
}
