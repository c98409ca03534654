//! A line a cause, then a count.
//!
//! What fails is tried again, every second perhaps and for days, and each attempt says why it failed. The first line of a
//! cause goes out as it is; those that follow within a minute are counted, and the count is said when the minute is over. So a
//! cause that lasts takes two lines a minute, and one that comes back later is said at once. Two lines are of one cause when
//! they come from one place in the program with the same words; numbers that stand in fields (a wait, a lag, bytes) are not
//! looked at. Below INFO nothing is counted: who asks for that wants every line. Rejected: such a rule at each place that says
//! something in a loop (one is always forgotten), and windows that grow (what comes back within an hour would be held back).

use std::collections::HashMap;
use std::fmt::{self, Debug, Write};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata};
use tracing_subscriber::layer::{Context, Filter};

/// For how long a cause is counted before the count is said.
const COUNTED_FOR: Duration = Duration::from_secs(60);
/// Causes that are counted at a time; more are said line by line.
const CAUSES_MAX: usize = 1_024;
/// How much of a line is repeated with its count, in characters.
const REPEATED_CHARS_MAX: usize = 400;

/// Decides which lines go out. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Repeats(Arc<Mutex<Causes>>);

/// The causes of the last minute, by the hash of what makes them one.
#[derive(Debug, Default)]
struct Causes(HashMap<u64, Cause>);

#[derive(Debug)]
struct Cause {
    level: Level,
    words: String,
    said_at: Instant,
    heard_at: Instant,
    more: u64,
}

/// A cause that came again after it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Again {
    level: Level,
    words: String,
    times: u64,
    /// How long ago it came last.
    last: Duration,
}

impl Causes {
    /// Whether a line is to be said; otherwise it is counted.
    fn hear(&mut self, line: &Line, level: Level, now: Instant) -> bool {
        let key = line.key();
        if let Some(cause) = self.0.get_mut(&key) {
            (cause.more, cause.heard_at) = (cause.more + 1, now);
            return false;
        }
        if self.0.len() < CAUSES_MAX {
            let words = line.words.chars().take(REPEATED_CHARS_MAX).collect();
            self.0.insert(key, Cause { level, words, said_at: now, heard_at: now, more: 0 });
        }
        true
    }

    /// Lets go of causes whose minute is over, or of all of them; what there is to say of these, in the order in which they
    /// came last.
    fn take(&mut self, now: Instant, all: bool) -> Vec<Again> {
        let is_over = |cause: &Cause| all || now.saturating_duration_since(cause.said_at) >= COUNTED_FOR;
        let mut over: Vec<Cause> =
            self.0.extract_if(|_, cause| is_over(cause)).map(|(_, cause)| cause).collect();
        over.retain(|cause| cause.more > 0);
        over.sort_by_key(|cause| cause.heard_at);
        let again = |Cause { level, words, heard_at, more: times, .. }| Again {
            level,
            words,
            times,
            last: now.saturating_duration_since(heard_at),
        };
        over.into_iter().map(again).collect()
    }
}

impl Repeats {
    /// Says how often causes came again whose minute is over by `now`.
    pub fn say_counts(&self, now: Instant) {
        let over = self.lock().take(now, false);
        over.iter().for_each(Again::say);
    }

    /// Says it of all, at the end.
    pub fn say_all_counts(&self, now: Instant) {
        let over = self.lock().take(now, true);
        over.iter().for_each(Again::say);
    }

    fn lock(&self) -> MutexGuard<'_, Causes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Again {
    fn say(&self) {
        let Self { level, words, times, last } = self;
        let last_s_ago = last.as_secs();
        match *level {
            Level::ERROR => tracing::error!(times, last_s_ago, "came again: {words}"),
            Level::WARN => tracing::warn!(times, last_s_ago, "came again: {words}"),
            _ => tracing::info!(times, last_s_ago, "came again: {words}"),
        }
    }
}

impl<S> Filter<S> for Repeats {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let about = event.metadata();
        if *about.level() > Level::INFO || about.target() == module_path!() {
            return true;
        }
        let line = Line::of(event);
        self.lock().hear(&line, *about.level(), Instant::now())
    }
}

/// What makes a line that of a cause: where it comes from, and its words.
#[derive(Debug, Default)]
struct Line {
    place: u64,
    words: String,
}

impl Line {
    fn of(event: &Event<'_>) -> Self {
        let mut place = DefaultHasher::new();
        event.metadata().callsite().hash(&mut place);
        let mut line = Self { place: place.finish(), words: String::new() };
        event.record(&mut line);
        line
    }

    fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.place, &self.words).hash(&mut hasher);
        hasher.finish()
    }

    fn add(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        let parted = if self.words.is_empty() { "" } else { " " };
        let _strings_take_all = match field.name() {
            "message" => write!(self.words, "{parted}{value}"),
            name => write!(self.words, "{parted}{name}={value}"),
        };
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, format_args!("{value}"));
    }

    fn record_f64(&mut self, _: &Field, _: f64) {}

    fn record_i64(&mut self, _: &Field, _: i64) {}

    fn record_u64(&mut self, _: &Field, _: u64) {}

    fn record_i128(&mut self, _: &Field, _: i128) {}

    fn record_u128(&mut self, _: &Field, _: u128) {}
}

#[cfg(test)]
mod tests;
