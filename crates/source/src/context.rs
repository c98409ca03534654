//! What every part of a source shares.

use crate::api::Api;
use crate::frames::Frames;
use crate::health::Board;
use crate::past::Past;
use crate::route::Routes;
use crate::sink::Sink;
use crate::socket::Connector;
use crate::{Settings, Timing};
use futures_util::FutureExt;
use outward::{SetupError, Waits};
use pipeline::{Clock, Telemetry};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What every part of a source shares.
#[derive(Debug)]
pub(crate) struct Context<S> {
    pub settings: Settings,
    pub api: Api,
    pub connector: Connector,
    pub sink: S,
    pub telemetry: Arc<Telemetry>,
    pub clock: Clock,
    pub board: Arc<Board>,
    pub cancel: CancellationToken,
    /// Cancelled when a task of this source panicked.
    pub alarm: CancellationToken,
    /// How far the first repair looks back.
    pub look_back_to: Past,
}

impl<S: Sink> Context<S> {
    /// Makes the clients.
    pub fn new(
        settings: Settings,
        sink: S,
        telemetry: Arc<Telemetry>,
        clock: Clock,
        board: Arc<Board>,
        cancel: CancellationToken,
    ) -> Result<Self, SetupError> {
        let (api, connector) = clients(&settings, clock.clone())?;
        let look_back = i64::try_from(settings.timing.look_back_first.as_nanos()).unwrap_or(i64::MAX);
        let now = clock.moment();
        let look_back_to = Past::new(now.wall.saturating_sub(look_back), now);
        Ok(Self {
            api,
            connector,
            sink,
            telemetry,
            clock,
            board,
            cancel,
            alarm: CancellationToken::new(),
            look_back_to,
            settings,
        })
    }

    /// A decoder for the frames of a feed.
    pub fn frames(&self, feed: u16, name: &str) -> Frames<S> {
        let (telemetry, clock) = (self.telemetry.clone(), self.clock.clone());
        let clocks = (clock, self.api.cloud().clone());
        Frames::new((feed, name), &self.settings, self.sink.clone(), telemetry, clocks)
    }
}

/// Does some work of a source's; when it panics, the alarm is raised and nothing more comes of it.
pub(crate) async fn or_alarm<T>(alarm: CancellationToken, work: impl Future<Output = T>) -> T {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(_) => {
            alarm.cancel();
            std::future::pending().await
        }
    }
}

/// The REST client and the maker of sockets, on one TLS configuration.
pub(crate) fn clients(settings: &Settings, clock: Clock) -> Result<(Api, Connector), SetupError> {
    let plain = settings.endpoints.all_plain();
    let Timing { connect_timeout, request_timeout, .. } = settings.timing;
    let tls = outward::tls(plain)?;
    let client = outward::client(tls.clone(), plain, Waits { connect_timeout, request_timeout })?;
    let api = Api::new(settings, client, fastrand::Rng::new(), clock);
    let frame_bytes_max = settings.limits.frame_bytes_max;
    Ok((
        api,
        Connector::new(
            Arc::new(tls),
            if plain { Routes::direct() } else { Routes::of_this_machine() },
            settings.endpoints.plain().clone(),
            frame_bytes_max,
            settings.timing.connect_timeout,
        ),
    ))
}
