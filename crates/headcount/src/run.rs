//! Runs `serve` until it is told to stop, then drains under a deadline.

use crate::assemble::{Assembly, Plan, assemble};
use crate::config::Config;
use crate::logging::Log;
use anyhow::Context;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long the rest may take to be committed after a signal.
pub const DRAIN_MAX: Duration = Duration::from_secs(10);

/// Follows the configured organisation until SIGINT or SIGTERM.
///
/// # Errors
/// What could not start, or made it stop.
pub fn serve(config: &Config, log: &Log) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let listener = bind(config.listen).await?;
        let plan = Plan {
            source: config.source.clone(),
            listener,
            data: &config.data,
            retention: config.retention,
            mailbox: config.mailbox,
            influx: config.influx.clone(),
            hosts: config.hosts.clone(),
            zone: config.zone.clone(),
            title: config.source.organisation.clone(),
            note: None,
            log: log.clone(),
        };
        tracing::info!("hours are those of {}, by {}", config.zone.name(), config.zone_rules.in_words());
        let assembly = assemble(plan).await?;
        if !config.listen.ip().is_loopback() {
            tracing::warn!(
                "{} can be reached from other machines, and nobody has to sign in",
                assembly.address
            );
        }
        for what in &config.unknown {
            tracing::warn!("{what}");
        }
        for host in &config.unencrypted {
            tracing::warn!("secrets and history go to {host} without TLS, as HEADCOUNT_PLAIN_HOSTS allows");
        }
        tracing::info!("serving on http://{}/", assembly.address);
        until_stopped(assembly, told_to_stop()?).await
    })
}

/// The runtime of everything but the shard: sockets, REST and the page.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime could not start")
}

/// Binds before anything else starts, so that a taken port stops the program and not half of it.
pub async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}; choose another address with --listen or HEADCOUNT_LISTEN")
    })
}

/// Resolves on SIGINT or SIGTERM.
pub fn told_to_stop() -> anyhow::Result<impl Future<Output = &'static str>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        }
    })
}

/// Waits for the word to stop, or for a part to fail; then stops the feeds, drains, and stops the server.
pub async fn until_stopped(
    mut assembly: Assembly,
    stop: impl Future<Output = &'static str>,
) -> anyhow::Result<()> {
    let failed = tokio::select! {
        why = stop => {
            tracing::info!("{why}: stopping; at most {} s to commit what waits", DRAIN_MAX.as_secs());
            None
        }
        how = assembly.pipeline.failed() => Some(how.map(|_| ())),
        how = &mut assembly.server => Some(how.context("the server's task died").and_then(|h| Ok(h?)).map_err(
            |error| pipeline::PipelineError::Thread(error.to_string()))),
    };
    assembly.stop_source.cancel();
    if let Some(how) = failed {
        assembly.stop_followers.cancel();
        assembly.stop_server.cancel();
        return how.context("a part of the program failed, and nothing goes on without it; start it again");
    }
    if tokio::time::timeout(DRAIN_MAX / 2, assembly.source.stopped()).await.is_err() {
        tracing::warn!("the feeds did not close in time");
    }
    stop_followers(assembly.influx, &assembly.pipeline.reader(), &assembly.stop_followers).await;
    let drained = assembly.pipeline.drain(DRAIN_MAX / 2).await?;
    let left = if drained.complete {
        "nothing is left behind"
    } else {
        "the deadline passed before all was committed"
    };
    tracing::info!("drained {} facts; {left}", drained.facts);
    assembly.stop_server.cancel();
    Ok(())
}

/// How long followers may take to send the last of it.
const LAST_WORDS_MAX: Duration = Duration::from_millis(1_500);

/// Lets followers send the last of it where that works, and end between two portions. One that hangs in an answer is left:
/// its position is durable, and what it lacks is sent after the next start.
async fn stop_followers(
    influx: Option<influx::Running>,
    reader: &pipeline::Reader,
    stop: &CancellationToken,
) {
    let Some(running) = influx else { return };
    let mut look = tokio::time::interval(LAST_WORDS_MAX / 30);
    let sent = async {
        while reader.followers().status().iter().any(|f| f.lag_changes > 0 && f.trouble.is_none()) {
            look.tick().await;
        }
    };
    let _either_way = tokio::time::timeout(LAST_WORDS_MAX, sent).await;
    stop.cancel();
    if tokio::time::timeout(DRAIN_MAX / 10, running.ended()).await.is_err() {
        tracing::warn!("InfluxDB did not answer in time; what it lacks is sent after the next start");
    }
}
