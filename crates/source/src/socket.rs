//! Opens a WebSocket and reads what is ready on it.
//!
//! TCP, TLS and the handshake share one deadline; the URL, which is or carries a credential, is in no error. Incoming
//! bytes pass the [gate](crate::gate), so that no frame can end the socket or blow up memory by being large or badly
//! encoded. What has piled up is taken at once, so that a burst costs one hand-over.

use crate::gate::{Gate, Gated};
use crate::listening::Cause;
use crate::route::{self, Duplex, RouteError, Routes};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use outward::{PlainHosts, USER_AGENT};
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::Duration;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use url::Url;

/// Frames taken at once: a burst of them is decoded and handed over as one batch.
const FRAMES_AT_ONCE_MAX: usize = 256;
/// Bytes taken at once, give or take one frame: 256 of the platform's larger ones.
const BYTES_AT_ONCE_MAX: usize = 4 << 20;
/// An idle socket holds this much twice: here and in the gate.
const READ_BUFFER_BYTES: usize = 16 * 1024;
/// How long the closing frame may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// To the server, encrypted, on loopback, or to a host that was named for it.
type Stream = WebSocketStream<Gated<Box<dyn Duplex>>>;

/// Opens sockets.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    tls: Arc<ClientConfig>,
    routes: Routes,
    plain: PlainHosts,
    message_bytes_max: usize,
    timeout: Duration,
}

/// An open socket.
pub(crate) struct Socket {
    incoming: SplitStream<Stream>,
    outgoing: SplitSink<Stream, Message>,
}

/// Why a socket could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the handshake was answered with status {0}")]
    Status(u16),
    #[error("the handshake was answered with status 429, to be tried again in {} s", .0.as_secs())]
    Throttled(Duration),
    #[error("no connection within the time allowed")]
    Timeout,
    #[error(transparent)]
    Route(#[from] RouteError),
    #[error("the server does not speak WebSocket there")]
    Protocol,
}

/// What was ready on a socket.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    /// Messages, in order. Empty when only pings or pongs came.
    pub frames: Vec<Bytes>,
    /// Nothing was there when it was looked for first.
    pub fresh: bool,
    /// All that was there is taken.
    pub emptied: bool,
    /// The socket is at its end, behind these.
    pub end: Option<Cause>,
}

impl Connector {
    /// Sockets whose messages are cut one byte above `frame_bytes_max`, so that the decoder refuses them by name. `plain`
    /// hosts may be reached without TLS.
    pub fn new(
        tls: Arc<ClientConfig>,
        routes: Routes,
        plain: PlainHosts,
        frame_bytes_max: usize,
        timeout: Duration,
    ) -> Self {
        Self { tls, routes, plain, message_bytes_max: frame_bytes_max.saturating_add(1), timeout }
    }

    /// Opens a socket.
    pub async fn connect(&self, url: &Url) -> Result<Socket, ConnectError> {
        match tokio::time::timeout(self.timeout, self.handshake(url)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ConnectError::Timeout),
        }
    }

    async fn handshake(&self, url: &Url) -> Result<Socket, ConnectError> {
        let stream: Box<dyn Duplex> = match url.scheme() {
            "wss" => {
                Box::new(route::encrypt(url, self.routes.reach(url, &self.tls).await?, &self.tls).await?)
            }
            "ws" if self.plain.allow(url) => Box::new(route::direct(url).await?),
            _ => return Err(ConnectError::Protocol),
        };
        let gated = Gated::new(stream, Gate::new(self.message_bytes_max));
        let mut request = url.as_str().into_client_request().map_err(|_| ConnectError::Protocol)?;
        request.headers_mut().insert("user-agent", HeaderValue::from_static(USER_AGENT));
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(self.message_bytes_max))
            .max_frame_size(Some(self.message_bytes_max));
        let opened = tokio_tungstenite::client_async_with_config(request, gated, Some(config)).await;
        let (stream, _) = opened.map_err(|error| match error {
            Error::Http(answer) => match (answer.status().as_u16(), outward::retry_after(answer.headers())) {
                (429, Some(wait)) => ConnectError::Throttled(wait),
                (status, _) => ConnectError::Status(status),
            },
            Error::Io(error) => RouteError::Host(error.to_string()).into(),
            _ => ConnectError::Protocol,
        })?;
        let (outgoing, incoming) = stream.split();
        Ok(Socket { incoming, outgoing })
    }
}

impl Socket {
    /// Waits for what comes next and takes what is there already. May be dropped at any time without losing a frame.
    pub async fn ready(&mut self) -> Ready {
        let there = self.incoming.next().now_or_never();
        let mut ready = Ready { fresh: there.is_none(), ..Ready::default() };
        let mut next = match there {
            Some(next) => next,
            None => self.incoming.next().await,
        };
        let mut bytes = 0;
        loop {
            match next {
                Some(Ok(Message::Binary(frame))) => {
                    bytes += frame.len();
                    ready.frames.push(frame);
                }
                Some(Ok(Message::Text(text))) => ready.frames.push(text.into()),
                Some(Ok(Message::Close(_))) => ready.end = Some(Cause::Closed),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => ready.end = Some(Cause::Broken),
            }
            if ready.end.is_some() || ready.frames.len() >= FRAMES_AT_ONCE_MAX || bytes >= BYTES_AT_ONCE_MAX {
                return ready;
            }
            let Some(already_there) = self.incoming.next().now_or_never() else {
                ready.emptied = true;
                return ready;
            };
            next = already_there;
        }
    }

    /// Sends a text; false when the connection is broken.
    pub async fn send_text(&mut self, text: String) -> bool {
        self.outgoing.send(Message::text(text)).await.is_ok()
    }

    /// Sends a ping of the protocol; false when the connection is broken.
    pub async fn send_ping(&mut self) -> bool {
        self.outgoing.send(Message::Ping(Bytes::new())).await.is_ok()
    }

    /// Says good-bye, if the server listens.
    pub async fn close(mut self) {
        let _nobody_listens = tokio::time::timeout(CLOSE_TIMEOUT, self.outgoing.close()).await;
    }
}
