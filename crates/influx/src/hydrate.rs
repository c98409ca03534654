//! After a lost disk: how far each conversation's clock had come, and who was on those that lived, as InfluxDB still knows it.
//!
//! It is asked backwards from now, slice by slice of time, so that what lives comes first and whatever ends the asking (a
//! bound, a deadline, a server that does not answer) leaves the newest known. A slice whose answer is too large is asked
//! again as a smaller one. Flux on 2.x, InfluxQL on 1.x, SQL on 3.x; VictoriaMetrics cannot be asked. Clocks come first and
//! by themselves: they are small, and must not run backwards, whatever becomes of the rest.
//!
//! Rejected: asking for all of it at once (a week of a busy centre is gigabytes), and taking conversations themselves back
//! from their points (a point has the state, and not the evidence: facts that nobody ever sent would be invented). What
//! they tell of who was there is remembered beside the facts, and shown as that.

mod ask;
mod last;
mod rows;

pub(crate) use ask::written;
pub(crate) use rows::instant;

use crate::server::Server;
use crate::{Api, Schema, Settings};
use ask::{Refused, Slice, What, ask};
use engine::{Id, MINUTE, Memory, SECOND};
use last::Last;
use rows::Told;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use store::Inherited;

/// How far back is asked: longer than nearly every conversation lives.
const WINDOW_NS: i64 = 7 * 86_400 * SECOND;
/// The first slice, the shortest and the longest.
const SLICE_NS: i64 = 60 * MINUTE;
const SLICE_NS_MIN: i64 = MINUTE;
const SLICE_NS_MAX: i64 = 24 * 60 * MINUTE;
/// The shortest of what was last told: its rows are some five times as large.
const SLICE_OF_STATES_NS_MIN: i64 = 10 * SECOND;
/// Conversations of which a clock is taken: 20 MB of memory.
const CLOCKS_MAX: usize = 200_000;
/// How long the start may wait for clocks.
const ASKING_MAX: Duration = Duration::from_secs(30);
/// How long it may wait for what was last told.
const ASKING_FOR_STATES_MAX: Duration = Duration::from_secs(15);
/// How often it is said how far it is.
const SAID_EVERY: Duration = Duration::from_secs(3);

/// What an earlier history left, and whether that is all of the window.
#[derive(Debug, Default)]
pub struct Legacy {
    /// The highest clock of each conversation, and what was last told of those that looked live.
    pub conversations: Vec<Inherited>,
    /// Why the asking for clocks ended early; none: the whole window was read.
    pub clocks_cut: Option<String>,
    /// Why the asking for what was last told ended early; none: the whole window was read.
    pub states_cut: Option<String>,
}

impl Legacy {
    /// How many conversations looked live.
    #[must_use]
    pub fn live(&self) -> usize {
        self.conversations.iter().filter(|row| row.remembered.is_some()).count()
    }
}

/// Asks for clocks and last states of the last seven days before `now` (nanoseconds since the epoch).
pub async fn legacy(settings: &Settings, now: i64) -> Legacy {
    let asked = match Asked::of(settings, now).await {
        Ok(asked) => asked,
        Err(why) => {
            return Legacy { clocks_cut: Some(why.clone()), states_cut: Some(why), ..Legacy::default() };
        }
    };
    let mut clocks = HashMap::new();
    let clocks_cut = within(ASKING_MAX, asked.clocks(&mut clocks)).await;
    let mut last = Last::default();
    let states_cut = within(ASKING_FOR_STATES_MAX, asked.states(&mut last, &mut clocks)).await;
    let (live, more) = last.live();
    let states_cut =
        states_cut.or_else(|| more.then(|| "more conversations are live than are kept".to_owned()));
    Legacy { conversations: joined(clocks, live), clocks_cut, states_cut }
}

