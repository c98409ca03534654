//! REST, server-sent events, metrics and the web page.
//!
//! Everything here reads: what it shows comes from a [`Reader`], which tells of committed state only. [`router`] needs
//! no socket, so that a test can call every route; [`run`] adds the socket, with a bound on everything that a client
//! could hold on to. The API's spelling lives in this crate alone, in `show`. Rejected: serialisable views in the
//! engine (either side would drag the other along), and templates or a front-end build (the page is plain files that
//! are compiled in).

mod activity;
mod completeness;
mod conversations;
mod error;
mod export;
mod guard;
mod health;
mod hosts;
mod minutes;
mod page;
mod parameters;
mod routes;
mod server;
mod show;
mod state;
mod stream;
mod times;
mod zone;

pub use hosts::{Hosts, NoHosts};
pub use routes::routes;
pub use server::{Bounds, run};
pub use show::Explanation;
pub use zone::{Origin, Zone, ZoneRules};

use axum::Router;
use axum::body::Bytes;
use axum::middleware::{from_fn, from_fn_with_state};
use pipeline::{Clock, Reader, Telemetry};
use prometheus_client::registry::Registry;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

/// What the routes need.
#[derive(Debug)]
pub struct App {
    /// Where answers come from.
    pub reader: Reader,
    /// What `/metrics` shows.
    pub registry: Arc<Registry>,
    /// The ages of the feeds.
    pub telemetry: Arc<Telemetry>,
    /// What the time is.
    pub clock: Clock,
    /// The data folder that the reader's engine commits to, for exports.
    pub data: PathBuf,
    /// Under which names this is served besides the machine's own.
    pub hosts: Hosts,
    /// Whose hours and minutes the heatmap is laid out by.
    pub zone: Zone,
    /// What the page is headed with: the organisation, or `demo`.
    pub title: String,
    /// A line under the heading, when there is something to say.
    pub note: Option<String>,
}

/// What the handlers share.
struct Shared {
    reader: Reader,
    registry: Arc<Registry>,
    telemetry: Arc<Telemetry>,
    clock: Clock,
    state: state::Cache,
    index: Bytes,
    streams: Arc<Semaphore>,
    data: PathBuf,
    exports: Arc<Semaphore>,
    activities: Semaphore,
}

/// Every route. `GET` and `HEAD` only; anything else is answered with a problem of the closed list.
pub fn router(app: App) -> Router {
    let index = page::index(&app.title, app.note.as_deref(), &app.zone);
    let hosts = Arc::new(app.hosts);
    let shared = Arc::new(Shared {
        reader: app.reader,
        registry: app.registry,
        telemetry: app.telemetry,
        clock: app.clock,
        state: state::Cache::new(app.zone),
        index,
        streams: Arc::new(Semaphore::new(stream::STREAMS_MAX)),
        data: app.data,
        exports: Arc::new(Semaphore::new(export::EXPORTS_MAX)),
        activities: Semaphore::new(activity::ASKED_MAX),
    });
    routes::router()
        .method_not_allowed_fallback(guard::method_not_allowed)
        .fallback(guard::not_found)
        .layer(from_fn(guard::in_time))
        .layer(from_fn(guard::probes_first))
        .layer(from_fn_with_state(hosts, hosts::only_ours))
        .layer(CatchPanicLayer::custom(guard::panicked))
        .layer(from_fn(guard::with_headers))
        .with_state(shared)
}
