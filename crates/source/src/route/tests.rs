//! Proxies over real loopback sockets.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A proxy that answers in one way; what it was asked, once it was.
async fn proxy(answer: &'static str) -> (String, tokio::task::JoinHandle<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        let mut beyond = vec![0; 3];
        let beyond = stream.read_exact(&mut beyond).await.map(|_| beyond).unwrap_or_default();
        (String::from_utf8(head).unwrap(), beyond)
    });
    (address, asked)
}

fn no_tls() -> Arc<ClientConfig> {
    Arc::new(outward::tls(true).unwrap())
}

fn wss() -> Url {
    Url::parse("wss://streaming.example:8443/channels/secret").unwrap()
}

async fn problem(answer: &'static str) -> String {
    let (address, _asked) = proxy(answer).await;
    let routes = Routes::through(&format!("http://ann:w%40rd@{address}"), "");
    let error = routes.reach(&wss(), &no_tls()).await.err().unwrap().to_string();
    assert!(error.starts_with(&format!("the proxy {address} ")), "{error}");
    for secret in ["ann", "w@rd", "w%40rd", "secret", "Basic"] {
        assert!(!error.contains(secret), "{error}");
    }
    error
}

#[tokio::test]
async fn a_socket_goes_through_the_proxy_with_its_credentials_and_reads_nothing_of_what_follows() {
    let (address, asked) = proxy("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nhello").await;
    let routes = Routes::through(&format!("http://ann:w%40rd@{address}"), "");
    let mut stream = routes.reach(&wss(), &no_tls()).await.unwrap();
    let mut first = [0; 5];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"hello");
    stream.write_all(b"abc").await.unwrap();
    let (head, beyond) = asked.await.unwrap();
    assert!(
        head.starts_with("CONNECT streaming.example:8443 HTTP/1.1\r\nHost: streaming.example:8443\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nProxy-Authorization: Basic YW5uOndAcmQ=\r\n"), "{head}");
    assert_eq!(beyond, b"abc");
    let shown = format!("{routes:?}");
    assert!(!shown.contains("ann") && !shown.contains("rd"), "{shown}");
}

#[tokio::test]
async fn what_is_said_through_a_tunnel_to_a_wss_url_is_tls() {
    let (address, asked) = proxy("HTTP/1.1 200 OK\r\n\r\n").await;
    let routes = Routes::through(&format!("http://{address}"), "");
    let tls = no_tls();
    let stream = routes.reach(&wss(), &tls).await.unwrap();
    let spoken = encrypt(&wss(), stream, &tls).await;
    let (head, beyond) = asked.await.unwrap();
    assert!(!head.contains("Proxy-Authorization"), "{head}");
    assert_eq!(beyond[..2], [0x16, 0x03], "a handshake record");
    assert!(matches!(spoken, Err(RouteError::Tls(_))), "the other end went away");
}

#[tokio::test]
async fn a_proxy_that_fails_is_named_with_the_way_out() {
    let cases = [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "wants a user and a password"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "(status 403): ask its keeper"),
        ("HTTP/1.1 301 Moved\r\nLocation: http://secret.example/\r\n\r\n", "refuses to connect"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "could not reach the host (status 502)"),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not answer as an HTTP proxy"),
        ("HTTP/1.1 2000 OK\r\n\r\n", "does not answer as an HTTP proxy"),
    ];
    for (answer, said) in cases {
        let problem = problem(answer).await;
        assert!(problem.contains(said), "{answer}: {problem}");
    }
    let long: &'static str =
        Box::leak(format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(9_000)).into_boxed_str());
    assert!(problem(long).await.contains("does not answer"), "a head has an end");
    let refused = Routes::through("http://127.0.0.1:1", "").reach(&wss(), &no_tls()).await.err().unwrap();
    assert!(refused.to_string().starts_with("the proxy 127.0.0.1:1 cannot be reached"), "{refused}");
    let socks = Routes::through("socks5://127.0.0.1:1", "").reach(&wss(), &no_tls()).await.err().unwrap();
    assert!(
        socks.to_string().contains("is one of socks5") && socks.to_string().contains("HTTP proxy"),
        "{socks}"
    );
}

#[tokio::test]
async fn a_host_that_is_named_in_no_proxy_is_reached_directly() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = Url::parse(&format!("wss://localhost:{port}/")).unwrap();
    for no in ["localhost", "*", ".localhost,example.org"] {
        let routes = Routes::through("http://127.0.0.1:1", no);
        let tls = no_tls();
        let (reached, accepted) = tokio::join!(routes.reach(&url, &tls), listener.accept());
        assert!(reached.is_ok() && accepted.is_ok(), "{no}");
    }
}
