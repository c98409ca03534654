//! Asks a running service.
//!
//! Plain HTTP goes to this machine and to hosts that were named for it alone, as everywhere in the program: what is asked for
//! names people's conversations.

use super::Wanted;
use crate::cli::WrongUse;
use crate::run;
use anyhow::Context;
use outward::PlainHosts;
use reqwest::{Client, Response, Url, redirect};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The variable that names hosts that may be asked without TLS.
const PLAIN_HOSTS: &str = "HEADCOUNT_PLAIN_HOSTS";
/// How long the whole answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// Of an answer, in bytes: 20,000 facts explained are below it.
const BYTES_MAX: usize = 256 << 20;

/// The answer's body.
///
/// # Errors
/// With what to do about it.
pub fn ask(url: Option<&str>, wanted: &Wanted) -> anyhow::Result<String> {
    let listen = std::env::var("HEADCOUNT_LISTEN").ok();
    let plain = std::env::var(PLAIN_HOSTS).unwrap_or_default().parse::<PlainHosts>();
    let plain = plain.map_err(|what| WrongUse(format!("{PLAIN_HOSTS}: {what}")))?;
    let url = address(url, listen.as_deref(), &plain, wanted).map_err(WrongUse)?;
    run::to_the_end(async {
        let response = client(&url)?.get(url.clone()).send().await;
        let response = response.map_err(|error| unreachable(&url, &error))?;
        let status = response.status();
        let body = body(response).await?;
        if status.is_success() {
            return Ok(body);
        }
        let problem: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        match problem["detail"].as_str() {
            Some(detail) => anyhow::bail!("{}: {detail}", wanted.conversation),
            None => anyhow::bail!("{} answered {status}, which is no answer of headcount's", origin(&url)),
        }
    })
}

/// Where to ask: the service named, else the one that this environment would start.
fn address(
    url: Option<&str>,
    listen: Option<&str>,
    plain: &PlainHosts,
    wanted: &Wanted,
) -> Result<Url, String> {
    let text = match (url, listen.map(str::trim).filter(|listen| !listen.is_empty())) {
        (Some(url), _) if url.contains("://") => url.to_owned(),
        (Some(url), _) => format!("http://{url}"),
        (None, Some(listen)) => format!("http://{}", reachable(listen)?),
        (None, None) => "http://127.0.0.1:8080".to_owned(),
    };
    let mut url = Url::parse(&text).map_err(|error| format!("`{text}` is no URL: {error}"))?;
    match url.scheme() {
        "https" => {}
        "http" if plain.allow(&url) => {}
        "http" => {
            return Err(format!(
                "`{text}`: plain http is for loopback hosts only; use https, or name the host in {PLAIN_HOSTS} where nobody \
                 can listen in on the way to it"
            ));
        }
        other => return Err(format!("`{text}`: {other} is not spoken here; use http or https")),
    }
    let conversation = wanted.conversation.to_string();
    if matches!(conversation.as_str(), "." | "..") {
        return Err(format!(
            "`{conversation}` cannot be asked for over HTTP; read the data folder with --data"
        ));
    }
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["api", "v1", "conversations", &conversation, "why"]);
    }
    url.set_query(None);
    if let Some(participant) = &wanted.participant {
        url.query_pairs_mut().append_pair("participantId", &participant.to_string());
    }
    Ok(url)
}

/// The address at which a service that listens everywhere is reached from here.
fn reachable(listen: &str) -> Result<SocketAddr, String> {
    let wrong =
        |_| format!("HEADCOUNT_LISTEN: `{listen}` is no address and port; name the service with --url");
    let mut address: SocketAddr = listen.parse().map_err(wrong)?;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    Ok(address)
}

/// A client that opens the machine's trust store only where there is something to trust.
fn client(url: &Url) -> anyhow::Result<Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = Client::builder().redirect(redirect::Policy::none()).timeout(ANSWER_MAX);
    if url.scheme() == "http" {
        let nobody = rustls::RootCertStore::empty();
        let tls = tls.with_root_certificates(nobody).with_no_client_auth();
        return Ok(builder.no_proxy().tls_backend_preconfigured(tls).build()?);
    }
    use rustls_platform_verifier::BuilderVerifierExt;
    let tls = tls.with_platform_verifier().context("the machine's trust store cannot be used")?;
    Ok(builder.tls_backend_preconfigured(tls.with_no_client_auth()).build()?)
}

async fn body(mut response: Response) -> anyhow::Result<String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.context("the answer broke off")? {
        body.extend_from_slice(&chunk);
        anyhow::ensure!(body.len() <= BYTES_MAX, "the answer is larger than any of headcount's");
    }
    String::from_utf8(body).context("the answer is not text")
}

fn unreachable(url: &Url, error: &reqwest::Error) -> anyhow::Error {
    if error.is_timeout() {
        return anyhow::anyhow!("{} did not answer within {} s", origin(url), ANSWER_MAX.as_secs());
    }
    anyhow::anyhow!(
        "no service answers at {}; name the one that runs with --url, or read the data folder of one that is stopped with --data",
        origin(url)
    )
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests;
