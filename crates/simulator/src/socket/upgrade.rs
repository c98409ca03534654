//! From an HTTP request to a WebSocket.
//!
//! Done by hand on hyper's upgrade, since the rest of the server is plain HTTP and a second WebSocket stack beside the
//! one that the sockets use would only be another thing that can differ. Incoming messages are small; anything above
//! the limit ends the socket.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::http::errors::ApiError;

/// The largest message that a client may send.
const INCOMING_BYTES_MAX: usize = 256 * 1024;

/// A server's end of a WebSocket.
pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Answers the handshake and hands the socket to `run` in a task of its own.
pub fn accept<F>(mut request: Request, run: impl FnOnce(Socket) -> F + Send + 'static) -> Response
where
    F: Future<Output = ()> + Send,
{
    let Some(key) = websocket_key(request.headers()) else {
        return ApiError::new(
            StatusCode::UPGRADE_REQUIRED,
            "bad.request",
            "A WebSocket handshake is expected.",
        )
        .into_response();
    };
    let accept = derive_accept_key(key.as_bytes());
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let config = WebSocketConfig::default()
            .max_message_size(Some(INCOMING_BYTES_MAX))
            .max_frame_size(Some(INCOMING_BYTES_MAX));
        let socket =
            WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        run(socket).await;
    });
    let headers = [
        (header::CONNECTION, "Upgrade".to_owned()),
        (header::UPGRADE, "websocket".to_owned()),
        (header::SEC_WEBSOCKET_ACCEPT, accept),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

fn websocket_key(headers: &HeaderMap) -> Option<String> {
    let is_websocket = headers.get(header::UPGRADE)?.to_str().ok()?.eq_ignore_ascii_case("websocket");
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?.to_str().ok()?;
    is_websocket.then(|| key.to_owned())
}
