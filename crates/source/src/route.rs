//! The way to a host: through the proxy that REST goes through, else to whichever of its addresses answers first.
//!
//! The variables (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, and the same in small letters) are read by the matcher that the HTTP
//! client has, asked as for `https`, so that the two cannot disagree. A tunnel is made by `CONNECT` (RFC 9110, 9.3.6) before
//! anything of ours is said; a proxy that fails is named, its name and password never are. Of the addresses of a host those of
//! both families are tried in turn, the next one while the last is silent still (RFC 8305): an address that is dead keeps
//! nobody out. Rejected: a list of variables of our own (what it forgets works for REST and not for sockets).

mod race;
mod tunnel;

use hyper_util::client::proxy::matcher::Matcher;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Uri};
use url::{Host, Url};

/// A byte stream.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Why a host cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RouteError {
    #[error("the host cannot be reached ({0})")]
    Host(String),
    #[error("the proxy {proxy} {problem}")]
    Proxy { proxy: String, problem: String },
    #[error("the secure connection failed ({0})")]
    Tls(String),
    #[error("the host has no name that a secure connection can be made to")]
    NoName,
}

/// Which hosts are reached through which proxy.
#[derive(Clone, Default)]
pub(crate) struct Routes(Option<Arc<Matcher>>);

/// A proxy; what it is told is in no `Debug`.
struct Proxy {
    /// Host and port, for people.
    name: String,
    host: String,
    port: u16,
    is_encrypted: bool,
    authorization: Option<HeaderValue>,
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes").field("proxies", &self.0.is_some()).finish()
    }
}

impl Routes {
    /// Those of this machine's settings.
    pub fn of_this_machine() -> Self {
        Self(Some(Arc::new(Matcher::from_system())))
    }

    /// Every host is reached directly.
    pub fn direct() -> Self {
        Self(None)
    }

    /// Every host but those in `no` is reached through one proxy.
    #[cfg(test)]
    pub fn through(proxy: &str, no: &str) -> Self {
        Self(Some(Arc::new(Matcher::builder().all(proxy.to_owned()).no(no.to_owned()).build())))
    }

    /// A stream to the host of a `wss` URL, on which nothing was said yet.
    pub async fn reach(&self, url: &Url, tls: &Arc<ClientConfig>) -> Result<Box<dyn Duplex>, RouteError> {
        let port = url.port_or_known_default().unwrap_or(443);
        let host = url.host_str().unwrap_or_default();
        let Some(proxy) = self.proxy(host, port)? else { return Ok(Box::new(direct(url).await?)) };
        let failed = |problem: String| RouteError::Proxy { proxy: proxy.name.clone(), problem };
        let tcp = race::connect(&proxy.host, proxy.port)
            .await
            .map_err(|error| failed(format!("cannot be reached ({error})")))?;
        let _slower_without = tcp.set_nodelay(true);
        let mut stream: Box<dyn Duplex> = Box::new(tcp);
        if proxy.is_encrypted {
            let to = Url::parse(&format!("https://{}", proxy.name)).map_err(|_| RouteError::NoName)?;
            let encrypted = encrypt(&to, stream, tls).await;
            stream = Box::new(encrypted.map_err(|error| failed(format!("cannot be spoken with: {error}")))?);
        }
        let opened = tunnel::open(&mut stream, host, port, proxy.authorization.as_ref()).await;
        opened.map_err(|error| failed(error.to_string()))?;
        Ok(stream)
    }

    fn proxy(&self, host: &str, port: u16) -> Result<Option<Proxy>, RouteError> {
        let Some(matcher) = &self.0 else { return Ok(None) };
        let Ok(asked) = format!("https://{host}:{port}/").parse::<Uri>() else { return Ok(None) };
        let Some(found) = matcher.intercept(&asked) else { return Ok(None) };
        let (scheme, host) =
            (found.uri().scheme_str().unwrap_or("http"), found.uri().host().unwrap_or_default());
        let (is_encrypted, usual) = if scheme == "https" { (true, 443) } else { (false, 80) };
        let port = found.uri().port_u16().unwrap_or(usual);
        let name = format!("{host}:{port}");
        if scheme != "http" && scheme != "https" {
            let problem =
                format!("is one of {scheme}, through which no socket is opened; name an HTTP proxy");
            return Err(RouteError::Proxy { proxy: name, problem });
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Some(Proxy { name, host, port, is_encrypted, authorization: found.basic_auth().cloned() }))
    }
}

/// Makes a stream secure.
pub(crate) async fn encrypt<S: Duplex>(
    url: &Url,
    stream: S,
    tls: &Arc<ClientConfig>,
) -> Result<impl Duplex + use<S>, RouteError> {
    let name = match url.host() {
        Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).map_err(|_| RouteError::NoName)?,
        Some(Host::Ipv4(address)) => ServerName::from(std::net::IpAddr::from(address)),
        Some(Host::Ipv6(address)) => ServerName::from(std::net::IpAddr::from(address)),
        None => return Err(RouteError::NoName),
    };
    let connected = TlsConnector::from(tls.clone()).connect(name, stream).await;
    connected.map_err(|error| RouteError::Tls(error.to_string()))
}

/// A stream to the host of a URL, through no proxy.
pub(crate) async fn direct(url: &Url) -> Result<TcpStream, RouteError> {
    let port = url.port_or_known_default().unwrap_or(443);
    let tcp = match url.host() {
        Some(Host::Domain(name)) => race::connect(name, port).await,
        Some(Host::Ipv4(address)) => TcpStream::connect((address, port)).await,
        Some(Host::Ipv6(address)) => TcpStream::connect((address, port)).await,
        None => Err(io::ErrorKind::AddrNotAvailable.into()),
    };
    let tcp = tcp.map_err(|error| RouteError::Host(error.to_string()))?;
    let _slower_without = tcp.set_nodelay(true);
    Ok(tcp)
}

#[cfg(test)]
mod tests;
