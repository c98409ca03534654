//! The follower's life: find out what the server is, then portion by portion until the program stops.
//!
//! It has a thread of its own, since its file is read and written there while everything else goes on. What a portion will
//! change is noted in that file, then it is sent, then it is acknowledged; whatever goes wrong in between, the same portion
//! comes again and puts right what is in doubt.

use crate::deliver::{Cancelled, SetAside, Way, unless};
use crate::difference::Difference;
use crate::points::cell;
use crate::server::{Correction, Found, Server, SetupError};
use crate::{NAME, Schema, Settings};
use engine::SECOND;
use outward::Backoff;
use pipeline::{Clock, Follower, FollowerName, Portion, Restarts, Telemetry};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use store::StoreError;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

mod rows;

/// How long points are known after the last change of their conversation: corrections later than that cannot remove what
/// stands elsewhere.
const KNOWN_NS: i64 = 3 * 86_400 * SECOND;
/// The same once what is known takes more room than this.
const KNOWN_NS_SHORT: i64 = 3_600 * SECOND;
const KNOWN_BYTES_MAX: u64 = 2 << 30;
/// Timelines in memory at a time.
const TIMELINES_MAX: usize = 512;
/// Series that 1.x and 2.x hold without pain, and the most values of a tag that 1.x takes (`max-values-per-tag`).
const SERIES_MAX: u64 = 100_000;
/// It is said from a fifth before that on, in steps of a tenth; beyond it at each doubling.
const SERIES_STEP: u64 = SERIES_MAX / 10;

/// A follower at work.
#[derive(Debug)]
pub struct Running {
    ended: oneshot::Receiver<()>,
}

impl Running {
    /// Resolves when it has ended.
    pub async fn ended(self) {
        let _either_way = self.ended.await;
    }
}

/// Starts to follow. `follower` was opened before the first change.
///
/// # Errors
/// When no server could ever be called.
pub fn start(
    settings: Settings,
    follower: Follower,
    telemetry: Arc<Telemetry>,
    clock: Clock,
    cancel: CancellationToken,
) -> Result<Running, SetupError> {
    let server = Server::new(&settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| SetupError::Client(error.to_string()))?;
    let (tell, ended) = oneshot::channel();
    let mut task =
        Task { settings, server, follower, telemetry, clock, cancel, series_said: 0, compared_at: None };
    let body = move || {
        let mut restarts = Restarts::new(NAME, task.telemetry.faults.clone());
        while catch_unwind(AssertUnwindSafe(|| runtime.block_on(task.run()))).is_err() {
            let wait = restarts.panicked();
            task.follower.trouble("a defect of the program stopped it; it is started again");
            if runtime.block_on(unless(&task.cancel, tokio::time::sleep(wait))).is_err() {
                break;
            }
            restarts.started();
        }
        let _nobody_waits = tell.send(());
    };
    let thread = std::thread::Builder::new().name(NAME.to_owned()).spawn(body);
    thread.map_err(|error| SetupError::Client(error.to_string()))?;
    Ok(Running { ended })
}

struct Task {
    settings: Settings,
    server: Server,
    follower: Follower,
    telemetry: Arc<Telemetry>,
    clock: Clock,
    cancel: CancellationToken,
    /// The number of series of which something was said last.
    series_said: u64,
    /// When what is noted was last held against what the server has.
    compared_at: Option<i64>,
}

/// Why a portion was not sent.
enum Failure {
    Cancelled,
    Wait(String),
    /// Pages of the follower's file, or of the data file, are damaged.
    Damaged(String),
}

