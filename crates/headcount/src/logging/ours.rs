//! What no filter lifts: libraries say warnings and errors only, whatever is asked for.
//!
//! Below a warning, libraries for HTTP, TLS and WebSockets write what they send and receive: tokens, names, whole frames. A
//! user who asks for `trace` wants to see what the program does, and hands the log on. So only the program's own parts may
//! say more, by a list of what is allowed: a library that is added says nothing by itself. Rejected: a directive for each
//! library behind those of `RUST_LOG`, since there a longer target wins.

use tracing::subscriber::Interest;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

/// The crates of the program, which write neither secrets nor frames.
const OURS: [&str; 12] = [
    "causal",
    "engine",
    "export",
    "headcount",
    "influx",
    "outward",
    "pipeline",
    "serve",
    "simulator",
    "source",
    "store",
    "wire",
];

/// Lets through what our own crates say, and the warnings of others.
#[derive(Clone, Copy, Debug)]
pub struct OursOnly;

impl OursOnly {
    fn allows(about: &Metadata<'_>) -> bool {
        let target = about.target();
        let from = target.split("::").next().unwrap_or(target);
        *about.level() <= Level::WARN || OURS.contains(&from)
    }
}

impl<S: Subscriber> Filter<S> for OursOnly {
    fn enabled(&self, about: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        Self::allows(about)
    }

    /// Records of the `log` facade share one call site, and only each of them names its target.
    fn callsite_enabled(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }
}
