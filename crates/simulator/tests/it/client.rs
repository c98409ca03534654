//! The smallest client: HTTP with a token, and a WebSocket that gives JSON.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use simulator::{Options, Simulator};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// The longest that a test waits for any one thing.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Options for a short and busy run on a free port.
pub fn quick() -> Options {
    Options {
        listen: "127.0.0.1:0".parse().expect("an address"),
        rate: 400.0,
        pace: 150.0,
        await_subscriber: true,
        ..Options::default()
    }
}

/// An HTTP client without a token.
pub fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().expect("a client")
}

/// An API client with its token.
pub struct Api {
    http: Client,
    base: String,
    pub token: String,
}

impl Api {
    /// A client of this simulator, with a token.
    pub async fn of(simulator: &Simulator) -> Self {
        let mut api = Self { http: client(), base: simulator.urls().api, token: String::new() };
        let granted = api.grant("demo", "demo").await;
        assert_eq!(granted.status(), 200);
        let granted: Value = granted.json().await.expect("JSON");
        assert_eq!(granted["token_type"], "bearer");
        api.token = granted["access_token"].as_str().expect("a token").to_owned();
        api
    }

    /// Asks for a token.
    pub async fn grant(&self, id: &str, secret: &str) -> Response {
        let request = self.http.post(format!("{}/oauth/token", self.base)).basic_auth(id, Some(secret));
        request.form(&[("grant_type", "client_credentials")]).send().await.expect("an answer")
    }

    /// Sends a request as it is.
    pub async fn send(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Response {
        let request = self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        request.header("content-type", "application/json").body(body).send().await.expect("an answer")
    }

    /// Gets a status and a JSON body.
    pub async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let response = self.send(method, path, body.to_string()).await;
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or(Value::Null))
    }

    /// A `GET` that must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// A `POST` that must succeed.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, body) = self.call(Method::POST, path, body).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// A new channel: its id and its address.
    pub async fn channel(&self) -> (String, String) {
        let channel = self.post("/api/v2/notifications/channels", Value::Null).await;
        let text = |name: &str| channel[name].as_str().expect(name).to_owned();
        (text("id"), text("connectUri"))
    }

    /// Subscribes a channel to the conversations of every queue and user.
    pub async fn subscribe_to_all(&self, channel: &str) {
        let mut topics = Vec::new();
        for (path, prefix) in [("routing/queues", "v2.routing.queues"), ("users", "v2.users")] {
            let page = self.get(&format!("/api/v2/{path}?pageSize=500")).await;
            for entity in page["entities"].as_array().expect("entities") {
                topics.push(
                    json!({ "id": format!("{prefix}.{}.conversations", entity["id"].as_str().expect("id")) }),
                );
            }
        }
        self.post(&format!("/api/v2/notifications/channels/{channel}/subscriptions"), json!(topics)).await;
    }
}

/// A WebSocket.
pub struct Ws(WebSocketStream<TcpStream>);

impl Ws {
    /// Opens a socket, or gives the error.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let host = url.trim_start_matches("ws://").split('/').next().expect("a host");
        let stream = TcpStream::connect(host).await.expect("a connection");
        client_async(url, stream).await.map(|(socket, _)| Self(socket))
    }

    /// Opens the events socket and subscribes; gives the confirmation too.
    pub async fn events(simulator: &Simulator, api: &Api) -> (Self, Value) {
        let url = format!("{}?access_token={}", simulator.urls().events, api.token);
        let mut socket = Self::open(&url).await.expect("a socket");
        socket.say(json!({ "subscription": { "topics": ["interaction.participant.joined", "interaction.participant.left",
            "interaction.participant.roleChanged", "interaction.lifecycleStateChange"] } })).await;
        let confirmation = socket.next().await.expect("a confirmation");
        (socket, confirmation)
    }

    /// Sends JSON.
    pub async fn say(&mut self, value: Value) {
        self.0.send(Message::text(value.to_string())).await.expect("sent");
    }

    /// The next JSON frame; none when the socket has ended.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("a frame in time")? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("JSON")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Frames until one fits.
    pub async fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.next().await.expect("the socket stays");
            if fits(&frame) {
                return frame;
            }
        }
    }
}
