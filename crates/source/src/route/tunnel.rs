//! A tunnel through an HTTP proxy (RFC 9110, 9.3.6).

use super::Duplex;
use outward::USER_AGENT;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// The longest head of an answer that is read.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// Why no tunnel was made; what follows the name of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TunnelError {
    #[error(
        "wants a user and a password, or refuses those it got: put them into HTTPS_PROXY as \
         http://USER:PASSWORD@HOST:PORT, with what is no letter or digit percent-encoded"
    )]
    Unauthorized,
    #[error("refuses to connect to this host (status {0}): ask its keeper, or name the host in NO_PROXY")]
    Refused(u16),
    #[error("could not reach the host (status {0})")]
    Beyond(u16),
    #[error("does not answer as an HTTP proxy")]
    NoProxy,
    #[error("broke off")]
    BrokeOff,
}

/// Has the proxy at the other end connect to a host; after that the stream is one to the host.
pub(super) async fn open(
    stream: &mut impl Duplex,
    host: &str,
    port: u16,
    authorization: Option<&HeaderValue>,
) -> Result<(), TunnelError> {
    let mut asked =
        format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: {USER_AGENT}\r\n");
    if let Some(value) = authorization.and_then(|value| value.to_str().ok()) {
        asked.extend(["Proxy-Authorization: ", value, "\r\n"]);
    }
    asked.push_str("\r\n");
    stream.write_all(asked.as_bytes()).await.map_err(|_| TunnelError::BrokeOff)?;
    stream.flush().await.map_err(|_| TunnelError::BrokeOff)?;
    match status(&head(stream).await?) {
        Some(200..=299) => Ok(()),
        Some(407) => Err(TunnelError::Unauthorized),
        Some(status @ 500..=599) => Err(TunnelError::Beyond(status)),
        Some(status) => Err(TunnelError::Refused(status)),
        None => Err(TunnelError::NoProxy),
    }
}

/// The head of an answer, and not a byte of what follows it: that is the host's.
async fn head(stream: &mut impl Duplex) -> Result<Vec<u8>, TunnelError> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_BYTES_MAX {
            return Err(TunnelError::NoProxy);
        }
        head.push(stream.read_u8().await.map_err(|_| TunnelError::BrokeOff)?);
    }
    Ok(head)
}

/// The status of an answer; `None` where that is none of HTTP/1.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = str::from_utf8(line).ok()?.split(' ');
    let version = words.next()?;
    let status = words.next().filter(|word| word.len() == 3)?.parse().ok()?;
    version.starts_with("HTTP/1.").then_some(status)
}
