//! Puts the parts together: store and engine, the source, the page.

use crate::config::Influx;
use crate::descriptors;
use crate::logging::Log;
use pipeline::{Clock, Follower, MailboxSettings, Pipeline, Recovery, Retention, Telemetry};
use prometheus_client::registry::Registry;
use source::Source;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::{Inherited, Store};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A running program.
pub struct Assembly {
    /// The shard.
    pub pipeline: Pipeline,
    /// The feeds.
    pub source: Source,
    /// Where it serves.
    pub address: SocketAddr,
    /// The server's task.
    pub server: JoinHandle<std::io::Result<()>>,
    /// Who takes the history elsewhere.
    pub influx: Option<influx::Running>,
    /// Stops the followers.
    pub stop_followers: CancellationToken,
    /// Stops the feeds.
    pub stop_source: CancellationToken,
    /// Stops the server.
    pub stop_server: CancellationToken,
}

/// What to put together.
pub struct Plan<'a> {
    /// What to follow.
    pub source: source::Settings,
    /// An address that is bound already.
    pub listener: TcpListener,
    /// The data folder.
    pub data: &'a Path,
    /// How long, and how much, history is kept.
    pub retention: Retention,
    /// The queue.
    pub mailbox: MailboxSettings,
    /// Where the history goes besides.
    pub influx: Option<Influx>,
    /// Under which names it is served besides the machine's own.
    pub hosts: serve::Hosts,
    /// The heatmap's zone.
    pub zone: serve::Zone,
    /// What the page is called.
    pub title: String,
    /// A remark on the page.
    pub note: Option<String>,
    /// Where it says what happens to it.
    pub log: Log,
}

/// Starts everything, the store first and the feeds last.
///
/// # Errors
/// What could not start, and why.
pub async fn assemble(plan: Plan<'_>) -> anyhow::Result<Assembly> {
    let mut registry = Registry::default();
    let telemetry = Telemetry::new(&mut registry);
    plan.log.register(&mut registry);
    let clock = Clock::system();
    let outbox = plan.influx.as_ref().map(|influx| influx.outbox);
    let settings = pipeline::Settings {
        mailbox: plan.mailbox,
        limits: engine::Limits::default(),
        outbox,
        retention: plan.retention,
    };
    let epoch = u64::try_from(clock.now() / engine::SECOND).unwrap_or(1);
    let left = left_elsewhere(plan.data, plan.influx.as_ref(), clock.now()).await;
    let (folder, of, by) = (plan.data.to_owned(), telemetry.clone(), clock.clone());
    // On a thread of its own, so that the word to stop is heard meanwhile.
    let start = move || Pipeline::start_from(&folder, settings, of, by, epoch, &left);
    let mut pipeline = tokio::task::spawn_blocking(start).await??;
    say_recovered(pipeline.recovered(), plan.data);
    let app = serve::App {
        reader: pipeline.reader(),
        registry: Arc::new(registry),
        telemetry: telemetry.clone(),
        clock: clock.clone(),
        data: plan.data.to_owned(),
        hosts: plan.hosts,
        zone: plan.zone,
        title: plan.title,
        note: plan.note,
    };
    let address = plan.listener.local_addr()?;
    let (stop_source, stop_server) = (CancellationToken::new(), CancellationToken::new());
    let stop_followers = CancellationToken::new();
    // Before the first change, so that none is missed.
    let influx = match plan.influx {
        Some(Influx { settings, .. }) => {
            let follower = Follower::open(plan.data, influx::NAME, &pipeline.reader(), telemetry.clone())?;
            Some(influx::start(settings, follower, telemetry.clone(), clock.clone(), stop_followers.clone())?)
        }
        None => None,
    };
    let bounds = descriptors::shared_out(descriptors::raise());
    let serving = serve::run(plan.listener, serve::router(app), stop_server.clone(), bounds);
    let server = tokio::spawn(serving);
    let wishes = pipeline.take_wishes().ok_or_else(|| anyhow::anyhow!("the wishes were taken already"))?;
    let mut followed = plan.source;
    let look_back = clock.now().saturating_sub(pipeline.recovered().look_back_to).max(0);
    let look_back = Duration::from_nanos(look_back.unsigned_abs());
    followed.timing.look_back_first = followed.timing.look_back_first.max(look_back);
    let source = Source::start(followed, pipeline.intake(), wishes, telemetry, clock, stop_source.clone())?;
    Ok(Assembly { pipeline, source, address, server, influx, stop_followers, stop_source, stop_server })
}

fn say_recovered(back: Recovery, data: &Path) {
    tracing::info!(
        incarnation = back.incarnation,
        "data folder {} is open: {} conversations are in memory, {} of them active, {} facts came from the log; {} bytes are on \
         the disk, of changes up to {}",
        data.display(),
        back.in_memory,
        back.active,
        back.facts,
        back.size_bytes,
        back.seq
    );
    if back.damaged > 0 {
        tracing::error!(damaged = back.damaged, "damaged records were set aside; what they held is missing");
    }
}

/// What InfluxDB still knows of clocks and last states, when the data folder is new. That it cannot be asked stops nothing.
async fn left_elsewhere(data: &Path, influx: Option<&Influx>, now: i64) -> Vec<Inherited> {
    let Some(influx) = influx.filter(|_| !Store::is_there(data)) else { return Vec::new() };
    let found = influx::legacy(&influx.settings, now).await;
    let (conversations, live) = (found.conversations.len(), found.live());
    match found.clocks_cut {
        None if conversations == 0 => {}
        None => {
            tracing::info!(conversations, "the data folder is new: clocks go on from where InfluxDB has them")
        }
        Some(why) => tracing::warn!(
            conversations,
            "the data folder is new, and not all clocks can be had from InfluxDB ({why}): those of other conversations begin anew, \
             and it is not asked again; if they must go on, stop, mend that, move {} away and start again",
            data.display()
        ),
    }
    if live > 0 {
        tracing::info!(
            live,
            "conversations that looked live in InfluxDB are shown as remembered until they are heard of"
        );
    }
    if let Some(why) = found.states_cut {
        tracing::warn!(
            live,
            "not all last states can be had from InfluxDB ({why}): other live conversations appear when they are heard of"
        );
    }
    found.conversations
}
