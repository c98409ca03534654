//! What happened, line by line, for whoever has to understand a seed.
//!
//! A run of thousands of seeds writes nothing: a seed that fails is played once more with the trace on, which shows the
//! same world again, since nothing else decides.

use simulator::Millis;
use std::fmt::Write;

/// The lines of one run; empty when nobody wants them.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    lines: Option<String>,
    began: Millis,
}

impl Trace {
    /// A trace whose instants count from `began`; `on`: somebody wants it.
    pub fn new(on: bool, began: Millis) -> Self {
        Self { lines: on.then(String::new), began }
    }

    /// Whether somebody wants it.
    pub fn is_on(&self) -> bool {
        self.lines.is_some()
    }

    /// Notes what happened at `now`.
    pub fn say(&mut self, now: Millis, text: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            let _never_fails = writeln!(lines, "{:>9} ms  {}", now - self.began, text());
        }
    }

    /// All of it.
    pub fn into_text(self) -> String {
        self.lines.unwrap_or_default()
    }
}