impl Task {
    async fn run(&mut self) -> Result<(), Cancelled> {
        let timing = self.settings.timing;
        let mut backoff = Backoff::new(timing.backoff_min, timing.backoff_max, fastrand::Rng::new());
        let (found, schema) = self.meet(&mut backoff).await?;
        loop {
            self.gather().await?;
            let sent = match found.correction {
                Correction::TakeBack => self.rows(&found, schema).await,
                Correction::Delete | Correction::LeaveBehind => {
                    self.portion(&found, schema, &mut backoff).await
                }
            };
            match sent {
                Ok(()) => backoff.reset(),
                Err(Failure::Cancelled) => return Err(Cancelled),
                Err(Failure::Damaged(why)) => {
                    let why = self.renew(&found, schema).err().unwrap_or(why);
                    self.follower.trouble(&why);
                    unless(&self.cancel, tokio::time::sleep(backoff.wait())).await?;
                }
                Err(Failure::Wait(why)) => {
                    self.follower.trouble(&why);
                    unless(&self.cancel, tokio::time::sleep(backoff.wait())).await?;
                }
            }
        }
    }

    /// Begins a new file where the old one is damaged.
    fn renew(&mut self, found: &Found, schema: Schema) -> Result<(), String> {
        if self.follower.renew().map_err(|error| error.to_string())? {
            let target = self.settings.target(found, schema);
            self.follower.sent().aim(&target).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Asks until the server says what it is.
    async fn meet(&mut self, backoff: &mut Backoff) -> Result<(Found, Schema), Cancelled> {
        loop {
            let why = match unless(&self.cancel, self.server.detect()).await? {
                Ok(found) => {
                    let schema = self.settings.schema.unwrap_or_else(|| found.own.schema());
                    match self.follower.sent().aim(&self.settings.target(&found, schema)) {
                        Ok(other) => {
                            self.say_met(&found, schema, other);
                            return Ok((found, schema));
                        }
                        Err(error) => error.to_string(),
                    }
                }
                Err(why) => why,
            };
            self.follower.trouble(&why);
            unless(&self.cancel, tokio::time::sleep(backoff.wait())).await?;
        }
    }

    fn say_met(&self, found: &Found, schema: Schema, other: bool) {
        let (host, bucket) = (outward::host(&self.settings.url), &self.settings.bucket);
        let lag = self.follower.lag();
        tracing::info!(schema = %schema, lag, "follows into {} at {host}, {bucket}", found.version);
        if other {
            tracing::warn!(
                "this is another place or schema than last time: what changed before stays where it was written"
            );
        }
        if found.correction == Correction::LeaveBehind {
            tracing::warn!(
                "{} deletes no single points: one that a late fact moves is written anew, and its old copy stays, counted in \
                 headcount_follower_left_behind_points_total",
                found.version
            );
        }
    }

    /// Waits for something to send, and for more to go with it.
    async fn gather(&mut self) -> Result<(), Cancelled> {
        let (wait, lines) = (self.settings.batch_wait, self.settings.batch_lines as u64);
        let follower = &mut self.follower;
        unless(&self.cancel, follower.more()).await?;
        let full = follower.behind(lines);
        unless(&self.cancel, async {
            tokio::select! {
                () = full => {}
                () = tokio::time::sleep(wait) => {}
            }
        })
        .await
    }

    /// Sends the next portion, if there is any.
    async fn portion(&mut self, found: &Found, schema: Schema, backoff: &mut Backoff) -> Result<(), Failure> {
        let lines_max = self.settings.batch_lines;
        let Some(mut portion) = self.follower.take(lines_max as u64)? else { return Ok(()) };
        let mut difference = self.differences(&mut portion, schema).await?;
        let cells = self.follower.cells(&portion.minutes)?;
        let sent = self.follower.sent();
        difference.end(sent)?;
        let series = sent.count_series(difference.new_series)?;
        let known = if sent.size_bytes()? > KNOWN_BYTES_MAX { KNOWN_NS_SHORT } else { KNOWN_NS };
        if let Ok(now) = self.clock.trusted_now() {
            sent.forget_some(now.saturating_sub(known))?;
        }
        sent.noted()?;
        difference.lines.extend(cells.into_iter().map(|(minute, events)| cell(minute, events)));
        self.deliver(found, difference, backoff).await?;
        self.follower.acknowledge(&portion)?;
        self.warn_of_series(schema, series, &portion);
        Ok(())
    }

    /// How its conversations differ from what the server has; what is to be done is not noted durably yet.
    async fn differences(&mut self, portion: &mut Portion, schema: Schema) -> Result<Difference, Failure> {
        let sent = self.follower.sent();
        sent.begin()?;
        let (mut difference, mut known) = (Difference::begin(sent)?, 0);
        for ids in portion.conversations.chunks(TIMELINES_MAX) {
            let timelines = self.follower.timelines(ids).await;
            let timelines =
                timelines.map_err(|why| Failure::Wait(format!("the history does not answer: {why}")))?;
            known += timelines.len();
            let sent = self.follower.sent();
            timelines.iter().try_for_each(|(id, timeline)| difference.add(id, timeline, schema, sent))?;
        }
        portion.miss(portion.conversations.len().saturating_sub(known));
        Ok(difference)
    }

    async fn deliver(
        &mut self,
        found: &Found,
        difference: Difference,
        backoff: &mut Backoff,
    ) -> Result<(), Failure> {
        let Difference { lines, removals, .. } = difference;
        let name = FollowerName { follower: NAME };
        if !removals.is_empty() && found.correction == Correction::Delete {
            let removed = unless(&self.cancel, self.server.remove(found, &removals)).await?;
            removed.map_err(Failure::Wait)?;
        } else {
            self.telemetry.follower_left_behind.get_or_create(&name).inc_by(removals.len() as u64);
        }
        let written = lines.len() as u64;
        let mut way = Way { server: &self.server, found, backoff, cancel: &self.cancel };
        let follower = &self.follower;
        let aside = way.write(lines, self.settings.batch_lines, |why| follower.trouble(why)).await?;
        self.telemetry.follower_points.get_or_create(&name).inc_by(written - aside.len() as u64);
        self.set_aside(&aside)?;
        Ok(())
    }

    /// Keeps what was refused, and says it once a portion.
    fn set_aside(&mut self, aside: &[SetAside]) -> Result<(), StoreError> {
        self.follower.sent().begin()?;
        self.keep_aside(aside)?;
        self.follower.sent().noted()
    }

    /// The same within what is being noted.
    fn keep_aside(&mut self, aside: &[SetAside]) -> Result<(), StoreError> {
        let Some(first) = aside.first() else { return Ok(()) };
        tracing::error!(
            follower = NAME,
            lines = aside.len(),
            "the server refuses lines for good ({}); they are set aside in follower-{NAME}.db, table `refused`",
            first.why
        );
        let name = FollowerName { follower: NAME };
        self.telemetry.follower_refused.get_or_create(&name).inc_by(aside.len() as u64);
        let now = self.clock.now();
        let sent = self.follower.sent();
        aside.iter().try_for_each(|SetAside { line, why }| sent.set_aside(line, why, now))
    }

    /// Says with figures that the schema `tutorial` makes more series than the server is made for.
    fn warn_of_series(&mut self, schema: Schema, series: u64, portion: &Portion) {
        if schema != Schema::Tutorial || series < next_said(self.series_said) {
            return;
        }
        self.series_said = series;
        tracing::warn!(
            series,
            conversations = portion.conversations.len(),
            "the schema `tutorial` has made {series} series, one for each participant and state; beyond {SERIES_MAX}, InfluxDB 1 \
             refuses further ids (max-values-per-tag) and 2 takes ever more memory: INFLUX_SCHEMA=compact needs a few hundred"
        );
    }
}

/// At how many series something is said next.
fn next_said(said: u64) -> u64 {
    match said {
        0 => SERIES_MAX - 2 * SERIES_STEP,
        said if said < SERIES_MAX => said + SERIES_STEP,
        said => said.saturating_mul(2),
    }
}

impl From<Cancelled> for Failure {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let why = format!("the follower's file or the outbox cannot be used: {error}");
        if matches!(error, StoreError::Corrupt { .. }) { Self::Damaged(why) } else { Self::Wait(why) }
    }
}

#[cfg(test)]
mod tests;
