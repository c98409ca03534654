//! A portion for a server that is written to by rows (InfluxDB 3; see `ledger.rs`).
//!
//! Look whether the tables are as they were left; send what may be under way since an earlier life; note, word for word, what
//! is to be told; send it; acknowledge. A kill between any two of these sends rows again that are there already, as they are there.

use super::{Failure, KNOWN_BYTES_MAX, KNOWN_NS, KNOWN_NS_SHORT, TIMELINES_MAX, Task};
use crate::deliver::{SetAside, Way, unless};
use crate::layout::Layout;
use crate::ledger::Ledger;
use crate::recall::{self, ASTRAY_NS};
use crate::server::Found;
use crate::{NAME, Schema};
use engine::{Id, MINUTE, SECOND, TimelineEntry};
use futures_util::{StreamExt, TryStreamExt, stream};
use outward::Backoff;
use pipeline::{FollowerName, Portion};
use std::collections::HashMap;
use store::{SentPoint, StoreError, Waiting};

/// Requests that are under way at a time: each is answered when the server has written its log, once a second.
const UNDER_WAY_MAX: usize = 8;
/// How often what the server has is held against what is noted, and by how many minutes before the newest.
const COMPARED_EVERY_NS: i64 = 60 * SECOND;
const COMPARED_MINUTES: i64 = 60;
/// How far ahead of our clock something may have been told.
const AHEAD_NS: i64 = 86_400 * SECOND;
/// Changes of a portion, and rows that are in memory, unless a request has more.
const ROWS_MAX: usize = 40_000;

impl Task {
    /// Sends the next portion, if there is any.
    pub(super) async fn rows(&mut self, found: &Found, schema: Schema) -> Result<(), Failure> {
        let Some(mut portion) = self.follower.take(self.rows_max() as u64)? else { return Ok(()) };
        self.look(schema).await?;
        self.send_waiting(found).await?;
        self.compare().await?;
        self.note(&mut portion, schema).await?;
        self.send_waiting(found).await?;
        self.follower.acknowledge(&portion)?;
        Ok(())
    }

    /// Looks whether the tables are there, and ours. Where all that was told is gone, it is told of anew as it changes.
    async fn look(&mut self, schema: Schema) -> Result<(), Failure> {
        let layout = unless(&self.cancel, Layout::ask(&self.server)).await?.map_err(Failure::Wait)?;
        layout.takes(schema, self.server.bucket()).map_err(Failure::Wait)?;
        let (now, to) = (self.clock.now(), self.follower.at().seq);
        let sent = self.follower.sent();
        if layout == Layout::Nothing && sent.has_arrived()? {
            sent.clear(i64::MIN)?;
            self.lose(to);
        } else if sent.known_since()? == i64::MAX {
            sent.knows_since(if layout == Layout::Nothing { i64::MIN } else { now })?;
        }
        Ok(())
    }

    /// Whether the server has what is noted, when nothing waits: by the newest minutes, since nearly all that is told adds a row to one.
    /// Of no use is what is noted where the server was told more (an older copy of the data folder was put back), or where it
    /// has less (its database was dropped, and made again by a row that was under way).
    async fn compare(&mut self) -> Result<(), Failure> {
        let now = self.clock.now();
        if self.compared_at.is_some_and(|at| now.saturating_sub(at) < COMPARED_EVERY_NS) {
            return Ok(());
        }
        let known = self.follower.sent().minutes()?;
        let Some(newest) = known.keys().max() else { return Ok(()) };
        let first = newest.saturating_sub(COMPARED_MINUTES);
        let last = now.saturating_add(AHEAD_NS).div_euclid(MINUTE).max(*newest);
        let asked = recall::minutes(&self.server, (first, last));
        let told = unless(&self.cancel, asked).await?.map_err(Failure::Wait)?;
        self.compared_at = Some(now);
        let upto = self.follower.at().seq;
        let sent = self.follower.sent();
        let own_from = sent.known_since()?.saturating_add(ASTRAY_NS).div_euclid(MINUTE);
        let told: HashMap<i64, (i64, i64)> = told.into_iter().collect();
        let is_more = |(minute, (_, rows)): (&i64, &(i64, i64))| match known.get(minute) {
            Some((_, known)) => known < rows,
            None => *minute > own_from,
        };
        let lacks = |(minute, (events, _)): (&i64, &(i64, i64))| {
            *minute >= first && told.get(minute).map_or(0, |(events, _)| *events) < *events
        };
        if told.iter().any(is_more) {
            sent.clear(now)?;
            tracing::warn!(
                "InfluxDB was told more than is noted in follower-{NAME}.db, as if an older copy of the data folder had been put back, or \
                 another Headcount wrote there, too: it is asked what it was told"
            );
        } else if known.iter().any(lacks) {
            sent.clear(now)?;
            self.lose(upto);
        }
        Ok(())
    }

