//! A platform for tests: the token endpoint, channels, lists, conversations and both kinds of socket, each of which can be
//! told to fail once or for good. It plays no conversations of its own; what is sent on a socket is what the test
//! sends. Rejected: the simulator for these tests (it misbehaves by chance, a test needs the one fault at the one time).

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// What a socket is told to do.
pub enum Command {
    /// Send a text frame.
    Text(String),
    /// Send a text frame of any bytes, a whole frame with its header.
    Raw(Vec<u8>),
    /// Cut the connection.
    Cut,
}

/// Status, headers and body of an answer.
pub type Reply = (u16, Vec<(&'static str, String)>, Value);

/// A socket that was opened.
#[derive(Clone)]
pub struct Line {
    /// The last part of its path: the channel, or `events`.
    pub name: String,
    pub query: String,
    pub commands: mpsc::UnboundedSender<Command>,
}

#[derive(Default)]
pub struct State {
    /// `METHOD path?query` of each request, in order.
    pub requests: Vec<String>,
    /// Answers to the next request whose path begins so, instead of the usual one.
    pub once: Vec<(&'static str, Reply)>,
    /// Every answer says that it is then.
    pub date: Option<&'static str>,
    /// Requests whose path begins so are answered only once this is another.
    pub hold: Option<&'static str>,
    pub tokens: u32,
    /// Only the token with this number is accepted.
    pub token_valid: u32,
    pub users: Vec<&'static str>,
    pub queues: Vec<&'static str>,
    /// Entities on a page of a list, where not all are on one.
    pub page_entities: Option<usize>,
    pub rejected: HashMap<String, &'static str>,
    /// Topics that the next answer about them leaves out, and that are not subscribed.
    pub left_out: HashSet<String>,
    /// When handshakes came, and whether the next one is answered with 429 and a second to wait.
    pub handshakes: Vec<std::time::Instant>,
    pub throttle_next: bool,
    /// Topics of each channel; the position is its number.
    pub channels: Vec<Vec<String>>,
    /// The host that channels name for their sockets, where it is another than the address.
    pub socket_host: Option<&'static str>,
    pub gone: HashSet<usize>,
    pub live: Vec<&'static str>,
    pub conversations: HashMap<&'static str, Value>,
    pub details: Vec<Value>,
    /// Intervals that the details query was asked for.
    pub intervals: Vec<String>,
    pub lines: Vec<Line>,
    /// Texts that came on sockets.
    pub said: Vec<String>,
    /// Pings, of either kind, are not answered.
    pub mute: bool,
    /// Subscriptions of the `events` dialect are not confirmed.
    pub unconfirmed: bool,
}

/// A running platform.
#[derive(Clone)]
pub struct Platform {
    pub state: Arc<Mutex<State>>,
    pub http: String,
    pub sockets: String,
    released: Arc<Notify>,
}

impl Platform {
    pub async fn start() -> Self {
        let rest = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sockets = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let platform = Self {
            state: Arc::default(),
            released: Arc::default(),
            http: format!("http://{}", rest.local_addr().unwrap()),
            sockets: format!("ws://{}", sockets.local_addr().unwrap()),
        };
        let (of_rest, of_sockets) = (platform.clone(), platform.clone());
        tokio::spawn(async move {
            while let Ok((tcp, _)) = rest.accept().await {
                tokio::spawn(of_rest.clone().serve(tcp));
            }
        });
        tokio::spawn(async move {
            while let Ok((tcp, _)) = sockets.accept().await {
                tokio::spawn(of_sockets.clone().carry(tcp));
            }
        });
        platform
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    /// Answers the next request whose path begins so in another way.
    pub fn once(&self, path: &'static str, status: u16, headers: &[(&'static str, &str)], body: Value) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.with(|state| state.once.push((path, (status, headers, body))));
    }

    /// Answers what was held.
    pub fn release(&self) {
        self.with(|state| state.hold = None);
        self.released.notify_waiters();
    }

    /// How many requests had a line that begins so.
    pub fn count(&self, line: &str) -> usize {
        self.with(|state| state.requests.iter().filter(|request| request.starts_with(line)).count())
    }

    /// The number of sockets opened so far.
    pub fn opened(&self) -> usize {
        self.with(|state| state.lines.len())
    }

    /// Tells a socket, by the order of opening, what to do.
    pub fn tell(&self, line: usize, command: Command) {
        let _gone = self.with(|state| state.lines[line].commands.clone()).send(command);
    }

    async fn serve(self, mut tcp: TcpStream) {
        let mut bytes = Vec::new();
        let (head, body) = loop {
            if tcp.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = header(head, "content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                break (head.to_owned(), body.to_owned());
            }
        };
        let (status, headers, answer) = self.answer(&head, &body);
        self.until_released(&head).await;
        let answer = answer.to_string();
        let mut text =
            format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n", answer.len());
        let date = self.with(|state| state.date).map(|date| ("date", date.to_owned()));
        for (name, value) in headers.into_iter().chain(date) {
            text += &format!("{name}: {value}\r\n");
        }
        let _client_gone = tcp.write_all(format!("{text}\r\n{answer}").as_bytes()).await;
    }

    async fn until_released(&self, head: &str) {
        let path = head.split_whitespace().nth(1).unwrap_or("");
        loop {
            let mut released = std::pin::pin!(self.released.notified());
            released.as_mut().enable();
            if !self.with(|state| state.hold.is_some_and(|prefix| path.starts_with(prefix))) {
                return;
            }
            released.await;
        }
    }

    fn answer(&self, head: &str, body: &str) -> Reply {
        let mut words = head.split_whitespace();
        let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let path = target.split('?').next().unwrap_or("");
        let mut state = self.state.lock().unwrap();
        state.requests.push(format!("{method} {target}"));
        if let Some(at) = state.once.iter().position(|(prefix, ..)| target.starts_with(prefix)) {
            return state.once.remove(at).1;
        }
        if path == "/oauth/token" {
            state.tokens += 1;
            state.token_valid = state.tokens;
            let token = format!("secret-token-{}", state.tokens);
            return (
                200,
                vec![],
                json!({ "access_token": token, "token_type": "bearer", "expires_in": 86_400 }),
            );
        }
        if header(head, "authorization") != Some(&format!("Bearer secret-token-{}", state.token_valid)) {
            return (
                401,
                vec![],
                json!({ "code": "bad.credentials", "message": "Invalid login credentials.", "status": 401 }),
            );
        }
        let body = serde_json::from_str(body).unwrap_or(Value::Null);
        let (status, answer) = api(&mut state, &self.sockets, target, &body);
        (status, vec![], answer)
    }

    /// The status that refuses a handshake.
    fn refusal(&self, name: &str, query: &str) -> Option<u16> {
        let throttled = self.with(|state| {
            state.handshakes.push(std::time::Instant::now());
            std::mem::take(&mut state.throttle_next)
        });
        if throttled {
            return Some(429);
        }
        self.with(|state| match name.strip_prefix("channel-").and_then(|n| n.parse().ok()) {
            Some(channel) => state.gone.contains(&channel).then_some(404),
            None => (query != format!("access_token=secret-token-{}", state.token_valid)).then_some(401),
        })
    }

    async fn carry(self, mut tcp: TcpStream) {
        let mut head = [0; 4096];
        let Ok(length) = tcp.peek(&mut head).await else { return };
        let head = String::from_utf8_lossy(&head[..length]).into_owned();
        let target = head.split_whitespace().nth(1).unwrap_or("").to_owned();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let (name, query) = (path.rsplit('/').next().unwrap_or("").to_owned(), query.to_owned());
        if let Some(status) = self.refusal(&name, &query) {
            let answer = format!("HTTP/1.1 {status} X\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n");
            let _client_gone = tcp.read(&mut [0; 4096]).await;
            let _client_gone = tcp.write_all(answer.as_bytes()).await;
            return;
        }
        let Ok(mut socket) = tokio_tungstenite::accept_async(tcp).await else { return };
        let (commands, mut told) = mpsc::unbounded_channel();
        let is_events = name == "events";
        self.with(|state| state.lines.push(Line { name, query, commands }));
        loop {
            tokio::select! {
                command = told.recv() => match command {
                    Some(Command::Text(text)) => drop(socket.send(Message::text(text)).await),
                    Some(Command::Raw(frame)) => {
                        let _cut = socket.flush().await;
                        if socket.get_mut().write_all(&frame).await.is_err() {
                            return;
                        }
                    }
                    Some(Command::Cut) | None => return,
                },
                message = socket.next(), if !self.with(|state| state.mute) => match message {
                    Some(Ok(Message::Text(text))) => {
                        if let Some(answer) = self.hear(text.as_str(), is_events) {
                            let _cut = socket.send(Message::text(answer)).await;
                        }
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    _ => return,
                },
            }
        }
    }

    fn hear(&self, text: &str, is_events: bool) -> Option<String> {
        self.with(|state| {
            state.said.push(text.to_owned());
            match text {
                r#"{"message":"ping"}"# => Some(
                    json!({ "topicName": "channel.metadata", "eventBody": { "message": "pong" } })
                        .to_string(),
                ),
                _ if is_events && !state.unconfirmed => Some(
                    json!({ "eventType": "subscription", "data": { "subscriptionId": "s-1" } }).to_string(),
                ),
                _ => None,
            }
        })
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The page of a list that a query asks for.
fn listed(ids: &[&str], query: &str, page_entities: Option<usize>) -> Value {
    let size = page_entities.unwrap_or(ids.len()).max(1);
    let number = query.split('&').find_map(|part| part.strip_prefix("pageNumber=")?.parse::<usize>().ok());
    let page = ids.chunks(size).nth(number.unwrap_or(1) - 1).unwrap_or_default();
    let entities: Vec<Value> = page.iter().map(|id| json!({ "id": id })).collect();
    json!({ "entities": entities, "pageCount": ids.len().div_ceil(size).max(1) })
}

fn api(state: &mut State, sockets: &str, target: &str, body: &Value) -> (u16, Value) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let parts: Vec<&str> = path.trim_start_matches("/api/v2/").split('/').collect();
    match parts.as_slice() {
        ["notifications", "channels"] => {
            let number = state.channels.len();
            state.channels.push(vec![]);
            let sockets = sockets.replace("127.0.0.1", state.socket_host.unwrap_or("127.0.0.1"));
            let uri = format!("{sockets}/channels/channel-{number}");
            (
                200,
                json!({ "id": format!("channel-{number}"), "connectUri": uri, "expires": "2030-01-01T00:00:00Z" }),
            )
        }
        ["notifications", "channels", channel, "subscriptions"] => {
            let number: usize = channel.trim_start_matches("channel-").parse().unwrap();
            let mut entities = Vec::new();
            for topic in body.as_array().into_iter().flatten().filter_map(|topic| topic["id"].as_str()) {
                if state.left_out.remove(topic) {
                    continue;
                }
                entities.push(match state.rejected.get(topic) {
                    Some(permission) => json!({ "id": topic, "state": "Rejected", "rejectionReason": "no", "missingPermissions": [permission] }),
                    None => json!({ "id": topic, "state": "Permitted" }),
                });
                state.channels[number].push(topic.to_owned());
            }
            (200, json!({ "entities": entities }))
        }
        ["users"] => (200, listed(&state.users, query, state.page_entities)),
        ["routing", "queues"] => (200, listed(&state.queues, query, state.page_entities)),
        ["analytics", "conversations", "activity", "query"] => {
            let entities: Vec<Value> = state
                .live
                .iter()
                .map(|id| json!({ "conversationId": id, "metric": "oInteracting" }))
                .collect();
            (
                200,
                json!({ "results": [{ "group": {}, "data": [], "truncated": false, "entities": entities }] }),
            )
        }
        ["analytics", "conversations", "details", "query"] => {
            state.intervals.extend(body["interval"].as_str().map(str::to_owned));
            (200, json!({ "conversations": state.details, "totalHits": state.details.len() }))
        }
        ["conversations", id] => match state.conversations.get(id) {
            Some(conversation) => (200, conversation.clone()),
            None => (404, json!({ "code": "not.found", "message": "gone", "status": 404 })),
        },
        _ => (404, json!({ "code": "not.found", "status": 404 })),
    }
}

/// A text frame of any bytes, with its header, as a server sends it.
pub fn text_frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81, 127];
    frame.extend((payload.len() as u64).to_be_bytes());
    frame.extend(Bytes::copy_from_slice(payload));
    frame
}
