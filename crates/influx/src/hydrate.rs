//! After a lost disk: how far each conversation's clock had come, as InfluxDB still knows it.
//!
//! It is asked backwards from now, slice by slice of time, so that what lives comes first and whatever ends the asking (a
//! bound, a deadline, a server that does not answer) leaves the newest known. A slice whose answer is too large is asked
//! again as a smaller one. Flux on 2.x, InfluxQL on 1.x, SQL on 3.x; VictoriaMetrics cannot be asked.
//!
//! Rejected: asking for all of it at once (a week of a busy centre is gigabytes), and taking conversations themselves back
//! from their points (a point has the state, and not the evidence: facts that nobody ever sent would be invented).

mod ask;
mod rows;

use crate::Settings;
use crate::server::Server;
use ask::{Refused, Slice, ask};
use engine::{Id, MINUTE, SECOND};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How far back is asked: longer than nearly every conversation lives.
const WINDOW_NS: i64 = 7 * 86_400 * SECOND;
/// The first slice, the shortest and the longest.
const SLICE_NS: i64 = 60 * MINUTE;
const SLICE_NS_MIN: i64 = MINUTE;
const SLICE_NS_MAX: i64 = 24 * 60 * MINUTE;
/// Conversations of which a clock is taken: 20 MB of memory.
const CLOCKS_MAX: usize = 200_000;
/// How long the start may wait for it.
const ASKING_MAX: Duration = Duration::from_secs(30);
/// How often it is said how far it is.
const SAID_EVERY: Duration = Duration::from_secs(3);

/// Clocks as they were, and whether that is all of the window.
#[derive(Debug, Default)]
pub struct Clocks {
    /// The highest clock of each conversation.
    pub clocks: Vec<(Id, u64)>,
    /// Why the asking ended early; none: the whole window was read.
    pub cut: Option<String>,
}

/// Asks for the clocks of the last seven days before `now` (nanoseconds since the epoch).
pub async fn clocks(settings: &Settings, now: i64) -> Clocks {
    let mut found = HashMap::new();
    let cut = tokio::time::timeout(ASKING_MAX, gather(settings, now, &mut found)).await;
    let late = || Err(format!("it takes longer than {} s", ASKING_MAX.as_secs()));
    let cut = cut.unwrap_or_else(|_| late()).err();
    Clocks { clocks: found.into_iter().collect(), cut }
}

async fn gather(settings: &Settings, now: i64, found: &mut HashMap<Id, u64>) -> Result<(), String> {
    let server = Server::new(settings).map_err(|error| error.to_string())?;
    let known = server.detect().await?;
    let schema = settings.schema.unwrap_or_else(|| known.api.schema());
    let (mut to, mut length, mut said) = (now.saturating_add(SLICE_NS), SLICE_NS, Instant::now());
    let from = now.saturating_sub(WINDOW_NS);
    while to > from && found.len() < CLOCKS_MAX {
        let slice = Slice { from: to.saturating_sub(length).max(from), to };
        match ask(&server, known.api, schema, slice).await {
            Ok(rows) => {
                rows.into_iter().for_each(|(id, clock)| keep(found, &id, clock));
                (to, length) = (slice.from, (length * 2).min(SLICE_NS_MAX));
            }
            Err(Refused::TooLarge) if length > SLICE_NS_MIN => length = (length / 4).max(SLICE_NS_MIN),
            Err(Refused::TooLarge) => return Err("a minute of it is too large an answer".to_owned()),
            Err(Refused::Why(why)) => return Err(why),
        }
        if said.elapsed() > SAID_EVERY {
            said = Instant::now();
            let hours = (now - to) / (60 * MINUTE);
            tracing::info!(
                conversations = found.len(),
                "asking InfluxDB for clocks: the last {hours} hours of 168 are read"
            );
        }
    }
    if to > from { Err(format!("there are more than {CLOCKS_MAX} conversations")) } else { Ok(()) }
}

fn keep(found: &mut HashMap<Id, u64>, id: &str, clock: u64) {
    if let Ok(id) = Id::new(id)
        && (found.len() < CLOCKS_MAX || found.contains_key(&id))
    {
        let known = found.entry(id).or_default();
        *known = clock.max(*known);
    }
}