    fn lose(&self, upto: u64) {
        self.follower.lose(&format!(
            "the changes up to {upto}: the database `{}` was dropped or emptied, and what was there is not sent again",
            self.settings.bucket
        ));
    }

    /// Notes what is to be told, durably.
    async fn note(&mut self, portion: &mut Portion, schema: Schema) -> Result<(), Failure> {
        self.follower.sent().begin()?;
        let mut known = 0;
        for ids in portion.conversations.chunks(TIMELINES_MAX) {
            let timelines = self.follower.timelines(ids).await;
            let timelines =
                timelines.map_err(|why| Failure::Wait(format!("the history does not answer: {why}")))?;
            known += timelines.len();
            self.recall_conversations(&timelines, schema).await?;
            let ledger = self.ledger(schema)?;
            timelines.iter().try_for_each(|(id, timeline)| ledger.add(id, timeline))?;
        }
        portion.miss(portion.conversations.len().saturating_sub(known));
        let cells = self.follower.cells(&portion.minutes)?;
        self.recall_minutes(&cells).await?;
        let ledger = self.ledger(schema)?;
        cells.into_iter().try_for_each(|(minute, events)| ledger.cell(minute, events))?;
        let now = self.clock.now();
        let sent = self.follower.sent();
        let kept = if sent.size_bytes()? > KNOWN_BYTES_MAX { KNOWN_NS_SHORT } else { KNOWN_NS };
        sent.forget_some_standing(now.saturating_sub(kept))?;
        Ok(sent.noted()?)
    }

