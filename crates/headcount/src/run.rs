//! Runs `serve` until it is told to stop, then drains under a deadline.
//!
//! The deadline is one for all that an end consists of, and holds in every state: while it starts, while a name is looked
//! up that nobody answers, while an export reads, while the disk refuses. What has not ended by then is left: every commit
//! is whole, and the next start goes on from the last one. Rejected: a time limit for each step, whose sum is what a service
//! manager waits for, and waiting for the runtime's blocking threads, which nobody can interrupt.

mod signals;

use crate::assemble::{Assembly, Plan, assemble};
use crate::config::Config;
use crate::logging::Log;
use anyhow::Context;
use pipeline::Pipeline;
pub use signals::told_to_stop;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long an end may take after a signal, and the parts of it that are not the last commits'.
pub const DRAIN_MAX: Duration = Duration::from_millis(9_000);
const FEEDS_MAX: Duration = Duration::from_secs(3);
/// How long followers may take to send the last of it, and to end between two portions.
const LAST_WORDS_MAX: Duration = Duration::from_millis(1_500);
const FOLLOWERS_MAX: Duration = Duration::from_secs(1);
/// How long the last commit may take when the time for it is over.
const COMMIT_MAX: Duration = Duration::from_millis(500);
/// How long answers that have begun may take behind all that.
const ANSWERS_MAX: Duration = Duration::from_millis(500);

const FAILED: &str = "a part of the program failed, and nothing goes on without it; start it again";

/// Follows the configured organisation until SIGINT, SIGTERM or SIGHUP.
///
/// # Errors
/// What could not start, or made it stop.
pub fn serve(config: &Config, log: &Log) -> anyhow::Result<()> {
    to_the_end(async {
        let mut stop = pin!(told_to_stop()?);
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
        let assembly = tokio::select! {
            assembly = assemble(plan) => assembly?,
            why = &mut stop => {
                tracing::info!("{why}: stopping before all had started");
                return Ok(());
            }
        };
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
        until_stopped(assembly, stop).await
    })
}

/// Runs something on a runtime (sockets, REST and the page: everything but the shard), and leaves behind what still blocks a
/// thread when it is over.
pub fn to_the_end<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("the runtime could not start")?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_background();
    outcome
}

/// Binds before anything else starts, so that a taken port stops the program and not half of it.
pub async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}; choose another address with --listen or HEADCOUNT_LISTEN")
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
        how = assembly.pipeline.failed() => {
            assembly.stop_source.cancel();
            assembly.stop_followers.cancel();
            return how.map(|_| ()).context(FAILED);
        }
        how = &mut assembly.server => Some(how.context("the server's task died").and_then(|how| Ok(how?))),
    };
    let deadline = Instant::now() + DRAIN_MAX;
    assembly.stop_source.cancel();
    if tokio::time::timeout(FEEDS_MAX, assembly.source.stopped()).await.is_err() {
        tracing::warn!("the feeds did not close in time");
    }
    stop_followers(assembly.influx, &assembly.pipeline.reader(), &assembly.stop_followers).await;
    drain(assembly.pipeline, deadline - ANSWERS_MAX).await?;
    assembly.stop_server.cancel();
    match failed {
        Some(how) => how.context(FAILED),
        None => {
            let _either_way = tokio::time::timeout(ANSWERS_MAX, assembly.server).await;
            Ok(())
        }
    }
}

/// Commits what waits, as far as there is time until then.
async fn drain(pipeline: Pipeline, deadline: Instant) -> anyhow::Result<()> {
    let left = deadline.saturating_duration_since(Instant::now()).saturating_sub(COMMIT_MAX);
    let Ok(drained) = tokio::time::timeout_at(deadline, pipeline.drain(left)).await else {
        anyhow::bail!("the store did not answer in time; what is committed is safe");
    };
    let drained = drained?;
    let left = if drained.complete {
        "nothing is left behind"
    } else {
        "the deadline passed before all was committed"
    };
    tracing::info!("drained {} facts; {left}", drained.facts);
    Ok(())
}

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
    if tokio::time::timeout(FOLLOWERS_MAX, running.ended()).await.is_err() {
        tracing::warn!("InfluxDB did not answer in time; what it lacks is sent after the next start");
    }
}