/// Clocks and memories by conversation.
fn joined(mut clocks: HashMap<Id, u64>, live: Vec<(Id, Memory)>) -> Vec<Inherited> {
    let row = |(conversation, remembered), clock| Inherited {
        conversation,
        clock,
        removed_until: None,
        remembered,
    };
    let live = live.into_iter().map(|(id, memory)| {
        let clock = clocks.remove(&id).unwrap_or_default();
        row((id, Some(memory)), clock)
    });
    let live: Vec<_> = live.collect();
    let others = clocks.into_iter().map(|(id, clock)| row((id, None), clock));
    live.into_iter().chain(others).collect()
}

async fn within(limit: Duration, asking: impl Future<Output = Result<(), String>>) -> Option<String> {
    let late = || Err(format!("it takes longer than {} s", limit.as_secs()));
    tokio::time::timeout(limit, asking).await.unwrap_or_else(|_| late()).err()
}

/// Whom to ask, and as of when.
struct Asked {
    server: Server,
    as_it_is: (Api, Schema),
    now: i64,
}

impl Asked {
    async fn of(settings: &Settings, now: i64) -> Result<Self, String> {
        let server = Server::new(settings).map_err(|error| error.to_string())?;
        let detected = tokio::time::timeout(ASKING_MAX, server.detect()).await;
        let known = detected.map_err(|_| format!("it takes longer than {} s", ASKING_MAX.as_secs()))??;
        let schema = settings.schema.unwrap_or_else(|| known.own.schema());
        Ok(Self { server, as_it_is: (known.own, schema), now })
    }

    async fn clocks(&self, found: &mut HashMap<Id, u64>) -> Result<(), String> {
        let all = self.backwards(What::Clocks, SLICE_NS_MIN, |rows| {
            rows.iter().for_each(|row| keep(found, row));
            (found.len(), found.len() < CLOCKS_MAX)
        });
        if all.await? { Ok(()) } else { Err(format!("there are more than {CLOCKS_MAX} conversations")) }
    }

    async fn states(&self, last: &mut Last, clocks: &mut HashMap<Id, u64>) -> Result<(), String> {
        let mut taken = 0;
        let all = self.backwards(What::States, SLICE_OF_STATES_NS_MIN, |rows| {
            taken += rows.len();
            rows.iter().for_each(|row| keep(clocks, row));
            (taken, rows.into_iter().all(|row| last.take(row)))
        });
        if all.await? { Ok(()) } else { Err("there are more participants than are gone through".to_owned()) }
    }

    /// Asks slice by slice. `take` gives back how much it has by now, and whether there is room for more. True when the
    /// whole window was read.
    async fn backwards(
        &self,
        what: What,
        shortest: i64,
        mut take: impl FnMut(Vec<Told>) -> (usize, bool),
    ) -> Result<bool, String> {
        let (mut to, mut length, mut said) = (self.now.saturating_add(SLICE_NS), SLICE_NS, Instant::now());
        let from = self.now.saturating_sub(WINDOW_NS);
        while to > from {
            let slice = Slice { from: to.saturating_sub(length).max(from), to };
            let (has, room) = match ask(&self.server, self.as_it_is, what, slice).await {
                Ok(rows) => take(rows),
                Err(Refused::TooLarge) if length > shortest => {
                    length = (length / 4).max(shortest);
                    continue;
                }
                Err(Refused::TooLarge) => {
                    return Err(format!("{} s of it are too large an answer", shortest / SECOND));
                }
                Err(Refused::Why(why)) => return Err(why),
            };
            (to, length) = (slice.from, (length * 2).min(SLICE_NS_MAX));
            if !room {
                return Ok(to <= from);
            }
            if said.elapsed() > SAID_EVERY {
                said = Instant::now();
                let hours = (self.now - to) / (60 * MINUTE);
                tracing::info!(
                    has,
                    "asking InfluxDB for {}: the last {hours} hours of 168 are read",
                    what.name()
                );
            }
        }
        Ok(true)
    }
}

fn keep(found: &mut HashMap<Id, u64>, row: &Told) {
    if let (Ok(id), Some(clock)) = (Id::new(&row.id), row.clock)
        && (found.len() < CLOCKS_MAX || found.contains_key(&id))
    {
        let known = found.entry(id).or_default();
        *known = clock.max(*known);
    }
}
