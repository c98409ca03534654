//! Logs go to standard error: human by default, JSON on request. `RUST_LOG` narrows or widens them.
//!
//! Standard error belongs to somebody else: a pipe whose reader went away or does not read, a full disk. So whoever logs
//! hands a line over and goes on ([`Lines`]), and what cannot be written is counted. What is asked for by `RUST_LOG` never
//! brings out what libraries write of requests and frames ([`OursOnly`]); a cause is said once and then counted ([`Repeats`]); a
//! panic is logged by its place alone. Rejected: the
//! subscriber's own writer, which panics in the task that logs when a line cannot be written, and waits while it must.

mod lines;
mod ours;
mod repeats;

use crate::cli::LogFormat;
use lines::Lines;
use ours::OursOnly;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use repeats::Repeats;
use std::io::IsTerminal;
use std::time::{Duration, Instant};
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// How long the last lines may take at the end.
const LAST_LINES_MAX: Duration = Duration::from_millis(500);
/// How often is looked for counts that are due.
const COUNTS_EVERY: Duration = Duration::from_secs(1);

/// Where the program says what happens to it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Log {
    lines: Lines,
    repeats: Repeats,
    panics: Counter,
}

impl Log {
    /// Starts logging. `quiet`: only warnings, for commands whose answer is what matters.
    pub fn start(format: LogFormat, quiet: bool) -> Self {
        let lines = Lines::into(std::io::stderr());
        let (filter, trouble) = asked_for(if quiet { "warn" } else { "info" });
        let write_to = lines.clone();
        let log = tracing_subscriber::fmt::layer()
            .with_writer(move || write_to.clone())
            .log_internal_errors(false)
            .with_ansi(std::io::stderr().is_terminal());
        let log = match format {
            LogFormat::Human => log.with_target(false).boxed(),
            LogFormat::Json => log.json().boxed(),
        };
        let repeats = Repeats::default();
        let filter = filter.and(OursOnly).and(repeats.clone());
        tracing_subscriber::registry().with(log.with_filter(filter)).init();
        count(repeats.clone());
        let panics = Counter::default();
        let counted = panics.clone();
        std::panic::set_hook(Box::new(move |panic| {
            counted.inc();
            say_panic(panic);
        }));
        if let Some(trouble) = trouble {
            tracing::warn!("RUST_LOG is not understood ({trouble}) and is left out");
        }
        Self { lines, repeats, panics }
    }

    /// Says a line that has no level: why the program ends.
    pub fn say(&self, text: &str) {
        self.lines.put(format!("{text}\n").into_bytes());
    }

    /// Shows what it counts: lines that could not be written, and panics of any part.
    pub fn register(&self, to: &mut Registry) {
        let to = to.sub_registry_with_prefix("headcount");
        to.register(
            "log_lines_lost",
            "Lines of the log that could not be written",
            self.lines.lost().clone(),
        );
        to.register("panics", "Panics of any part of the program: defects", self.panics.clone());
    }

    /// Waits until all is written, or for a moment at most.
    pub fn end(&self) {
        self.repeats.say_all_counts(Instant::now());
        self.lines.flush(LAST_LINES_MAX);
    }
}

/// Says counts from now on. Without a thread to spare they are said at the end.
fn count(repeats: Repeats) {
    let body = move || loop {
        std::thread::park_timeout(COUNTS_EVERY);
        repeats.say_counts(Instant::now());
    };
    let _said_at_the_end = std::thread::Builder::new().name("log-counts".to_owned()).spawn(body);
}

/// What `RUST_LOG` asks for, and what is wrong with it.
fn asked_for(default: &str) -> (EnvFilter, Option<String>) {
    let Some(asked) = std::env::var("RUST_LOG").ok().filter(|asked| !asked.trim().is_empty()) else {
        return (EnvFilter::new(default), None);
    };
    match EnvFilter::try_new(&asked) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(default), Some(error.to_string())),
    }
}

/// A panic is a defect, and its place tells which. Its words are shown only where they were written into the program: others
/// may quote what a frame or an answer held.
fn say_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let words = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("a defect of the program");
    let thread = std::thread::current();
    tracing::error!(
        place,
        thread = thread.name().unwrap_or_default(),
        "a part of the program panicked: {words}"
    );
}