    fn ledger(&mut self, schema: Schema) -> Result<Ledger<'_>, StoreError> {
        let sent = self.follower.sent();
        let own_from = sent.own_since()?.saturating_add(ASTRAY_NS).div_euclid(MINUTE);
        Ok(Ledger { sent, schema, own_from })
    }

    /// Asks the server for conversations of which nothing is noted, and that are so old that it may have been told of them.
    async fn recall_conversations(
        &mut self,
        timelines: &[(Id, Vec<TimelineEntry>)],
        schema: Schema,
    ) -> Result<(), Failure> {
        let sent = self.follower.sent();
        let before = sent.known_since()?.saturating_add(ASTRAY_NS);
        let (mut ids, mut span) = (Vec::new(), (i64::MAX, i64::MIN));
        for (id, timeline) in timelines {
            let times = timeline.iter().flat_map(|entry| [entry.effective_at.nanos, entry.received_at.nanos]);
            let own = times.fold((i64::MAX, i64::MIN), |(a, b), time| (a.min(time), b.max(time)));
            if own.0 < before && sent.standing(SentPoint::hash(id.key()))?.is_empty() {
                ids.push(id.clone());
                span = (span.0.min(own.0), span.1.max(own.1));
            }
        }
        if ids.is_empty() {
            return Ok(());
        }
        let asked = recall::conversations(&self.server, schema, &ids, span);
        let told = unless(&self.cancel, asked).await?.map_err(Failure::Wait)?;
        let ledger = self.ledger(schema)?;
        Ok(told.iter().try_for_each(|told| ledger.recall(told))?)
    }

    /// The same of minutes.
    async fn recall_minutes(&mut self, cells: &[(i64, u64)]) -> Result<(), Failure> {
        let sent = self.follower.sent();
        let before = sent.known_since()?.saturating_add(ASTRAY_NS).div_euclid(MINUTE);
        let mut unknown = Vec::new();
        for (minute, _) in cells.iter().filter(|(minute, _)| *minute <= before) {
            if sent.minute(*minute)?.is_none() {
                unknown.push(*minute);
            }
        }
        let (Some(first), Some(last)) = (unknown.iter().min(), unknown.iter().max()) else { return Ok(()) };
        let asked = recall::minutes(&self.server, (*first, *last));
        let told = unless(&self.cancel, asked).await?.map_err(Failure::Wait)?;
        let sent = self.follower.sent();
        let told = told.into_iter().filter(|(minute, _)| unknown.contains(minute));
        told.into_iter().try_for_each(|(minute, known)| sent.put_minute(minute, known))?;
        Ok(())
    }

    /// Rows of as many requests as are under way at a time.
    fn rows_max(&self) -> usize {
        let lines = self.settings.batch_lines;
        lines.max(ROWS_MAX.min(lines.saturating_mul(UNDER_WAY_MAX)))
    }

    /// Sends all rows that wait. The position moves when all of them are acknowledged.
    async fn send_waiting(&mut self, found: &Found) -> Result<(), Failure> {
        let rows_max = self.rows_max();
        loop {
            let waiting = self.follower.sent().waiting(rows_max)?;
            let Some(last) = waiting.last().map(|row| row.number) else { return Ok(()) };
            let aside = self.send(found, &waiting).await?;
            let name = FollowerName { follower: NAME };
            self.telemetry.follower_points.get_or_create(&name).inc_by((waiting.len() - aside.len()) as u64);
            let sent = self.follower.sent();
            sent.begin()?;
            let numbers: HashMap<&str, i64> =
                waiting.iter().map(|row| (row.line.as_str(), row.number)).collect();
            let mut refused = aside.iter().filter_map(|SetAside { line, .. }| numbers.get(line.as_str()));
            refused.try_for_each(|number| sent.refuse(*number))?;
            self.keep_aside(&aside)?;
            let sent = self.follower.sent();
            sent.arrived(last)?;
            sent.noted()?;
        }
    }

    /// Sends rows, several requests at a time; gives those that are refused for good. In which order they arrive is all the
    /// same: no row replaces another.
    async fn send(&self, found: &Found, waiting: &[Waiting]) -> Result<Vec<SetAside>, Failure> {
        let lines_max = self.settings.batch_lines;
        let requests = stream::iter(evenly(waiting, lines_max)).map(|lines| async move {
            let timing = self.settings.timing;
            let backoff = &mut Backoff::new(timing.backoff_min, timing.backoff_max, fastrand::Rng::new());
            let mut way = Way { server: &self.server, found, backoff, cancel: &self.cancel };
            way.write(lines, lines_max, |why| self.follower.trouble(why)).await
        });
        let aside: Vec<Vec<SetAside>> = requests.buffer_unordered(UNDER_WAY_MAX).try_collect().await?;
        Ok(aside.concat())
    }
}

/// The lines as requests of one size, none of them with more than `lines_max`: a short rest takes as long as a full one.
fn evenly(waiting: &[Waiting], lines_max: usize) -> Vec<Vec<String>> {
    let requests = waiting.len().div_ceil(lines_max.max(1)).max(1);
    let each = waiting.len().div_ceil(requests).max(1);
    waiting.chunks(each).map(|rows| rows.iter().map(|row| row.line.clone()).collect()).collect()
}
